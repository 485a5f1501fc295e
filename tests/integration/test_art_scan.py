"""A directory of pictures taken in: what is clear at once, what is not is listed, nothing before it is asked for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import doctor
from bot.__main__ import _parser
from bot.art import Scanner, as_text
from storyforge_core.domain.book import AddEntity, EntityLook, ForgetLook, ListLooks
from storyforge_core.domain.commands import ContinueStory, GoTo, NewStory, Undo
from storyforge_core.domain.look_replies import LookShown, LooksListed
from storyforge_core.domain.replies import Accepted
from storyforge_core.domain.writing import Finding
from storyforge_core.engine.clock import SystemClock
from storyforge_core.errors import SetupError
from storyforge_core.settings import Settings
from storyforge_core.store.database import Database
from storyforge_core.store.shelf import FileShelf
from tests.game import Game, game
from tests.integration.test_looks import colour_of, done, files, held, look, picture


@pytest.fixture
async def played(database: Database, tmp_path: Path) -> AsyncIterator[Game]:
    async with game(database, static=tmp_path / "static") as opened:
        await opened.play(NewStory("A mill at night"))
        for sort, name in (("character", "Maren"), ("character", "Osk"), ("place", "the mill"), ("prop", "brass key")):
            await done(opened, AddEntity(sort, name))  # type: ignore[arg-type]  # three sorts
        await opened.play(ContinueStory())
        yield opened


@pytest.fixture
def art(tmp_path: Path) -> Path:
    art = tmp_path / "art"
    (art / "characters").mkdir(parents=True)
    (art / "characters" / "maren.jpg").write_bytes(picture("red", fmt="JPEG", quality=100))
    (art / "Osk.png").write_bytes(picture("blue"))
    (art / "osk 2.png").write_bytes(picture("navy"))
    (art / "place_mill.webp").write_bytes(picture("green", fmt="WEBP", lossless=True))
    (art / "brass-key.png").write_bytes(b"<svg/>")
    (art / "scene 2.png").write_bytes(picture("white"))
    (art / "cat.png").write_bytes(picture("black"))
    (art / "notes.txt").write_text("not a picture")
    return art


def scanner(played: Game, tmp_path: Path) -> Scanner:
    return Scanner(played.store, FileShelf(tmp_path / "static"), SystemClock())


async def test_a_directory_is_sorted_out_and_nothing_is_taken_in_before_that_is_asked_for(
    played: Game, tmp_path: Path, art: Path
) -> None:
    await done(played, EntityLook("character", "Maren", picture=picture("pink")))
    found = await scanner(played, tmp_path).scan(art, None)
    assert as_text(found).splitlines()[1:] == [
        "  brass-key.png         → brass key (prop)",
        "  characters/maren.jpg  → Maren (character); has another from scene 2 on, which counts from there",
        "  place_mill.webp       → the mill (place)",
        "  scene 2.png           → scene 2",
        "Not clear, so left out. Rename files, or send them one by one with /story character look:",
        "  Osk.png, osk 2.png  could be Osk (character)",
        "Nobody and nothing in the story is called like these:",
        "  cat.png",
        "Nothing is taken in yet. To take in what is listed with an arrow, run this again with --apply.",
    ]
    assert len(await held(played)) == len(files(tmp_path)) == 1


async def test_what_is_clear_is_taken_in_from_the_opening_on_as_one_step(
    played: Game, tmp_path: Path, art: Path
) -> None:
    scan = scanner(played, tmp_path)
    report = as_text(await scan.take_in(await scan.scan(art, None)))
    assert "  brass-key.png         left out: That is no picture: PNG, JPEG and WebP are." in report
    assert "3 looks were taken in. /story undo takes that back." in report
    assert {file.partition("/")[0] for file in files(tmp_path)} == {"characters", "locations", "scenes"}
    shown = await look(played)
    assert (shown.scene, shown.source) == (1, "scanned")
    assert colour_of(shown.picture) == (254, 0, 0)
    mill = await played.say(EntityLook("place", "mill"))
    assert isinstance(mill, LookShown)
    assert colour_of(mill.picture) == (0, 128, 0)
    again = as_text(await scan.take_in(await scan.scan(art, None)))
    assert "0 looks were taken in." in again, "what holds already is not given twice"
    assert isinstance(await played.say(Undo()), Accepted)
    assert await held(played) == ()


async def test_which_story_is_meant_has_to_be_clear(played: Game, tmp_path: Path, art: Path) -> None:
    scan = scanner(played, tmp_path)
    (first,) = await played.store.readings()
    played.room = type(played.room)("terminal", "other", "here")
    await played.play(NewStory("A bell"))
    with pytest.raises(SetupError, match=r"--story \d+  A mill at night"):
        await scan.scan(art, None)
    assert (await scan.scan(art, first.number)).reading == first
    with pytest.raises(SetupError, match="There is no story 999"):
        await scan.scan(art, 999)
    with pytest.raises(SetupError, match="is no directory"):
        await scan.scan(art / "cat.png", first.number)


def test_the_command_line_knows_it() -> None:
    options = _parser().parse_args(["art", "scan", "pictures", "--story", "3", "--apply"])
    assert (options.program, options.deed, options.directory, options.story) == ("art", "scan", "pictures", 3)
    assert options.apply


async def test_the_look_of_a_scene_is_that_scenes_only_and_can_be_taken_away(
    played: Game, tmp_path: Path, art: Path
) -> None:
    scan = scanner(played, tmp_path)
    await scan.take_in(await scan.scan(art, None))
    listed = await played.say(ListLooks())
    assert isinstance(listed, LooksListed)
    assert [(line.name, line.scene) for line in listed.lines] == [("Maren", 1), ("the mill", 1), ("the scene", 2)]
    await played.play(ContinueStory())
    assert [entry.look.kind for entry in await held(played)] == ["character", "location"]
    await played.say(GoTo("2"))
    assert "takes the look of the scene away" in await done(played, ForgetLook("the scene"))
    assert len(await held(played)) == 2


async def test_the_doctor_misses_files_of_looks(played: Game, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert await doctor._looks(played.store, settings) == []
    await done(played, EntityLook("character", "Maren", picture=picture("red")))
    await done(played, EntityLook("character", "Osk", picture=picture("blue")))
    assert await doctor._looks(played.store, settings) == [Finding("looks", "ok", "2, all there")]
    gone = files(tmp_path)[0]
    (tmp_path / "static" / gone).unlink()
    (found,) = await doctor._looks(played.store, settings)
    assert found.status == "warn"
    assert found.detail.startswith(f"1 of 2 are not there, pictures are painted without them ({gone}): put them back")
