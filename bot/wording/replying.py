"""What only the asker reads: every reply in words, in the voice of its platform."""

from collections.abc import Sequence
from typing import assert_never

from bot.wording.asking import Asked, question
from bot.wording.bible import bible_text
from bot.wording.found import found_text
from bot.wording.knowing import answer, found
from bot.wording.looks import look_text
from bot.wording.lore import lore_text
from bot.wording.mydata import my_data
from bot.wording.prompts import context, why
from bot.wording.recounting import recounted
from bot.wording.server import not_here, space_shown
from bot.wording.treemap import Canvas, draw
from bot.wording.voice import TITLE_CHARS, Voice, counted, lines, paragraphs
from storyforge_core.domain.events import Task
from storyforge_core.domain.found import DisputesShown, PromisesShown, StateShown
from storyforge_core.domain.look_replies import LookShown, LooksListed
from storyforge_core.domain.replies import (
    Accepted,
    AnswerShown,
    ChaptersShown,
    ContextShown,
    Declined,
    EntitiesShown,
    EntityShown,
    FactsShown,
    LoreExported,
    LoreImported,
    LoreListed,
    LoreShown,
    MapShown,
    MyDataShown,
    NotHere,
    PathShown,
    PictureLine,
    RecapShown,
    Repeated,
    Reply,
    RulesShown,
    RunLine,
    SearchShown,
    SpaceShown,
    StatusShown,
    StoriesShown,
    StoryLine,
    TakesShown,
    WhyShown,
)
from storyforge_core.domain.rules import chapter_room
from storyforge_core.domain.story import Member, Rules, Scene

SNIPPET_CHARS = 100
NOTE_CHARS = 500


def reply_text(reply: Reply, voice: Voice, canvas: Canvas) -> str:  # noqa: C901, PLR0912 - a line for each reply
    """Word a reply; empty where there is nothing to say. May be longer than one message."""
    match reply:
        case Accepted() | Declined():
            text = voice.flavour.literal(reply.sentence)
        case Repeated():
            text = ""
        case PathShown():
            text = _path(reply, voice)
        case MapShown():
            text = voice.flavour.block(draw(reply, canvas))
        case TakesShown():
            text = _takes(reply, voice)
        case StoriesShown():
            text = _stories(reply.stories, voice)
        case StatusShown():
            text = _status(reply, voice)
        case RulesShown():
            text = _rules(reply, voice)
        case NotHere():
            text = not_here(reply, voice)
        case SpaceShown():
            text = space_shown(reply, voice)
        case MyDataShown():
            text = my_data(reply.data, voice)
        case AnswerShown():
            text = answer(reply, voice)
        case SearchShown():
            text = found(reply, voice)
        case WhyShown():
            text = why(reply, voice)
        case ContextShown():
            text = context(reply, voice)
        case LoreListed() | LoreShown() | LoreImported() | LoreExported():
            text = lore_text(reply, voice)
        case LookShown() | LooksListed():
            text = look_text(reply, voice)
        case ChaptersShown() | RecapShown():
            text = recounted(reply, voice)
        case EntityShown() | EntitiesShown() | FactsShown():
            text = bible_text(reply, voice)
        case StateShown() | PromisesShown() | DisputesShown():
            text = found_text(reply, voice)
        case _:
            assert_never(reply)
    return text


def _path(reply: PathShown, voice: Voice) -> str:
    title = voice.flavour.strong(voice.words(reply.story.title, TITLE_CHARS) or "The story so far")
    before = f"({counted(reply.left_out, 'earlier scene')} not shown.)" if reply.left_out else ""
    told = [
        paragraphs(_told_heading(scene, chosen, voice), voice.flavour.literal(scene.prose))
        for scene, chosen in zip(reply.scenes, reply.chosen, strict=True)
    ]
    return paragraphs(title, before, *told) if told else f"{title}\n\nNothing has been told yet."


def _told_heading(scene: Scene, chosen: str, voice: Voice) -> str:
    choice = f"→ {voice.words(chosen, SNIPPET_CHARS)}" if chosen else ""
    return lines(voice.flavour.strong(voice.heading(scene)), voice.flavour.soft(choice))


def _takes(reply: TakesShown, voice: Voice) -> str:
    rows = [
        f"{scene.take}. {voice.heading(scene)} — {voice.words(scene.prose, SNIPPET_CHARS)}"
        + (" ← here" if scene.id == reply.head else "")
        for scene in reply.takes
    ]
    if len(rows) == 1:
        return lines(*rows, "This is the only take. /story take tells the scene again.")
    return lines(voice.flavour.strong(counted(len(rows), "take")), *rows, "/story takes 1 moves to the first one.")


