"""What scenes say of those who are in them, and what of it holds on a path. Values and rules only.

An assertion belongs to a cell: of one cell only the newest assertion counts. Where somebody is, is one cell; each thing
that somebody has is a cell of its own, so that taking another one takes none away.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NewType
from uuid import UUID

from storyforge_core.domain.bible import Entity, EntityId
from storyforge_core.domain.memory import Sought, covers
from storyforge_core.domain.mentions import plain

AssertionId = NewType("AssertionId", UUID)
Slot = Literal["where", "has", "knows", "condition", "look", "time", "fact"]
"""What is said of somebody; `time` is said of the story, `fact` is whatever else."""
Manner = Literal["told", "dreamt", "lied", "rumoured", "remembered", "supposed"]
"""How a scene says it: only what is told is true."""
Turn = Literal["is", "begins", "ends"]
"""Whether the prose says that it is so, or tells that it became so, or that it is so no longer."""
Standing = Literal["true", "said", "disputed", "struck"]
"""`said` is not to be taken for true, `disputed` waits for players to decide, `struck` is what they took out."""

MANY: frozenset[Slot] = frozenset({"has", "knows"})
"""Of these there can be several at once."""
ASPECTS: frozenset[Slot] = frozenset({"condition", "look", "fact"})
"""These are told apart by what they are about: hair, eyes, the left arm."""
MOST_HERE = 12
"""People, places and things whose state is told."""
MOST_VALUES = 6
"""Of one slot, the newest."""
ASKED = 0.99
"""Share of a question's words that an assertion has to have to answer it."""
SEEN: tuple[Slot, ...] = ("look", "condition")
"""What a picture shows of somebody."""
SAID: Mapping[Slot, str] = {"where": "where", "has": "has", "knows": "knows", "condition": "condition", "look": "looks"}

Cell = tuple[str, Slot, str]
"""Whom it is said of, what, and which one of several; names plain."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a scene says of somebody or something, with the words that prove it."""

    subject: str
    """Their name, as it is known; empty for the time."""
    slot: Slot
    value: str
    quote: str
    """Where the scene says so, word for word; it is never empty."""
    aspect: str = ""
    """What it is about, such as hair; empty where there is only one."""
    manner: Manner = "told"
    turn: Turn = "is"

    @property
    def cell(self) -> Cell:
        """Where it belongs: of a cell only the newest assertion counts."""
        single = self.slot in ASPECTS and self.aspect
        several = self.slot in MANY or (self.slot == "fact" and not self.aspect)
        which = plain(self.aspect) if single else alike(self.value) if several else ""
        return plain(self.subject), self.slot, which


@dataclass(frozen=True, slots=True)
class Held:
    """An assertion with its place in the story."""

    id: AssertionId
    number: int
    """What people type; counts up within the story, together with the facts of players."""
    scene: int
    """The number of the scene that says it."""
    depth: int
    part: int
    """Its place among those of its scene."""
    said: Assertion
    standing: Standing
    against: str = ""
    """The value that it is in dispute with."""
    rival: int = 0
    """The number of the assertion with that value."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is to be kept of a scene, and how it stands."""

    said: Assertion
    standing: Standing
    against: str = ""
    rival: int = 0


def alike(value: str) -> str:
    """A value for comparing: without article, letter case and the mark at its end."""
    return plain(value).rstrip(".!?… ")


def judged(said: Assertion, now: Held | Judged | None) -> Judged | None:
    """How something stands beside the newest of its cell; None where it says nothing new.

    A value that differs from an established one takes its place only where the prose tells the change. Time passes by
    itself.
    """
    if said.manner != "told":
        return Judged(said, "said")
    if now is None or now.said.turn == "ends":
        return None if said.turn == "ends" else Judged(said, "true")
    same, disputed = alike(said.value) == alike(now.said.value), now.standing == "disputed"
    if said.turn == "ends" or (said.turn == "begins" and not (same and not disputed)):
        return Judged(said, "true")
    if same or (disputed and alike(said.value) == alike(now.against)):
        return None
    return Judged(said, "true") if said.slot == "time" else _against(said, now)


def _against(said: Assertion, now: Held | Judged) -> Judged:
    """In dispute with what is established, or with what that was in dispute with already."""
    if now.standing == "disputed":
        return Judged(said, "disputed", now.against, now.rival)
    return Judged(said, "disputed", now.said.value, now.number if isinstance(now, Held) else 0)


def newest(held: Iterable[Held]) -> dict[Cell, Held]:
    """The newest assertion of each cell that counts, whatever it says."""
    counting = (each for each in held if each.standing in {"true", "disputed"})
    return {each.said.cell: each for each in sorted(counting, key=_told_at)}


