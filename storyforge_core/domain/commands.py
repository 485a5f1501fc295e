"""What can be asked of a story: one value per command, whatever platform it comes from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from storyforge_core.domain.book import BookCommand
from storyforge_core.domain.picturing import PictureCommand
from storyforge_core.domain.story import RoomKey, RunId


@dataclass(frozen=True, slots=True)
class NewStory:
    """Begin a story in this room."""

    premise: str
    title: str = ""
    genre: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class ContinueStory:
    """Write the next scene: the ballot's winner so far, or freely on."""

    hint: str = ""


@dataclass(frozen=True, slots=True)
class Vote:
    """Vote for a choice of the open ballot by its number."""

    number: int
    given: datetime | None = None
    """When it was given, where that is known better than by when it came; an older vote changes nothing then."""


@dataclass(frozen=True, slots=True)
class Unvote:
    """Take back the vote that a sign stood for; one that was cast since stays."""

    given: datetime
    """When the sign was made."""


@dataclass(frozen=True, slots=True)
class WriteIn:
    """Add a choice of one's own to the open ballot, and vote for it."""

    text: str
    given: datetime | None = None
    """As for `Vote`."""


@dataclass(frozen=True, slots=True)
class CloseBallot:
    """Decide now: what leads wins, or the choice the host names."""

    number: int | None = None


@dataclass(frozen=True, slots=True)
class BranchFrom:
    """Go back to a scene and ask its question again; empty is the scene before the head."""

    scene: str = ""


@dataclass(frozen=True, slots=True)
class Reroll:
    """Tell a scene again, as another take."""

    hint: str = ""
    scene: str = ""
    """Its number or title; empty is the head."""


@dataclass(frozen=True, slots=True)
class Extend:
    """Make the head scene longer, as another take."""

    hint: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace a scene's prose by a player's, as another take."""

    prose: str
    scene: str = ""
    """Its number or title; empty is the head."""


@dataclass(frozen=True, slots=True)
class ShowTakes:
    """List the takes of the head scene, or move to one of them."""

    number: int | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back the last step."""


@dataclass(frozen=True, slots=True)
class Redo:
    """Do the step again that was taken back last."""


@dataclass(frozen=True, slots=True)
class GoTo:
    """Move the head to a scene, named by number or title."""

    scene: str


@dataclass(frozen=True, slots=True)
class ShowPath:
    """Read the story so far."""


@dataclass(frozen=True, slots=True)
class ShowMap:
    """See the tree."""


@dataclass(frozen=True, slots=True)
class ShowStories:
    """List the stories of this place, or open one of them here."""

    story: str = ""


@dataclass(frozen=True, slots=True)
class ShowStatus:
    """See where the story stands: head, ballot, what is being written."""


@dataclass(frozen=True, slots=True)
class SetTitle:
    """Give the story another title."""

    title: str


@dataclass(frozen=True, slots=True)
class Direct:
    """Leave a director's note that steers the next scenes; empty clears it."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class ChangeRules:
    """Show the settings, or change one of them."""

    name: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Join:
    """Take part: ballots wait for this player."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Stop taking part: ballots no longer wait."""


@dataclass(frozen=True, slots=True)
class Ban:
    """Shut a player out, or let them in again."""

    player: str
    lift: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop what is being written, or this very run if it still is; what was told so far stays."""

    run: RunId | None = None


@dataclass(frozen=True, slots=True)
class DeleteStory:
    """Take the story off the list. Needs the title as confirmation."""

    confirm: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Get a code that lets another room in, or have two accounts count as one person."""

    code: str = ""
    """Empty: for a code for a room; `me`: for one's other account; `off`: to be a person of one's own; else a code."""


@dataclass(frozen=True, slots=True)
class JoinRoom:
    """Show here the story of the room that a code comes from."""

    code: str


SpaceSetting = Literal["channel", "starters", "adults", "default", "block", "stream", "mature"]
"""What those who manage a space decide: where stories begin, who begins them, with which settings; who may not play;
whether scenes are shown as they are written; whether pictures for adults hang there."""


@dataclass(frozen=True, slots=True)
class ShowSpace:
    """See what was decided for the whole server."""


@dataclass(frozen=True, slots=True)
class ChangeSpace:
    """Decide one thing for the whole server."""

    what: SpaceSetting
    value: str
    """A place, a person or a role by the platform's id; on or off; a setting and its value; a manner of telling."""
    lift: bool = False
    """Take a channel or a person off the list."""


@dataclass(frozen=True, slots=True)
class ShowMyData:
    """See everything that is kept about the asker."""


@dataclass(frozen=True, slots=True)
class ForgetMe:
    """Forget who the asker is; with `everything` also what they wrote that no scene was made of."""

    everything: bool = False
    sure: bool = False
    """Asked twice: it cannot be taken back."""


@dataclass(frozen=True, slots=True)
class AddLore:
    """Add something that is true in the story's world."""

    text: str
    keys: str = ""
    """Between commas; with none it is told for every scene."""
    title: str = ""


@dataclass(frozen=True, slots=True)
class EditLore:
    """Change one thing about an entry of the lore."""

    entry: str
    """Its number."""
    setting: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class ForgetLore:
    """Take an entry out of the lore."""

    entry: str
    """Its number or title."""


@dataclass(frozen=True, slots=True)
class ShowLore:
    """See an entry of the lore, and how it stands here."""

    entry: str
    """Its number or title."""


@dataclass(frozen=True, slots=True)
class ListLore:
    """List the lore, or what of it has some words in its title or keys."""

    words: str = ""


@dataclass(frozen=True, slots=True)
class ImportLore:
    """Take in a book of lore from elsewhere."""

    text: str
    """The whole file."""


@dataclass(frozen=True, slots=True)
class ExportLore:
    """Get the lore as a file for other programs."""


Command = (
    NewStory
    | ContinueStory
    | Vote
    | Unvote
    | WriteIn
    | CloseBallot
    | BranchFrom
    | Reroll
    | Extend
    | Edit
    | ShowTakes
    | Undo
    | Redo
    | GoTo
    | ShowPath
    | ShowMap
    | ShowStories
    | ShowStatus
    | BookCommand
    | SetTitle
    | Direct
    | ChangeRules
    | Join
    | Leave
    | Ban
    | Stop
    | DeleteStory
    | Link
    | JoinRoom
    | PictureCommand
    | ShowSpace
    | ChangeSpace
    | ShowMyData
    | ForgetMe
    | AddLore
    | EditLore
    | ForgetLore
    | ShowLore
    | ListLore
    | ImportLore
    | ExportLore
)
"""What a person can ask."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who asks, in the platform's own words."""

    platform: str
    user: str
    name: str
    """As shown to others; any text a person chose for themselves."""
    moderator: bool = False
    """The platform gives this person power over the room: they may do what a host may."""
    private: bool = False
    """Nobody else reads what they are answered."""
    manager: bool = False
    """The platform gives this person power over the whole space, such as a Discord server."""
    roles: tuple[str, ...] = ()
    """The platform's ids of the roles they have in the space."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a room is."""

    channel: str = ""
    """The address of the channel that a thread belongs to, or else the room's own."""
    adults: bool = False
    """The platform lets nobody in who is not of age."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A command as it arrives."""

    event: str
    """The platform's id of the message or click. The same id again has no effect."""
    room: RoomKey
    speaker: Speaker
    command: Command
    at: datetime
    around: Surroundings = Surroundings()
