"""Lore: what is true in the world of a story, told to the storyteller where it matters. Pure.

An entry is told when one of its keys stands in what is going on, in another entry that is told, or always. What each
field does follows SillyTavern's World Info, so that imported books keep their meaning, with two differences: time is
counted in scenes of a path, and chance comes from a stored seed. So a branch goes on from what was so where it forks, a
take is told under the same conditions as the one before, and nothing that happened elsewhere is known.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal, NewType, assert_never
from uuid import UUID

from storyforge_core.domain.lore_keys import Finds, Haystack, Manner
from storyforge_core.domain.story import StoryId

LoreId = NewType("LoreId", UUID)
Logic = Literal["and_any", "and_all", "not_any", "not_all"]
"""What has to be true of an entry's other keys, besides one of its keys being there."""

SCENES_READ = 2
"""How many of the newest scenes keys are looked for in, unless an entry says otherwise."""
MOST_ROUNDS = 4
"""How often what was found is itself searched for keys: entries that call each other come to an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lore:
    """One entry: what it says, and when."""

    title: str
    """For people; the storyteller is not told."""
    text: str
    keys: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    """Other keys, for `logic`; with none of them the keys alone decide."""
    logic: Logic = "and_any"
    constant: bool = False
    """Told without any key."""
    on: bool = True
    order: int = 100
    """Higher ones are told later, which is nearer to the task, and are the last to be left out."""
    depth: int = SCENES_READ
    """How many of the newest scenes its keys are looked for in; 0: only in what is asked for."""
    whole_words: bool = True
    match_case: bool = False
    probability: int = 100
    """In percent, drawn once a scene."""
    sticky: int = 0
    """For how many scenes after it was found it is told anyway."""
    cooldown: int = 0
    """For how many scenes after that it is not told at all."""
    delay: int = 0
    """How many scenes have to be told before it can be."""
    groups: tuple[str, ...] = ()
    """Of the entries of a group that are found together, one is told."""
    weight: int = 100
    """Its share in the lot that decides within a group."""
    preferred: bool = False
    """No lot: it wins, by order if there are several."""
    wakes: bool = True
    """Its text is searched for keys of others."""
    woken: bool = True
    """Its keys are looked for in the texts of others."""
    level: int = 0
    """Only found in texts of others, from this round of searching on; 0: like any other."""
    extra: str = ""
    """The entry as it was imported, as JSON: fields that mean nothing here are not lost."""


@dataclass(frozen=True, slots=True)
class LoreEntry:
    """An entry of a story."""

    id: LoreId
    story: StoryId
    number: int
    """What people type: counts up within the story, and is never used again."""
    lore: Lore


@dataclass(frozen=True, slots=True)
class StoryLore:
    """The lore of a story."""

    entries: tuple[LoreEntry, ...]
    """By number, without those that were forgotten."""
    numbers: int
    """How many numbers were ever given."""


@dataclass(frozen=True, slots=True)
class ActiveLore:
    """An entry that the storyteller is told for one scene."""

    entry: LoreId
    title: str
    text: str
    held: bool
    """It is only still told, by its stickiness."""


@dataclass(frozen=True, slots=True)
class Fired:
    """That an entry was told for a scene: what timers count from."""

    entry: LoreId
    held: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What goes on where a scene is to be told, all of it from one path."""

    scenes: tuple[str, ...]
    """The newest ones, newest last."""
    asked: tuple[str, ...]
    """What is always read: premise, choice, hint, director's note."""
    turn: int
    """How many scenes are told before."""
    found: Mapping[LoreId, int]
    """For each entry the depth of the last scene for which it was found and not only held."""
    seed: int


Phase = Literal["ready", "early", "held", "resting"]


def phase(entry: LoreEntry, reading: Reading) -> Phase:
    """Say what an entry's timers make of it for the scene to be told."""
    lore = entry.lore
    if reading.turn < lore.delay:
        return "early"
    last = reading.found.get(entry.id)
    if last is None:
        return "ready"
    since = reading.turn - last
    if since <= lore.sticky:
        return "held"
    return "resting" if since <= lore.sticky + lore.cooldown else "ready"


def activate(
    book: Iterable[LoreEntry], reading: Reading, room: int, cost: Callable[[str], int], finds: Finds
) -> tuple[ActiveLore, ...]:
    """Choose what the storyteller is told, in the order in which it is told.

    Args:
        book: all entries of the story.
        reading: what goes on.
        room: tokens for all of it. What does not fit is left out: found in texts of others first, then by order.
        cost: tokens of a text.
        finds: runs regular expressions.
    """
    awake: list[LoreEntry] = []
    asleep = _Asleep(tuple(sorted(book, key=_importance)), reading, finds)
    spoken: tuple[str, ...] = ()
    for round_number in range(MOST_ROUNDS + 1):
        asleep, called = asleep.call(round_number, spoken)
        told: list[LoreEntry] = []
        for entry in _lucky(_one_of_each_group(called, _groups(awake), reading), reading):
            price = cost(entry.lore.text)
            if price <= room:
                room -= price
                told.append(entry)
        awake += told
        more = tuple(entry.lore.text for entry in told if entry.lore.wakes)
        spoken = (*spoken, *more)
        if not more and not asleep.waiting(round_number):
            break
    in_order = sorted(awake, key=lambda entry: (entry.lore.order, entry.number))
    return tuple(
        ActiveLore(entry.id, entry.lore.title, entry.lore.text, phase(entry, reading) == "held") for entry in in_order
    )


