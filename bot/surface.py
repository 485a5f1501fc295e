"""What a chat platform must be able to do. Everything else, `presenter` does once for all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from storyforge_core.domain.pictures import PictureId
from storyforge_core.domain.space import Manner
from storyforge_core.domain.story import Choice, RoomKey, RunId
from storyforge_core.errors import StoryForgeError

Markup = Literal["markdown", "plain"]
"""Which marks the platform turns into bold, italics and the like."""

Edits = Literal["rewrite", "append", "none"]
"""What may happen to a shown message: anything; only growing at its end, without limit, as on a terminal; nothing."""

Sketches = Literal["beside", "apart", "none"]
"""Where it is told how far a picture is: beside the end of its scene without a word of it, in a message that is taken
away again, nowhere."""

Place = Literal["inside", "below"]
"""Where a scene's question stands: in the scene's own last message if there is room for it, or in one of its own."""


class SurfaceError(StoryForgeError):
    """A platform did not do what it was asked."""


class MessageGone(SurfaceError):
    """The message does not exist any more, or cannot be edited any more; another one can be posted."""


class MessageOld(MessageGone):
    """The message stands, but the platform takes hardly any edits of it any more: tallies belong in a newer one."""


class RoomGone(SurfaceError):
    """The room does not exist any more, or the bot may not write in it."""


class SurfaceDown(SurfaceError):
    """The platform is away or broken; the same request may work later."""


class SlowDown(SurfaceError):
    """The platform wants fewer requests.

    Attributes:
        retry_after: seconds until the next request is welcome.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a platform may be asked to edit while it does not say so itself; times in seconds."""

    burst: int = 5
    """Edits of one room that fit into `per` seconds."""
    per: float = 5.0
    min_gap: float = 0.35
    """Between two edits of a message, whatever the platform allows: faster, nobody reads."""
    first_gap: float = 0.6
    """Between posting a message and its first edit."""
    shared: float = 45.0
    """Edits a second over all rooms together; Discord takes 50, and votes need some of them."""
    most_edits: int | None = None
    """Frames of one scene, the last among them; where each edit is kept for ever, many make a room slow to load.

    They are spread over the time that the scene is expected to take, never closer than `min_gap`.
    """
    kept: int = 0
    """Of a budget that all rooms share and that refills steadily: what growing scenes leave in it.

    It is for what must not wait: last frames, cards, pictures, reactions.
    """


@dataclass(frozen=True, slots=True)
class Measure:
    """How large a message is to a platform that does not count its characters, but what becomes of them on the way."""

    most: int
    of: Callable[[str], int]
    """The size of a text, at the most; that of two texts in a row is no more than that of both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the presenter has to respect on a platform."""

    max_chars: int | None
    """Code points that one message takes whatever they are; None where it does not end."""
    edits: Edits
    markup: Markup
    pace: Pace = Pace()
    question: Place = "below"
    max_file: int | None = None
    """Bytes of a file that hangs under a message; None where it may have any size."""
    max_choices: int | None = None
    """How many choices can be put under a message to be pressed; 0 where people only type."""
    sketches: Sketches = "none"
    measure: Measure | None = None
    """How large messages are, where more than `max_chars` of the usual letters fit into one."""

    @property
    def most(self) -> int | None:
        """What one message takes, as `size` counts; None where it does not end."""
        return self.max_chars if self.measure is None else self.measure.most

    def size(self, text: str) -> int:
        """How much of a message a text takes."""
        return len(text) if self.measure is None else self.measure.of(text)

    def room(self, chars: int) -> int:
        """What so many characters take at the most, whatever they are."""
        return chars if self.measure is None or not self.max_chars else -(-chars * self.measure.most // self.max_chars)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the platform itself says about the edits it still takes in a room."""

    remaining: int
    reset_in: float
    """Seconds until it counts anew; of a budget that refills steadily, until there is one more."""
    refill: float = 0.0
    """Edits a second that come back by themselves; 0 where all come back at once, at `reset_in`."""
    waited: float = 0.0
    """Seconds that the newest request waited for those of other rooms."""
    kept: int = 0
    """So many of the remaining are for the end of the scene: it comes at once, whenever that is."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside a message without being a part of it."""

    picture: PictureId | None = None
    """What can be done with it can be pressed."""
    sketch: str = ""
    """How far the picture is that will hang there."""


