"""Pictures of scenes: what is seen, what is asked of an illustrator, and what came of it. Values only."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NewType
from uuid import UUID

from storyforge_core.domain.story import PictureMode, PlayerId, PlaythroughId, Rating, RunId, SceneId

PictureId = NewType("PictureId", UUID)

LookKind = Literal["character", "location", "scene", "prop"]
"""What a look is of; the first part of its file's name."""
Mime = Literal["image/png", "image/jpeg", "image/webp"]


@dataclass(frozen=True, slots=True)
class Figure:
    """Somebody who can be seen, as far as it is known how they look."""

    name: str
    look: str = ""


@dataclass(frozen=True, slots=True)
class Likeness:
    """A picture of somebody or something, by which a scene may be painted; see `looks`."""

    name: str
    """Of whom it shows; empty for the scene itself."""
    kind: LookKind
    file: str
    sha256: str
    shows: str
    """For the illustrator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Everything that a picture of a scene may be made from: what the players have read, and nothing they have not."""

    title: str
    prose: str
    genre: str
    tone: str
    style: str
    """How the story's pictures are to look; empty where nobody has said."""
    avoid: str
    """What is to be in none of them."""
    hint: str
    """What the asker wants to see."""
    seed: int
    workflow: str = ""
    """How it is to be painted, where the story's settings say so."""
    who: tuple[Figure, ...] = ()
    where: str = ""
    rating: Rating = "teen"
    """Who the picture is for."""
    covered: bool = False
    """It is to be seen only by those who uncover it."""
    names: tuple[str, ...] = ()
    """Of everybody and everything known whom the scene names: those who may be seen."""
    likenesses: tuple[Likeness, ...] = ()
    """Of those among them who have a look here."""


@dataclass(frozen=True, slots=True)
class Vision:
    """A scene as a picture, in words."""

    prompt: str
    """For the illustrator."""
    alt: str
    """For those who cannot see the picture."""
    seen: tuple[str, ...] | None = None
    """Names of those on it whom the story knows; None where nobody has said."""


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture of somebody or something that is to look like that again."""

    name: str
    """Of a file, such as `character_0190….png`; the same name always has the same bytes."""
    data: bytes = field(repr=False)
    shows: str = ""
    """Who or what is on it, for the illustrator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commission:
    """One picture to be painted."""

    id: UUID
    """Whoever asks again with the same one gets the same picture, painted once."""
    prompt: str
    avoid: str
    seed: int
    size: Size
    title: str = ""
    """Of the scene, for an illustrator who writes on pictures."""
    workflow: str = ""
    """How it is to be painted, by name; empty: the first way that works."""
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a picture is."""

    before: int
    """How many others are painted first."""
    done: float = 0.0
    """From 0 to 1."""
    preview: bytes = field(default=b"", repr=False)
    """How it looks so far, where that is known anew: bytes that nobody has looked at yet."""


@dataclass(frozen=True, slots=True)
class Painted:
    """A picture as it came from an illustrator: bytes that nobody has looked at yet."""

    data: bytes = field(repr=False)
    workflow: str
    """Which way it was painted."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture that was looked through, cleaned and put away."""

    sha256: str
    """Of its bytes; also the name of its file."""
    mime: Mime
    bytes: int
    size: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of a scene. Never changes; it may be taken down."""

    id: PictureId
    scene: SceneId
    run: RunId
    kept: Kept
    vision: Vision
    seed: int
    workflow: str
    asker: PlayerId | None
    """Who asked for it; None when the story's settings did."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOrder:
    """What a run is asked to paint. Complete in itself."""

    scene: SceneId
    number: int
    """Of the scene, as people type it."""
    seed: int
    hint: str = ""
    by: str = ""
    """Who asked, as shown to others; empty when the story's settings did."""
    asker: PlayerId | None = None
    vision: Vision | None = None
    """To be painted as it was seen before; None: the scene is looked at anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureDraft:
    """What is known of a picture so far. Each stage returns a fuller one; each returned one is a checkpoint."""

    order: PictureOrder
    sight: Sight | None = None
    vision: Vision | None = None
    kept: Kept | None = None
    workflow: str = ""
    done: float = 0.0
    """How much of it is painted, from 0 to 1, as far as is known."""
    lacking: tuple[str, ...] = ()
    """Names of those whose look it should have been painted by, had its file been there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRun:
    """The run of a picture as the store keeps it; see `runs.Run`."""

    id: RunId
    playthrough: PlaythroughId
    status: Literal["queued", "running", "stopping", "done", "failed", "stopped"]
    stage: str
    draft: PictureDraft
    attempts: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class HungPicture:
    """A picture as a message shows it."""

    picture: PictureId
    number: int
    """Of its scene."""


@dataclass(frozen=True, slots=True)
class InHand:
    """A picture that is being painted, or is painted next."""

    run: RunId
    number: int
    """Of its scene."""
    told_by: RunId | None
    """The run whose words it belongs under; None for a scene that a player wrote."""
    running: bool
    before: int
    """How many others are painted first."""
    done: float
    """From 0 to 1."""


def painted_by_itself(mode: PictureMode, house: PictureMode, *, voted: bool) -> bool:
    """Tell whether a scene gets a picture that nobody asks for.

    Args:
        mode: what the story's settings say.
        house: what the program's settings say; `off` where there is no illustrator.
        voted: the players' votes led to the scene.
    """
    match in_force(mode, house):
        case "every":
            return True
        case "vote":
            return voted
        case _:
            return False


def in_force(mode: PictureMode, house: PictureMode) -> PictureMode:
    """What holds for a story: its own setting, unless it has none, or the house has no pictures at all."""
    return house if house == "off" or mode == "house" else mode
