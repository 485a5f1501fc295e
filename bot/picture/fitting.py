"""Pictures that a chat would refuse for their size, made smaller until it takes them."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import PurePath

from PIL import Image, UnidentifiedImageError

from bot.surface import File

QUALITY = 85
SCALES = (1.0, 0.7, 0.5, 0.35, 0.25, 0.1)
"""Of width and height, tried in this order."""


async def fitted(file: File, limit: int) -> File:
    """Make a picture fit into so many bytes, as WebP and smaller if it must be; what is no picture stays as it is."""
    if len(file.data) <= limit:
        return file
    return await asyncio.to_thread(_smaller, file, limit)


def _smaller(file: File, limit: int) -> File:
    try:
        with Image.open(BytesIO(file.data)) as picture:
            data = next((each for each in _tries(picture) if len(each) <= limit), None)
    except UnidentifiedImageError:
        return file
    return replace(file, name=f"{PurePath(file.name).stem}.webp", data=data) if data else file


def _tries(picture: Image.Image) -> Iterator[bytes]:
    for scale in SCALES:
        width, height = (max(1, round(side * scale)) for side in picture.size)
        out = BytesIO()
        picture.convert("RGBA").resize((width, height)).save(out, "WEBP", quality=QUALITY, method=2)
        yield out.getvalue()
