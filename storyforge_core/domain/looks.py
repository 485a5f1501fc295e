"""How people, places and things look: a picture of each, from a scene on. Values and rules only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, NewType
from uuid import UUID

from storyforge_core.domain.answers import one_line
from storyforge_core.domain.bible import Card, Entity, EntityId, Sort, named
from storyforge_core.domain.pictures import Likeness, LookKind, Vision
from storyforge_core.domain.story import PlayerId, PlaythroughId, SceneId, StoryId

LookId = NewType("LookId", UUID)
LookSource = Literal["given", "kept", "scanned"]
"""Where a picture comes from: sent by a player, painted for a scene, found on the owner's disk."""

FOLDERS: Final[Mapping[LookKind, str]] = {
    "character": "characters",
    "location": "locations",
    "scene": "scenes",
    "prop": "props",
}
KINDS: Final[Mapping[Sort, LookKind]] = {"character": "character", "place": "location", "prop": "prop"}
ORDER: Final[tuple[LookKind, ...]] = ("character", "location", "prop", "scene")
"""Whom a picture has to show right first, where a workflow takes fewer pictures than there are."""
MOST_LOOKS = 300
"""Pictures of one story, forgotten ones too: their files stay, since undo brings them back."""
MOST_LOOK_BYTES = 20_000_000
"""Of what is sent; what is kept of it is smaller."""
SHOWN_CHARS = 80
"""Of what a painter is told of whom a look shows; how they look they can see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A picture of somebody or something. It holds from its scene on, on what follows, until there is a newer one."""

    id: LookId
    story: StoryId
    kind: LookKind
    entity: EntityId | None
    """None: the scene itself looks like that."""
    scene: SceneId
    file: str
    """Below the directory of looks, such as `characters/character_0190…_20261127T112200Z.png`."""
    sha256: str
    bytes: int
    source: LookSource
    by: PlayerId | None
    """Who gave it; None for the owner's disk."""


@dataclass(frozen=True, slots=True)
class Held:
    """A look that holds somewhere, with its place in the story."""

    look: Look
    number: int
    """Of the scene from which it holds."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A story as a group reads it, for whoever runs the bot."""

    id: PlaythroughId
    number: int
    title: str


def file_of(kind: LookKind, subject: UUID, at: datetime) -> str:
    """Name the file of a look: what it is of, whom, and when it was put there."""
    return f"{FOLDERS[kind]}/{kind}_{subject}_{at.astimezone(UTC):%Y%m%dT%H%M%S%fZ}.png"


def upload_name(likeness: Likeness) -> str:
    """Name a look for a picture server: after its bytes, so that the same is there once, and says nothing else."""
    return f"{likeness.kind}_{likeness.sha256}.png"


def likenesses(entities: Iterable[Entity], held: Sequence[Held]) -> tuple[Likeness, ...]:
    """The looks of some who may be seen, those first whom a picture has to show right; then that of the scene."""
    by_entity = {each.look.entity: each.look for each in held}
    found = [_likeness(each.card, by_entity[each.id]) for each in entities if each.id in by_entity]
    if (scene := by_entity.get(None)) is not None:
        found.append(Likeness("", scene.kind, scene.file, scene.sha256, ""))
    return tuple(sorted(found, key=lambda each: ORDER.index(each.kind)))


def _likeness(card: Card, look: Look) -> Likeness:
    told = one_line(card.description, SHOWN_CHARS)
    return Likeness(card.name, look.kind, look.file, look.sha256, f"{card.name}: {told}" if told else card.name)


def visible(known: Sequence[Entity], vision: Vision) -> tuple[Entity, ...]:
    """Who and what of those whom a scene names can be seen on its picture.

    Those whom the model says it shows; where it said nothing, those whom its words name.
    """
    if vision.seen is not None:
        return tuple(each for each in known if each.card.name in vision.seen)
    there = named(known, f"{vision.prompt}\n{vision.alt}")
    return tuple(each for each in known if each in there)


def worn(known: Sequence[Likeness], seen: Sequence[str]) -> tuple[Likeness, ...]:
    """The looks that a picture is painted by: of nobody who is not seen on it."""
    return tuple(each for each in known if not each.name or each.name in seen)


def only(known: Sequence[Entity]) -> Entity | None:
    """The one whom a picture is of: its only character, or else the only thing known on it; None where that is open."""
    people = [each for each in known if each.card.sort == "character"]
    found = people or list(known)
    return found[0] if len(found) == 1 else None
