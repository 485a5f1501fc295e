"""What a model found when it read a scene: believed only as far as the scene proves it, word for word. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar, get_args

from storyforge_core.domain.answers import ANSWER_CHARS, Problem, json_objects, one_line
from storyforge_core.domain.bible import MOST_ALIASES, NAME_CHARS, Card, Entity, Fact, Sort
from storyforge_core.domain.inquiry import exact
from storyforge_core.domain.mentions import Names, plain
from storyforge_core.domain.promises import PROMISE_CHARS, Outcome, Pledge, Promise, like, open_promises, words_of
from storyforge_core.domain.states import Assertion, Cell, Held, Judged, Manner, Slot, Turn, alike, judged, newest

VALUE_CHARS = 160
ASPECT_CHARS = 40
QUOTE_CHARS = 300
DESCRIPTION_CHARS = 200
MOST_SEEN = 12
MOST_SAID = 30
MOST_PLEDGES = 6
"""Of one scene; more than these no scene of a readable length says."""
MOST_FOUND = 400
"""People, places and things found by reading on one path; a scene that names more adds none."""
NOBODY = frozenset(
    {"i", "you", "he", "she", "it", "we", "they", "me", "him", "her", "us", "them", "who", "this", "that", "one"}
    | {"someone", "somebody", "something", "everyone", "everybody", "everything", "anyone", "anybody", "anything"}
    | {"nobody", "nothing"}
)
"""Words that a small model takes for names."""

Word = TypeVar("Word", bound=str)


@dataclass(frozen=True, slots=True)
class Sighted:
    """Somebody or something that a scene of the path names and nobody had written down."""

    entity: Entity
    struck: bool
    """Players took them out again."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known before a scene, on its path."""

    entities: tuple[Entity, ...] = ()
    """Those that players wrote down come first."""
    facts: tuple[Fact, ...] = ()
    """What players wrote down as true."""
    held: tuple[Held, ...] = ()
    """The newest assertions of each cell about those whom the scene names."""
    promises: tuple[Promise, ...] = ()
    refused: frozenset[str] = frozenset()
    """Plain names of what players took out again after it had been found."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What is to be kept of a scene."""

    seen: tuple[Card, ...] = ()
    """People, places and things that nobody knew of, with what the scene says of them."""
    said: tuple[Judged, ...] = ()
    pledges: tuple[Pledge, ...] = ()


def findings_schema() -> Mapping[str, object]:
    """JSON Schema of an answer; all counts and lengths are bounded so that it ends."""
    entity = {
        "name": _text(NAME_CHARS, 1),
        "sort": {"type": "string", "enum": list(get_args(Sort))},
        "also": {"type": "array", "items": _text(NAME_CHARS, 1), "maxItems": 3},
        "description": _text(DESCRIPTION_CHARS),
        "voice": _text(DESCRIPTION_CHARS),
    }
    assertion = {
        "subject": _text(NAME_CHARS),
        "slot": {"type": "string", "enum": list(get_args(Slot))},
        "aspect": _text(ASPECT_CHARS),
        "value": _text(VALUE_CHARS, 1),
        "quote": _text(QUOTE_CHARS, 1),
        "manner": {"type": "string", "enum": list(get_args(Manner))},
        "change": {"type": "string", "enum": list(get_args(Turn))},
    }
    promise = {
        "number": {"type": "integer"},
        "outcome": {"type": "string", "enum": list(get_args(Outcome))},
        "text": _text(PROMISE_CHARS),
        "quote": _text(QUOTE_CHARS, 1),
    }
    lists = {
        "entities": _list(entity, MOST_SEEN),
        "assertions": _list(assertion, MOST_SAID),
        "promises": _list(promise, MOST_PLEDGES),
    }
    return {"type": "object", "properties": lists, "required": list(lists), "additionalProperties": False}


def read_findings(answer: str, prose: str, known: Known) -> Findings | Problem:
    """Take from an answer what its scene proves; an answer that broke off counts as far as it goes."""
    objects = tuple(json_objects(answer[:ANSWER_CHARS]))
    if not any(_LISTS & each.keys() or _is_row(each) for each in objects):
        return Problem('There is no JSON object with "entities", "assertions" and "promises" in it.')
    seen = _seen(objects, prose, known)
    said = _said(objects, prose, (*(each.card for each in known.entities), *seen))
    return Findings(seen, _judged(said, known), _pledges(objects, prose, known))


