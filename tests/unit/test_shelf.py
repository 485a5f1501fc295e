"""Looks as files: what is let in, what is taken out of it, and what is noticed afterwards."""

import hashlib
import io
import time
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from storyforge_core.domain.looks import MOST_LOOK_BYTES
from storyforge_core.errors import Invalid, ServiceDown
from storyforge_core.store.imaging import LOOK_SIDE, portrait
from storyforge_core.store.shelf import FileShelf
from tests.peers.comfyui.execution import png
from tests.unit.test_gallery import encoded, noise

GPS = 0x8825


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "That is no picture: PNG, JPEG and WebP are."),
        (b"<?xml version='1.0'?><svg/>", "That is no picture"),
        (b"<!doctype html><img src='http://127.0.0.1/'>", "That is no picture"),
        (encoded("GIF"), "That is no picture"),
        (encoded("TIFF"), "That is no picture"),
        (b"", "That is no picture"),
        (noise((200, 200))[:3000], "That picture is damaged."),
        (encoded("JPEG", (600, 400))[:900], "That picture is damaged."),
        (png((60_000, 60_000), "", {}), "That picture is too large"),
        (png((7_000, 7_000), "", {}), "That picture is too large"),
        (encoded("PNG", (4, 4)), "That picture is too small"),
        (b"\0" * (MOST_LOOK_BYTES + 1), "That picture has 20,000,001 bytes; 20,000,000 are the most."),
    ],
    ids=[
        "svg",
        "xml",
        "html",
        "gif",
        "tiff",
        "nothing",
        "half",
        "half a photo",
        "bomb",
        "49 million",
        "dot",
        "bytes",
    ],
)
async def test_what_is_no_picture_that_can_be_used_is_refused(tmp_path: Path, data: bytes, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        await FileShelf(tmp_path).drawn(data)
    assert str(refused.value).startswith(sentence)


def test_where_a_photo_was_taken_and_by_whom_is_gone_and_it_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by ninety degrees
    exif[0x013B] = "Ann at home"
    exif.get_ifd(GPS)[2] = (52.0, 31.0, 12.0)
    photo = encoded("JPEG", exif=exif, comment=b"a comment", icc_profile=b"a profile")
    assert Image.open(io.BytesIO(photo)).getexif().get_ifd(GPS)
    plain = opened(portrait(photo))
    assert (plain.format, plain.mode, plain.size) == ("PNG", "RGB", (48, 64))
    assert not plain.getexif()
    assert plain.info == {}
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("parameters", "a secret prompt")
    chunks.add_text("XML:com.adobe.xmp", "<x:xmpmeta/>")
    assert portrait(encoded("PNG", pnginfo=chunks)) == portrait(encoded("PNG"))


def test_what_was_behind_a_picture_is_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (64, 48), (200, 0, 0, 0)).save(out, "PNG")
    assert opened(portrait(out.getvalue())).getpixel((3, 3)) == (255, 255, 255)


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP"])
def test_a_picture_of_4k_is_made_as_small_as_painting_needs_it_soon(fmt: str) -> None:
    large = encoded(fmt, (3840, 2160))
    began = time.process_time()
    assert opened(portrait(large)).size == (LOOK_SIDE, 864)
    assert time.process_time() - began < 2


def test_only_the_first_picture_of_a_film_is_looked_at() -> None:
    first, second = Image.new("RGB", (64, 48), "red"), Image.new("RGB", (64, 48), "blue")
    for fmt in ("PNG", "WEBP"):
        out = io.BytesIO()
        first.save(out, fmt, save_all=True, append_images=[second], lossless=True)
        assert opened(portrait(out.getvalue())).getpixel((3, 3)) == (255, 0, 0)


async def test_a_look_that_is_gone_or_was_changed_is_noticed_and_put_there_again(tmp_path: Path) -> None:
    shelf, file = FileShelf(tmp_path / "static"), "characters/character_1_2.png"
    data = await shelf.drawn(encoded("WEBP"))
    sha = hashlib.sha256(data).hexdigest()
    assert await shelf.read(file, sha) is None
    assert await shelf.lacking([file]) == {file}
    await shelf.put(file, data)
    assert await shelf.read(file, sha) == data
    assert [path.name for path in shelf.place(file).parent.iterdir()] == ["character_1_2.png"]
    shelf.place(file).write_bytes(data[:-1] + b"x")
    assert await shelf.read(file, sha) is None
    await shelf.remove([file, "props/nothing.png"])
    assert await shelf.lacking([file]) == {file}


async def test_a_disk_that_takes_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "static").write_text("in the way")
    with pytest.raises(ServiceDown, match="could not be saved"):
        await FileShelf(tmp_path / "static").put("props/a.png", b"x")
