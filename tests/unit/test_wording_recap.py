"""What people read when they look back, and what the built-in storyteller makes of a chapter."""

from dataclasses import replace

from bot.wording.markup import Markdown
from bot.wording.replying import reply_text
from bot.wording.treemap import Canvas
from bot.wording.voice import Voice
from storyforge_core.domain.chapters import Chapter, digest_schema, read_digest
from storyforge_core.domain.recap import Recap
from storyforge_core.domain.replies import ChaptersShown, RecapShown, Reply
from storyforge_core.domain.writing import Asking, Brief, Synopsis, ToldScene
from storyforge_core.providers.offline import OfflineStoryteller
from tests.unit.test_wording_memory import SCENE

TOLD = Recap(
    (Synopsis(1, 1, 24, 24, "Low *Water*", "They came, @everyone."),),
    (ToldScene(26, "The *Key*", "Knock", "", "Osk hid it."),),
    1,
    "And the door [opened](http://x).",
)


def say(reply: Reply) -> str:
    return reply_text(reply, Voice(Markdown(), lambda at: f"{at:%H:%M}"), Canvas(40, 20))


def test_a_recap_names_its_scenes_and_carries_no_marks_of_others() -> None:
    text = say(RecapShown("left", 3, TOLD, SCENE)).replace("\u200b", "")
    assert text.startswith("**Since you were here**\n\n**Scenes 1 to 24 · Low \\*Water\\***\nThey came, ")
    assert "@everyone" not in say(RecapShown("left", 3, TOLD, SCENE))
    assert "(1 scene here that nobody has summed up yet.)" in text
    assert "26 · The \\*Key\\* (→ Knock): Osk hid it." in text
    assert "And then, at the end of 3 · The cold door:" in text
    assert "the door \\[opened\\](" in text


def test_a_recap_says_what_it_is_of() -> None:
    assert say(RecapShown("beginning", 3, TOLD, SCENE)).startswith("**The story so far**")
    assert say(RecapShown("chapter", 3, TOLD, SCENE)).startswith("**This chapter so far**")
    assert "You have not taken part yet" in say(RecapShown("left", None, TOLD, SCENE))
    nothing = replace(TOLD, synopses=(), scenes=(), left_out=0)
    assert say(RecapShown("left", 3, nothing, SCENE)).startswith("Nothing was told since you were here.")


def test_chapters_are_listed_with_the_one_that_is_being_told() -> None:
    chapter = Chapter(7, "", 61, 61, 1, "It *rained*.")
    text = say(ChaptersShown((chapter,), 0)).replace("\u200b", "")
    assert "(6 earlier chapters not shown.)" in text
    assert "**Chapter 7** (scene 61)\nIt \\*rained\\*." in text
    assert text.endswith("Chapter 8 is being told: it begins with the next scene.")
    assert "No chapter has ended yet" in say(ChaptersShown((), 2))


async def test_the_built_in_storyteller_sums_up_in_the_scenes_own_words() -> None:
    scenes = tuple(ToldScene(n, f"Title {n}", "", f"Maren counted {n} gulls over the wall. It rained.") for n in (1, 2))
    brief = Brief("", "", "", "", scenes, "", "", "", 0, 0, 0)
    asking = Asking(brief, (), "", digest_schema(2), 600, "summary")
    answers = [await OfflineStoryteller().ask(asking) for _ in range(2)]
    assert answers[0] == answers[1]
    digest = read_digest(answers[0], 2)
    assert digest == read_digest(answers[0], len(scenes))
    assert "Maren counted 2 gulls over the wall." in answers[0]
