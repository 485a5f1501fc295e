"""How somebody looks: given, kept from a picture, seen, forgotten, undone; on the branches where it holds."""

import hashlib
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from storyforge_core.domain.book import AddEntity, EntityLook, ForgetEntity, ForgetLook, KeepLook, ListLooks
from storyforge_core.domain.changes import Change, LookSet
from storyforge_core.domain.commands import (
    BranchFrom,
    Command,
    ContinueStory,
    ForgetMe,
    GoTo,
    NewStory,
    Redo,
    ShowMyData,
    Undo,
)
from storyforge_core.domain.look_replies import LookShown, LooksListed
from storyforge_core.domain.looks import Held
from storyforge_core.domain.replies import Accepted, Declined, MyDataShown
from storyforge_core.store import looks
from storyforge_core.store.database import Database
from storyforge_core.store.shelf import FileShelf
from storyforge_core.store.transaction import connection
from tests.game import ANN, BO, Game, game


def picture(colour: str, size: tuple[int, int] = (64, 48), fmt: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, fmt, **options)
    return out.getvalue()


def colour_of(data: bytes) -> object:
    return Image.open(io.BytesIO(data)).getpixel((5, 5))


@pytest.fixture
async def played(database: Database, tmp_path: Path) -> AsyncIterator[Game]:
    async with game(database, static=tmp_path / "static") as opened:
        await opened.play(NewStory("A mill at night"))
        await done(opened, AddEntity("character", "Maren", "keeps the mill"))
        yield opened


async def done(played: Game, command: Command) -> str:
    reply = await played.say(command)
    assert isinstance(reply, Accepted), reply
    return reply.sentence


async def refused(played: Game, command: Command) -> str:
    reply = await played.say(command)
    assert isinstance(reply, Declined), reply
    return reply.sentence


async def look(played: Game, name: str = "Maren") -> LookShown:
    reply = await played.say(EntityLook("character", name))
    assert isinstance(reply, LookShown), reply
    return reply


async def held(played: Game) -> tuple[Held, ...]:
    async with played.store.resume(await played.playthrough()) as desk:
        assert desk.situation
        assert desk.situation.head
        return await desk.looks(desk.situation.head.id)


def files(tmp_path: Path) -> list[str]:
    return sorted(str(path.relative_to(tmp_path / "static")) for path in (tmp_path / "static").rglob("*.png"))


async def test_who_is_given_a_look_has_it_from_here_on(played: Game, tmp_path: Path) -> None:
    said = await done(played, EntityLook("character", "Maren", picture=picture("red")))
    assert said == "Ann gives Maren a look: from scene 1 on, pictures show it."
    shown = await look(played)
    assert (shown.name, shown.scene, shown.source, colour_of(shown.picture)) == ("Maren", 1, "given", (255, 0, 0))
    (entry,) = await held(played)
    (file,) = files(tmp_path)
    assert file == entry.look.file
    assert file.startswith(f"characters/character_{entry.look.entity}_20")
    assert shown.place == str(tmp_path / "static" / file)
    assert hashlib.sha256((tmp_path / "static" / file).read_bytes()).hexdigest() == entry.look.sha256


async def test_the_newest_on_the_way_here_counts_and_a_sibling_branch_knows_nothing_of_it(played: Game) -> None:
    await done(played, EntityLook("character", "Maren", picture=picture("red")))
    await played.play(ContinueStory())
    await done(played, EntityLook("character", "Maren", picture=picture("blue")))
    assert ((await look(played)).scene, colour_of((await look(played)).picture)) == (2, (0, 0, 255))
    await played.say(BranchFrom("1"))
    assert (await look(played)).scene == 1
    await played.play(ContinueStory())
    assert ((await look(played)).scene, colour_of((await look(played)).picture)) == (1, (255, 0, 0))
    await played.say(GoTo("2"))
    assert (await look(played)).scene == 2


async def test_undo_takes_a_look_back_and_redo_gives_it_again(played: Game) -> None:
    await done(played, EntityLook("character", "Maren", picture=picture("red")))
    await done(played, Undo())
    assert "has no look here yet" in await refused(played, EntityLook("character", "Maren"))
    await done(played, Redo())
    assert (await look(played)).picture


async def test_a_look_is_forgotten_down_to_the_one_before_it(played: Game) -> None:
    await done(played, EntityLook("character", "Maren", picture=picture("red")))
    await played.play(ContinueStory())
    await done(played, EntityLook("character", "Maren", picture=picture("blue")))
    assert "The one from scene 1 holds again." in await done(played, ForgetLook("maren"))
    assert colour_of((await look(played)).picture) == (255, 0, 0)
    assert "words alone" in await done(played, ForgetLook("Maren"))
    assert await refused(played, ForgetLook("Maren")) == "Maren has no look here."
    await done(played, Undo())
    await done(played, Undo())
    assert colour_of((await look(played)).picture) == (0, 0, 255)


