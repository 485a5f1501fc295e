"""A picture that is too large for a chat gets as small as it must, and no smaller."""

import random
from io import BytesIO

import pytest
from PIL import Image

from bot.picture.fitting import fitted
from bot.surface import File

NOISE = 96


async def test_a_picture_that_fits_is_not_touched() -> None:
    file = File("door.png", noise(), "A door.")
    assert await fitted(file, len(file.data)) is file


@pytest.mark.parametrize(("limit", "side"), [(20_000, NOISE), (6_000, 67), (1_000, 34)])
async def test_a_picture_is_packed_better_first_and_then_shrunk(limit: int, side: int) -> None:
    smaller = await fitted(File("door.png", noise(), "A door."), limit)
    assert len(smaller.data) <= limit
    with Image.open(BytesIO(smaller.data)) as shown:
        assert shown.size == (side, side)


async def test_a_picture_that_can_be_seen_through_still_can() -> None:
    out = BytesIO()
    Image.new("RGBA", (300, 300), (200, 100, 0, 0)).save(out, "PNG", compress_level=0)
    smaller = await fitted(File("map.png", out.getvalue(), ""), 20_000)
    with Image.open(BytesIO(smaller.data)) as shown:
        assert shown.convert("RGBA").getpixel((9, 9))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("data", [b"OggS" * 100, b"\x89PNG\r\n\x1a\n broken" * 20])
async def test_what_is_no_picture_stays_as_it_is(data: bytes) -> None:
    file = File("voice.ogg", data, "A voice.")
    assert await fitted(file, 10) == file


async def test_what_fits_in_no_size_stays_as_it_is() -> None:
    file = File("door.png", noise(), "A door.")
    assert await fitted(file, 10) == file


def noise() -> bytes:
    out = BytesIO()
    Image.frombytes("RGB", (NOISE, NOISE), random.Random(1).randbytes(NOISE * NOISE * 3)).save(out, "PNG")
    return out.getvalue()
