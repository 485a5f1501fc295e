"""Changes and their inverses: on paper against a naive model, and on a real store."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.changes import (
    BallotSet,
    CastVote,
    Change,
    Entry,
    HeadMoved,
    LoreSet,
    MemberSet,
    NoteSet,
    Outcome,
    RoomSet,
    RulesSet,
    ShelvedSet,
    Standing,
    TitleSet,
    Update,
    VoteSet,
    inverse,
    redo_target,
    undo_target,
)
from storyforge_core.domain.lore import Lore, LoreEntry, LoreId
from storyforge_core.domain.runs import Situation
from storyforge_core.domain.story import BallotId, Choice, PlayerId, Playthrough, Room, Rules, Scene
from storyforge_core.store.database import Database
from tests.world import ANN, HOME, World, open_world

Step = Literal["do", "undo", "redo"]
steps = st.lists(st.sampled_from(["do", "do", "undo", "redo"]), max_size=40)


@dataclass
class Paper:
    """What undo should do, kept as whole states instead of entries."""

    states: list[int] = field(default_factory=lambda: [0])
    at: int = 0
    number: int = 0

    def step(self, verb: Step) -> None:
        if verb == "do":
            self.number += 1
            self.states = [*self.states[: self.at + 1], self.number]
            self.at += 1
        elif verb == "undo":
            self.at = max(0, self.at - 1)
        else:
            self.at = min(len(self.states) - 1, self.at + 1)

    @property
    def state(self) -> int:
        return self.states[self.at]


@given(steps)
def test_undo_and_redo_walk_a_line_of_states(verbs: list[Step]) -> None:
    paper, entries, state = Paper(), list[Entry](), 0
    changed: dict[int, tuple[int, int]] = {}
    for number, verb in enumerate(verbs, 1):
        paper.step(verb)
        if verb == "do":
            changed[number] = (state, paper.state)
            entries.append(Entry(number, "do", None))
            state = paper.state
        elif (target := (undo_target if verb == "undo" else redo_target)(entries)) is not None:
            before, after = changed[target]
            assert state == (after if verb == "undo" else before)
            entries.append(Entry(number, verb, target))
            state = before if verb == "undo" else after
        assert state == paper.state


@given(steps, st.integers(1, 10))
def test_no_window_of_the_log_confuses_undo(verbs: list[Step], window: int) -> None:
    entries: list[Entry] = []
    for number, verb in enumerate(verbs, 1):
        target = {"do": lambda _: None, "undo": undo_target, "redo": redo_target}[verb](entries)
        if verb == "do" or target is not None:
            entries.append(Entry(number, verb, target))
    for find in (undo_target, redo_target):
        assert find(entries[-window:]) in {find(entries), None}


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
rules = st.builds(Rules, words=st.integers(50, 500), tie=st.sampled_from(["random", "first", "host"]))
standings = st.none() | st.builds(Standing, st.sampled_from(["joined", "left", "banned"]), st.booleans())
wishes = st.lists(
    st.one_of(
        st.tuples(st.just("head"), st.none() | st.integers(0, 2)),
        st.tuples(st.just("title"), names),
        st.tuples(st.just("note"), names),
        st.tuples(st.just("rules"), rules),
        st.tuples(st.just("shelved"), st.booleans()),
        st.tuples(st.just("member"), standings),
        st.tuples(st.just("room"), st.booleans()),
        st.tuples(st.just("vote"), st.none() | st.integers(0, 1)),
        st.tuples(st.just("lore"), st.none() | st.builds(Lore, title=names, text=names, extra=names)),
        st.tuples(st.just("ballot"), st.sampled_from(["open", "closed", "withdrawn"])),
    ),
    max_size=12,
)


@dataclass(frozen=True)
class Stage:
    """A story with three scenes, an open ballot and a second player: all that a change can point elsewhere."""

    world: World
    playthrough: Playthrough
    scenes: tuple[Scene, ...]
    ballot: BallotId
    choices: tuple[Choice, ...]
    bo: PlayerId
    lore: LoreId

    async def pointers(self) -> tuple[Situation, Ballot, Room, tuple[LoreEntry, ...]]:
        async with self.world.store.resume(self.playthrough.id) as desk:
            assert desk.situation is not None
            room = await self.world.store.room(HOME)
            return desk.situation, await desk.ballot(self.ballot), room, (await desk.lore()).entries

    async def apply(self, changes: Sequence[Change]) -> None:
        async with self.world.store.resume(self.playthrough.id) as desk:
            await desk.apply(changes, "test")

    async def updates(self) -> dict[str, Update]:
        """One update of each kind that leaves things as they are: the pattern that wishes are cut from."""
        here, ballot, room, _ = await self.pointers()
        story, playthrough = here.story, here.playthrough
        outcome = Outcome(ballot.status, ballot.winner)
        return {
            "head": HeadMoved(playthrough.id, playthrough.head, playthrough.head),
            "title": TitleSet(story.id, story.title, story.title),
            "note": NoteSet(playthrough.id, playthrough.note, playthrough.note),
            "rules": RulesSet(playthrough.id, playthrough.rules, playthrough.rules),
            "shelved": ShelvedSet(story.id, story.shelved, story.shelved),
            "member": MemberSet(playthrough.id, self.bo, None, None),
            "room": RoomSet(room.id, room.playthrough, room.playthrough),
            "vote": VoteSet(ballot.id, self.bo, None, None),
            "ballot": BallotSet(ballot.id, outcome, outcome),
            "lore": LoreSet(story.id, self.lore, 1, None, None),
        }

    def value(self, what: str, wish: object) -> object:
        match what, wish:
            case "head", int(index):
                return self.scenes[index].id
            case "room", bool(shown):
                return self.playthrough.id if shown else None
            case "vote", int(index):
                return CastVote(self.choices[index].id, self.world.clock.now())
            case "ballot", status:
                return Outcome(status, self.choices[0].id if status == "closed" else None)  # type: ignore[arg-type] # a str
            case _:
                return wish


async def set_stage(world: World) -> Stage:
    playthrough = await world.begin()
    opening = await world.tell(playthrough, None)
    scenes = (opening, await world.tell(playthrough, opening.id), await world.tell(playthrough, opening.id))
    ballot = await world.ask(playthrough, opening)
    bo = await world.player(replace(ANN, user="bo", name="Bo"))
    return Stage(
        world, playthrough, scenes, ballot, await world.choices(playthrough, opening), bo, LoreId(world.clock.new_id())
    )


@pytest.fixture
async def stage(database: Database) -> Stage:
    return await set_stage(open_world(database))


@given(wishes=wishes, cut=st.integers(0, 12))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_changes_and_then_their_inverses_restore_every_pointer(
    stage: Stage, wishes: list[tuple[str, object]], cut: int
) -> None:
    before = await stage.pointers()
    newest, changes = await stage.updates(), list[Update]()
    for what, wish in wishes:
        old = newest[what]
        new = replace(old, before=old.after, after=stage.value(what, wish))  # type: ignore[arg-type] # of the same kind
        if new.before != new.after:
            changes.append(new)
            newest[what] = new
    await stage.apply(changes[:cut])
    await stage.apply(changes[cut:])
    there, ballot, room, lore = await stage.pointers()
    assert there.playthrough.note == newest["note"].after
    assert there.playthrough.head == newest["head"].after
    assert there.playthrough.rules == newest["rules"].after
    assert (there.story.title, there.story.shelved) == (newest["title"].after, newest["shelved"].after)
    assert (Outcome(ballot.status, ballot.winner), room.playthrough) == (newest["ballot"].after, newest["room"].after)
    assert [CastVote(vote.choice, vote.at) for vote in ballot.votes] == [v for v in [newest["vote"].after] if v]
    bo = [Standing(member.state, host=member.host) for member in there.members if member.player == stage.bo]
    assert [entry.lore for entry in lore] == [entry for entry in [newest["lore"].after] if entry]
    assert bo == [standing for standing in [newest["member"].after] if standing]
    await stage.apply(inverse(changes))
    assert await stage.pointers() == before
    assert inverse(inverse(changes)) == tuple(changes)
