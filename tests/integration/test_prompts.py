"""What a storyteller was given: taken down with the scene, shown to players, made again byte for byte, learned from."""

from collections.abc import AsyncIterator

import pytest

from storyforge_core.domain.book import ShowContext, ShowWhy
from storyforge_core.domain.commands import BranchFrom, ContinueStory, Direct, Edit, NewStory
from storyforge_core.domain.manifest import SURE
from storyforge_core.domain.replies import ContextShown, WhyShown
from storyforge_core.engine.inventory import take_down
from storyforge_core.engine.prompting import scene_messages
from storyforge_core.store.database import Database, connect
from tests.game import Game, game


@pytest.fixture
async def played(database: Database) -> AsyncIterator[Game]:
    async with game(database) as opened:
        yield opened


async def why(played: Game, scene: str = "") -> WhyShown:
    reply = await played.say(ShowWhy(scene))
    assert isinstance(reply, WhyShown)
    return reply


async def context(played: Game) -> ContextShown:
    reply = await played.say(ShowContext())
    assert isinstance(reply, ContextShown)
    return reply


async def test_the_stored_draft_makes_the_very_prompt_that_was_sent(played: Game) -> None:
    await played.play(NewStory("A mill at night"))
    await played.say(Direct("keep it slow"))
    await played.play(ContinueStory("open the sluice"))
    for telling, scene in zip(played.writer.tellings, await played.scenes(), strict=True):
        async with played.store.resume(await played.playthrough()) as desk:
            draft = await desk.draft_of(scene.id)
        assert draft is not None
        assert draft.brief is not None
        assert draft.manifest is not None
        assert scene_messages(draft.brief, draft.manifest.window, draft.manifest.max_tokens) == telling.messages
        assert draft.manifest.max_tokens == telling.max_tokens
        assert take_down(draft.brief, draft.manifest.window, draft.manifest.profile).digest == draft.manifest.digest


async def test_why_names_the_parts_and_what_was_asked_for(played: Game) -> None:
    await played.play(NewStory("A mill at night"))
    await played.say(Direct("keep it slow"))
    await played.play(ContinueStory("open the sluice"))
    shown = await why(played)
    assert shown.manifest is not None
    assert shown.order is not None
    names = [piece.name for piece in shown.manifest.pieces]
    assert names == ["rules", "world", "newest", "direction", "wish", "task"]
    assert (shown.order.hint, shown.same, shown.manifest.profile.model) == ("open the sluice", True, "scripted")
    opening = await why(played, "1")
    assert opening.manifest is not None
    assert [piece.name for piece in opening.manifest.pieces] == ["rules", "world", "task"]


async def test_a_prompt_whose_words_were_deleted_is_not_claimed_to_be_the_same(
    played: Game, database: Database
) -> None:
    await played.play(NewStory("A mill at night"))
    await played.play(ContinueStory("open the sluice"))
    db = await connect(database.url)
    await db.execute("UPDATE run SET draft = jsonb_set(draft, '{brief,hint}', '\"\"')")
    await db.close()
    assert not (await why(played)).same


async def test_a_scene_of_a_players_hand_has_no_prompt(played: Game) -> None:
    await played.play(NewStory("A mill at night"))
    await played.say(Edit("The mill stood still."))
    shown = await why(played)
    assert (shown.manifest, shown.order, shown.same) == (None, None, False)


async def test_context_is_what_the_next_scene_gets_on_this_branch(played: Game) -> None:
    await played.play(NewStory("A mill at night"))
    await played.play(ContinueStory())
    assert [piece.scene for piece in (await context(played)).manifest.pieces if piece.scene] == [1, 2]
    await played.say(BranchFrom())
    seen = await context(played)
    assert [piece.scene for piece in seen.manifest.pieces if piece.scene] == [1]
    await played.play(ContinueStory())
    told = (await why(played)).manifest
    assert told is not None
    assert told.digest == seen.manifest.digest


@pytest.mark.parametrize(("reads", "larger"), [(0.7, True), (1.3, False)])
async def test_how_long_tokens_are_is_learned_and_planned_with(database: Database, reads: float, larger: bool) -> None:  # noqa: FBT001
    async with game(database) as played:
        played.writer.reads = reads
        await played.play(NewStory("A mill at night. " * 120))
        for _ in range(SURE - 1):  # the opening was the first
            assert (await context(played)).manifest.window == played.writer.window
            await played.play(ContinueStory())
        seen = await context(played)
        assert seen.measure.ratio == pytest.approx(reads, abs=0.01)
        assert (seen.manifest.window > seen.window) == larger
        told = (await why(played)).manifest
        assert told is not None
        assert told.read == round(told.estimated * reads)


async def test_a_run_of_before_prompts_were_taken_down_is_told_to_its_end(database: Database) -> None:
    async with game(database, workers=0) as played:
        await played.say(NewStory("A mill at night"))
        db = await connect(database.url)
        brief = """{"premise": "A mill", "title": "", "genre": "", "tone": "", "path": [], "chosen": "", "hint": "",
                    "note": "", "words": 50, "choices": 3, "seed": 1, "extend": ""}"""
        drafted = "draft = (draft - 'manifest') || jsonb_build_object('brief', $1::jsonb)"
        await db.execute(f"UPDATE run SET stage = 'write', {drafted}", brief)  # noqa: S608 - our own words
        await db.close()
    async with game(database) as played:
        await played.quiet()
        assert len(await played.scenes()) == 1
        assert (await why(played)).manifest is not None
