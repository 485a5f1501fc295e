"""The files of pictures, each named by what is in it: the same picture is there once, and a changed one is noticed."""

import asyncio
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

import structlog

from storyforge_core.domain.pictures import Kept, Mime
from storyforge_core.domain.story import RunId
from storyforge_core.errors import BrokenAnswer, ServiceDown
from storyforge_core.store.imaging import SUFFIXES, cleaned, fitting, small

log = structlog.get_logger(__name__)


class FileGallery:
    """See `ports.Gallery`: files below a directory, which is made when it is needed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def keep(self, data: bytes) -> Kept:
        """Look through a picture, clean it and put it away; the same, once.

        Raises:
            BrokenAnswer: it is no picture that can be shown, or too large.
            ServiceDown: the disk is away or full.
        """
        return await asyncio.to_thread(self._keep, data)

    async def fitting(self, kept: Kept, limit: int | None) -> tuple[bytes, Mime] | None:
        """Read a picture in at most `limit` bytes; None where its file is not there."""
        return await asyncio.to_thread(self._fitting, kept, limit)

    async def keep_preview(self, run: RunId, data: bytes) -> None:
        """Put away how a picture looks so far; without data, none. What cannot be kept is left out."""
        await asyncio.to_thread(self._keep_preview, self._preview(run), data)

    async def preview(self, run: RunId) -> bytes | None:
        """Read how a picture looks that is being painted, small; None where that is not kept."""
        return await asyncio.to_thread(_read, self._preview(run))

    async def remove(self, hashes: Iterable[str]) -> None:
        """Delete the files of pictures that belong to no story any more."""
        await asyncio.to_thread(self._remove, tuple(hashes))

    def place(self, kept: Kept) -> Path:
        """Say where the file of a picture is, or would be."""
        return self._directory / kept.sha256[:2] / f"{kept.sha256}.{SUFFIXES[kept.mime]}"

    def _preview(self, run: RunId) -> Path:
        return self._directory / "previews" / f"{run}.jpg"

    def _keep_preview(self, place: Path, data: bytes) -> None:
        try:
            if not data:
                place.unlink(missing_ok=True)
                return
            place.parent.mkdir(parents=True, exist_ok=True)
            write_whole(place, small(data))
        except (BrokenAnswer, OSError) as error:
            log.debug("no preview", file=str(place), reason=str(error))

    def _keep(self, data: bytes) -> Kept:
        kept, fresh = cleaned(data)
        place = self.place(kept)
        try:
            if not place.exists() or place.stat().st_size != kept.bytes:
                place.parent.mkdir(parents=True, exist_ok=True)
                write_whole(place, fresh)
        except OSError as error:
            raise ServiceDown(f"A picture could not be saved ({error.strerror}); it is tried again.") from error
        return kept

    def _fitting(self, kept: Kept, limit: int | None) -> tuple[bytes, Mime] | None:
        try:
            data = self.place(kept).read_bytes()
        except OSError as error:
            log.warning("a picture's file is not there", file=str(self.place(kept)), reason=error.strerror)
            return None
        if len(data) != kept.bytes:
            log.warning("a picture's file was changed", file=str(self.place(kept)))
            return None
        return (data, kept.mime) if limit is None else fitting(data, kept.mime, limit)

    def _remove(self, hashes: Iterable[str]) -> None:
        for name in hashes:
            for place in (self._directory / name[:2]).glob(f"{name}.*"):
                place.unlink(missing_ok=True)


def _read(place: Path) -> bytes | None:
    try:
        return place.read_bytes()
    except OSError:
        return None


def write_whole(place: Path, data: bytes) -> None:
    """Have a file be there whole or not at all, also after the power was cut."""
    draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)
