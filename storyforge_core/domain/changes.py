"""Every write to a story as a value: what the audit log keeps, and what undo turns round.

Additions (a story, a scene, a choice, a ballot) are for good: told is told. Updates move a pointer and know both
sides, so their inverse is the same update with the sides swapped. Taking back a turn therefore moves the head back
and leaves the scene in the tree, where redo, `go` and the map still find it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from storyforge_core.domain.ballot import BallotStatus
from storyforge_core.domain.bible import Card, Claim, EntityId, FactId
from storyforge_core.domain.chapters import ChapterId, Ending
from storyforge_core.domain.looks import Look, LookId
from storyforge_core.domain.lore import Fired, Lore, LoreId
from storyforge_core.domain.pictures import Picture, PictureId
from storyforge_core.domain.states import Standing as Weight
from storyforge_core.domain.story import (
    BallotId,
    Choice,
    ChoiceId,
    MembershipState,
    NewScene,
    PlayerId,
    Playthrough,
    PlaythroughId,
    RoomId,
    Rules,
    SceneId,
    Story,
    StoryId,
)


@dataclass(frozen=True, slots=True)
class StoryAdded:
    """A story begins, with the playthrough that begins it."""

    story: Story
    playthrough: Playthrough
    kind: Literal["story_added"] = "story_added"


@dataclass(frozen=True, slots=True)
class SceneAdded:
    """A scene was told to its end, with its choices."""

    scene: NewScene
    choices: tuple[Choice, ...]
    lore: tuple[Fired, ...] = ()
    """What the storyteller was told of the lore."""
    kind: Literal["scene_added"] = "scene_added"


@dataclass(frozen=True, slots=True)
class ChoiceAdded:
    """A player wrote in a choice of their own."""

    choice: Choice
    kind: Literal["choice_added"] = "choice_added"


@dataclass(frozen=True, slots=True, kw_only=True)
class BallotAdded:
    """A question was put to the players."""

    ballot: BallotId
    playthrough: PlaythroughId
    scene: SceneId
    opened_at: datetime
    deadline: datetime | None
    kind: Literal["ballot_added"] = "ballot_added"


@dataclass(frozen=True, slots=True)
class HeadMoved:
    """The group stands at another scene."""

    playthrough: PlaythroughId
    before: SceneId | None
    after: SceneId | None
    kind: Literal["head_moved"] = "head_moved"


@dataclass(frozen=True, slots=True)
class TitleSet:
    """The story has another title."""

    story: StoryId
    before: str
    after: str
    kind: Literal["title_set"] = "title_set"


@dataclass(frozen=True, slots=True)
class NoteSet:
    """The director's note changed."""

    playthrough: PlaythroughId
    before: str
    after: str
    kind: Literal["note_set"] = "note_set"


@dataclass(frozen=True, slots=True)
class RulesSet:
    """The settings of the playthrough changed."""

    playthrough: PlaythroughId
    before: Rules
    after: Rules
    kind: Literal["rules_set"] = "rules_set"


@dataclass(frozen=True, slots=True)
class ShelvedSet:
    """The story was deleted, or taken back."""

    story: StoryId
    before: bool
    after: bool
    kind: Literal["shelved_set"] = "shelved_set"


@dataclass(frozen=True, slots=True)
class Standing:
    """A member's rights in a playthrough, as a change keeps them."""

    state: MembershipState
    host: bool


@dataclass(frozen=True, slots=True)
class MemberSet:
    """A player joined, left, was banned, or became a host."""

    playthrough: PlaythroughId
    player: PlayerId
    before: Standing | None
    after: Standing | None
    kind: Literal["member_set"] = "member_set"


@dataclass(frozen=True, slots=True)
class RoomSet:
    """The room shows another playthrough."""

    room: RoomId
    before: PlaythroughId | None
    after: PlaythroughId | None
    kind: Literal["room_set"] = "room_set"


@dataclass(frozen=True, slots=True)
class CastVote:
    """A vote as a change keeps it."""

    choice: ChoiceId
    at: datetime