def _stories(stories: Sequence[StoryLine], voice: Voice) -> str:
    if not stories:
        return "There are no stories here yet. Begin one: /story new A lighthouse keeper finds a door in the sea"
    rows = [_story_line(story, voice) for story in stories]
    return lines(voice.flavour.strong("Stories"), *rows, f"Open one here: /story stories {stories[0].number}")


def _story_line(story: StoryLine, voice: Voice) -> str:
    title = voice.words(story.title or story.premise, TITLE_CHARS)
    here = ", open here" if story.here else ""
    return f"{story.number}. {title} ({counted(story.scenes, 'scene')}{here})"


def _status(reply: StatusShown, voice: Voice) -> str:
    title = voice.flavour.strong(voice.words(reply.story.title, TITLE_CHARS) or "Untitled story")
    style = " · ".join(voice.words(part, TITLE_CHARS) for part in (reply.story.genre, reply.story.tone) if part)
    head = f"You are at {voice.heading(reply.head)}." if reply.head else "The first scene has not been told yet."
    facts = lines(
        f"{head} {counted(reply.scenes, 'scene')} in the whole tree.",
        _players(reply.members, voice),
        _note(reply.playthrough.note, voice),
        _run(reply.run) if reply.run else "",
        _pictures(reply.pictures),
    )
    asked = question(Asked(reply.ballot, reply.playthrough.rules, reply.members), voice) if reply.ballot else ""
    return paragraphs(lines(title, style), facts, asked)


def _players(members: Sequence[Member], voice: Voice) -> str:
    joined = [member.name + (" (host)" if member.host else "") for member in members if member.state == "joined"]
    return f"Playing: {voice.names(joined)}." if joined else "Nobody plays yet: /story join"


def _note(note: str, voice: Voice) -> str:
    return f"Director's note: {voice.words(note, NOTE_CHARS)}" if note else ""


def _run(run: RunLine) -> str:
    if not run.running:
        waits = f"after {counted(run.place, 'other')}" if run.place else "next"
        return f"{_task(run.task)} is queued and comes {waits}."
    return f"{_task(run.task)} is being written: {counted(run.words, 'word')} so far."


def _pictures(pictures: Sequence[PictureLine]) -> str:
    """What is being painted, and how many wait."""
    begun = [f"Scene {line.number} is being painted: {line.done:.0%}." for line in pictures if line.running]
    waiting = sum(not line.running for line in pictures)
    return " ".join([*begun, *([f"{counted(waiting, 'picture')} waiting to be painted."] if waiting else [])])


def _task(task: Task) -> str:
    match task:
        case "open":
            return "The first scene"
        case "continue":
            return "The next scene"
        case "reroll":
            return "Another take"
        case "extend":
            return "A longer take"
        case "replay":
            return "A replay"
        case _:
            assert_never(task)


def _rules(reply: RulesShown, voice: Voice) -> str:
    rows = [f"{name}: {value}" for name, value in _settings(reply.rules, voice)]
    note = _note(reply.note, voice)
    return lines(voice.flavour.strong("Settings"), *rows, note, "Change one: /story settings words 300")


def _settings(rules: Rules, voice: Voice) -> Sequence[tuple[str, str]]:
    ties = {"random": "random (the lot decides)", "first": "first (who had the votes first)", "host": "host decides"}
    deadline = f"{counted(rules.deadline, 'second')}" if rules.deadline else "0 (none)"
    return (
        ("words", f"{rules.words} for each scene"),
        ("choices", f"{rules.choices} at its end"),
        ("quorum", str(rules.quorum) if rules.quorum else "0 (everybody who joined)"),
        ("deadline", deadline),
        ("tie", ties[rules.tie]),
        ("chapter", chapter_room(rules.chapter)),
        ("write_ins", "on" if rules.write_ins else "off"),
        ("pictures", "house (as the program is set)" if rules.pictures == "house" else rules.pictures),
        ("style", voice.words(rules.style, NOTE_CHARS) or "off"),
        ("workflow", voice.words(rules.workflow, NOTE_CHARS) or "off"),
        ("avoid", voice.words(rules.avoid, NOTE_CHARS) or "off"),
        ("rating", rules.rating),
        ("spoilers", rules.spoilers),
    )
