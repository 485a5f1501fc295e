"""Runs under trouble: models that fail, workers that die, players who stop."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from storyforge_core.domain.commands import ContinueStory, Extend, NewStory, Stop, Vote
from storyforge_core.domain.events import BallotOpened, SceneTold, WritingFailed, WritingStopped
from storyforge_core.domain.replies import Accepted
from storyforge_core.engine.cast import Cast
from storyforge_core.engine.recipes import SCENE
from storyforge_core.engine.runner import Runner
from storyforge_core.errors import ServiceDown
from storyforge_core.store.database import Database
from storyforge_core.store.transaction import transaction
from tests.game import Game, ScriptedWriter, game, until
from tests.world import some_worker

QUICK = tuple(replace(stage, pauses=tuple(0.01 for _ in stage.pauses)) for stage in SCENE)
"""The recipe without the waiting."""


@pytest.fixture
async def played(database: Database) -> AsyncIterator[Game]:
    async with game(database, recipe=QUICK) as opened:
        yield opened


def doubled(prose: str) -> bool:
    words = prose.rstrip(".").split()
    return len(words) != len(set(words))


async def test_a_stream_that_breaks_goes_on_behind_the_words_already_told(played: Game) -> None:
    played.writer.fail_after = [3, 5]
    await played.play(NewStory("x"))
    prose = (await played.scenes())[0].prose
    assert prose == " ".join(f"s1w{word}" for word in range(1, 21)) + "."
    assert played.writer.tellings[1].told == "s1w1 s1w2 s1w3"


async def test_a_model_that_stays_away_ends_in_a_sentence_and_the_question_is_open_again(played: Game) -> None:
    await played.play(NewStory("x"))
    played.writer.fail_after = [0, 0, 0]
    await played.play(Vote(2))
    events = await played.events()
    assert any(isinstance(event, WritingFailed) for event in events)
    last = events[-1]
    assert isinstance(last, BallotOpened)
    assert last.again
    assert len(last.ballot.votes) == 1
    await played.play(ContinueStory())
    assert played.writer.tellings[-1].brief.chosen == "Choice 2 of 1"
    assert len(await played.scenes()) == 2


async def test_what_was_told_before_the_model_died_becomes_a_scene(played: Game) -> None:
    played.writer.fail_after = [4, 2, 0]
    await played.play(NewStory("x"))
    told = next(event for event in await played.events() if isinstance(event, SceneTold))
    assert told.scene.prose == "s1w1 s1w2 s1w3 s1w4 s1w5"
    assert "broke off" in told.cut
    await played.play(Extend())
    assert (await played.scenes())[-1].prose.startswith(told.scene.prose)


@pytest.mark.parametrize("answer", ["no json at all", '{"title": "T", "choices": ["a", "a", "a"]}', "{"])
async def test_bad_json_is_repaired_once_and_then_replaced(played: Game, answer: str) -> None:
    played.writer.answers = [answer]
    await played.play(NewStory("x"))
    assert len(played.writer.askings) == 2
    played.writer.answers = [answer, answer]
    await played.play(Vote(1))
    ballot = (await played.status()).ballot
    assert ballot is not None
    assert len({choice.text for choice in ballot.choices}) == 3


async def test_a_model_that_dies_between_prose_and_choices_costs_no_word(played: Game) -> None:
    played.writer.answers = [ServiceDown("away")]
    await played.play(NewStory("x"))
    assert (await played.scenes())[0].prose.endswith("s1w20.")
    assert (await played.status()).ballot is not None


async def test_stop_keeps_what_was_told_and_stops_the_model(played: Game) -> None:
    played.writer.gate.clear()
    await played.say(NewStory("x"))
    await _told(played, 9)
    assert isinstance(await played.say(Stop()), Accepted)
    await played.quiet()
    told = next(event for event in await played.events() if isinstance(event, SceneTold))
    assert told.scene.prose == " ".join(f"s1w{word}" for word in range(1, 11))
    assert told.cut
    assert played.writer.closed == 1


async def test_stop_before_the_first_word_asks_the_old_question_again(database: Database) -> None:
    async with game(database) as played:
        await played.play(NewStory("x"))
        playthrough = await played.playthrough()
    async with game(database, workers=0) as idle:
        await idle.say(Vote(3))
        await idle.say(Stop())
        assert await idle.store.live_run(playthrough) is None
        events = await idle.events()
        assert isinstance(events[-2], WritingStopped)
        assert isinstance(events[-1], BallotOpened)


async def test_a_worker_that_ends_hands_its_run_to_the_next_one(database: Database) -> None:
    writer = ScriptedWriter()
    writer.gate.clear()
    async with game(database, writer) as played:
        await played.say(NewStory("x"))
        await _told(played, 5)
    writer.gate.set()
    async with game(database, writer) as again:
        await again.quiet()
        prose = (await again.scenes())[0].prose
        assert prose == " ".join(f"s1w{word}" for word in range(1, 21)) + "."
        assert writer.tellings[1].told.startswith("s1w1 s1w2 s1w3 s1w4 s1w5")


async def test_a_worker_whose_heartbeat_went_unheard_tells_no_scene_twice(database: Database) -> None:
    async with game(database) as played:
        played.writer.gate.clear()
        await played.say(NewStory("x"))
        await _told(played, 9)
        for _ in range(25):  # longer than two sweeps
            async with transaction(database.engine) as db:
                await db.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")
            await asyncio.sleep(0.1)
        played.writer.gate.set()
        await played.quiet()
        assert (await played.scenes())[0].prose == " ".join(f"s1w{word}" for word in range(1, 21)) + "."
        assert len(played.writer.tellings) == 1


async def test_a_worker_that_dies_with_everything_written_costs_no_word_and_cuts_nothing_off(
    database: Database,
) -> None:
    async with game(database, workers=0) as told:
        await told.say(NewStory("x"))
        run = await told.store.live_run(await told.playthrough())
        assert run
        first = some_worker()
        await told.store.claim(run.id, first)
        draft = replace(run.draft, prose="All of it.", title="Whole", choices=("On", "Back"), writer="scripted")
        await told.store.checkpoint(run.id, first, "settle", draft)
        cast, memory = Cast.alone(told.writer), told.forge.oracle.memory
        runner = Runner(told.store, cast, memory, told.bus, told.forge.clock, SCENE)
        await runner.execute(run.id, some_worker())
        (event,) = [event for event in await told.events() if isinstance(event, SceneTold)]
        assert (event.scene.prose, event.scene.title, event.cut) == ("All of it.", "Whole", "")


async def test_words_reach_a_listener_in_another_process(database: Database) -> None:
    writer = ScriptedWriter(words=60)
    writer.pace = 0.02
    async with game(database, writer) as writing, game(database, workers=0) as watching:
        await writing.say(NewStory("x"))
        run = await watching.store.live_run(await watching.playthrough())
        assert run is not None
        lengths = []
        async with watching.bus.live(run.id) as feed:
            while await feed.changed(len(feed.text)):
                lengths.append(len(feed.text))
            text = feed.text
        assert len(lengths) >= 3
        assert writer.text(writer.tellings[0]).startswith(text)
        assert (await watching.scenes())[0].prose == writer.text(writer.tellings[0])


async def test_two_playthroughs_are_written_at_the_same_time(database: Database) -> None:
    writer = ScriptedWriter()
    writer.gate.clear()
    async with game(database, writer) as played:
        await played.say(NewStory("one"))
        other = replace_room(played, "other")
        await other.say(NewStory("two"))

        async def both() -> bool:
            return len(writer.tellings) == 2

        await until(both)
        writer.gate.set()
        await played.quiet()
        await other.quiet()


def replace_room(played: Game, address: str) -> Game:
    return replace(played, room=replace(played.room, address=address))


async def _told(played: Game, words: int) -> None:
    """Wait until so many words are saved."""
    playthrough = await played.playthrough()

    async def told() -> bool:
        run = await played.store.live_run(playthrough)
        assert run is not None
        text = "".join(chunk.text for chunk in await played.store.chunks(run.id, -1))
        return len(text.split()) >= words

    await until(told)