BARE = Beside()


@dataclass(frozen=True, slots=True)
class Frame:
    """All that one message shows at a time. Its text is ready for the platform's markup and within its limits."""

    text: str
    choices: tuple[Choice, ...] = ()
    """What players can press under it, as buttons or reactions; none takes earlier ones away."""
    live: bool = False
    """More is being written: no need to tell anybody's phone yet."""
    stop: RunId | None = None
    """What can be stopped by pressing something under it, where the platform has something for that."""
    beside: Beside = BARE
    """What a platform keeps beside it by itself, see `Surface.attach` and `Surface.sketch`."""


@dataclass(frozen=True, slots=True)
class File:
    """Something to hang under a message."""

    name: str
    data: bytes
    alt: str
    """The picture or the sound in words."""
    place: str = ""
    """Where it lies on this machine; empty where it lies nowhere."""
    picture: PictureId | None = None
    """What can be done with it is to be pressed beside it, where the platform has something for that."""
    covered: bool = False
    """It is to be seen only by those who uncover it, as far as the platform can do that."""


class Surface(Protocol):
    """One chat platform, or one screen.

    The presenter never has two requests for the same message under way, and gives up waiting for one after half a
    minute. All requests raise `SlowDown`, `SurfaceDown` and `RoomGone`.
    """

    @property
    def name(self) -> str:
        """The platform as in `RoomKey.platform`."""

    @property
    def limits(self) -> Limits:
        """What has to be respected."""

    async def post(self, room: RoomKey, frame: Frame, key: UUID) -> str:
        """Show a new message and answer its id. Where the platform can, the same key again answers the same message."""

    async def edit(self, room: RoomKey, message: str, frame: Frame) -> None:
        """Show another frame in a message. Where `limits.edits` is `append`, its text begins with the text before.

        Raises:
            MessageGone: there is no such message, or this program did not post it and cannot reach it.
            MessageOld: it can still be read. A frame with choices is refused so before the platform's patience ends.
        """

    async def attach(self, room: RoomKey, message: str, file: File) -> str:
        """Hang a file under a message; answers by what `detach` knows it again. The same file again is hung once.

        Raises:
            MessageGone: as for `edit`.
        """

    async def detach(self, room: RoomKey, hung: str) -> None:
        """Take away what `attach` has hung, where the platform can.

        Raises:
            MessageGone: it is not there any more.
        """

    async def sketch(self, room: RoomKey, message: str, text: str, preview: File | None = None) -> None:
        """Show beside a message how far its picture is, where `limits.sketches` is `beside`.

        Without a text nothing stands beside it any more, nor can anything about an earlier picture be pressed.

        Raises:
            MessageGone: as for `edit`.
        """

    async def adults(self, room: RoomKey) -> bool | None:
        """Tell whether only adults are let into a room; None where the platform has no mark for that."""

    async def whisper(self, room: RoomKey, user: str, text: str) -> None:
        """Tell somebody something that nobody else reads; they have taken part in what the room shows.

        Raises:
            SurfaceError: they cannot be told.
        """

    async def typing(self, room: RoomKey) -> None:
        """Show for a few seconds that something is being written, where the platform has a sign for it."""

    async def manner(self, room: RoomKey) -> Manner:
        """Ask how scenes are to be told in a room, where the room itself says so; where none does, `live`."""

    def allowance(self, room: RoomKey) -> Allowance | None:
        """Say what the newest answer of the platform told about further edits; None where it tells nothing."""

    def moment(self, at: datetime) -> str:
        """Say a time the way its readers understand it, clock and distance, in the platform's markup."""
