"""The files of looks: PNGs below a directory, named after whom they show. What was changed counts as missing."""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from storyforge_core.errors import BrokenAnswer, Invalid, ServiceDown
from storyforge_core.store.gallery import write_whole
from storyforge_core.store.imaging import portrait

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FileShelf:
    """See `look_ports.Shelf`: files below a directory, which is made when it is needed."""

    directory: Path
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a picture is looked through: a large one takes 300 MB meanwhile."""

    async def drawn(self, data: bytes) -> bytes:
        """Make a look of a picture: a PNG of its pixels and nothing else, no larger than painting by it takes.

        Raises:
            Invalid: it is no picture that can be used, or too large.
        """
        async with self._turn:
            try:
                return await asyncio.to_thread(portrait, data)
            except BrokenAnswer as error:
                raise Invalid(str(error)) from error

    async def put(self, file: str, data: bytes) -> None:
        """Put a look away under a name of its own.

        Raises:
            ServiceDown: the disk is away or full.
        """
        try:
            await asyncio.to_thread(_put, self.place(file), data)
        except OSError as error:
            raise ServiceDown(f"The picture could not be saved ({error.strerror}). Try again later.") from error

    async def read(self, file: str, sha256: str) -> bytes | None:
        """Read a look; None where its file is gone or was changed."""
        return await asyncio.to_thread(_read, self.place(file), sha256)

    async def lacking(self, files: Sequence[str]) -> frozenset[str]:
        """Tell which of some files are not there."""
        return await asyncio.to_thread(lambda: frozenset(file for file in files if not self.place(file).is_file()))

    async def remove(self, files: Iterable[str]) -> None:
        """Delete the files of looks that belong to no story any more.

        Raises:
            ServiceDown: the disk does not let go of them.
        """
        try:
            await asyncio.to_thread(self._remove, tuple(files))
        except OSError as error:
            raise ServiceDown(f"A picture could not be deleted ({error.strerror}).") from error

    def place(self, file: str) -> Path:
        """Say where a file is, or would be."""
        return self.directory / file

    def _remove(self, files: Iterable[str]) -> None:
        for file in files:
            self.place(file).unlink(missing_ok=True)


def _put(place: Path, data: bytes) -> None:
    if not place.exists() or place.stat().st_size != len(data):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, data)


def _read(place: Path, sha256: str) -> bytes | None:
    try:
        data = place.read_bytes()
    except OSError as error:
        log.warning("the file of a look is not there", file=str(place), reason=error.strerror)
        return None
    if hashlib.sha256(data).hexdigest() != sha256:
        log.warning("the file of a look was changed", file=str(place))
        return None
    return data
