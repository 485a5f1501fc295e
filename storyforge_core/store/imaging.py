"""Pictures as bytes: looked through, cleaned of all that is no picture, made to fit. Slow: to be run in a thread.

Only three formats are opened, nothing is decoded before its size is known, and only pixels are written again: no
prompt, no place where a photo was taken, no second file behind the first survives it. Of a plain PNG, as ComfyUI makes
them, the pixels are taken as they are packed: to pack them anew would be most of the work.
"""

import hashlib
import io
from collections.abc import Mapping
from types import MappingProxyType

from PIL import Image, ImageOps, UnidentifiedImageError

from storyforge_core.domain.looks import MOST_LOOK_BYTES
from storyforge_core.domain.pictures import Kept, Mime, Size
from storyforge_core.errors import BrokenAnswer

MOST_BYTES = 64_000_000
MOST_PIXELS = 40_000_000
"""8K wide. A picture of three bytes a pixel takes 120 MB while it is looked at."""
PACKED = 3
"""Of 9: the usual 6 takes four times as long for files that are a twentieth smaller."""
PIXELS = frozenset({b"IHDR", b"tRNS", b"IDAT", b"IEND"})
"""The parts of a PNG that make the picture, where it has no palette."""
LEAST_SIDE = 16
SMALL_SIDE = 384
QUALITIES = (92, 80)
SHRINK = 0.75
LOOK_SIDE = 1536
"""Of a look, at the most: workflows paint by about a million pixels of it."""
FORMATS: Mapping[str, Mime] = MappingProxyType({"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"})
SUFFIXES: Mapping[Mime, str] = MappingProxyType({"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"})

NO_PICTURE = "That is no picture: PNG, JPEG and WebP are."
DAMAGED = "That picture is damaged."
TOO_LARGE = "That picture is too large: 40 million pixels and 64 MB are the most."


def cleaned(data: bytes) -> tuple[Kept, bytes]:
    """Look through a picture; answers what is to be known of it, and its bytes made anew.

    Raises:
        BrokenAnswer: it is no picture that can be shown, or too large.
    """
    if len(data) > MOST_BYTES:
        raise BrokenAnswer(TOO_LARGE)
    with _opened(data) as picture:
        fmt = picture.format or ""
        if fmt == "PNG" and picture.mode in {"RGB", "RGBA"} and not _upset(picture):
            fresh, size = _pixels_of_png(data), Size(*picture.size)
        else:
            plain = _plain(picture)
            options = {"compress_level": PACKED} if fmt == "PNG" else {"quality": 95}
            fresh, size = _encoded(plain, fmt, **options), Size(*plain.size)
    return Kept(hashlib.sha256(fresh).hexdigest(), FORMATS[fmt], len(fresh), size), fresh


def small(data: bytes) -> bytes:
    """Make a small JPEG of a picture, with nothing but its pixels.

    Raises:
        BrokenAnswer: it is no picture that can be shown.
    """
    with _opened(data) as picture:
        plain = _plain(picture).convert("RGB")
    plain.thumbnail((SMALL_SIDE, SMALL_SIDE))
    return _encoded(plain, "JPEG", quality=QUALITIES[1])


def portrait(data: bytes) -> bytes:
    """Make a look of a picture from outside: a PNG without anything but pixels, small enough to paint by.

    Raises:
        BrokenAnswer: it is no picture that can be used, or too large.
    """
    if len(data) > MOST_LOOK_BYTES:
        raise BrokenAnswer(f"That picture has {len(data):,} bytes; {MOST_LOOK_BYTES:,} are the most.")
    with _opened(data) as picture:
        picture.draft("RGB", (LOOK_SIDE, LOOK_SIDE))  # a JPEG need not be decoded larger than it is kept
        plain = _plain(picture)
    plain.thumbnail((LOOK_SIDE, LOOK_SIDE), Image.Resampling.LANCZOS)
    return _encoded(_on_white(plain), "PNG", compress_level=PACKED)


def fitting(data: bytes, mime: Mime, limit: int) -> tuple[bytes, Mime]:
    """Make a picture of ours fit into so many bytes: coarser first, then smaller."""
    if len(data) <= limit:
        return data, mime
    with _opened(data) as picture:
        opaque = picture.convert("RGB")
    coarser = data
    while len(coarser) > limit and min(opaque.size) >= LEAST_SIDE:
        for quality in QUALITIES:
            coarser = _encoded(opaque, "JPEG", quality=quality)
            if len(coarser) <= limit:
                break
        opaque = opaque.resize((round(opaque.width * SHRINK), round(opaque.height * SHRINK)), Image.Resampling.LANCZOS)
    return coarser, "image/jpeg"


def _opened(data: bytes) -> Image.Image:
    """Open a picture without decoding it.

    Raises:
        BrokenAnswer: it is none, or too large.
    """
    try:
        picture = Image.open(io.BytesIO(data), formats=tuple(FORMATS))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BrokenAnswer(TOO_LARGE) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise BrokenAnswer(NO_PICTURE) from error
    if picture.width * picture.height > MOST_PIXELS:
        raise BrokenAnswer(TOO_LARGE)
    if min(picture.size) < LEAST_SIDE:
        raise BrokenAnswer(f"That picture is too small: {LEAST_SIDE} pixels in each direction are the least.")
    return picture


def _upset(picture: Image.Image) -> bool:
    """Decode a PNG; tell whether it says besides its pixels how they are to be turned.

    Raises:
        BrokenAnswer: it cannot be decoded.
    """
    try:
        picture.load()
        return bool(picture.getexif())
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise BrokenAnswer(DAMAGED) from error


def _plain(picture: Image.Image) -> Image.Image:
    """Decode the first frame, the way up that it was taken, with nothing but its pixels."""
    try:
        upright = ImageOps.exif_transpose(picture)
        mode = "RGBA" if "A" in upright.getbands() or "transparency" in upright.info else "RGB"
        converted = upright.convert(mode)
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise BrokenAnswer(DAMAGED) from error
    bare = Image.new(mode, converted.size)
    bare.paste(converted)
    return bare


def _on_white(picture: Image.Image) -> Image.Image:
    """What is behind a picture: painters take no account of what can be seen through."""
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture)
    return ground.convert("RGB")


def _pixels_of_png(data: bytes) -> bytes:
    """Leave out of a PNG that could be decoded all that is not needed to decode it.

    Raises:
        BrokenAnswer: it has no end.
    """
    kept, at, kind = [data[:8]], 8, b""
    while kind != b"IEND":
        if at >= len(data):
            raise BrokenAnswer(DAMAGED)
        kind, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4], "big")
        if kind in PIXELS:
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def _encoded(picture: Image.Image, fmt: str, **options: int) -> bytes:
    out = io.BytesIO()
    (picture.convert("RGB") if fmt == "JPEG" else picture).save(out, fmt, **options)
    return out.getvalue()
