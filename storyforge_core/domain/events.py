"""What everybody in a playthrough's rooms is told. Stored in order per playthrough, so that nobody misses one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.pictures import Picture, PictureId
from storyforge_core.domain.story import (
    Choice,
    ChoiceId,
    Member,
    PlayerId,
    Rating,
    RoomId,
    Rules,
    RunId,
    Scene,
    SceneId,
)

Task = Literal["open", "continue", "reroll", "extend", "replay"]
"""What a run writes: an opening, the next scene, another take, a longer take, the same from the same prompt."""


@dataclass(frozen=True, slots=True)
class StoryBegan:
    """A story begins in this room."""

    title: str
    premise: str
    by: str
    kind: Literal["story_began"] = "story_began"


@dataclass(frozen=True, slots=True)
class StoryOpened:
    """The room shows this story from now on."""

    title: str
    scene: Scene | None
    room: RoomId | None = None
    """The room; None in what was stored before there could be several."""
    platform: str = ""
    """Where the room is."""
    kind: Literal["story_opened"] = "story_opened"


@dataclass(frozen=True, slots=True)
class WritingQueued:
    """A scene will be written."""

    run: RunId
    task: Task
    chosen: str
    """The choice that leads to it; empty for an opening or a free continuation."""
    by: str
    place: int
    """How many others are written before it."""
    words: int = 0
    """How long it is to become; 0 in events of before this was told."""
    kind: Literal["writing_queued"] = "writing_queued"


@dataclass(frozen=True, slots=True)
class SceneTold:
    """A scene is complete. Its prose may have been streamed as the run's words before."""

    run: RunId | None
    """None for a scene that a player wrote."""
    scene: Scene
    chosen: str
    cut: str = ""
    """Why the scene ends early, as a sentence; empty when it does not."""
    kind: Literal["scene_told"] = "scene_told"


@dataclass(frozen=True, slots=True)
class WritingFailed:
    """A run ended without a scene."""

    run: RunId
    sentence: str
    """What happened and what players can do."""
    kind: Literal["writing_failed"] = "writing_failed"


@dataclass(frozen=True, slots=True)
class WritingStopped:
    """A run was stopped before it had told anything."""

    run: RunId
    by: str
    kind: Literal["writing_stopped"] = "writing_stopped"


@dataclass(frozen=True, slots=True)
class BallotOpened:
    """The players are asked."""

    ballot: Ballot
    rules: Rules
    members: tuple[Member, ...]
    again: bool
    """The scene was shown before and asks again."""
    room: RoomId | None = None
    """The only room that is asked, since the others were before; None: all are."""
    kind: Literal["ballot_opened"] = "ballot_opened"


@dataclass(frozen=True, slots=True)
class BallotChanged:
    """Somebody voted, wrote a choice in, joined or left."""

    ballot: Ballot
    rules: Rules
    members: tuple[Member, ...]
    by: str
    added: Choice | None = None
    kind: Literal["ballot_changed"] = "ballot_changed"


@dataclass(frozen=True, slots=True)
class BallotDecided:
    """A ballot is closed; the winner is written next."""

    ballot: Ballot
    winner: Choice
    tied: tuple[ChoiceId, ...]
    by: str
    """The host who decided; empty when the votes did."""
    kind: Literal["ballot_decided"] = "ballot_decided"


@dataclass(frozen=True, slots=True)
class BallotWaits:
    """The time is up, but there is nothing to decide by: no votes, or a tie that the host has to break."""

    ballot: Ballot
    tied: tuple[ChoiceId, ...]
    kind: Literal["ballot_waits"] = "ballot_waits"


@dataclass(frozen=True, slots=True)
class HeadSet:
    """The group stands at another scene."""

    scene: Scene | None
    verb: Literal["branch", "go", "take", "undo", "redo"]
    by: str
    before: SceneId | None
    kind: Literal["head_set"] = "head_set"


@dataclass(frozen=True, slots=True)
class Noted:
    """Something about the playthrough changed that one sentence says."""

    sentence: str
    kind: Literal["noted"] = "noted"


@dataclass(frozen=True, slots=True)
class PictureQueued:
    """A picture is wanted; how it gets on is told by the store."""

    run: RunId
    kind: Literal["picture_queued"] = "picture_queued"


@dataclass(frozen=True, slots=True)
class PictureShown:
    """A scene has a picture, in place of the one it had."""

    picture: Picture
    told_by: RunId | None
    """The run whose words it belongs under; None for a scene that a player wrote."""
    number: int
    title: str
    by: str
    """Who asked for it; empty when the story's settings did."""
    rating: Rating = "teen"
    """Who it is for."""
    covered: bool = False
    """To be seen only by those who uncover it, where the platform can."""
    kind: Literal["picture_shown"] = "picture_shown"


@dataclass(frozen=True, slots=True)
class PictureFailed:
    """Nothing came of a picture that somebody asked for."""

    run: RunId
    sentence: str
    by: str
    kind: Literal["picture_failed"] = "picture_failed"


@dataclass(frozen=True, slots=True)
class PictureForgotten:
    """A picture was taken down."""

    picture: PictureId
    by: str
    kind: Literal["picture_forgotten"] = "picture_forgotten"


@dataclass(frozen=True, slots=True)
class PictureReported:
    """Somebody does not want a picture to be seen."""

    picture: PictureId
    number: int
    """Of its scene."""
    by: str
    why: str
    """In their words; may be empty."""
    room: RoomId
    """Where they are: hosts are told once, by the platform of this room."""
    hidden: bool
    """It was taken down; False where a host has shown it again after an earlier report."""
    asker: PlayerId | None = None
    """Who reported it."""
    kind: Literal["picture_reported"] = "picture_reported"


Event = (
    StoryBegan
    | StoryOpened
    | WritingQueued
    | SceneTold
    | WritingFailed
    | WritingStopped
    | BallotOpened
    | BallotChanged
    | BallotDecided
    | BallotWaits
    | HeadSet
    | Noted
    | PictureQueued
    | PictureShown
    | PictureFailed
    | PictureForgotten
    | PictureReported
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event with its place in the playthrough's order."""

    id: int
    at: datetime
    event: Event