def holding(held: Iterable[Held]) -> tuple[Held, ...]:
    """What holds: the newest of each cell, unless it is in dispute or has ended; newest first."""
    cells = newest(held).values()
    true = (each for each in cells if each.standing == "true" and each.said.turn != "ends")
    return tuple(sorted(true, key=_told_at, reverse=True))


def disputes(held: Iterable[Held]) -> tuple[Held, ...]:
    """What is in dispute: neither value is to be taken for true; newest first."""
    open_ones = (each for each in newest(held).values() if each.standing == "disputed")
    return tuple(sorted(open_ones, key=_told_at, reverse=True))


def options_of(history: Sequence[Held]) -> tuple[Held, ...]:
    """The values of which one can be true, the oldest first: all that are in dispute, and what they dispute.

    Args:
        history: what a path says of one cell, the newest first.
    """
    above: list[Held] = []
    for each in history:
        above.append(each)
        if each.standing == "true":
            break
    first: dict[str, Held] = {}
    for each in reversed(above):
        first.setdefault(alike(each.said.value), each)
    return tuple(first.values())


def of_one(held: Iterable[Held], names: Iterable[str]) -> tuple[Held, ...]:
    """What is said of somebody under any of their names, as if it were one: the newest of each cell."""
    known = {plain(name) for name in names}
    cells: dict[tuple[Slot, str], Held] = {}
    for each in sorted(newest(held).values(), key=_told_at):
        subject, *rest = each.said.cell
        if subject in known:
            cells[rest[0], rest[1]] = each  # type: ignore[index] # a slot and its which
    return tuple(sorted(cells.values(), key=_told_at, reverse=True))


def state_lines(people: Sequence[Entity], held: Sequence[Held]) -> tuple[str, ...]:
    """Where and how everybody is, a line each, with the scenes that say so; the time of the story comes first."""
    time = next((each for each in holding(held) if each.said.slot == "time"), None)
    lines = [] if time is None else [f"Time: {time.said.value} (scene {time.scene})"]
    for who in people[:MOST_HERE]:
        mine = holding(of_one(held, who.card.names))
        parts = [part for slot in SAID if (part := _slot_line(slot, mine))]
        if parts:
            lines.append(f"{who.card.name}: {'; '.join(parts)}")
    return tuple(lines)


def fact_lines(people: Sequence[Entity], held: Sequence[Held]) -> tuple[str, ...]:
    """Whatever else scenes say of them, a line each, the newest first."""
    lines = []
    for who in people[:MOST_HERE]:
        mine = [each for each in holding(of_one(held, who.card.names)) if each.said.slot == "fact"]
        lines += [(_told_at(each), f"{fact_text(each.said)} (scene {each.scene})") for each in mine[:MOST_VALUES]]
    return tuple(line for _, line in sorted(lines, reverse=True))


def fact_text(said: Assertion) -> str:
    """An assertion as a short sentence."""
    if said.slot == "time":
        return f"Time: {said.value}"
    about = {"fact": said.aspect}.get(said.slot, " ".join(filter(None, (said.slot, said.aspect))))
    return ": ".join(filter(None, (said.subject, about, said.value)))


def looks(people: Sequence[Entity], held: Sequence[Held]) -> dict[EntityId, str]:
    """How somebody looks by what scenes say, for those of whom they say something."""
    found = {}
    for who in people:
        mine = [each.said for each in holding(of_one(held, who.card.names)) if each.said.slot in SEEN]
        if mine:
            found[who.id] = ", ".join(_aspect_value(said) for said in mine[:MOST_VALUES])
    return found


def bearing_on(held: Iterable[Held], wanted: Sought) -> tuple[Held, ...]:
    """What answers a question: assertions that hold and speak of all that is asked, the newest first."""
    if not wanted.words:
        return ()
    return tuple(each for each in holding(held) if covers(f"{fact_text(each.said)} {each.said.quote}", wanted) >= ASKED)


def subjects(people: Iterable[Entity]) -> tuple[str, ...]:
    """The plain names under which something may be said of them, and that of the time."""
    return tuple(dict.fromkeys(("", *(plain(name) for who in people for name in who.card.names))))


def _slot_line(slot: Slot, mine: Sequence[Held]) -> str:
    values = [f"{_aspect_value(each.said)} (scene {each.scene})" for each in mine if each.said.slot == slot]
    return f"{SAID[slot]}: {', '.join(values[:MOST_VALUES])}" if values else ""


def _aspect_value(said: Assertion) -> str:
    return f"{said.aspect} {said.value}" if said.aspect else said.value


def _told_at(held: Held) -> tuple[int, int]:
    return held.depth, held.part
