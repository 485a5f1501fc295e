"""Stories, scenes, choices and who plays them: frozen values, as the store keeps them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NewType
from uuid import UUID

StoryId = NewType("StoryId", UUID)
SceneId = NewType("SceneId", UUID)
BranchId = NewType("BranchId", UUID)
ChoiceId = NewType("ChoiceId", UUID)
PlaythroughId = NewType("PlaythroughId", UUID)
RoomId = NewType("RoomId", UUID)
PlayerId = NewType("PlayerId", UUID)
BallotId = NewType("BallotId", UUID)
RunId = NewType("RunId", UUID)

Origin = Literal["told", "rerolled", "extended", "edited"]
"""How a scene came to be: the first take of a choice, or a later take and of which sort."""

Tie = Literal["random", "first", "host"]
"""What decides between equal choices: a stored seed, who had the votes first, or the host."""

PictureMode = Literal["house", "every", "vote", "request", "off"]
"""Which scenes get a picture: as the program's settings say, each, those that votes led to, those asked for, none."""

Rating = Literal["everyone", "teen", "mature"]
"""Who a story's pictures are for; a later one allows more."""

Spoilers = Literal["mature", "every", "off"]
"""Which pictures are covered until somebody wants to see them: those for adults, each, none."""

MembershipState = Literal["joined", "left", "banned"]


def uuid7(milliseconds: int, randomness: bytes) -> UUID:
    """Make a time-ordered id (RFC 9562, version 7) from Unix time in milliseconds and 10 random bytes."""
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(randomness[:10])
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The whole tree with its premise."""

    id: StoryId
    title: str
    premise: str
    genre: str
    tone: str
    seed: int
    """Every random decision of the story is derived from it."""
    created_at: datetime
    shelved: bool = False
    """Deleted by its host: no longer listed, nothing is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One finished telling. Never changes: an edit, an extension or a reroll is another take."""

    id: SceneId
    story: StoryId
    number: int
    """What people type: counts up within the story from 1, in order of completion."""
    parent: SceneId | None
    choice: ChoiceId | None
    """The choice of the parent that led here; None for an opening or a free continuation."""
    branch: BranchId
    depth: int
    """Distance from the opening, which has 0."""
    take: int
    """Counts from 1 among the scenes with the same parent and choice."""
    title: str
    prose: str
    origin: Origin
    writer: str
    """Label of the model, or the name of the player for an edit."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewScene:
    """A scene on its way into the tree; the store gives it number, branch, depth and take."""

    id: SceneId
    story: StoryId
    parent: SceneId | None
    choice: ChoiceId | None
    title: str
    prose: str
    origin: Origin
    writer: str
    created_at: datetime
    run: RunId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An option at the end of a scene."""

    id: ChoiceId
    scene: SceneId
    position: int
    """What people type to vote: counts from 1 within the scene."""
    text: str
    author: PlayerId | None = None
    """The player who wrote it in; None when the model proposed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """A person, whatever platforms they write from."""

    id: PlayerId
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A player's place in a playthrough."""

    player: PlayerId
    name: str
    state: MembershipState
    host: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The settings of a playthrough. Changed as a whole: before and after are kept."""

    words: int = 220
    """Target length of a scene."""
    choices: int = 3
    """How many choices the writer offers."""
    quorum: int = 0
    """Votes that close a ballot; 0 waits for everybody who joined."""
    deadline: int = 0
    """Seconds until a ballot closes by itself; 0 never."""
    tie: Tie = "random"
    write_ins: bool = True
    """Players may add choices of their own."""
    pictures: PictureMode = "house"
    """Which scenes get a picture."""
    style: str = ""
    """How pictures are to look."""
    avoid: str = ""
    """What is to be in no picture."""
    workflow: str = ""
    """How pictures are painted, by name; empty: as the program is set."""
    planner: bool = False
    """Each scene is planned before it is told."""
    rating: Rating = "teen"
    """Who pictures are for."""
    spoilers: Spoilers = "mature"
    chapter: int = 0
    """Tokens that a chapter has room for; 0: as the window allows, -1: only players end chapters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playthrough:
    """One group's ongoing reading of a story."""

    id: PlaythroughId
    story: StoryId
    head: SceneId | None
    """The scene the group has reached; None until the opening is told."""
    note: str
    """The director's note; empty when there is none."""
    rules: Rules
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RoomKey:
    """A place on a platform, in the platform's own words."""

    platform: str
    address: str
    realm: str = ""
    """The wider place it belongs to, such as a Discord server: rooms of one realm see each other's stories.

    Empty where there is none, as around a direct message: that sees only its own.
    """


@dataclass(frozen=True, slots=True)
class Room:
    """A place that may be attached to a playthrough."""

    id: RoomId
    key: RoomKey
    playthrough: PlaythroughId | None


@dataclass(frozen=True, slots=True)
class TreeNode:
    """What a map needs to know of a scene."""

    id: SceneId
    number: int
    parent: SceneId | None
    choice: ChoiceId | None
    choice_text: str
    take: int
    depth: int
    title: str