def found_entities(cards: Sequence[Entity], sighted: Sequence[Sighted]) -> tuple[Entity, ...]:
    """Those that players wrote down, then those that scenes of the path name; what players wrote wins.

    Args:
        cards: what players wrote down.
        sighted: what was found by reading on the path, the oldest first, several of one name where scenes added.
    """
    taken = {plain(name) for each in cards for name in each.card.names}
    hidden = taken | refused_names(sighted)
    found: dict[str, Entity] = {}
    for each in (one.entity for one in sighted):
        key = plain(each.card.name)
        if key in hidden:
            continue
        found[key] = replace(found[key], card=_added(found[key].card, each.card)) if key in found else each
    named = {*taken, *found}
    return (*cards, *(replace(each, card=_without(each.card, named - {key})) for key, each in found.items()))


def refused_names(sighted: Iterable[Sighted]) -> frozenset[str]:
    """Plain names of those whom players took out again; they do not come back when another scene names them."""
    return frozenset(plain(name) for each in sighted if each.struck for name in each.entity.card.names)


_LISTS: Final = frozenset({"entities", "assertions", "promises"})


def _is_row(given: Mapping[str, object]) -> bool:
    return {"slot", "quote"} <= given.keys() or {"outcome", "quote"} <= given.keys() or {"name", "sort"} <= given.keys()


def _text(most: int, least: int = 0) -> Mapping[str, object]:
    return {"type": "string", "minLength": least, "maxLength": most}


def _list(properties: Mapping[str, object], most: int) -> Mapping[str, object]:
    item = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"type": "array", "items": item, "maxItems": most}


def _line(given: Mapping[str, object], name: str, most: int) -> str:
    value = given.get(name)
    return one_line(value, most) if isinstance(value, str) else ""


def _one_of(given: Mapping[str, object], name: str, words: tuple[Word, ...]) -> Word | None:
    return next((word for word in words if word == given.get(name)), None)


def _seen(objects: Iterable[Mapping[str, object]], prose: str, known: Known) -> tuple[Card, ...]:
    """Those whom the scene names and nobody knew of, or of whom it says more than was known."""
    if len(known.entities) >= MOST_FOUND:
        return ()
    by_name = {plain(name): each for each in known.entities for name in each.card.names}
    cards: dict[str, Card] = {}
    for given in objects:
        card = _card(given, prose)
        if card is None or plain(card.name) in known.refused | cards.keys():
            continue
        old = by_name.get(plain(card.name))
        if old is None or (old.seen and _added(old.card, card) != old.card):
            taken = by_name.keys() | known.refused | {plain(name) for each in cards.values() for name in each.names}
            cards[plain(card.name)] = _without(card, taken - {plain(card.name)})
    return tuple(cards.values())[:MOST_SEEN]


def _card(given: Mapping[str, object], prose: str) -> Card | None:
    """Somebody or something as a model describes it, if the scene names it; other names only where it has them."""
    sort, name = _one_of(given, "sort", get_args(Sort)), _line(given, "name", NAME_CHARS)
    if sort is None or plain(name) in NOBODY or not Names((name,)).mentions(prose):
        return None
    listed = given.get("also")
    texts = [one_line(each, NAME_CHARS) for each in listed if isinstance(each, str)] if isinstance(listed, list) else []
    also = {plain(each): each for each in texts if plain(each) != plain(name) and Names((each,)).mentions(prose)}
    description, voice = _line(given, "description", DESCRIPTION_CHARS), _line(given, "voice", DESCRIPTION_CHARS)
    return Card(sort, name, tuple(also.values())[:3], description, voice=voice)


def _added(card: Card, more: Card) -> Card:
    """A card with what another one adds: what is there stays."""
    aliases = {plain(name): name for name in (*card.aliases, *more.aliases) if plain(name) != plain(card.name)}
    return replace(
        card,
        aliases=tuple(aliases.values())[:MOST_ALIASES],
        description=card.description or more.description,
        voice=card.voice or more.voice,
    )


def _without(card: Card, names: Iterable[str]) -> Card:
    taken = frozenset(names)
    return replace(card, aliases=tuple(name for name in card.aliases if plain(name) not in taken))


@dataclass(frozen=True, slots=True)
class _Placed:
    """An assertion and where in the scene its quote stands."""

    start: int
    said: Assertion


@dataclass(frozen=True, slots=True)
class _Cast:
    """Those who can be spoken of, found by their names."""

    owners: Mapping[str, str]
    names: Names = field(compare=False)

    def called(self, text: str) -> str:
        """The name under which somebody is known; empty where a text names nobody, or several."""
        known = self.owners.get(plain(text))
        if known is not None:
            return known
        named = {self.owners[plain(mention.name)] for mention in self.names.mentions(text)}
        return named.pop() if len(named) == 1 else ""


