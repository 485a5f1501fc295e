"""A scene told once more from what was taken down of it: the same prompt, the same words, and nobody is moved."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import cast

import pytest

from storyforge_core.domain.book import Replay, ShowWhy
from storyforge_core.domain.commands import ContinueStory, Direct, Edit, Extend, NewStory, ShowTakes, Stop, Vote
from storyforge_core.domain.events import BallotOpened, Noted
from storyforge_core.domain.replies import Accepted, Declined, Reply, TakesShown, WhyShown
from storyforge_core.domain.story import Rules
from storyforge_core.domain.writing import Profile
from storyforge_core.providers.offline import OfflineStoryteller
from storyforge_core.store.database import Database, connect
from tests.game import BO, Game, ScriptedWriter, game

OTHER_MODEL = Profile("scripted@2", (("num_ctx", 8192), ("temperature", 0.2)))


@pytest.fixture
async def played(database: Database) -> AsyncIterator[Game]:
    async with game(database) as opened:
        yield opened


def said(reply: Reply) -> str:
    assert isinstance(reply, Accepted | Declined)
    return reply.sentence


async def digest(played: Game, scene: int) -> str:
    reply = await played.say(ShowWhy(str(scene)))
    assert isinstance(reply, WhyShown)
    assert reply.manifest is not None
    return reply.manifest.digest


async def test_the_built_in_storyteller_says_the_same_byte_for_byte(database: Database) -> None:
    async with game(database, cast("ScriptedWriter", OfflineStoryteller()), rules=Rules(words=60)) as played:
        await played.play(NewStory("A lighthouse keeper finds a door in the sea"))
        await played.say(Direct("keep it slow"))
        await played.play(ContinueStory("open the door"))
        await played.play(Extend())
        await played.play(ContinueStory())
        for number in (1, 2, 3):
            await played.play(Replay(str(number)))
        scenes = await played.scenes()
        assert len(scenes) == 7
        for original, again in zip(scenes[:3], scenes[4:], strict=True):
            assert (again.prose, again.title, again.parent) == (original.prose, original.title, original.parent)
            assert await digest(played, again.number) == await digest(played, original.number)
            assert again.take > original.take
        notes = [event.sentence for event in await played.events() if isinstance(event, Noted)]
        assert all("word for word the same" in note for note in notes[-3:])


async def test_nobody_is_moved_and_the_question_is_asked_again_with_its_votes(played: Game) -> None:
    await played.play(NewStory("A mill at night"))
    await played.play(Vote(1), BO)
    before = await played.status()
    assert before.ballot
    assert said(await played.play(Replay())) == ("Scene 1 is told once more, from the same prompt with the same seed.")
    after = await played.status()
    assert after.head == before.head
    assert after.ballot
    assert (after.ballot.id, after.ballot.votes) == (before.ballot.id, before.ballot.votes)
    assert isinstance((await played.events())[-1], BallotOpened)
    first, again = played.writer.tellings
    assert (again.messages, again.brief, again.max_tokens) == (first.messages, first.brief, first.max_tokens)
    shown = await played.say(ShowTakes())
    assert isinstance(shown, TakesShown)
    assert [scene.take for scene in shown.takes] == [1, 2]
    await played.play(Vote(1))
    assert len((await played.scenes())[-1].prose.split()) == played.writer.words, "and the story goes on"


async def test_a_replay_that_is_stopped_or_fails_leaves_everything_as_it_was(played: Game) -> None:
    await played.play(NewStory("A mill at night"))
    before = await played.status()
    played.writer.fail_after = [0] * 5
    await played.play(Replay())
    assert await played.status() == before
    played.writer.fail_after = []
    played.writer.gate.clear()
    await played.say(Replay())
    assert "being written" in said(await played.say(Replay()))
    await played.say(Stop())
    played.writer.gate.set()
    await played.quiet()
    after = await played.status()
    assert (after.head, after.ballot) == (before.head, before.ballot)


async def test_what_a_player_wrote_cannot_be_replayed(played: Game) -> None:
    await played.play(NewStory("A mill at night"))
    await played.play(Edit("It was late."))
    assert "a player wrote it" in said(await played.say(Replay()))
    assert "no scene" in said(await played.say(Replay("99")))


async def test_another_model_and_a_prompt_that_cannot_be_made_again_are_named(played: Game, database: Database) -> None:
    await played.play(NewStory("A mill at night"))
    played.writer.profile = lambda: _soon(OTHER_MODEL)  # type: ignore[method-assign]  # a test's other model
    assert said(await played.play(Replay())).endswith("The model is another one: scripted then, scripted@2 now.")
    db = await connect(database.url)
    await db.execute("UPDATE run SET draft = jsonb_set(draft, '{manifest,digest}', '\"other\"')")
    await db.close()
    reply = said(await played.play(Replay("1")))
    assert "cannot be made byte for byte" in reply
    assert len(await played.scenes()) == 3, "it is told all the same"


async def test_the_model_is_given_what_it_was_given_then(database: Database) -> None:
    writer = ScriptedWriter()
    then = Profile("scripted", (("num_ctx", 8192), ("temperature", 0.8)))
    writer.profile = lambda: _soon(then)  # type: ignore[method-assign]  # a test's model
    async with game(database, writer) as played:
        await played.play(NewStory("A mill at night"))
        writer.profile = lambda: _soon(replace(then, options=(("num_ctx", 16384), ("temperature", 0.1))))  # type: ignore[method-assign]
        await played.play(Replay())
        assert dict(writer.tellings[-1].options) == {"num_ctx": 16384, "temperature": 0.8}
        writer.profile = lambda: _soon(replace(then, options=(("num_ctx", 4096), ("temperature", 0.1))))  # type: ignore[method-assign]
        assert "reads less at once" in said(await played.play(Replay("1")))


async def _soon(profile: Profile) -> Profile:
    return profile
