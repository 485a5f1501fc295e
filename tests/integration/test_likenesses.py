"""Pictures by which others are painted: of those who are seen, of nobody else, and of no other branch."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bot.illustrator import Studio
from storyforge_core.domain.bible import Sort
from storyforge_core.domain.book import AddEntity, EntityLook, KeepLook
from storyforge_core.domain.commands import Edit, GoTo, NewStory
from storyforge_core.domain.events import Noted
from storyforge_core.domain.look_replies import LookShown
from storyforge_core.domain.pictures import Commission, Painted, Progress
from storyforge_core.domain.picturing import Paint
from storyforge_core.providers.comfyui import ComfyIllustrator
from storyforge_core.providers.comfyui_graph import load_library
from storyforge_core.shipped import workflows_dir
from storyforge_core.store.database import Database
from tests.game import Game, ScriptedWriter, game
from tests.integration.test_looks import colour_of, done, files, look, picture, refused
from tests.integration.test_painting import SEEN, Easel, at_rest, shown
from tests.peers.comfyui.peer import ComfyPeer

PROSE = "Maren carried the brass key to the mill. She thought of Osk, far away at sea."
CAST: tuple[tuple[Sort, str, str], ...] = (
    ("prop", "brass key", "yellow"),
    ("place", "mill", "green"),
    ("character", "Maren", "red"),
    ("character", "Osk", "blue"),
)


class Brush(Easel):
    """Paints pictures that can be looked at."""

    async def paint(self, commission: Commission, hear: Callable[[Progress], None]) -> Painted:
        await super().paint(commission, hear)
        return Painted(picture("teal", (96, 64)), "test")

    @property
    def painted_by(self) -> list[list[str]]:
        """Whom the reference pictures of each commission show."""
        return [[reference.shows.partition(":")[0] for reference in each.references] for each in self.commissions]


def visible(*names: str) -> str:
    return json.dumps(json.loads(SEEN) | {"visible": list(names)})


@asynccontextmanager
async def cast(database: Database, tmp_path: Path, *answers: str) -> AsyncIterator[tuple[Game, Brush, ScriptedWriter]]:
    """A scene that names four, each of whom has a look; and what a model sees in it, each time."""
    eye, brush = ScriptedWriter(), Brush()
    eye.answers += answers
    async with game(database, studio=Studio(brush, eye, "request", 1), static=tmp_path / "static") as played:
        await played.play(NewStory("The sea"))
        await done(played, Edit(PROSE))
        for sort, name, colour in CAST:
            await done(played, AddEntity(sort, name, f"{name} of old"))
            await done(played, EntityLook(sort, name, picture=picture(colour)))
        yield played, brush, eye


async def paint(played: Game) -> None:
    await done(played, Paint())
    await at_rest(played)


async def test_who_is_seen_is_painted_by_their_look_people_first_and_nobody_else(
    database: Database, tmp_path: Path
) -> None:
    answers = [visible("mill", "Maren", "brass key", "Somebody"), visible("mill"), visible(), SEEN]
    async with cast(database, tmp_path, *answers) as (played, brush, eye):
        for _ in answers:
            await paint(played)
        assert brush.painted_by == [["Maren", "mill", "brass key"], ["mill"], [], []]
        assert colour_of(brush.commissions[0].references[0].data) == (255, 0, 0)
        assert brush.commissions[0].references[0].shows == "Maren: Maren of old"
        assert [event.picture.vision.seen for event in await shown(played)] == [
            ("Maren", "mill", "brass key"),
            ("mill",),
            (),
            (),
        ]
        assert '"enum": ["Maren", "Osk", "mill", "brass key"]' in json.dumps(eye.askings[0].schema)
        assert "<known>Maren; Osk; mill; brass key</known>" in eye.askings[0].messages[0].content
        await done(played, Paint(again=True))
        await at_rest(played)
        assert brush.painted_by[-1] == [], "as it was seen before"


async def test_the_look_of_a_sibling_branch_is_not_painted_by(database: Database, tmp_path: Path) -> None:
    async with cast(database, tmp_path, *[visible("Maren")] * 2) as (played, brush, _):
        await done(played, Edit(PROSE))
        await paint(played)
        await played.say(GoTo("2"))
        await paint(played)
        assert brush.painted_by == [[], ["Maren"]]


async def test_without_a_model_those_are_seen_whom_the_words_of_the_picture_name(
    database: Database, tmp_path: Path
) -> None:
    brush = Brush()
    async with game(database, studio=Studio(brush, None, "request", 1), static=tmp_path / "static") as played:
        await played.play(NewStory("The sea"))
        await done(played, Edit("Maren slept in the mill."))
        for sort, name, colour in CAST:
            await done(played, AddEntity(sort, name))
            await done(played, EntityLook(sort, name, picture=picture(colour)))
        await paint(played)
        assert brush.painted_by == [["Maren", "mill"]]


async def test_whom_the_asker_wants_to_see_is_painted_by_their_look_too(database: Database, tmp_path: Path) -> None:
    brush = Brush()
    async with game(database, studio=Studio(brush, None, "request", 1), static=tmp_path / "static") as played:
        await played.play(NewStory("The sea"))
        await done(played, AddEntity("character", "Maren", "grey braid"))
        await done(played, EntityLook("character", "Maren", picture=picture("red")))
        await paint(played)
        await done(played, Paint("Maren, seen from the waist up"))
        await at_rest(played)
        assert brush.painted_by == [[], ["Maren"]]
        assert "Maren: grey braid" in brush.commissions[1].prompt


async def test_a_look_whose_file_is_gone_is_said_and_the_picture_painted_without(
    database: Database, tmp_path: Path
) -> None:
    async with cast(database, tmp_path, visible("Maren", "mill")) as (played, brush, _):
        for file in files(tmp_path):
            if file.startswith("characters"):
                (tmp_path / "static" / file).write_bytes(b"something else")
        await paint(played)
        assert brush.painted_by == [["mill"]]
        assert len(await shown(played)) == 1
        said = [event.sentence for event in await played.events() if isinstance(event, Noted)]
        assert "The look of Maren is not on the disk any more: scene 2 was painted without it." in said[-1]


async def test_a_picture_becomes_the_look_of_the_one_who_is_seen_on_it(database: Database, tmp_path: Path) -> None:
    answers = [visible("Maren", "mill"), visible("Maren", "Osk"), visible(), visible("mill", "brass key")]
    async with cast(database, tmp_path, *answers) as (played, _, _):
        await paint(played)
        assert await done(played, KeepLook()) == (
            "Ann gives Maren the look of the picture: from scene 2 on, pictures show it."
        )
        kept = await look(played)
        assert (kept.source, colour_of(kept.picture)) == ("kept", (0, 128, 128))
        await paint(played)
        assert "That picture shows Maren, Osk. Say whose look it is" in await refused(played, KeepLook())
        assert "gives Osk" in await done(played, KeepLook("osk", "2"))
        await paint(played)
        assert "Nobody on that picture is written down" in await refused(played, KeepLook())
        await paint(played)
        assert "shows brass key, mill" in await refused(played, KeepLook())
        await done(played, KeepLook("Mill"))
        mill = await played.say(EntityLook("place", "mill"))
        assert isinstance(mill, LookShown)
        assert mill.source == "kept"


async def test_a_look_reaches_comfyui_once_under_a_name_of_its_bytes_and_stands_in_the_graph(
    database: Database, tmp_path: Path
) -> None:
    async with ComfyPeer() as peer:
        painter = ComfyIllustrator([peer.url], await asyncio.to_thread(lambda: load_library(workflows_dir())))
        eye = ScriptedWriter()
        eye.answers += [visible("Maren")] * 2
        async with game(database, studio=Studio(painter, eye, "request", 1), static=tmp_path / "static") as played:
            await played.play(NewStory("The sea"))
            await done(played, Edit(PROSE))
            await done(played, AddEntity("character", "Maren", "keeps the mill"))
            await done(played, EntityLook("character", "Maren", picture=picture("red")))
            for _ in range(2):
                await paint(played)
        graph = peer.machine.executed[-1].graph
        ((name, data),) = peer.machine.inputs.items()
        (file,) = files(tmp_path)
        assert data == (tmp_path / "static" / file).read_bytes()
        assert name.startswith("character_")
        assert graph["image1"]["inputs"]["image"] == f"storyforge/{name}"
        assert "image2" not in graph
        assert graph["prompt"]["inputs"]["text"].endswith("Reference picture 1 is Maren: keeps the mill.")
        await painter.aclose()
