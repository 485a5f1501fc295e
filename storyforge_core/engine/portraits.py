"""Giving somebody or something a look, whoever asks for it and wherever the picture comes from."""

import hashlib
from dataclasses import dataclass

from storyforge_core.domain.bible import EntityId
from storyforge_core.domain.changes import LookSet
from storyforge_core.domain.looks import MOST_LOOKS, Held, Look, LookId, LookSource, file_of
from storyforge_core.domain.pictures import LookKind
from storyforge_core.domain.replies import Reply
from storyforge_core.domain.story import PlayerId, SceneId, StoryId
from storyforge_core.errors import Refused
from storyforge_core.look_ports import Shelf
from storyforge_core.picture_ports import Gallery
from storyforge_core.ports import Clock, Desk


@dataclass(frozen=True, slots=True)
class Portraits:
    """Where pictures of people, places and things are, and those of scenes that may become some."""

    shelf: Shelf
    gallery: Gallery


@dataclass(frozen=True, slots=True)
class Cleared:
    """What is answered, and the files that are to be deleted as soon as it is stored that nothing needs them."""

    reply: Reply
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """Who gets a look, from where on, and by whom."""

    story: StoryId
    kind: LookKind
    entity: EntityId | None
    scene: SceneId
    source: LookSource
    by: PlayerId | None = None


async def give_look(desk: Desk, clock: Clock, shelf: Shelf, sitting: Sitting, data: bytes) -> LookSet | None:
    """Put a look away, the same bytes once; answers the change to be applied, None where it holds there already.

    Raises:
        Refused: the story has many already.
        ServiceDown: the disk is away or full.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    current = held_by(await desk.looks(sitting.scene), sitting.entity)
    known = await desk.look_file(sha256)
    file = known or file_of(sitting.kind, sitting.entity or sitting.scene, clock.now())
    await shelf.put(file, data)  # also where it holds already: its file may have been lost
    if current is not None and current.look.sha256 == sha256:
        return None
    if await desk.count_looks(sitting.story) >= MOST_LOOKS:
        raise Refused(f"A story has room for {MOST_LOOKS} looks, forgotten ones too, and they are all there.")
    look = Look(
        id=LookId(clock.new_id()),
        story=sitting.story,
        kind=sitting.kind,
        entity=sitting.entity,
        scene=sitting.scene,
        file=file,
        sha256=sha256,
        bytes=len(data),
        source=sitting.source,
        by=sitting.by,
    )
    return LookSet(look.id, None, look)


def held_by(held: tuple[Held, ...], entity: EntityId | None) -> Held | None:
    """The look of one of them."""
    return next((each for each in held if each.look.entity == entity), None)
