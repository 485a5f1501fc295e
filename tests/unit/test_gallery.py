"""Pictures from outside: what is let in, what is taken out of them, and what is noticed about their files."""

import io
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from storyforge_core.domain.pictures import Kept, Size
from storyforge_core.errors import BrokenAnswer, ServiceDown
from storyforge_core.store.gallery import FileGallery
from storyforge_core.store.imaging import cleaned, fitting
from tests.peers.comfyui.execution import png


def encoded(fmt: str, size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "teal").save(out, fmt, **options)
    return out.getvalue()


def noise(size: tuple[int, int]) -> bytes:
    """A picture that does not get small."""
    out = io.BytesIO()
    Image.effect_noise(size, 100).convert("RGB").save(out, "PNG", compress_level=1)
    return out.getvalue()


@pytest.mark.parametrize(("fmt", "mime"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")])
def test_three_formats_are_pictures(fmt: str, mime: str) -> None:
    kept, data = cleaned(encoded(fmt))
    assert (kept.mime, kept.size, kept.bytes) == (mime, Size(64, 48), len(data))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!doctype html><script>alert(1)</script>",
        encoded("GIF"),
        encoded("BMP"),
        encoded("TIFF"),
        encoded("PNG")[:40],
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        b"GIF89a" + encoded("PNG"),
    ],
    ids=["nothing", "svg", "html", "gif", "bmp", "tiff", "half a head", "head of zeros", "two in one"],
)
def test_everything_else_is_not(data: bytes) -> None:
    with pytest.raises(BrokenAnswer, match=r"no picture|damaged"):
        cleaned(data)


def test_a_damaged_picture_is_refused() -> None:
    whole = noise((200, 200))
    with pytest.raises(BrokenAnswer, match="damaged"):
        cleaned(whole[: len(whole) // 2])


@pytest.mark.parametrize("size", [(60_000, 60_000), (12_000, 9_000), (8_000, 8_000)])
def test_a_bomb_is_refused_by_its_head_before_it_goes_off(size: tuple[int, int]) -> None:
    bomb = png(size, "", {})
    assert len(bomb) < 1000
    with pytest.raises(BrokenAnswer, match="too large"):
        cleaned(bomb)


def test_a_picture_of_nothing_is_refused() -> None:
    with pytest.raises(BrokenAnswer, match="too small"):
        cleaned(encoded("PNG", (4, 4)))


def test_texts_of_a_png_are_gone_even_those_that_unpack_to_much() -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("prompt", "a secret prompt")
    chunks.add_itxt("workflow", "a secret workflow", zip=True)
    out = io.BytesIO()
    Image.new("RGB", (64, 48)).save(out, "PNG", pnginfo=chunks)
    packed = zlib.compress(b"x" * 100_000_000)
    body = b"zTXtk\0\0" + packed
    bomb = len(body[4:]).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)
    _, data = cleaned(out.getvalue())
    assert b"secret" not in data
    assert not Image.open(io.BytesIO(data)).info
    with pytest.raises(BrokenAnswer):
        cleaned(out.getvalue()[:33] + bomb + out.getvalue()[33:])


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "I;16", "1"])
def test_behind_the_end_of_a_png_nothing_is_kept_and_it_looks_as_before(mode: str) -> None:
    whole = encoded("PNG", mode="RGB") if mode == "P" else b""
    if mode == "P":
        out = io.BytesIO()
        Image.open(io.BytesIO(whole)).quantize(8).save(out, "PNG")
        whole = out.getvalue()
    else:
        out = io.BytesIO()
        Image.new(mode, (64, 48), 1).save(out, "PNG")
        whole = out.getvalue()
    kept, data = cleaned(whole + b"PK\x03\x04 a second file")
    assert b"second file" not in data
    assert kept.bytes == len(data)
    before, after = (Image.open(io.BytesIO(each)).convert("RGBA").tobytes() for each in (whole, data))
    assert before == after


def test_an_end_that_never_comes_is_no_endless_search() -> None:
    whole = encoded("PNG")
    with pytest.raises(BrokenAnswer):
        cleaned(whole[:-12])


def test_where_a_photo_was_taken_is_gone_and_it_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by ninety degrees
    exif[0x010E] = "at home"
    kept, data = cleaned(encoded("JPEG", exif=exif))
    assert kept.size == Size(48, 64)
    assert b"home" not in data


def test_what_is_see_through_stays_so() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (64, 48), (0, 0, 0, 0)).save(out, "PNG")
    _, data = cleaned(out.getvalue())
    assert Image.open(io.BytesIO(data)).getpixel((0, 0)) == (0, 0, 0, 0)


@pytest.mark.parametrize("limit", [200_000, 20_000, 3_000])
def test_a_picture_is_made_to_fit(limit: int) -> None:
    data, mime = fitting(noise((600, 400)), "image/png", limit)
    assert len(data) <= limit
    assert mime == "image/jpeg"
    assert Image.open(io.BytesIO(data)).width / Image.open(io.BytesIO(data)).height == pytest.approx(1.5, rel=0.05)


def test_what_fits_is_left_alone() -> None:
    data = encoded("PNG")
    assert fitting(data, "image/png", len(data)) == (data, "image/png")


def test_a_picture_of_4k_fits_within_a_second_or_two_of_a_busy_machine() -> None:
    large = noise((3840, 2160))
    began = time.process_time()
    data, _ = fitting(large, "image/png", 8_000_000)
    assert len(data) <= 8_000_000
    assert time.process_time() - began < 2


async def test_the_same_picture_is_one_file(tmp_path: Path) -> None:
    gallery = FileGallery(tmp_path / "pictures")
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("prompt", "another one")
    first, second = await gallery.keep(encoded("PNG")), await gallery.keep(encoded("PNG", pnginfo=chunks))
    assert first == second
    assert [path.name for path in gallery.place(first).parent.iterdir()] == [f"{first.sha256}.png"]
    assert await gallery.fitting(first, None) == (gallery.place(first).read_bytes(), "image/png")


async def test_a_file_that_is_gone_or_was_changed_is_noticed(tmp_path: Path) -> None:
    gallery = FileGallery(tmp_path)
    kept = await gallery.keep(encoded("PNG"))
    gallery.place(kept).write_bytes(b"something else")
    assert await gallery.fitting(kept, None) is None
    gallery.place(kept).unlink()
    assert await gallery.fitting(kept, None) is None
    assert await gallery.keep(encoded("PNG")) == kept
    assert await gallery.fitting(kept, None) is not None


async def test_a_disk_that_takes_nothing_is_a_service_that_is_down(tmp_path: Path) -> None:
    (tmp_path / "pictures").write_text("in the way")
    with pytest.raises(ServiceDown, match="could not be saved"):
        await FileGallery(tmp_path / "pictures").keep(encoded("PNG"))


async def test_removing_takes_exactly_what_is_named(tmp_path: Path) -> None:
    gallery = FileGallery(tmp_path)
    kept: list[Kept] = [await gallery.keep(encoded("PNG", (size, 48))) for size in (64, 65)]
    await gallery.remove([kept[0].sha256, "0" * 64])
    assert [await gallery.fitting(each, None) is None for each in kept] == [True, False]
