"""What is offered while somebody types an argument: scenes, takes, stories, choices, players, commands."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, assert_never, get_args

from discord.app_commands import Choice as Offer

from bot.catalog.row import Argument, Row
from bot.catalog.table import ROWS
from storyforge_core.domain.answers import one_line
from storyforge_core.domain.bible import Sort
from storyforge_core.domain.book import ListEntities, ListFacts, ListLooks
from storyforge_core.domain.commands import Command, ListLore, ShowMap, ShowStatus, ShowStories, ShowTakes
from storyforge_core.domain.found import DisputesShown, ListDisputes, PromisesShown, ShowPromises
from storyforge_core.domain.look_replies import LooksListed
from storyforge_core.domain.replies import (
    EntitiesShown,
    FactsShown,
    LoreListed,
    MapShown,
    Reply,
    StatusShown,
    StoriesShown,
    TakesShown,
)
from storyforge_core.domain.states import fact_text

MOST_OFFERS = 25
OFFER_CHARS = 100
Value = str | int | float
"""What discord.py knows as the value of an offer."""
Lines = Iterable[tuple[str, Value]]


@dataclass(frozen=True, slots=True)
class Completion:
    """What to look up, and what of the answer to offer."""

    command: Command
    read: Callable[[Reply], Lines]


def completion(row: Row, argument: Argument) -> Completion | None:
    """How an argument is completed; None when the story has nothing to offer for it."""
    match argument.kind:
        case "scene" | "story" | "player" | "lore":
            return _LISTED[argument.kind]
        case "number":
            return _NUMBERS.get(f"{row.name} {argument.name}", _CHOICES)
        case "entity":
            return Completion(_ENTITIES[row.name.partition(" ")[0]], _cards)
        case "text" | "word" | "command" | "file" | "picture" | "channel" | "role" | "person":
            return None
        case _:
            assert_never(argument.kind)


def offers(lines: Lines, typed: str) -> list[Offer[Value]]:
    """Offer what fits what was typed so far."""
    wanted = typed.casefold()
    fitting = (
        Offer(name=one_line(name, OFFER_CHARS), value=value) for name, value in lines if wanted in name.casefold()
    )
    return [offer for offer, _ in zip(fitting, range(MOST_OFFERS), strict=False)]


def command_names() -> Lines:
    """Every command with its help."""
    return ((f"{row.name} · {row.help}", row.name) for row in ROWS)


def _scenes(reply: Reply) -> Iterator[tuple[str, Value]]:
    """The newest first: that is where people go back to most."""
    if isinstance(reply, MapShown):
        newest = sorted(reply.nodes, key=lambda node: node.number, reverse=True)
        yield from ((f"{node.number} · {node.title}", str(node.number)) for node in newest)


def _stories(reply: Reply) -> Iterator[tuple[str, Value]]:
    if isinstance(reply, StoriesShown):
        yield from ((f"{line.number} · {line.title or line.premise}", str(line.number)) for line in reply.stories)


def _lore(reply: Reply) -> Iterator[tuple[str, Value]]:
    if isinstance(reply, LoreListed):
        yield from ((f"{entry.number} · {entry.lore.title}", str(entry.number)) for entry in reply.entries)


def _players(reply: Reply) -> Iterator[tuple[str, Value]]:
    if isinstance(reply, StatusShown):
        yield from ((member.name, member.name) for member in reply.members)


def _choices(reply: Reply) -> Iterator[tuple[str, Value]]:
    if isinstance(reply, StatusShown) and reply.ballot:
        yield from ((f"{choice.position} · {choice.text}", choice.position) for choice in reply.ballot.choices)


def _takes(reply: Reply) -> Iterator[tuple[str, Value]]:
    if isinstance(reply, TakesShown):
        yield from ((f"{scene.take} · {scene.title}", scene.take) for scene in reply.takes)


def _cards(reply: Reply) -> Iterator[tuple[str, Value]]:
    if isinstance(reply, LooksListed):
        yield from ((f"{line.name} · {line.scene}", line.name) for line in reply.lines)
    if isinstance(reply, EntitiesShown):
        cards = (*reply.cards, *(each.card for each in reply.found))
        yield from ((f"{card.name} · {card.description}", card.name) for card in cards)


def _facts(reply: Reply) -> Iterator[tuple[str, Value]]:
    if isinstance(reply, FactsShown):
        yield from ((f"{fact.number} · {fact.claim.text}", fact.number) for fact in reply.facts)
        yield from ((f"{each.number} · {fact_text(each.said)}", each.number) for each in reply.found)


def _disputes(reply: Reply) -> Iterator[tuple[str, Value]]:
    if isinstance(reply, DisputesShown):
        for each in reply.disputes:
            yield f"{each.number} · {' / '.join(fact_text(option.said) for option in each.options)}", each.number


def _promises(reply: Reply) -> Iterator[tuple[str, Value]]:
    if isinstance(reply, PromisesShown):
        yield from ((f"{each.number} · {each.text}", each.number) for each in reply.promises)


_LISTED: Final = {
    "scene": Completion(ShowMap(), _scenes),
    "story": Completion(ShowStories(), _stories),
    "player": Completion(ShowStatus(), _players),
    "lore": Completion(ListLore(), _lore),
}
_ENTITIES: Final[Mapping[str, Command]] = {sort: ListEntities(sort) for sort in get_args(Sort)} | {"look": ListLooks()}
_CHOICES: Final = Completion(ShowStatus(), _choices)
_NUMBERS: Final[Mapping[str, Completion | None]] = {
    "takes number": Completion(ShowTakes(), _takes),
    "fact forget number": Completion(ListFacts(), _facts),
    "fact settle number": Completion(ListDisputes(), _disputes),
    "fact settle which": None,
    "promise forget number": Completion(ShowPromises(), _promises),
}