def _said(objects: Iterable[Mapping[str, object]], prose: str, cards: Sequence[Card]) -> Iterator[Assertion]:
    """What the scene proves, in the order in which it says it."""
    owners = {plain(name): card.name for card in reversed(cards) for name in card.names}
    cast = _Cast(owners, Names(name for card in cards for name in card.names))
    placed: dict[tuple[Cell, str, Turn], _Placed] = {}
    for given in objects:
        said = _assertion(given, prose, cast)
        if said is not None and len(placed) < MOST_SAID:
            placed.setdefault((said.cell, alike(said.value), said.turn), _Placed(prose.find(said.quote), said))
    return (each.said for each in sorted(placed.values(), key=lambda each: each.start))


def _assertion(given: Mapping[str, object], prose: str, cast: _Cast) -> Assertion | None:
    slot = _one_of(given, "slot", get_args(Slot))
    value, quote = _line(given, "value", VALUE_CHARS), exact(_line(given, "quote", QUOTE_CHARS), prose)
    subject = cast.called(_line(given, "subject", NAME_CHARS)) if slot != "time" else ""
    if slot is None or not alike(value) or not quote or not (subject or slot == "time"):
        return None
    value = cast.owners.get(plain(value), value)
    manner: Manner = _one_of(given, "manner", get_args(Manner)) or ("supposed" if "manner" in given else "told")
    turn: Turn = _one_of(given, "change", get_args(Turn)) or "is"
    return Assertion(subject, slot, value, quote, _line(given, "aspect", ASPECT_CHARS), manner, turn)


def _judged(said: Iterable[Assertion], known: Known) -> tuple[Judged, ...]:
    """How each stands beside what held before and what the scene has said before it."""
    now: dict[Cell, Held | Judged] = dict(newest(known.held))
    kept: list[Judged] = []
    for each in said:
        if each.turn == "is" and _is_players_own(each, known):
            continue
        for one in (*_passed_on(each, now), each):
            found = judged(one, now.get(one.cell))
            if found is None:
                continue
            kept.append(found)
            if found.standing != "said":
                now[one.cell] = found
    return tuple(kept)


def _passed_on(said: Assertion, now: Mapping[Cell, Held | Judged]) -> tuple[Assertion, ...]:
    """What others no longer have when somebody gets it."""
    if said.slot != "has" or said.turn != "begins" or said.manner != "told":
        return ()
    owners = [
        each.said
        for (subject, slot, which), each in now.items()
        if slot == "has" and which == said.cell[2] and subject != said.cell[0] and each.said.turn != "ends"
    ]
    return tuple(replace(said, subject=each.subject, turn="ends") for each in owners)


def _is_players_own(said: Assertion, known: Known) -> bool:
    """Players have written down themselves what it is about: their word stands until the prose tells a change."""
    if not said.aspect:
        return False
    about = words_of(said.aspect)
    card = next((each.card for each in known.entities if not each.seen and said.subject in each.card.names), None)
    written = [f"{card.description} {card.secret}"] if card else []
    names = Names(card.names if card else (said.subject,))
    written += [fact.claim.text for fact in known.facts if names.mentions(fact.claim.text)]
    return any(about <= words_of(text) for text in written)


def _pledges(objects: Iterable[Mapping[str, object]], prose: str, known: Known) -> tuple[Pledge, ...]:
    """What the scene does to promises; one that is open already is not opened again."""
    open_now = {each.number: each for each in open_promises(known.promises)}
    pledges: dict[object, Pledge] = {}
    for given in objects:
        outcome = _one_of(given, "outcome", get_args(Outcome))
        text, quote = _line(given, "text", PROMISE_CHARS), exact(_line(given, "quote", QUOTE_CHARS), prose)
        if outcome is None or not quote or len(pledges) >= MOST_PLEDGES:
            continue
        same = like(text, open_now.values()) if words_of(text) else None
        if outcome == "open":
            if same is None and words_of(text):
                pledges.setdefault(words_of(text), Pledge("open", text, quote))
            continue
        number = given.get("number")
        meant = open_now.get(number) if isinstance(number, int) else None
        about = meant or same
        if about is not None:
            pledges.setdefault(about.id, Pledge(outcome, about.text, quote, about.id))
    return tuple(pledges.values())
