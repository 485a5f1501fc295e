"""What pictures need from the outside world; see `ports` for everything else."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from storyforge_core.domain.events import PictureReported, PictureShown
from storyforge_core.domain.pictures import (
    Commission,
    HungPicture,
    InHand,
    Kept,
    Mime,
    Painted,
    Picture,
    PictureId,
    PictureRun,
    Progress,
)
from storyforge_core.domain.story import PlaythroughId, RoomKey, RunId, SceneId
from storyforge_core.domain.writing import Finding


class Illustrator(Protocol):
    """Who paints: a picture server, or the built-in one that draws cards."""

    @property
    def label(self) -> str:
        """How owners see it named."""

    async def paint(self, commission: Commission, hear: Callable[[Progress], None]) -> Painted:
        """Paint a picture. Asked again with the same id, it goes on with what is being painted or has been.

        Cancelling lets go of it without stopping it; `forget` does that.

        Raises:
            ServiceDown: away, or lost on the way; the same commission may work later.
            ModelMissing: no server has what it takes; the text names it.
            PaintingFailed: it was tried, and fails like this.
        """

    async def forget(self, picture: UUID) -> None:
        """Stop painting, or take out of the queue, wherever it is; nothing where it is not."""

    async def check(self) -> Sequence[Finding]:
        """Look whether it is ready, without raising for what is expected."""

    async def aclose(self) -> None:
        """Let go of connections."""


class Gallery(Protocol):
    """Where the files of pictures are."""

    async def keep(self, data: bytes) -> Kept:
        """Look through a picture, take everything out of it that is no picture, and put it away; the same, once.

        Raises:
            BrokenAnswer: it is no picture that can be shown, or too large.
            ServiceDown: the disk is away or full.
        """

    async def fitting(self, kept: Kept, limit: int | None) -> tuple[bytes, Mime] | None:
        """Read a picture in at most `limit` bytes, smaller or coarser if need be; None where its file is not there."""

    async def keep_preview(self, run: RunId, data: bytes) -> None:
        """Put away how a picture looks so far, small and cleaned, in place of what was kept before; without data, none.

        What cannot be kept is left out: nobody needs it.
        """

    async def preview(self, run: RunId) -> bytes | None:
        """Read how a picture looks that is being painted, small; None where that is not kept."""

    def place(self, kept: Kept) -> Path:
        """Say where the file of a picture is, or would be."""


@dataclass(frozen=True, slots=True)
class Purged:
    """What was deleted for good."""

    stories: int
    pictures: tuple[str, ...] = ()
    """Hashes of files that belong to no story any more."""
    looks: tuple[str, ...] = ()
    """Files of looks that belong to no story any more."""


@dataclass(frozen=True, slots=True)
class Filed:
    """What somebody reported, and the picture that it is about."""

    report: PictureReported
    shown: PictureShown
    """As it was told when it was hung last."""
    hidden: bool
    """It was taken down for it, and nobody has decided about it since."""


class PictureDesk(Protocol):
    """The part of a desk that is about pictures."""

    async def queue_picture(self, run: PictureRun, priority: int, most: int) -> int:
        """Store the run of a picture and its job; answer how many pictures are before it.

        Raises:
            Busy: `most` pictures of the playthrough are waiting already.
        """

    async def live_pictures(self, playthrough: PlaythroughId) -> tuple[PictureRun, ...]:
        """List the pictures of a playthrough that are being painted or wait, first come first."""

    async def pictures(self, scene: SceneId) -> tuple[Picture, ...]:
        """List the pictures of a scene that are shown, newest first."""

    async def picture(self, picture: PictureId) -> Picture | None:
        """Find a picture that is shown, of whatever story; None when it is not."""

    async def reports(self, playthrough: PlaythroughId) -> tuple[Filed, ...]:
        """List what was reported of a playthrough's pictures, newest first."""

    async def told_by(self, scene: SceneId) -> RunId | None:
        """Find the run that told a scene; None for one that a player wrote."""


class Card(Protocol):
    """A graphics card that words and pictures share, as all programs on all machines know it."""

    def held(self) -> AbstractAsyncContextManager[None]:
        """Have the card for one picture, as soon as nobody else paints. Whoever dies lets go of it at once.

        Raises:
            ServiceDown: that cannot be found out.
        """

    async def wanted(self) -> bool:
        """Tell whether a scene is told, or is about to be. Raises `ServiceDown`."""

    async def painted_on(self) -> bool:
        """Tell whether a picture is being painted. Raises `ServiceDown`."""


class PictureStore(Protocol):
    """The part of a store that is about pictures."""

    async def claim_picture(self, run: RunId, worker: UUID) -> PictureRun | None:
        """Take the run of a picture up; None when it is over or a living worker has it."""

    async def picture_in(self, key: RoomKey, message: str) -> HungPicture | None:
        """Find the picture that hangs at a message of a room, or is one; None where none does."""

    async def in_hand(self, playthrough: PlaythroughId) -> InHand | None:
        """Find the picture of a playthrough that is painted now or next; None when none is wanted."""

    async def hosts(self, playthrough: PlaythroughId, platform: str) -> tuple[str, ...]:
        """List the accounts on a platform of those who host a playthrough."""
