"""What happened, in words: chapters, and recaps that tell no more than the story has."""

from typing import assert_never

from bot.wording.voice import TITLE_CHARS, Voice, counted, lines, paragraphs
from storyforge_core.domain.chapters import SUMMARY_CHARS, Chapter
from storyforge_core.domain.replies import ChaptersShown, RecapShown
from storyforge_core.domain.writing import Synopsis, ToldScene

GIST_CHARS = 240
CHOICE_CHARS = 100
NO_CHAPTERS = (
    "No chapter has ended yet. One ends by itself when it is long enough, or here and now: "
    "/story chapter The first night"
)
NEVER_HERE = "You have not taken part yet, so this is all of it."
NOTHING_NEW = "Nothing was told since you were here. From the beginning: /story recap all"


def recounted(reply: ChaptersShown | RecapShown, voice: Voice) -> str:
    """Word what was looked back on."""
    match reply:
        case ChaptersShown():
            return _chapters(reply, voice)
        case RecapShown():
            return _recap(reply, voice)
        case _:
            assert_never(reply)


def _chapters(reply: ChaptersShown, voice: Voice) -> str:
    if not reply.chapters:
        return paragraphs(NO_CHAPTERS, _open(1, reply.open_scenes))
    earlier = reply.chapters[0].number - 1
    before = f"({counted(earlier, 'earlier chapter')} not shown.)" if earlier else ""
    told = (_chapter(chapter, voice) for chapter in reply.chapters)
    return paragraphs(
        voice.flavour.strong("Chapters"), before, *told, _open(reply.chapters[-1].number + 1, reply.open_scenes)
    )


def _chapter(chapter: Chapter, voice: Voice) -> str:
    title = f" · {voice.words(chapter.title, TITLE_CHARS)}" if chapter.title else ""
    span = f"scene {chapter.first}" if chapter.scenes == 1 else f"scenes {chapter.first} to {chapter.last}"
    heading = voice.flavour.strong(f"Chapter {chapter.number}{title}")
    return lines(f"{heading} ({span})", voice.words(chapter.summary, SUMMARY_CHARS))


def _open(number: int, scenes: int) -> str:
    told = f"{counted(scenes, 'scene')} so far" if scenes else "it begins with the next scene"
    return f"Chapter {number} is being told: {told}."


def _recap(reply: RecapShown, voice: Voice) -> str:
    recap = reply.recap
    told = [_synopsis(synopsis, voice) for synopsis in recap.synopses]
    gap = f"({counted(recap.left_out, 'scene')} here that nobody has summed up yet.)" if recap.left_out else ""
    listed = lines(*(_scene(scene, voice) for scene in recap.scenes))
    ending = lines(
        voice.flavour.soft(f"And then, at the end of {voice.heading(reply.head)}:"), voice.flavour.literal(recap.ending)
    )
    return paragraphs(_heading(reply, voice), *told, gap, listed, ending)


def _heading(reply: RecapShown, voice: Voice) -> str:
    match reply.since:
        case "beginning":
            return voice.flavour.strong("The story so far")
        case "chapter":
            return voice.flavour.strong("This chapter so far")
        case "left":
            if reply.known is None:
                return lines(voice.flavour.strong("The story so far"), NEVER_HERE)
            return voice.flavour.strong("Since you were here") if _new(reply) else NOTHING_NEW
        case _:
            assert_never(reply.since)


def _new(reply: RecapShown) -> bool:
    return bool(reply.recap.scenes or reply.recap.synopses)


def _synopsis(synopsis: Synopsis, voice: Voice) -> str:
    title = voice.words(synopsis.title, TITLE_CHARS)
    span = f"Scenes {synopsis.first} to {synopsis.last}" if synopsis.scenes > 1 else f"Scene {synopsis.first}"
    return lines(
        voice.flavour.strong(f"{span} · {title}" if title else span), voice.words(synopsis.text, SUMMARY_CHARS)
    )


def _scene(scene: ToldScene, voice: Voice) -> str:
    title = voice.words(scene.title, TITLE_CHARS)
    choice = f" (→ {voice.words(scene.choice, CHOICE_CHARS)})" if scene.choice else ""
    gist = f": {voice.words(scene.gist, GIST_CHARS)}" if scene.gist else ""
    return f"{scene.number} · {title}{choice}{gist}"