async def test_the_same_bytes_are_there_once(played: Game, tmp_path: Path) -> None:
    await done(played, AddEntity("character", "Osk"))
    await done(played, EntityLook("character", "Maren", picture=picture("red")))
    await done(played, EntityLook("character", "Osk", picture=picture("red", fmt="WEBP", lossless=True)))
    assert await done(played, EntityLook("character", "Osk", picture=picture("red"))) == "Osk looks like that already."
    assert len(files(tmp_path)) == 1
    assert [entry.look.file for entry in await held(played)] == files(tmp_path) * 2


async def test_a_file_that_was_deleted_is_noticed_and_sent_again(played: Game, tmp_path: Path) -> None:
    await done(played, EntityLook("character", "Maren", picture=picture("red")))
    (tmp_path / "static" / files(tmp_path)[0]).unlink()
    assert not (await look(played)).picture
    listed = await played.say(ListLooks())
    assert isinstance(listed, LooksListed)
    assert [(line.name, line.scene, line.there) for line in listed.lines] == [("Maren", 1, False)]
    await done(played, EntityLook("character", "Maren", picture=picture("red")))
    assert (await look(played)).picture


async def test_a_card_that_comes_back_has_its_look_again(played: Game) -> None:
    await done(played, EntityLook("character", "Maren", picture=picture("red")))
    await done(played, ForgetEntity("character", "Maren"))
    listed = await played.say(ListLooks())
    assert isinstance(listed, LooksListed)
    assert listed.lines == ()
    await done(played, Undo())
    assert (await look(played)).picture


async def test_what_cannot_be_done_is_said(played: Game, tmp_path: Path) -> None:
    for command, sentence in (
        (EntityLook("character", "Nobody", picture=picture("red")), "There is no character called"),
        (EntityLook("character", "Maren", picture=b"<svg onload='x()'/>"), "That is no picture"),
        (EntityLook("character", "Maren", file="/etc/passwd"), "only by who sits at the machine"),
        (EntityLook("character", "Maren"), "has no look here yet"),
        (KeepLook(), "Scene 1 has no picture"),
        (KeepLook(scene="99"), "There is no scene"),
        (ForgetLook("Nobody"), "Nobody and nothing called “Nobody”"),
        (ForgetLook("the scene"), "The scene has no look here."),
    ):
        assert sentence in await refused(played, command)
    assert files(tmp_path) == []


async def test_people_are_told_of_looks_they_gave_and_those_go_with_them_when_they_want_that(
    played: Game, tmp_path: Path
) -> None:
    ann, bo = replace(ANN, private=True), replace(BO, private=True)
    await done(played, AddEntity("character", "Osk"))
    await done(played, EntityLook("character", "Maren", picture=picture("red")))
    await done(played, EntityLook("character", "Osk", picture=picture("blue")))
    assert isinstance(await played.say(EntityLook("character", "Osk", picture=picture("red")), bo), Accepted)
    assert len(files(tmp_path)) == 2
    mine = await played.say(ShowMyData(), ann)
    assert isinstance(mine, MyDataShown)
    assert [said.text for said in mine.data.looks] == ["Maren", "Osk"]
    assert isinstance(await played.say(ForgetMe(everything=True, sure=True), ann), Accepted)
    assert len(files(tmp_path)) == 1, "the one that Bo has sent as well"
    assert [(entry.look.entity, colour_of((await look(played, "Osk")).picture)) for entry in await held(played)] == [
        ((await held(played))[0].look.entity, (255, 0, 0))
    ]
    undone = await played.say(Undo(), bo)
    assert isinstance(undone, Accepted), undone
    again = await played.say(Undo(), bo)
    assert isinstance(again, Accepted), "what was forgotten holds nothing up"
    assert await held(played) == ()


async def test_looks_go_with_the_stories_of_a_server_but_for_files_that_others_have(
    played: Game, database: Database, tmp_path: Path
) -> None:
    await done(played, EntityLook("character", "Maren", picture=picture("red")))
    await done(played, EntityLook("character", "Maren", picture=picture("blue")))
    (red, blue), home = [entry.look.file for entry in await every(played)], played.room
    played.room = replace(home, realm="club", address="hall")
    await played.play(NewStory("A mill"))
    await done(played, AddEntity("prop", "bell"))
    await done(played, EntityLook("prop", "bell", picture=picture("blue")))
    await done(played, EntityLook("prop", "bell", picture=picture("green")))
    (green,) = {*files(tmp_path)} - {red, blue}
    at = played.forge.clock.now()
    await played.store.attendance(home.platform, [home.realm], at - timedelta(days=40))
    gone = await played.store.purge(at)
    assert gone.stories == 1
    assert set(gone.looks) == {green}
    shelf = FileShelf(tmp_path / "static")
    await shelf.remove(gone.looks)
    assert files(tmp_path) == sorted([red, blue])
    async with connection(database.engine) as db:
        assert {file for file, _ in await looks.files(db)} == {red, blue}


async def every(played: Game) -> list[Held]:
    """The looks that were given so far, first given first."""
    changes: list[Change] = []
    async with played.store.resume(await played.playthrough()) as desk:
        for entry in await desk.entries(await played.playthrough(), 100):
            changes += await desk.entry_changes(entry.id)
    return [Held(change.after, 0) for change in changes if isinstance(change, LookSet) and change.after]
