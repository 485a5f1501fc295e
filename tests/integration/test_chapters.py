"""Chapters, summaries and recaps, from the scene that is told to what players and storytellers read of it."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.wording.markup import Markdown
from bot.wording.replying import reply_text
from bot.wording.treemap import Canvas
from bot.wording.voice import Voice
from storyforge_core.domain.book import EndChapter, ShowChapters, ShowContext, ShowRecap
from storyforge_core.domain.changes import SceneAdded
from storyforge_core.domain.commands import BranchFrom, ContinueStory, GoTo, Incoming, NewStory, Redo, Undo, Vote
from storyforge_core.domain.replies import Accepted, ChaptersShown, ContextShown, Declined, RecapShown, Reply
from storyforge_core.domain.story import Rules, SceneId
from storyforge_core.domain.writing import Asking, Telling
from storyforge_core.engine.chronicle import Chronicle
from storyforge_core.errors import ServiceDown
from storyforge_core.providers.offline import OfflineStoryteller
from storyforge_core.store.database import Database
from tests.game import ANN, BO, Game, ScriptedWriter, game, until
from tests.world import open_world

WEATHER = "The rain came over the hill and went again, and nobody said anything that mattered for a while. "


class Novelist(ScriptedWriter):
    """Tells scenes of the usual length, each with what the hint says, and sums chapters up."""

    down = False
    """It sums nothing up."""

    def text(self, telling: Telling) -> str:
        return f"{WEATHER * 5}{telling.brief.hint} {WEATHER * 5}"

    async def ask(self, asking: Asking) -> str:
        if asking.wanted != "summary":
            return await super().ask(asking)
        self.askings.append(asking)
        if self.down:
            raise ServiceDown(WEATHER)
        count = len(asking.brief.path)
        gists = [f"Gist of {scene.number}." for scene in asking.brief.path]
        return json.dumps({"title": f"Part of {count}", "summary": f"Sum of {count} scenes.", "scenes": gists})


@pytest.fixture
async def played(database: Database) -> AsyncIterator[Game]:
    async with game(database, Novelist(words=10**6), rules=Rules(chapter=1300)) as opened:
        yield opened


async def tell(played: Game, turns: int, hint: str = "") -> None:
    for _ in range(turns):
        await played.play(ContinueStory(hint))


async def summarised(played: Game) -> None:
    """Wait until nothing is left to summarise at the head."""
    head = (await played.status()).head
    assert head is not None

    async def done() -> bool:
        outline = await played.store.outline(head.id)
        return outline is not None and outline.ended is None

    await until(done)


async def chapters(played: Game) -> ChaptersShown:
    reply = await played.say(ShowChapters())
    assert isinstance(reply, ChaptersShown)
    return reply


async def recap(played: Game, command: ShowRecap | None = None) -> RecapShown:
    reply = await played.say(command or ShowRecap(), BO)
    assert isinstance(reply, RecapShown)
    return reply


def words(reply: Reply) -> str:
    return reply_text(reply, Voice(Markdown(), lambda at: f"{at:%H:%M}"), Canvas(40, 20)).replace("\u200b", "")


async def test_a_chapter_ends_when_it_is_full_and_is_summed_up_in_the_background(played: Game) -> None:
    await played.play(NewStory("A mill at night"))
    await tell(played, 5)
    await summarised(played)
    shown = await chapters(played)
    assert [(each.number, each.first, each.last) for each in shown.chapters] == [(1, 1, 4)]
    assert (shown.chapters[0].title, shown.chapters[0].summary, shown.open_scenes) == (
        "Part of 4", "Sum of 4 scenes.", 2,
    )  # fmt: skip
    assert "Chapter 1 · Part of 4** (scenes 1 to 4)\nSum of 4 scenes." in words(shown)
    assert "Chapter 2 is being told: 2 scenes so far." in words(shown)


async def test_players_end_chapters_and_take_that_back(played: Game) -> None:
    await played.play(NewStory("A mill at night"))
    assert "No chapter has ended yet" in words(await chapters(played))
    await tell(played, 1)
    reply = await played.say(EndChapter("The first  night"))
    assert isinstance(reply, Accepted)
    assert "chapter 1, “The first night”, end with scene 2" in reply.sentence
    again = await played.say(EndChapter())
    assert isinstance(again, Declined)
    assert "ends here already" in again.sentence
    assert [each.title for each in (await chapters(played)).chapters] == ["The first night"]
    await played.say(Undo())
    assert (await chapters(played)).chapters == ()
    await played.say(Redo())
    assert [each.title for each in (await chapters(played)).chapters] == ["The first night"]


async def test_undoing_the_turn_that_ended_a_chapter_lets_it_go_on(played: Game) -> None:
    await played.play(NewStory("A mill at night"))
    await tell(played, 3)
    assert len((await chapters(played)).chapters) == 1
    await played.say(Undo())
    assert (await chapters(played)).chapters == ()
    await tell(played, 1)
    assert [each.last for each in (await chapters(played)).chapters] == [5]


async def test_a_branch_sees_only_the_chapters_that_ended_before_it(played: Game) -> None:
    await played.play(NewStory("A mill at night"))
    await tell(played, 7)
    await summarised(played)
    assert len((await chapters(played)).chapters) == 2
    await played.say(BranchFrom("6"))
    assert [each.last for each in (await chapters(played)).chapters] == [4]
    await played.say(BranchFrom("2"))
    assert (await chapters(played)).chapters == ()
    await tell(played, 2, "Osk sings.")
    shown = await recap(played, ShowRecap("beginning"))
    assert "Sum of" not in words(shown)
    assert [scene.number for scene in shown.recap.scenes] == [1, 2, 9, 10]


async def test_a_model_that_is_away_never_holds_a_story_up(played: Game) -> None:
    assert isinstance(played.writer, Novelist)
    played.writer.down = True
    await played.play(NewStory("A mill at night"))
    await tell(played, 4, "Osk hid the brass key under the third step of the mill.")
    await summarised(played)
    (chapter,) = (await chapters(played)).chapters
    assert WEATHER.strip() in chapter.summary or "brass key" in chapter.summary


async def test_a_prompt_begins_the_same_for_a_whole_chapter_and_tells_what_is_in_it(played: Game) -> None:
    await played.play(NewStory("A mill at night"))
    await tell(played, 24)
    prompts = [telling.messages[1].content for telling in played.writer.tellings]
    starts = [
        prompt.rpartition("</scene>")[0].rpartition("<scene>")[0].removesuffix("<chosen>\n") for prompt in prompts
    ]
    ends = [chapter.last for chapter in (await chapters(played)).chapters]
    changed = [number for number in range(2, 25) if not starts[number].startswith(starts[number - 1].rstrip())]
    assert {number + 1 for number in changed} <= {end + 1 for end in ends}
    assert "<chapters>\n1\u20134 · Part of 4: Sum of 4 scenes." in prompts[-1]
    context = await played.say(ShowContext())
    assert isinstance(context, ContextShown)
    told = [piece for piece in context.manifest.pieces if piece.name in {"scene", "newest"}]
    assert len(told) + sum(piece.scenes for piece in context.manifest.pieces) >= 25
    assert " of 25 scenes word for word" in words(context)
    assert "only when" not in words(context)


async def test_a_recap_begins_where_a_player_left(played: Game) -> None:
    await played.play(NewStory("A mill at night"))
    await played.play(Vote(1), BO)
    await played.play(Vote(1), ANN)
    await tell(played, 2, "Osk took the ladder.")
    shown = await recap(played)
    assert [scene.number for scene in shown.recap.scenes] == [2, 3, 4]
    assert words(shown).startswith("**Since you were here**\n\n2 · ")
    assert "And then, at the end of 4 ·" in words(shown)
    assert [scene.number for scene in (await recap(played)).recap.scenes] == [2, 3, 4]
    await later(played)
    await tell(played, 1)
    assert [scene.number for scene in (await recap_later(played)).recap.scenes] == [5]


async def later(played: Game) -> None:
    """The mark that a recap leaves counts from when nobody repeats a question any more."""
    assert [scene.number for scene in (await recap_later(played)).recap.scenes] == []


async def recap_later(played: Game) -> RecapShown:
    at = played.forge.clock.now() + timedelta(hours=2)
    reply = await played.forge.handle(Incoming(str(at), played.room, BO, ShowRecap(), at))
    assert isinstance(reply, RecapShown)
    return reply


async def test_a_recap_tells_nothing_of_what_lies_ahead_or_aside(played: Game) -> None:
    await played.play(NewStory("A mill at night"))
    await tell(played, 2, "Osk carried the lantern to the tower.")
    await tell(played, 4, "The duchess is the murderer.")
    await summarised(played)
    await played.say(GoTo("3"))
    for command in (ShowRecap(), ShowRecap("beginning"), ShowRecap("chapter")):
        text = words(await recap(played, command))
        assert "murderer" not in text
        assert "5 ·" not in text
    await played.say(BranchFrom("1"))
    await tell(played, 1, "It rains on the harbour.")
    text = words(await recap(played, ShowRecap("beginning")))
    assert "tower" not in text
    assert "8 ·" in text


async def test_whoever_was_never_here_is_told_all(played: Game) -> None:
    await played.play(NewStory("A mill at night"))
    text = words(await recap(played))
    assert "You have not taken part yet" in text
    assert "1 · " in text


async def test_very_long_paths_come_down_to_a_few_texts_and_are_told_in_full(database: Database) -> None:
    world = open_world(database)
    story = await world.begin()
    grown, parent = [], None
    for number in range(700):
        scene = world.new_scene(story.story, parent, title=f"Scene {number}")
        grown.append(SceneAdded(replace(scene, prose=f"Maren counted {number} gulls over the harbour wall."), ()))
        parent = scene.id
    async with world.store.resume(story.id) as desk:
        await desk.apply(grown, "test")
    ends = [SceneId(grown[depth].scene.id) for depth in (699, 300)]
    chronicle = Chronicle(world.store, OfflineStoryteller(), world.clock)
    await chronicle.summarise(ends[0])
    async with world.store.resume(story.id) as desk:
        past, before = await desk.past(ends[0], 64), await desk.past(ends[1], 64)
    assert len(past.synopses) < 20
    assert max(synopsis.layer for synopsis in past.synopses) == 2
    for read, depth in ((past, 699), (before, 300)):
        told = sum(synopsis.scenes for synopsis in read.synopses)
        assert told + len(read.lines) >= read.older
        assert read.older + len(read.path) == depth + 1
        firsts = [synopsis.first for synopsis in read.synopses]
        assert firsts == sorted(firsts)
        assert not any(
            f"Maren counted {number} " in synopsis.text
            for synopsis in read.synopses
            for number in range(depth + 1, 701)
        )
