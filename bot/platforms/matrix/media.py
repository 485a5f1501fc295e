"""Files as messages: pictures with their size, a small form and a blur for while they are loaded; all else as it is."""

import asyncio
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from io import BytesIO
from pathlib import PurePath
from typing import Any, Final

import blurhash
from PIL import Image, UnidentifiedImageError

from bot.platforms.matrix.link import Link
from bot.platforms.matrix.troubles import TooLarge
from bot.surface import File
from bot.wording.markup import clean, neutral

THUMBNAIL_SIDE = 800
BLUR_SIDE = 32
BLUR_PARTS: Final = (4, 3)
JPEG_QUALITY = 85
SHRINK = 0.75
SMALLEST_SIDE = 200
"""A picture that is too large is made smaller, but no smaller than this."""
UNSAID_LIMIT = 50 * 1024 * 1024
"""Bytes that are taken to be allowed where the homeserver does not say; Synapse as it comes allows as many."""
SPOILER = "page.codeberg.everypizza.msc4193.spoiler"
COVERED = "(covered: open it to see it)"
ANYTHING = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Picture:
    """One form of a picture."""

    data: bytes
    mime: str
    width: int
    height: int

    @property
    def info(self) -> dict[str, Any]:
        """What an event says about it."""
        return {"w": self.width, "h": self.height, "size": len(self.data), "mimetype": self.mime}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture that can be uploaded."""

    picture: Picture
    small: Picture | None
    """None where it is small enough itself."""
    blur: str


async def uploaded(link: Link, room: str, file: File) -> dict[str, Any]:
    """Upload a file for a room and write the event that shows it; in an encrypted room it is encrypted.

    Raises:
        TooLarge: the homeserver takes nothing of that size.
    """
    most = await _most(link)
    prepared = await asyncio.to_thread(prepare, file.data, most)
    if file.covered:
        return {**await _covered(link, file, most, sealed=link.encrypted(room)), "m.mentions": {}}
    caption = {"filename": file.name, "body": neutral(clean(file.alt)) or file.name, "m.mentions": {}}
    sealed = link.encrypted(room)
    if prepared is None:
        return {"msgtype": "m.file", **caption, **await _other(link, file, most, sealed)}
    picture, small = prepared.picture, prepared.small
    info = {**picture.info, "xyz.amorgan.blurhash": prepared.blur}
    if small is not None:
        there = await link.upload(small.data, small.mime, "", encrypted=sealed)
        info |= {"thumbnail_info": small.info, **{f"thumbnail_{key}": value for key, value in there.items()}}
    name = file.name if picture.data == file.data else f"{PurePath(file.name).stem}.jpg"
    there = await link.upload(picture.data, picture.mime, name, encrypted=sealed)
    return {"msgtype": "m.image", **caption, "filename": name, "info": info, **there}


def fingerprint(message: str, name: str) -> str:
    """Name the sending of a file under a message: the same again is the same event, also when it is made anew."""
    return sha256(f"{message}\0{name}".encode()).hexdigest()[:32]


def prepare(data: bytes, most: int) -> Prepared | None:
    """Make the forms of a picture, in at most so many bytes; None when it is none. It takes a while: not in the loop.

    Raises:
        TooLarge: it cannot be made small enough.
    """
    try:
        with Image.open(BytesIO(data)) as image:
            image.load()
            mime = Image.MIME.get(image.format or "", ANYTHING)
            whole = Picture(data, mime, *image.size) if len(data) <= most else _shrunk(image, most)
            small = _jpeg(image, THUMBNAIL_SIDE) if max(image.size) > THUMBNAIL_SIDE else None
            return Prepared(whole, small, _blur(image))
    except (UnidentifiedImageError, OSError):
        return None


async def _other(link: Link, file: File, most: int, sealed: bool) -> Mapping[str, Any]:  # noqa: FBT001 - as upload has it
    """Upload what is no picture."""
    if len(file.data) > most:
        raise TooLarge("That is too large for the homeserver.")
    mime = (await asyncio.to_thread(mimetypes.guess_type, file.name))[0] or ANYTHING  # it may read files of the system
    there = await link.upload(file.data, mime, file.name, encrypted=sealed)
    return {"info": {"size": len(file.data), "mimetype": mime}, **there}


async def _covered(link: Link, file: File, most: int, *, sealed: bool) -> dict[str, Any]:
    """Show a picture as a file to be opened: most clients know no covered pictures (MSC4193) and would show it."""
    whole = file.data
    if len(whole) > most and (prepared := await asyncio.to_thread(prepare, whole, most)) is not None:
        whole = prepared.picture.data
    body = f"{COVERED} {neutral(clean(file.alt)) or file.name}"
    shown = replace(file, data=whole)
    return {
        "msgtype": "m.file",
        "filename": file.name,
        "body": body,
        SPOILER: True,
        **await _other(link, shown, most, sealed),
    }


async def _most(link: Link) -> int:
    told = (await link.call("GET", "/_matrix/client/v1/media/config")).get("m.upload.size")
    return told if isinstance(told, int) else UNSAID_LIMIT


def _shrunk(image: Image.Image, most: int) -> Picture:
    side = max(image.size)
    while side >= SMALLEST_SIDE:
        picture = _jpeg(image, side)
        if len(picture.data) <= most:
            return picture
        side = int(side * SHRINK)
    raise TooLarge("That picture is too large for the homeserver.")


def _jpeg(image: Image.Image, side: int) -> Picture:
    small = _opaque(image)
    small.thumbnail((side, side))
    out = BytesIO()
    small.save(out, "JPEG", quality=JPEG_QUALITY)
    return Picture(out.getvalue(), "image/jpeg", *small.size)


def _blur(image: Image.Image) -> str:
    small = _opaque(image)
    small.thumbnail((BLUR_SIDE, BLUR_SIDE))
    parts = iter(small.tobytes())
    pixels = list(zip(parts, parts, parts, strict=True))
    rows = [pixels[start : start + small.width] for start in range(0, len(pixels), small.width)]
    blur: str = blurhash.encode(rows, *BLUR_PARTS)
    return blur


def _opaque(image: Image.Image) -> Image.Image:
    """Put it on white: JPEG knows nothing behind a picture."""
    clear = image.convert("RGBA")
    ground = Image.new("RGBA", clear.size, "white")
    ground.alpha_composite(clear)
    return ground.convert("RGB")
