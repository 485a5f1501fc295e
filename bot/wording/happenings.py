"""What everybody in a room reads: every event in words, in the voice of its platform."""

from collections.abc import Sequence
from typing import assert_never

from bot.wording.voice import TITLE_CHARS, Voice, counted, lines, within
from storyforge_core.domain.events import (
    HeadSet,
    PictureFailed,
    PictureShown,
    SceneTold,
    StoryBegan,
    StoryOpened,
    Task,
    WritingFailed,
    WritingStopped,
)
from storyforge_core.domain.story import Scene

CHOSEN_CHARS = 200
PREMISE_CHARS = 2000
REMINDER_CHARS = 280
SHORTEST = 8
"""With fewer characters than this, nothing of a choice is worth showing."""
BUILT_IN = "built-in storyteller"
"""The one storyteller that is named under each of its scenes: nobody shall take it for a model."""
WAITING = "…"
NOTHING_HERE = "(The scene ends above.)"


def story_began(event: StoryBegan, voice: Voice) -> str:
    """Announce a story with its premise."""
    title = voice.words(event.title, TITLE_CHARS) or "A new story"
    premise = "" if event.premise == event.title else voice.flavour.literal(event.premise[:PREMISE_CHARS])
    return lines(voice.flavour.strong(title), premise, voice.flavour.soft(f"Begun by {voice.name(event.by)}."))


def story_opened(event: StoryOpened, voice: Voice) -> str:
    """Welcome people to a story that was begun before."""
    title = voice.flavour.strong(voice.words(event.title, TITLE_CHARS) or "An untitled story")
    if event.scene is None:
        return f"{title} is open here. It has no scenes yet."
    return lines(f"{title} is open here, at {voice.heading(event.scene)}.", reminder(event.scene, voice))


def story_opened_elsewhere(event: StoryOpened, voice: Voice) -> str:
    """Tell those of the other rooms that they are no longer among themselves."""
    return voice.flavour.literal(
        f"From now on the story is told on {event.platform.capitalize()} too: votes count together."
    )


def reminder(scene: Scene, voice: Voice) -> str:
    """Quote the last words of a scene, for those who read it long ago."""
    prose = " ".join(scene.prose.split())
    if len(prose) <= REMINDER_CHARS:
        return voice.flavour.literal(prose)
    tail = prose[-REMINDER_CHARS:]
    return voice.flavour.literal(f"… {tail.partition(' ')[2] or tail}")


def head_set(event: HeadSet, voice: Voice) -> str:
    """Say where the group stands now, and how it got there."""
    who = voice.name(event.by)
    if event.scene is None:
        return f"{who} went back to before the first scene."
    scene = voice.flavour.strong(voice.heading(event.scene))
    match event.verb:
        case "branch":
            said = f"{who} goes back to {scene}. Another choice here begins a new branch; the old one stays."
        case "go":
            said = f"{who} leads the group to {scene}."
        case "take":
            said = f"{who} picks take {event.scene.take}: {scene}."
        case "undo":
            said = f"{who} took a step back. The story stands at {scene}."
        case "redo":
            said = f"{who} took the step again. The story stands at {scene}."
        case _:
            assert_never(event.verb)
    return lines(said, reminder(event.scene, voice))


def scene_lead(task: Task, chosen: str, by: str, voice: Voice, limit: int) -> str:
    """Say what is being written, above the words as they come; empty where it goes without saying."""
    match task:
        case "open":
            return ""
        case "continue":
            return _chosen(chosen, voice, limit)
        case "reroll":
            return _soft(f"Another take, for {by}", voice, limit)
        case "extend":
            return _soft(f"The scene goes on, for {by}", voice, limit)
        case "replay":
            return _soft(f"A replay, for {by}", voice, limit)
        case _:
            assert_never(task)


def scene_head(told: SceneTold, voice: Voice, limit: int) -> str:
    """Put number and title above a scene, and the choice that led there as far as there is room for it."""
    heading = within(lambda size: voice.flavour.strong(voice.heading(told.scene, min(size, TITLE_CHARS))), limit)
    return lines(heading, _chosen(told.chosen, voice, limit - len(heading) - 1))


def scene_foot(told: SceneTold, voice: Voice) -> str:
    """Say under a scene what its readers should know about how it came to be; mostly nothing."""
    return lines(voice.flavour.literal(told.cut), voice.flavour.soft(" · ".join(_origin(told.scene, voice))))


def scene_signature(told: SceneTold, voice: Voice) -> str:
    """Put number and title below a scene, where what stands above it was shown before they were known."""
    heading = " · ".join([voice.heading(told.scene), *_origin(told.scene, voice)])
    return lines(voice.flavour.literal(told.cut), f"— {heading}")


def _origin(scene: Scene, voice: Voice) -> Sequence[str]:
    take = f"take {scene.take}" if scene.take > 1 else ""
    edited = f"edited by {voice.name(scene.writer)}" if scene.origin == "edited" else ""
    teller = BUILT_IN if scene.writer == BUILT_IN else ""
    return [part for part in (take, edited, teller) if part]


def placeholder(place: int) -> str:
    """Fill a message until its first words come."""
    if place == 0:
        return WAITING
    return f"{counted(place, 'other scene')} {'is' if place == 1 else 'are'} written before this one {WAITING}"


def paused(voice: Voice) -> str:
    """Say below unfinished words that the program is away for a while."""
    return voice.flavour.soft("⏸ I have to go for a moment. It goes on right here when I'm back.")


def failed(event: WritingFailed, voice: Voice) -> str:
    """Say what happened and what can be done."""
    return sentence(event.sentence, voice)


def picture_title(event: PictureShown, voice: Voice) -> str:
    """Say of which scene a picture is that cannot hang under it."""
    title = voice.words(event.title, TITLE_CHARS)
    return voice.flavour.strong(f"{event.number} · {title}" if title else f"Scene {event.number}")


def picture_failed(event: PictureFailed, voice: Voice) -> str:
    """Tell whoever asked for a picture why there is none."""
    return f"No picture for {voice.name(event.by)}. {sentence(event.sentence, voice)}"


def stopped(event: WritingStopped, voice: Voice) -> str:
    """Say who stopped it."""
    return f"{voice.name(event.by)} stopped this before it was told."


def sentence(text: str, voice: Voice) -> str:
    """Pass a sentence of the engine on; the names and titles in it are somebody's words."""
    return voice.flavour.literal(text)


def _chosen(chosen: str, voice: Voice, limit: int) -> str:
    return _soft(f"→ {chosen}", voice, min(limit, CHOSEN_CHARS)) if chosen and limit > SHORTEST else ""


def _soft(text: str, voice: Voice, limit: int) -> str:
    return within(lambda size: voice.flavour.soft(voice.words(text, size)), limit)
