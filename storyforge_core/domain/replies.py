"""What only the asker is told, at once."""

from dataclasses import dataclass
from typing import Literal

from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.events import Task
from storyforge_core.domain.privacy import MyData
from storyforge_core.domain.space import Objection, Space
from storyforge_core.domain.story import Member, Playthrough, Rules, RunId, Scene, SceneId, Story, TreeNode


@dataclass(frozen=True, slots=True)
class Accepted:
    """It is done or under way; everybody sees the effect."""

    sentence: str
    run: RunId | None = None
    """What is being written because of it."""
    kind: Literal["accepted"] = "accepted"


@dataclass(frozen=True, slots=True)
class Declined:
    """It cannot be done; the sentence says what can."""

    sentence: str
    kind: Literal["declined"] = "declined"


@dataclass(frozen=True, slots=True)
class Repeated:
    """This very message was handled before; say nothing."""

    kind: Literal["repeated"] = "repeated"


@dataclass(frozen=True, slots=True)
class PathShown:
    """The story so far: the scenes from the opening to the head."""

    story: Story
    scenes: tuple[Scene, ...]
    chosen: tuple[str, ...]
    """For each scene the choice that led to it; empty for the opening."""
    left_out: int
    """How many of the oldest scenes are not in the list."""
    kind: Literal["path_shown"] = "path_shown"


@dataclass(frozen=True, slots=True)
class MapShown:
    """The tree, or the part of it around the head when it is very large."""

    story: Story
    nodes: tuple[TreeNode, ...]
    """Parents before children, brothers in order of telling."""
    head: SceneId | None
    path: tuple[SceneId, ...]
    """The scenes from the opening to the head that are among the nodes."""
    ballot: Ballot | None
    left_out: int
    """How many scenes of the story are not among the nodes."""
    kind: Literal["map_shown"] = "map_shown"


@dataclass(frozen=True, slots=True)
class TakesShown:
    """The takes of the head scene."""

    takes: tuple[Scene, ...]
    head: SceneId
    kind: Literal["takes_shown"] = "takes_shown"


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One story in a list."""

    number: int
    """What people type to open it."""
    title: str
    premise: str
    scenes: int
    here: bool
    """It is the one that this room shows."""


@dataclass(frozen=True, slots=True)
class StoriesShown:
    """The stories of this platform, newest first."""

    stories: tuple[StoryLine, ...]
    kind: Literal["stories_shown"] = "stories_shown"


@dataclass(frozen=True, slots=True)
class RunLine:
    """What is being written."""

    task: Task
    running: bool
    place: int
    """How many others are written before it."""
    words: int
    """Words told so far."""


@dataclass(frozen=True, slots=True)
class PictureLine:
    """A picture that is being painted or waits."""

    number: int
    """Of its scene."""
    running: bool
    done: float
    """From 0 to 1."""


@dataclass(frozen=True, slots=True)
class StatusShown:
    """Where the story stands."""

    story: Story
    playthrough: Playthrough
    head: Scene | None
    ballot: Ballot | None
    members: tuple[Member, ...]
    run: RunLine | None
    scenes: int
    pictures: tuple[PictureLine, ...] = ()
    kind: Literal["status_shown"] = "status_shown"


@dataclass(frozen=True, slots=True)
class RulesShown:
    """The settings of the playthrough."""

    rules: Rules
    note: str
    kind: Literal["rules_shown"] = "rules_shown"


@dataclass(frozen=True, slots=True)
class NotHere:
    """No story begins here, or none that this asker begins."""

    objection: Objection
    kind: Literal["not_here"] = "not_here"


@dataclass(frozen=True, slots=True)
class SpaceShown:
    """What was decided for the whole server, and what was just changed of it."""

    space: Space
    changed: str = ""
    """A sentence; empty when nothing was."""
    kind: Literal["space_shown"] = "space_shown"


@dataclass(frozen=True, slots=True)
class MyDataShown:
    """Everything that is kept about the asker."""

    data: MyData
    kind: Literal["my_data_shown"] = "my_data_shown"


Reply = (
    Accepted
    | Declined
    | Repeated
    | PathShown
    | MapShown
    | TakesShown
    | StoriesShown
    | StatusShown
    | RulesShown
    | NotHere
    | SpaceShown
    | MyDataShown
)
