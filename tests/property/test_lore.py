"""Which lore is told: against rules written a second time, naively, and laws that hold for every book."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from storyforge_core.domain.lore import (
    MOST_ROUNDS,
    ActiveLore,
    Lore,
    LoreEntry,
    LoreId,
    Reading,
    activate,
    chance,
    phase,
    timed,
)
from storyforge_core.domain.lore_keys import Expression
from storyforge_core.domain.story import StoryId

STORY = StoryId(UUID(int=9))
WORDS = ("bell", "tower", "gull", "salt", "door")
words = st.sampled_from(WORDS)
some_words = st.lists(words, max_size=3).map(tuple)
texts = st.lists(words, max_size=4).map(" ".join)
lores = st.builds(
    Lore,
    title=st.just(""),
    text=texts,
    keys=some_words,
    also=some_words,
    logic=st.sampled_from(["and_any", "and_all", "not_any", "not_all"]),
    constant=st.booleans(),
    on=st.sampled_from([True, True, True, False]),
    order=st.integers(0, 3),
    depth=st.integers(0, 3),
    probability=st.sampled_from([0, 50, 100, 100, 100]),
    sticky=st.integers(0, 3),
    cooldown=st.integers(0, 3),
    delay=st.integers(0, 4),
    groups=st.lists(st.sampled_from(["weather", "mood"]), max_size=2, unique=True).map(tuple),
    weight=st.integers(0, 3),
    preferred=st.booleans(),
    wakes=st.booleans(),
    woken=st.booleans(),
    level=st.sampled_from([0, 0, 0, 1, 2, MOST_ROUNDS]),
)


def entry(number: int, lore: Lore) -> LoreEntry:
    return LoreEntry(LoreId(UUID(int=number)), STORY, number, lore)


@st.composite
def books(draw: st.DrawFn) -> tuple[LoreEntry, ...]:
    return tuple(entry(number, lore) for number, lore in enumerate(draw(st.lists(lores, max_size=7)), 1))


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    turn = draw(st.integers(0, 6))
    found = draw(st.dictionaries(st.integers(1, 7).map(lambda n: LoreId(UUID(int=n))), st.integers(0, 5), max_size=5))
    return Reading(
        scenes=tuple(draw(st.lists(texts, max_size=4))),
        asked=(draw(texts),),
        turn=turn,
        found={each: depth for each, depth in found.items() if depth < turn},
        seed=draw(st.integers(0, 50)),
    )


def cost(text: str) -> int:
    return len(text)


def nothing(_wanted: Expression, _text: str) -> bool:
    return False


def told(book: Sequence[LoreEntry], reading: Reading, room: int = 10_000) -> tuple[ActiveLore, ...]:
    return activate(book, reading, room, cost, nothing)


def numbers(active: Sequence[ActiveLore]) -> list[int]:
    return [each.entry.int for each in active]


@dataclass
class Oracle:
    """The rules once more, for books whose words never stand inside each other; slow, and in the order of the prose."""

    book: Sequence[LoreEntry]
    reading: Reading
    room: int

    def told(self) -> list[int]:
        open_entries = {
            each.number: each for each in self.book if each.lore.on and self.state(each) in {"free", "held"}
        }
        told: list[int] = []
        said: list[str] = []
        for round_number in range(1 + MOST_ROUNDS):
            found = [n for n, each in open_entries.items() if self.is_found(each, round_number, said)]
            for number in found:
                del open_entries[number]
            new = [n for n in self.ranked(self.ungrouped(found, told)) if self.is_lucky(n)]
            fresh = False
            for number in new:
                lore = self.lore(number)
                if cost(lore.text) <= self.room:
                    self.room -= cost(lore.text)
                    told.append(number)
                    if lore.wakes:
                        said.append(lore.text)
                        fresh = True
            if not fresh and all(each.lore.level <= round_number for each in open_entries.values()):
                break
        return sorted(told, key=lambda number: (self.lore(number).order, number))

    def lore(self, number: int) -> Lore:
        return self.book[number - 1].lore

    def state(self, each: LoreEntry) -> str:
        if each.lore.delay > self.reading.turn:
            return "delayed"
        if each.id not in self.reading.found:
            return "free"
        first_after = self.reading.found[each.id] + 1
        held = range(first_after, first_after + each.lore.sticky)
        resting = range(held.stop, held.stop + each.lore.cooldown)
        return "held" if self.reading.turn in held else "resting" if self.reading.turn in resting else "free"

    def is_held(self, number: int) -> bool:
        return self.state(self.book[number - 1]) == "held"

    def is_found(self, each: LoreEntry, round_number: int, said: Sequence[str]) -> bool:
        lore = each.lore
        if self.state(each) == "held":
            return True
        if lore.level > round_number or (round_number > 0 and not lore.woken):
            return False
        scenes = list(self.reading.scenes)
        newest = scenes[len(scenes) - min(lore.depth, len(scenes)) :]
        there = set(" ".join([*newest, *self.reading.asked, *said]).split())
        if lore.constant:
            return True
        if not set(lore.keys) & there:
            return False
        if not lore.also:
            return True
        hits = len(set(lore.also) & there)
        whole = len(set(lore.also))
        return {"and_any": hits > 0, "and_all": hits == whole, "not_any": hits == 0, "not_all": hits < whole}[
            lore.logic
        ]

    def ranked(self, found: Sequence[int]) -> list[int]:
        constants = [n for n in found if self.lore(n).constant]
        others = [n for n in found if not self.lore(n).constant]
        return [n for some in (constants, others) for n in sorted(some, key=lambda n: (-self.lore(n).order, n))]

    def ungrouped(self, found: Sequence[int], told: Sequence[int]) -> list[int]:
        left = list(self.ranked(found))
        for group in ("mood", "weather"):
            rivals = [n for n in left if group in self.lore(n).groups]
            if not rivals:
                continue
            stay = [n for n in rivals if self.is_held(n)]
            filled = any(group in self.lore(n).groups for n in told)
            if not stay and not filled:
                stay = [self.winner(group, rivals)]
            left = [n for n in left if n not in rivals or n in stay]
        return left

    def winner(self, group: str, rivals: Sequence[int]) -> int:
        preferred = [n for n in rivals if self.lore(n).preferred]
        if preferred:
            return max(preferred, key=lambda n: (self.lore(n).order, -n))
        tickets = [n for n in rivals for _ in range(self.lore(n).weight)]
        return tickets[int(chance(self.reading.seed, f"group {group}") * len(tickets))] if tickets else rivals[0]

    def is_lucky(self, number: int) -> bool:
        drawn = chance(self.reading.seed, f"entry {self.book[number - 1].id}")
        return self.is_held(number) or drawn * 100 < self.lore(number).probability


@given(books(), readings(), st.integers(0, 60))
@settings(max_examples=250)
def test_what_is_told_is_what_the_rules_say(book: tuple[LoreEntry, ...], reading: Reading, room: int) -> None:
    assert numbers(told(book, reading, room)) == Oracle(book, reading, room).told()


@given(books(), readings(), st.integers(0, 60))
def test_it_never_takes_more_room_than_there_is(book: tuple[LoreEntry, ...], reading: Reading, room: int) -> None:
    assert sum(cost(each.text) for each in told(book, reading, room)) <= room


@given(books(), readings(), st.randoms(use_true_random=False))
def test_the_order_of_a_book_does_not_matter(book: tuple[LoreEntry, ...], reading: Reading, lot: object) -> None:
    shuffled = list(book)
    lot.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis' own
    assert told(shuffled, reading) == told(book, reading)


@given(books(), readings())
def test_what_is_off_early_or_resting_is_never_told(book: tuple[LoreEntry, ...], reading: Reading) -> None:
    active = numbers(told(book, reading))
    assert all(each.lore.on and phase(each, reading) in {"ready", "held"} for each in book if each.number in active)


@given(books(), readings())
def test_what_is_held_is_told_whatever_happens(book: tuple[LoreEntry, ...], reading: Reading) -> None:
    elsewhere = told(book, replace(reading, scenes=(), asked=(), seed=reading.seed + 1))
    for each in book:
        if each.lore.on and phase(each, reading) == "held":
            assert each.number in numbers(elsewhere)


def play(lore: Lore, scenes: Sequence[str]) -> list[bool]:
    """Tell scene after scene of one path; answer for which of them an entry was told."""
    only, found, record = entry(1, lore), dict[LoreId, int](), list[bool]()
    for turn, asked in enumerate(scenes):
        active = told((only,), Reading((), (asked,), turn, dict(found), 7))
        record.append(bool(active))
        if active and not active[0].held:
            found[only.id] = turn
    return record


@given(st.lists(st.booleans(), max_size=30), st.integers(0, 4), st.integers(0, 4), st.integers(0, 4))
def test_timers_count_scenes(called: list[bool], sticky: int, cooldown: int, delay: int) -> None:
    lore = Lore(title="", text="x", keys=("bell",), sticky=sticky, cooldown=cooldown, delay=delay)
    stays, rests, expected = 0, 0, []
    for turn, rings in enumerate(called):
        if stays:
            stays -= 1
            expected.append(True)
        elif rests:
            rests -= 1
            expected.append(False)
        else:
            expected.append(rings and turn >= delay)
            if expected[-1]:
                stays, rests = sticky, cooldown
    assert play(lore, ["bell" if rings else "gull" for rings in called]) == expected


@given(books(), st.lists(st.integers(0, 9), max_size=20))
def test_timers_reach_back_no_further_than_they_say(book: tuple[LoreEntry, ...], depths: list[int]) -> None:
    reach, ids = timed(book)
    turn = 20
    found: Mapping[LoreId, int] = {each.id: turn - 1 - depth for each, depth in zip(book, depths, strict=False)}
    near = {each: depth for each, depth in found.items() if each in ids and depth >= turn - reach}
    reading = Reading((), (), turn, found, 0)
    assert [phase(each, reading) for each in book] == [phase(each, replace(reading, found=near)) for each in book]


@given(st.integers(1, 99), st.integers(0, 2**31 - 1))
def test_chance_is_as_fair_as_it_says(percent: int, seed: int) -> None:
    lore = Lore(title="", text="x", constant=True, probability=percent)
    times = sum(bool(told((entry(n, lore),), Reading((), (), 0, {}, seed))) for n in range(1, 401))
    assert abs(times - 4 * percent) < 80


def test_two_that_call_each_other_come_to_an_end() -> None:
    ring = tuple(
        entry(n, Lore(title="", text=f"w{n + 1}", keys=(f"w{n}",), depth=0)) for n in range(1, MOST_ROUNDS + 4)
    )
    assert numbers(told(ring, Reading((), ("w1",), 0, {}, 0))) == list(range(1, MOST_ROUNDS + 2))


def test_what_is_said_outright_comes_before_what_others_say() -> None:
    direct = entry(1, Lore(title="", text="gull salt", keys=("bell",), order=1))
    echo = entry(2, Lore(title="", text="door door", keys=("gull",), order=9))
    assert numbers(told((direct, echo), Reading((), ("bell",), 0, {}, 0), 10)) == [1]
    assert numbers(told((direct, echo), Reading((), ("bell",), 0, {}, 0), 18)) == [1, 2]


def test_an_entry_may_keep_its_words_to_itself() -> None:
    other = entry(2, Lore(title="", text="salt", keys=("gull",)))
    for wakes, expected in ((True, [1, 2]), (False, [1])):
        first = entry(1, Lore(title="", text="gull", keys=("bell",), wakes=wakes))
        assert numbers(told((first, other), Reading((), ("bell",), 0, {}, 0))) == expected


def test_what_is_always_told_gets_its_room_first() -> None:
    always = entry(1, Lore(title="", text="salt", constant=True, order=1))
    called = entry(2, Lore(title="", text="gull", keys=("bell",), order=9))
    assert numbers(told((always, called), Reading((), ("bell",), 0, {}, 0), 4)) == [1]


def test_what_was_said_in_an_earlier_round_still_counts() -> None:
    first = entry(1, Lore(title="", text="gull", keys=("bell",)))
    second = entry(2, Lore(title="", text="salt", keys=("gull",)))
    third = entry(3, Lore(title="", text="door", keys=("gull",), also=("salt",), logic="and_all"))
    assert numbers(told((first, second, third), Reading((), ("bell",), 0, {}, 0))) == [1, 2, 3]
