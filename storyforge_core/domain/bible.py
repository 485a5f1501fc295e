"""What is true in a story: who and what there is, and facts that scenes prove. Values and rules only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NewType
from uuid import UUID

from storyforge_core.domain.answers import one_line
from storyforge_core.domain.memory import covers, sought
from storyforge_core.domain.mentions import Names, plain
from storyforge_core.errors import Invalid, NotFound, Refused

EntityId = NewType("EntityId", UUID)
FactId = NewType("FactId", UUID)
Sort = Literal["character", "place", "prop"]

NAME_CHARS = 60
TEXT_CHARS = 500
FACT_CHARS = 300
MOST_ALIASES = 12
MOST_ENTITIES = 500
MOST_FACTS = 900
COMPARED = 100
"""Facts, the newest, that are compared with a scene when they name nobody: each comparison reads the scene."""
HIDDEN = "Secret, which nobody says or guesses yet:"
NEAR = 0.5
"""Share of a fact's words that a scene has to have for the fact to matter there, when it names nobody."""


@dataclass(frozen=True, slots=True)
class Card:
    """What players have written down about somebody or something."""

    sort: Sort
    name: str
    aliases: tuple[str, ...] = ()
    description: str = ""
    secret: str = ""
    """What the storyteller knows and nobody in the story does."""
    voice: str = ""
    """How they speak."""

    @property
    def names(self) -> tuple[str, ...]:
        """Everything they are called."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class Entity:
    """Somebody or something that is in a story: on all its branches where players say so."""

    id: EntityId
    card: Card
    seen: int = 0
    """The number of the scene in which it was found by reading, on this path only; 0 where players wrote it down."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that holds from a scene on, on whatever follows it."""

    text: str
    quote: str = ""
    """Where the scene says so, word for word; empty where a player says so."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A claim with its place in the story."""

    id: FactId
    number: int
    """What people type; counts up within the story."""
    scene: int
    """The number of the scene from which it holds."""
    claim: Claim


def find(entities: Sequence[Entity], name: str, sort: Sort) -> Entity:
    """Find who is called so.

    Raises:
        NotFound: nobody, or nothing of this sort.
    """
    wanted = plain(name)
    found = next((each for each in entities if wanted in map(plain, each.card.names)), None)
    if found is None:
        raise NotFound(f"There is no {sort} called “{one_line(name, NAME_CHARS)}”. /story {sort} list shows them.")
    if found.card.sort != sort:
        raise NotFound(f"{found.card.name} is a {found.card.sort}: /story {found.card.sort} show {found.card.name}")
    return found


def new_name(entities: Sequence[Entity], text: str, sort: Sort) -> str:
    """The name as it is kept.

    Raises:
        Invalid: there is no name in it.
        Refused: somebody is called so already.
    """
    name = one_line(text, NAME_CHARS)
    if not any(char.isalnum() for char in name):
        raise Invalid(f"It needs a name, such as: /story {sort} add Maren text=“keeps the mill”")
    known = next((each for each in entities if plain(name) in map(plain, each.card.names)), None)
    if known is not None:
        raise Refused(f"{known.card.name} is called so already. /story {known.card.sort} show {known.card.name}")
    return name


def named(entities: Sequence[Entity], text: str) -> tuple[Entity, ...]:
    """Find those whom a text names, by any of their names, in the order in which it does."""
    owners = {name: each for each in entities for name in each.card.names}
    return tuple(_named(owners, Names(owners), text).values())


def matters(entities: Sequence[Entity], facts: Sequence[Fact], text: str) -> tuple[str, ...]:
    """What a storyteller has to know about those whom a text names, a line each; facts come newest first.

    Facts matter when they name somebody whom the text names, or when they name nobody and speak of the same things.
    """
    owners = {name: each for each in entities for name in each.card.names}
    names = Names(owners)
    here = _named(owners, names, text)
    told = []
    for age, fact in enumerate(sorted(facts, key=lambda fact: fact.number, reverse=True)):
        about = {owners[mention.name].id for mention in names.mentions(fact.claim.text)}
        nameless = not about and age < COMPARED
        if about & here.keys() or (nameless and covers(text, sought(fact.claim.text)) >= NEAR):
            told.append(f"{fact.claim.text} (scene {fact.scene})")
    return (*(_line(each.card) for each in here.values() if _says_something(each.card)), *told)


def open_part(line: str) -> str:
    """What such a line says that is no secret."""
    return line.partition(f" {HIDDEN}")[0]


def _named(owners: Mapping[str, Entity], names: Names, text: str) -> dict[EntityId, Entity]:
    return {owners[mention.name].id: owners[mention.name] for mention in names.mentions(text)}


def _says_something(card: Card) -> bool:
    return bool(card.description or card.secret or card.voice)


def _line(card: Card) -> str:
    also = f", also called {', '.join(card.aliases)}" if card.aliases else ""
    voice = f" Voice: {card.voice}" if card.voice else ""
    secret = f" {HIDDEN} {card.secret}" if card.secret else ""
    return f"{card.name} ({card.sort}{also}): {card.description}{voice}{secret}"
