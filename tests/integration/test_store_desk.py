"""Desks: what comes in once, is decided under a lock, and is stored whole or not at all."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from storyforge_core.domain.changes import (
    CastVote,
    Change,
    ChoiceAdded,
    HeadMoved,
    MemberSet,
    NoteSet,
    RoomSet,
    RulesSet,
    Standing,
    TitleSet,
    VoteSet,
)
from storyforge_core.domain.commands import Speaker
from storyforge_core.domain.events import Noted
from storyforge_core.domain.story import BallotId, Choice, ChoiceId, Playthrough, PlaythroughId, Room, RoomKey, Rules
from storyforge_core.errors import Busy, NotFound, Refused, ServiceDown
from storyforge_core.store.database import Database, connect
from storyforge_core.store.ledger import PostgresLedger
from tests.world import ANN, HOME, World, eventually, open_world

pytestmark = pytest.mark.parametrize("postgres_major", [18, 16])

NASTY = "a\0b \ud800 \udfff \u202e ' \" \\ $1 :name {x} %s 😀"


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


async def test_the_first_word_of_a_stranger_makes_room_and_player_known(world: World) -> None:
    async with world.store.receive(world.incoming()) as desk:
        assert desk.fresh
        assert desk.room is not None
        assert desk.room == Room(desk.room.id, HOME, None)
        assert desk.player is not None
        assert desk.player.name == "Ann"
        assert desk.situation is None


async def test_a_person_is_the_same_player_in_every_room(world: World) -> None:
    async with world.store.receive(world.incoming()) as here:
        first = here.player
    async with world.store.receive(world.incoming(room=RoomKey("test", "elsewhere"))) as there:
        assert there.player == first


async def test_a_new_name_is_taken_over(world: World) -> None:
    was = await world.player(ANN)
    async with world.store.receive(world.incoming(replace(ANN, name="  Anna \n Lee"))) as desk:
        assert desk.player is not None
        assert desk.player.name == "Anna Lee"
    assert await world.player(ANN) == was


@pytest.mark.parametrize("name", ["", " \n ", "x" * 5000, NASTY])
async def test_any_name_can_be_stored(world: World, name: str) -> None:
    async with world.store.receive(world.incoming(replace(ANN, name=name))) as desk:
        assert desk.player is not None
        assert 1 <= len(desk.player.name) <= 80


async def test_the_same_event_has_an_effect_once(world: World) -> None:
    async with world.store.receive(world.incoming(event="e1")) as first:
        assert first.fresh
    async with world.store.receive(world.incoming(event="e1")) as again:
        assert not again.fresh
        assert (again.room, again.player, again.situation) == (None, None, None)


async def test_the_same_event_twice_at_once_has_an_effect_once(world: World) -> None:
    async def deliver() -> bool:
        async with world.store.receive(world.incoming(event="e1")) as desk:
            await asyncio.sleep(0.02)
            return desk.fresh

    assert sorted(await asyncio.gather(*(deliver() for _ in range(4)))) == [False, False, False, True]


async def test_an_event_whose_handling_failed_may_come_again(world: World) -> None:
    with pytest.raises(Refused):
        async with world.store.receive(world.incoming(event="e1")):
            raise Refused("not now")
    async with world.store.receive(world.incoming(event="e1")) as desk:
        assert desk.fresh


async def test_strangers_who_speak_at_once_become_one_player_each(world: World) -> None:
    speakers = [Speaker("test", f"user{number % 5}", "Someone") for number in range(20)]
    players = await asyncio.gather(*(world.player(speaker) for speaker in speakers))
    assert len(set(players)) == 5


async def test_a_room_that_changes_its_realm_is_still_the_same_room(world: World) -> None:
    playthrough = await world.begin(RoomKey("test", "r", "one"))
    moved = RoomKey("test", "r", "two")
    async with world.store.receive(world.incoming(room=moved)) as desk:
        assert desk.room is not None
        assert (desk.room.key, desk.room.playthrough) == (moved, playthrough.id)
    assert (await world.store.rooms("test"))[0].key == moved


async def test_a_room_is_found_or_made_known(world: World) -> None:
    made = await world.store.room(HOME)
    assert await world.store.room(HOME) == made
    assert await world.store.rooms("test") == ()
    playthrough = await world.begin()
    assert await world.store.rooms("test") == (replace(made, playthrough=playthrough.id),)
    assert await world.store.rooms("other") == ()


async def test_the_situation_is_all_that_was_stored(world: World) -> None:
    playthrough = await world.begin()
    scene = await world.tell(playthrough, None)
    ballot = await world.ask(playthrough, scene)
    run = await world.queue(playthrough)
    async with world.store.receive(world.incoming()) as desk:
        here = desk.situation
        assert here is not None
        assert here.story.id == playthrough.story
        assert here.playthrough == replace(playthrough, head=scene.id)
        assert here.head == scene
        assert here.ballot == await desk.ballot(ballot)
        assert [choice.text for choice in here.ballot.choices] == ["Open the door", "Walk away"]
        assert [(member.name, member.state, member.host) for member in here.members] == [("Ann", "joined", True)]
        assert here.run == run
        assert here.story.created_at.utcoffset() is not None


async def test_an_open_desk_locks_out_every_other_of_the_playthrough(world: World) -> None:
    playthrough = await world.begin()
    order: list[str] = []

    async def first() -> None:
        async with world.store.resume(playthrough.id):
            order.append("first in")
            await asyncio.sleep(0.1)
            order.append("first out")

    async def second() -> None:
        await asyncio.sleep(0.03)
        async with world.store.receive(world.incoming()):
            order.append("second in")

    await asyncio.gather(first(), second())
    assert order == ["first in", "first out", "second in"]


async def test_a_room_that_changes_story_while_one_waits_says_so(world: World) -> None:
    first = await world.begin()
    second = await world.begin(RoomKey("test", "elsewhere"))

    async def wait_in_line() -> None:
        await asyncio.sleep(0.05)
        async with world.store.receive(world.incoming()):
            pass

    waiting = asyncio.create_task(wait_in_line())
    async with world.store.resume(first.id) as desk:
        await asyncio.sleep(0.15)
        room = await world.store.room(HOME)
        await desk.apply([RoomSet(room.id, first.id, second.id)], "stories")
    with pytest.raises(Busy, match="another story"):
        await waiting


async def test_stories_that_lock_each_other_crosswise_end_in_a_sentence(world: World) -> None:
    one, two = await world.begin(), await world.begin(RoomKey("test", "elsewhere"))

    async def cross(mine: PlaythroughId, other: PlaythroughId) -> None:
        async with world.store.resume(mine) as desk:
            await asyncio.sleep(0.1)
            await desk.open_situation(other)

    ends = await asyncio.gather(cross(one.id, two.id), cross(two.id, one.id), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["Busy", "NoneType"]


async def test_nothing_of_a_desk_that_fails_is_stored(world: World) -> None:
    playthrough = await world.begin()

    async def fail_late() -> None:
        async with world.store.resume(playthrough.id) as desk:
            await desk.apply([NoteSet(playthrough.id, "", "darker")], "direct")
            await desk.tell(playthrough.id, Noted("darker"))
            await desk.queue(world.new_run(playthrough.id), 0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_late()
    async with world.store.resume(playthrough.id) as desk:
        assert desk.situation is not None
        assert desk.situation.playthrough.note == ""
        assert desk.situation.run is None
    assert await world.store.events(playthrough.id, 0, 10) == ()


async def test_an_update_is_refused_when_its_before_is_outdated(world: World) -> None:
    playthrough = await world.begin()
    scene = await world.tell(playthrough, None)
    room = await world.store.room(HOME)
    ann = await world.player(ANN)
    joined = Standing("joined", host=True)
    outdated: list[Change] = [
        NoteSet(playthrough.id, "not this", "x"),
        TitleSet(playthrough.story, "not this", "x"),
        HeadMoved(playthrough.id, scene.id, None),
        RulesSet(playthrough.id, Rules(words=99), Rules()),
        RoomSet(room.id, None, playthrough.id),
        MemberSet(playthrough.id, ann, None, joined),
        MemberSet(playthrough.id, ann, Standing("left", host=True), joined),
        MemberSet(playthrough.id, ann, Standing("left", host=True), None),
    ]
    for change in outdated:
        async with world.store.resume(playthrough.id) as desk:
            with pytest.raises(Refused, match="meantime"):
                await desk.apply([change], "test")


async def test_rules_stored_before_a_setting_was_invented_can_be_changed(world: World, database: Database) -> None:
    playthrough = await world.begin()
    db = await connect(database.url)
    await db.execute("UPDATE playthrough SET rules = rules - 'write_ins'")
    await db.close()
    async with world.store.resume(playthrough.id) as desk:
        assert desk.situation is not None
        before = desk.situation.playthrough.rules
        await desk.apply([RulesSet(playthrough.id, before, Rules(words=50))], "settings")
    async with world.store.resume(playthrough.id) as desk:
        assert desk.situation is not None
        assert desk.situation.playthrough.rules == Rules(words=50)


async def test_a_vote_can_be_cast_changed_and_taken_back(world: World) -> None:
    playthrough = await world.begin()
    scene = await world.tell(playthrough, None)
    ballot = await world.ask(playthrough, scene)
    ann = await world.player(ANN)
    one, two = (CastVote(choice.id, world.clock.now()) for choice in await world.choices(playthrough, scene))
    for before, after in [(None, one), (one, two), (two, None), (None, one)]:
        async with world.store.resume(playthrough.id) as desk:
            await desk.apply([VoteSet(ballot, ann, before, after)], "vote")
        async with world.store.resume(playthrough.id) as desk:
            votes = (await desk.ballot(ballot)).votes
            assert [(vote.choice, vote.at) for vote in votes] == ([(after.choice, after.at)] if after else [])
            with pytest.raises(Refused):
                await desk.apply([VoteSet(ballot, ann, before, after)], "vote")


async def test_twenty_players_who_vote_at_once_all_count(world: World) -> None:
    playthrough = await world.begin()
    scene = await world.tell(playthrough, None)
    ballot = await world.ask(playthrough, scene)
    choices = await world.choices(playthrough, scene)

    async def vote(number: int) -> None:
        async with world.store.receive(world.incoming(Speaker("test", f"user{number}", f"P{number}"))) as desk:
            assert desk.player is not None
            cast = CastVote(choices[number % 2].id, world.clock.now())
            await desk.apply([VoteSet(ballot, desk.player.id, None, cast)], "vote")

    await asyncio.gather(*(vote(number) for number in range(20)))
    async with world.store.resume(playthrough.id) as desk:
        votes = (await desk.ballot(ballot)).votes
    assert len({vote.player for vote in votes}) == 20
    assert [sum(vote.choice == choice.id for vote in votes) for choice in choices] == [10, 10]


async def test_a_second_open_ballot_at_the_same_scene_is_refused(world: World) -> None:
    playthrough = await world.begin()
    scene = await world.tell(playthrough, None)
    first = await world.ask(playthrough, scene)
    with pytest.raises(Refused, match="meantime"):
        await world.ask(playthrough, scene)
    async with world.store.resume(playthrough.id) as desk:
        assert desk.situation is not None
        assert desk.situation.ballot == await desk.ballot(first)


async def test_two_write_ins_cannot_take_the_same_position(world: World) -> None:
    playthrough = await world.begin()
    scene = await world.tell(playthrough, None)
    third = Choice(id=ChoiceId(world.clock.new_id()), scene=scene.id, position=3, text="Swim")
    async with world.store.resume(playthrough.id) as desk:
        await desk.apply([ChoiceAdded(third)], "write")
    with pytest.raises(Refused, match="meantime"):
        async with world.store.resume(playthrough.id) as desk:
            await desk.apply([ChoiceAdded(replace(third, id=ChoiceId(world.clock.new_id())))], "write")
    assert [choice.text for choice in await world.choices(playthrough, scene)][2:] == ["Swim"]


async def test_no_text_of_a_player_or_model_breaks_the_store(world: World) -> None:
    playthrough = await world.begin(RoomKey("test", NASTY), title=NASTY)
    scene = await world.tell(playthrough, None, title=NASTY, options=(NASTY, "b"))
    async with world.store.receive(world.incoming(Speaker("test", NASTY, NASTY), event=NASTY)) as desk:
        await desk.apply([NoteSet(playthrough.id, "", NASTY)], NASTY) if desk.situation else None
        assert await desk.find_scenes(playthrough.story, NASTY) == (scene,)
        assert await desk.members_named(playthrough.id, NASTY) == ()
    async with world.store.resume(playthrough.id) as desk:
        await desk.tell(playthrough.id, Noted(NASTY))
    (told,) = await world.store.events(playthrough.id, 0, 10)
    assert told.event == Noted(NASTY.replace("\0", "\ufffd").replace("\ud800", "\ufffd").replace("\udfff", "\ufffd"))


async def test_undo_sees_its_steps_and_never_half_of_a_pair(world: World) -> None:
    playthrough = await world.begin()

    async def step(before: str, after: str, verb: str = "do", of: int | None = None) -> int:
        async with world.store.resume(playthrough.id) as desk:
            change = NoteSet(playthrough.id, before, after)
            await desk.apply([change], "direct", "undo" if verb == "undo" else "do", of)
            return (await desk.entries(playthrough.id, 1))[-1].id if verb == "do" else 0

    first = await step("", "a")
    await step("a", "", "undo", first)
    second = await step("", "b")
    async with world.store.resume(playthrough.id) as desk:
        assert [(entry.verb, entry.of) for entry in await desk.entries(playthrough.id, 10)] == [
            ("do", None),
            ("undo", first),
            ("do", None),
        ]
        assert [entry.id for entry in await desk.entries(playthrough.id, 2)] == [second]
        assert await desk.entry_changes(first) == (NoteSet(playthrough.id, "", "a"),)
        with pytest.raises(NotFound):
            await desk.entry_changes(0)


@pytest.mark.parametrize(
    "rewriting", ["UPDATE change SET command = 'x'", "DELETE FROM change", "TRUNCATE change CASCADE"]
)
async def test_the_audit_log_cannot_be_rewritten(world: World, database: Database, rewriting: str) -> None:
    await world.begin()
    db = await connect(database.url)
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await db.execute(rewriting)
    row = await db.fetchrow("SELECT command, verb, undoable, changes::text FROM change")
    await db.close()
    assert row is not None
    assert (row["command"], row["verb"], row["undoable"]) == ("new", "do", False)
    assert [change["kind"] for change in json.loads(row["changes"])] == ["story_added", "member_set", "room_set"]


async def test_stories_are_listed_where_rooms_of_their_place_showed_them(world: World) -> None:
    here = RoomKey("test", "a", "realm")
    first = await world.begin(here, title="First")
    second = await world.begin(here, title="Second")
    await world.begin(RoomKey("test", "b", "another realm"), title="Foreign")
    async with world.store.resume(first.id) as desk:
        await desk.tell(first.id, Noted("something happens"))
    async with world.store.receive(world.incoming(room=here)) as desk:
        assert desk.room is not None
        listed = await desk.stories(desk.room, 10)
    assert [(playthrough, line.title, line.here) for playthrough, line in listed] == [
        (first.id, "First", False),
        (second.id, "Second", True),
    ]
    numbers = [line.number for _, line in listed]
    assert numbers[1] > numbers[0] > 0


async def test_a_room_is_shown_what_happens_after_it_opened_a_story(world: World, database: Database) -> None:
    ledger = PostgresLedger(database, world.clock)
    playthrough = await world.begin()
    async with world.store.resume(playthrough.id) as desk:
        await desk.tell(playthrough.id, Noted("long ago"))
    (old,) = await world.store.events(playthrough.id, 0, 10)
    room = await world.store.room(RoomKey("test", "late"))
    async with world.store.resume(playthrough.id) as desk:
        await desk.apply([RoomSet(room.id, None, playthrough.id)], "stories")
    assert await ledger.cursor(room.id, playthrough.id) == old.id


async def test_members_are_found_by_name_in_any_case(world: World) -> None:
    playthrough = await world.begin()
    ann = await world.player(replace(ANN, name="Änn Straße"))
    async with world.store.resume(playthrough.id) as desk:
        assert await desk.members_named(playthrough.id, " änn STRASSE ") == (ann,)
        assert await desk.members_named(playthrough.id, "nobody") == ()


async def test_a_connection_that_dies_midway_leaves_nothing_and_says_so(world: World, database: Database) -> None:
    playthrough = await world.begin()

    async def lose_the_connection() -> None:
        async with world.store.resume(playthrough.id) as desk:
            await desk.apply([NoteSet(playthrough.id, "", "darker")], "direct")
            await _end_all_sessions(database)
            await desk.tell(playthrough.id, Noted("darker"))

    with pytest.raises(ServiceDown, match="does not answer"):
        await lose_the_connection()
    async with world.store.resume(playthrough.id) as desk:
        assert desk.situation is not None
        assert desk.situation.playthrough.note == ""


async def test_an_idle_pool_forgets_connections_that_died(world: World, database: Database) -> None:
    playthrough = await world.begin()
    await _end_all_sessions(database)
    assert await world.store.live_run(playthrough.id) is None


async def test_a_full_disk_is_a_sentence_and_loses_nothing(world: World, database: Database) -> None:
    playthrough = await world.begin()
    db = await connect(database.url)
    await db.execute("""
        CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
        CREATE TRIGGER full_disk BEFORE INSERT ON event EXECUTE FUNCTION full_disk();
    """)

    async def direct() -> None:
        async with world.store.resume(playthrough.id) as desk:
            await desk.apply([NoteSet(playthrough.id, "", "darker")], "direct")
            await desk.tell(playthrough.id, Noted("darker"))

    with pytest.raises(ServiceDown):
        await direct()
    await db.execute("DROP TRIGGER full_disk ON event")
    await db.close()
    await direct()


async def test_a_cancelled_desk_gives_back_a_clean_connection(world: World, database: Database) -> None:
    playthrough = await world.begin()
    opened = asyncio.Event()

    async def dawdle() -> None:
        async with world.store.resume(playthrough.id):
            opened.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(dawdle())
    await opened.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with world.store.resume(playthrough.id) as desk:
        assert desk.situation is not None
    db = await connect(database.url)
    stuck = await db.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
    )
    await db.close()
    assert stuck == 0


async def test_the_ids_of_old_messages_are_forgotten_and_those_of_new_ones_kept(world: World) -> None:
    now = world.clock.now()
    old, new = replace(world.incoming(), at=now - timedelta(days=31)), world.incoming()
    for incoming in (old, new):
        async with world.store.receive(incoming):
            pass
    await world.store.forget_messages(now - timedelta(days=30))
    for incoming, fresh in ((old, True), (new, False)):
        async with world.store.receive(incoming) as desk:
            assert desk.fresh is fresh


async def test_a_desk_that_is_cancelled_twice_gives_back_no_open_transaction(world: World, database: Database) -> None:
    playthrough = await world.begin()
    opened = asyncio.Event()

    async def dawdle() -> None:
        async with world.store.resume(playthrough.id) as desk:
            opened.set()
            await desk._db.execute("SELECT pg_sleep(0.5)")

    task = asyncio.create_task(dawdle())
    await opened.wait()
    await asyncio.sleep(0.05)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    db = await connect(database.url)
    open_ones = "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
    await eventually(lambda: db.fetchval(open_ones))
    await db.close()
    async with world.store.resume(playthrough.id) as desk:
        assert desk.situation is not None


async def test_what_does_not_exist_is_a_sentence(world: World) -> None:
    playthrough = await world.begin()
    nothing = world.clock.new_id()
    with pytest.raises(NotFound):
        async with world.store.resume(PlaythroughId(nothing)):
            pass
    async with world.store.resume(playthrough.id) as desk:
        with pytest.raises(NotFound):
            await desk.ballot(BallotId(nothing))
    assert await world.store.playthrough_of(BallotId(nothing)) is None


async def test_a_ballot_knows_its_playthrough(world: World) -> None:
    playthrough = await world.begin()
    ballot = await world.ask(playthrough, await world.tell(playthrough, None))
    assert await world.store.playthrough_of(ballot) == playthrough.id


async def test_events_are_read_in_order_from_any_point(world: World) -> None:
    playthrough: Playthrough = await world.begin()
    for number in range(3):
        async with world.store.resume(playthrough.id) as desk:
            await desk.tell(playthrough.id, Noted(f"{number}a"), Noted(f"{number}b"))
    events = await world.store.events(playthrough.id, 0, 100)
    assert [event.event for event in events] == [Noted(f"{n}{x}") for n in range(3) for x in "ab"]
    assert await world.store.events(playthrough.id, events[1].id, 2) == events[2:4]


async def _end_all_sessions(database: Database) -> None:
    db = await connect(database.url)
    await db.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await db.close()