@dataclass(frozen=True, slots=True)
class VoteSet:
    """A player voted, or voted otherwise."""

    ballot: BallotId
    player: PlayerId
    before: CastVote | None
    after: CastVote | None
    kind: Literal["vote_set"] = "vote_set"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a ballot is still open, and what won."""

    status: BallotStatus
    winner: ChoiceId | None = None


@dataclass(frozen=True, slots=True)
class BallotSet:
    """A ballot was decided or withdrawn."""

    ballot: BallotId
    before: Outcome
    after: Outcome
    kind: Literal["ballot_set"] = "ballot_set"


@dataclass(frozen=True, slots=True)
class LoreSet:
    """An entry of the lore was added, changed or forgotten."""

    story: StoryId
    entry: LoreId
    number: int
    before: Lore | None
    after: Lore | None
    kind: Literal["lore_set"] = "lore_set"


@dataclass(frozen=True, slots=True)
class EntitySet:
    """Somebody or something was written down, written down otherwise, or forgotten."""

    story: StoryId
    entity: EntityId
    before: Card | None
    after: Card | None
    kind: Literal["entity_set"] = "entity_set"


@dataclass(frozen=True, slots=True)
class FactSet:
    """A fact was written down or forgotten."""

    story: StoryId
    fact: FactId
    scene: SceneId
    """From which on it holds."""
    before: Claim | None
    after: Claim | None
    kind: Literal["fact_set"] = "fact_set"


@dataclass(frozen=True, slots=True)
class LookSet:
    """Somebody or something got a look, or lost it."""

    look: LookId
    before: Look | None
    after: Look | None
    kind: Literal["look_set"] = "look_set"


@dataclass(frozen=True, slots=True)
class VerdictSet:
    """Players decided what is to be thought of something that was found by reading."""

    story: StoryId
    what: Literal["assertion", "sighting", "promise"]
    id: UUID
    before: Weight
    after: Weight
    kind: Literal["verdict_set"] = "verdict_set"


@dataclass(frozen=True, slots=True)
class ChapterSet:
    """A chapter ends at a scene, on all that follows it, or does not end there."""

    story: StoryId
    chapter: ChapterId
    scene: SceneId
    before: Ending | None
    after: Ending | None
    kind: Literal["chapter_set"] = "chapter_set"


@dataclass(frozen=True, slots=True)
class PictureAdded:
    """A picture of a scene was painted."""

    picture: Picture
    kind: Literal["picture_added"] = "picture_added"


@dataclass(frozen=True, slots=True)
class PictureSet:
    """A picture was taken down, or is shown again."""

    picture: PictureId
    before: bool
    after: bool
    kind: Literal["picture_set"] = "picture_set"


Addition = StoryAdded | SceneAdded | ChoiceAdded | BallotAdded | PictureAdded
Update = (
    HeadMoved
    | TitleSet
    | NoteSet
    | RulesSet
    | ShelvedSet
    | MemberSet
    | RoomSet
    | VoteSet
    | BallotSet
    | EntitySet
    | FactSet
    | LoreSet
    | LookSet
    | VerdictSet
    | ChapterSet
    | PictureSet
)
Change = Addition | Update

UNDOABLE = (
    HeadMoved,
    TitleSet,
    NoteSet,
    RulesSet,
    ShelvedSet,
    EntitySet,
    FactSet,
    LoreSet,
    LookSet,
    VerdictSet,
    ChapterSet,
)
"""What `/story undo` takes back. Votes and ballots have ways of their own: vote again, ask again."""


def inverse(changes: Sequence[Change]) -> tuple[Update, ...]:
    """Turn changes round, last first; additions stay."""
    return tuple(
        replace(change, before=change.after, after=change.before)  # type: ignore[arg-type,type-var,unused-ignore] # same sides
        for change in reversed(changes)
        if not isinstance(change, Addition)
    )


Verb = Literal["do", "undo", "redo"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One step of the audit log as undo sees it: what was done, or which step was taken back or done again."""

    id: int
    verb: Verb
    of: int | None
    """The step that an undo or redo is about."""


def undo_target(entries: Iterable[Entry]) -> int | None:
    """Find the step that undo takes back: the newest one still in force. Entries come oldest first."""
    done, _ = _stacks(entries)
    return done[-1] if done else None


def redo_target(entries: Iterable[Entry]) -> int | None:
    """Find the step that redo does again: the last one taken back, unless something new was done since."""
    _, undone = _stacks(entries)
    return undone[-1] if undone else None


def _stacks(entries: Iterable[Entry]) -> tuple[list[int], list[int]]:
    done: list[int] = []
    undone: list[int] = []
    for entry in entries:
        done = [step for step in done if step != entry.of]
        undone = [step for step in undone if step != entry.of]
        match entry.verb:
            case "do":
                done.append(entry.id)
                undone.clear()
            case "undo":
                undone += _of(entry)
            case "redo":
                done += _of(entry)
    return done, undone


def _of(entry: Entry) -> list[int]:
    return [] if entry.of is None else [entry.of]