def timed(book: Iterable[LoreEntry]) -> tuple[int, tuple[LoreId, ...]]:
    """Say how many scenes back timers reach, and whose timers there are."""
    spans = {entry.id: entry.lore.sticky + entry.lore.cooldown for entry in book}
    return max(spans.values(), default=0), tuple(entry for entry, span in spans.items() if span)


@dataclass(frozen=True)
class _Asleep:
    """Entries that were not found yet; each is found once at most, whatever comes of it."""

    entries: tuple[LoreEntry, ...]
    reading: Reading
    finds: Finds

    def call(self, round_number: int, spoken: tuple[str, ...]) -> tuple["_Asleep", tuple[LoreEntry, ...]]:
        """Find entries by what goes on and by what others say; answer who sleeps on, and who was found."""
        texts = self._texts(spoken)
        called = tuple(entry for entry in self.entries if self._called(entry, round_number, texts))
        found = {entry.id for entry in called}
        return replace(self, entries=tuple(entry for entry in self.entries if entry.id not in found)), called

    def waiting(self, round_number: int) -> bool:
        """Whether some are only to be looked for in later rounds."""
        return any(entry.lore.level > round_number for entry in self.entries)

    def _texts(self, spoken: tuple[str, ...]) -> Mapping[int, Haystack]:
        """What is read, by how many scenes are read."""
        scenes, asked = self.reading.scenes, self.reading.asked
        depths = {entry.lore.depth for entry in self.entries}
        return {
            depth: Haystack("\n".join((*(scenes[-depth:] if depth else ()), *asked, *spoken)), self.finds)
            for depth in depths
        }

    def _called(self, entry: LoreEntry, round_number: int, texts: Mapping[int, Haystack]) -> bool:
        lore = entry.lore
        match phase(entry, self.reading):
            case "early" | "resting":
                return False
            case "held":
                return lore.on
            case "ready":
                open_now = lore.on and lore.level <= round_number and (lore.woken or not round_number)
                return open_now and (lore.constant or _matches(lore, texts[lore.depth]))
            case never:
                assert_never(never)


def _matches(lore: Lore, text: Haystack) -> bool:
    manner = Manner(lore.whole_words, lore.match_case)
    if not any(text.has(key, manner) for key in lore.keys):
        return False
    if not lore.also:
        return True
    others = (text.has(key, manner) for key in lore.also)
    match lore.logic:
        case "and_any":
            return any(others)
        case "and_all":
            return all(others)
        case "not_any":
            return not any(others)
        case "not_all":
            return not all(others)
        case _:
            assert_never(lore.logic)


def _importance(entry: LoreEntry) -> tuple[bool, int, int]:
    """The order in which room is given."""
    return not entry.lore.constant, -entry.lore.order, entry.number


def _groups(entries: Iterable[LoreEntry]) -> frozenset[str]:
    return frozenset(group for entry in entries for group in entry.lore.groups)


def _one_of_each_group(called: Sequence[LoreEntry], taken: frozenset[str], reading: Reading) -> tuple[LoreEntry, ...]:
    """Leave of each group those that are held, else one; none where another round has filled the group's place."""
    out: set[LoreId] = set()
    for group in sorted(_groups(called)):
        rivals = [entry for entry in called if group in entry.lore.groups and entry.id not in out]
        held = [entry for entry in rivals if phase(entry, reading) == "held"]
        winners = held or ([] if group in taken or not rivals else [_winner(group, rivals, reading.seed)])
        out |= {entry.id for entry in rivals} - {entry.id for entry in winners}
    return tuple(entry for entry in called if entry.id not in out)


def _winner(group: str, rivals: Sequence[LoreEntry], seed: int) -> LoreEntry:
    preferred = [entry for entry in rivals if entry.lore.preferred]
    if preferred:
        return min(preferred, key=lambda entry: (-entry.lore.order, entry.number))
    lot = chance(seed, f"group {group}") * sum(entry.lore.weight for entry in rivals)
    for entry in rivals:
        lot -= entry.lore.weight
        if lot < 0:
            return entry
    return rivals[0]


def _lucky(entries: Iterable[LoreEntry], reading: Reading) -> Iterable[LoreEntry]:
    for entry in entries:
        drawn = chance(reading.seed, f"entry {entry.id}") * 100
        if phase(entry, reading) == "held" or drawn < entry.lore.probability:
            yield entry


def chance(seed: int, what: str) -> float:
    """Draw a number from 0 up to 1: the same for the same seed and thing."""
    return int.from_bytes(sha256(f"{seed} {what}".encode()).digest()[:8]) / 2**64
