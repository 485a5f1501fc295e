"""Ending a chapter: by itself when it is full, or because somebody says so."""

from storyforge_core.domain.changes import ChapterSet
from storyforge_core.domain.chapters import ChapterId, Ending, full
from storyforge_core.domain.runs import Draft
from storyforge_core.domain.story import Rules, SceneId, StoryId
from storyforge_core.domain.writing import ToldScene
from storyforge_core.engine.older import chapter_tokens
from storyforge_core.engine.prompting import room_for_chapter
from storyforge_core.ports import Clock

LOOK_BACK = 32
"""Scenes after which it is looked whether anything was left to summarise where no chapter ends."""


def ending(story: StoryId, scene: SceneId, title: str, clock: Clock) -> ChapterSet:
    """Let a chapter end at a scene."""
    return ChapterSet(story, ChapterId(clock.new_id()), scene, None, Ending(title, clock.now()))


def endings(draft: Draft, rules: Rules, story: StoryId, scene: SceneId, clock: Clock) -> tuple[ChapterSet, ...]:
    """The end of the chapter at a scene that was just told, if that fills it up."""
    brief, manifest = draft.brief, draft.manifest
    if brief is None or manifest is None:
        return ()
    told = ToldScene(0, draft.title, draft.order.chosen, draft.prose)
    room = room_for_chapter(brief, manifest.window, manifest.max_tokens, rules.chapter)
    return (ending(story, scene, "", clock),) if full(chapter_tokens(brief, told), room) else ()


def worth_a_look(depth: int, ended: tuple[ChapterSet, ...]) -> bool:
    """Whether there may be something to summarise behind a scene."""
    return bool(ended) or depth % LOOK_BACK == LOOK_BACK - 1
