"""Looks from where people are: a picture they send becomes a file, a reference on the picture server, and is shown."""

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import discord
import nio
import pytest
from aiohttp import web
from discord.http import Route
from yarl import URL

from bot.illustrator import Studio
from bot.platforms.discord.pictures import fetched, kept_by_discord
from bot.platforms.discord.troubles import NotHere
from storyforge_core.domain.looks import MOST_LOOK_BYTES
from storyforge_core.providers.comfyui import ComfyIllustrator
from storyforge_core.providers.comfyui_graph import load_library
from storyforge_core.shipped import workflows_dir
from storyforge_core.store.database import Database
from tests.discordia import club as discord_club
from tests.game import ScriptedWriter
from tests.integration.test_likenesses import visible
from tests.integration.test_looks import colour_of, files, picture
from tests.integration.test_terminal import program
from tests.matrixia import Club
from tests.matrixia import club as matrix_club
from tests.peers.comfyui.peer import ComfyPeer
from tests.peers.synapse import Synapse

WORDS = "Maren waits by the door."


@dataclass
class Atelier:
    """A picture server, and who has it paint."""

    peer: ComfyPeer
    studio: Studio

    async def painted_by(self, tmp_path: Path) -> None:
        """Wait for a picture; see that it was painted by the one look there is."""
        async with asyncio.timeout(20):
            while not self.peer.machine.executed:  # noqa: ASYNC110 - the peer sets no event of ours
                await asyncio.sleep(0.02)
        ((name, data),) = self.peer.machine.inputs.items()
        (file,) = files(tmp_path)
        assert data == await asyncio.to_thread((tmp_path / "static" / file).read_bytes)
        assert colour_of(data) == (255, 0, 0)
        assert self.peer.machine.executed[0].graph["image1"]["inputs"]["image"] == f"storyforge/{name}"


@pytest.fixture
async def atelier() -> AsyncIterator[Atelier]:
    async with ComfyPeer() as peer:
        painter = ComfyIllustrator([peer.url], await asyncio.to_thread(lambda: load_library(workflows_dir())))
        eye = ScriptedWriter()
        eye.answers += [visible("Maren")]
        yield Atelier(peer, Studio(painter, eye, "request", 1))
        await painter.aclose()


async def test_a_picture_sent_on_discord_is_painted_by(database: Database, tmp_path: Path, atelier: Atelier) -> None:
    async with discord_club(database, tmp_path, studio=atelier.studio) as friends, friends.program():
        await friends.begins()
        ann = friends.ann
        await friends.types(ann, "story take", mode="edit", text=WORDS)
        await friends.types(ann, "storybook character add", name="Maren")
        file = ann.file("maren.webp", picture("red", fmt="WEBP", lossless=True))
        given = await friends.types(friends.bo, "storybook character look", name="Maren", file=file)
        assert given.text == "Bo gives Maren a look: from scene 2 on, pictures show it."
        await friends.reads("Bo gives Maren a look")
        shown = await friends.types(ann, "storybook character look", name="Maren")
        assert shown.private
        assert "Maren** looks like this from scene 2 on: a picture that was sent." in shown.text
        assert shown.message
        (hangs,) = shown.message.attachments
        assert (hangs.name, colour_of(hangs.data)) == ("look-from-scene-2.png", (255, 0, 0))
        assert hangs.description == "Maren, as pictures of the story show them from scene 2 on"
        assert await ann.autocomplete(friends.thread, "storybook look forget", "name", "ma") == [
            {"name": "Maren · 2", "value": "Maren"}
        ]
        await friends.types(ann, "story paint")
        await atelier.painted_by(tmp_path)


async def test_what_is_no_picture_is_answered_with_a_sentence_on_discord(database: Database, tmp_path: Path) -> None:
    async with discord_club(database, tmp_path) as friends, friends.program():
        await friends.begins()
        ann, lost = friends.ann, friends.ann.file("lost.png", picture("red"))
        del friends.peer.world.uploads[lost.id]
        await friends.types(ann, "storybook character add", name="Maren")
        for file, sentence in (
            (ann.file("maren.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "PNG, JPEG and WebP are"),
            (ann.file("maren.png", b"<!doctype html><script>"), "PNG, JPEG and WebP are"),
            (ann.file("huge.png", b" " * (MOST_LOOK_BYTES + 1)), "20,000,000 are the most"),
            (lost, "Discord does not give me that picture"),
        ):
            seen = await friends.types(ann, "storybook character look", name="Maren", file=file)
            assert sentence in seen.text
        assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://cdn.discordapp.com/attachments/1/2/a.png?ex=1", True),
        ("https://media.discordapp.net/attachments/1/2/a.png", True),
        ("http://cdn.discordapp.com/attachments/1/2/a.png", False),
        ("https://cdn.discordapp.com:8443/a.png", False),
        ("https://user@cdn.discordapp.com/a.png", False),
        ("https://cdn.discordapp.com.evil.example/a.png", False),
        ("https://evil.example/cdn.discordapp.com/a.png", False),
        ("https://discord.com/a.png", False),
        ("http://169.254.169.254/latest/meta-data", False),
        ("file:///etc/passwd", False),
        ("/etc/passwd", False),
        ("", False),
    ],
)
def test_pictures_are_fetched_from_where_discord_keeps_them_only(
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    kept: bool,  # noqa: FBT001 - what is expected
) -> None:
    monkeypatch.setattr(Route, "BASE", "https://discord.com/api/v10")
    assert kept_by_discord(URL(address)) is kept


@asynccontextmanager
async def at_home(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[web.Request], web.Response]
) -> AsyncGenerator[Callable[[int], discord.Attachment]]:
    """A server in Discord's place that answers in its own way; makes attachments that lie there."""

    async def answered(request: web.Request) -> web.Response:
        return answer(request)

    app = web.Application()
    app.router.add_get("/{name}", answered)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    home = f"http://127.0.0.1:{runner.addresses[0][1]}"
    monkeypatch.setattr(Route, "BASE", f"{home}/api")

    def attachment(size: int) -> discord.Attachment:
        return cast("discord.Attachment", SimpleNamespace(size=size, url=f"{home}/a.png"))

    try:
        yield attachment
    finally:
        await runner.cleanup()


async def test_no_redirection_is_followed_and_no_size_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def elsewhere(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "/secret"})

    async with at_home(monkeypatch, elsewhere) as attachment:
        with pytest.raises(NotHere, match="does not give me that picture"):
            await fetched(attachment(10))
    assert asked == ["/a.png"]
    async with at_home(monkeypatch, lambda _: web.Response(body=b" " * (MOST_LOOK_BYTES + 10))) as attachment:
        with pytest.raises(NotHere, match="too large"):
            await fetched(attachment(10))


async def sends_picture(friends: Club, data: bytes, **content: Any) -> str:
    """Ann sends a picture as her client does, encrypted where the room is."""
    sealed = bool(friends.ann.client.rooms[friends.room].encrypted)
    sent, keys = await friends.ann.client.upload(
        io.BytesIO(data), "image/png", "maren.png", encrypt=sealed, filesize=len(data)
    )
    assert isinstance(sent, nio.UploadResponse), sent
    where = {"file": {**keys, "url": sent.content_uri}} if keys else {"url": sent.content_uri}
    return await friends.ann.sends(
        friends.room, "m.room.message", {"msgtype": "m.image", "body": "maren.png", **where, **content}
    )


@pytest.mark.parametrize("sealed", [False, True], ids=["in clear", "encrypted"])
async def test_a_picture_sent_on_matrix_is_painted_by(
    homeserver: Synapse, database: Database, tmp_path: Path, atelier: Atelier, *, sealed: bool
) -> None:
    async with matrix_club(homeserver, database, tmp_path, studio=atelier.studio) as friends, friends.program():
        ann, room = friends.ann, await friends.meets(sealed=sealed)
        card = await friends.begins()
        within = {"rel_type": "m.thread", "event_id": card.thread}
        await ann.says(room, f"!story take edit {WORDS}", thread=card.thread)
        await ann.says(room, "!story character add Maren", thread=card.thread)
        if sealed:
            await sends_picture(
                friends,
                picture("red"),
                body="!story character look Maren",
                filename="maren.png",
                **{"m.relates_to": within},
            )
        else:
            sent = await sends_picture(friends, picture("red"), **{"m.relates_to": within})
            reply: Any = {**within, "is_falling_back": False, "m.in_reply_to": {"event_id": sent}}
            await ann.says(room, "!story character look Maren", **{"m.relates_to": reply})
        await ann.reads(room, "Ann gives Maren a look: from scene 2 on, pictures show it.")
        await ann.says(room, "!story place look x file=/etc/passwd", thread=card.thread)
        await ann.reads(room, "There is no place called")
        await ann.says(room, "!story character look Maren", thread=card.thread)
        await ann.reads(room, "looks like this from scene 2 on: a picture that was sent.")
        shown = await ann.reads(room, "Maren, as pictures of the story show them from scene 2 on")
        assert colour_of(await ann.downloads(shown.content)) == (255, 0, 0)
        await ann.says(room, "!story paint", thread=card.thread)
        await atelier.painted_by(tmp_path)


async def test_what_cannot_be_had_on_matrix_is_said_and_holds_nobody_up(
    homeserver: Synapse, database: Database, tmp_path: Path
) -> None:
    async with matrix_club(homeserver, database, tmp_path) as friends, friends.program():
        ann, room = friends.ann, await friends.meets()
        await friends.begins()
        await ann.says(room, "!story character add Maren")
        told = {"msgtype": "m.image", "body": "!story character look Maren", "filename": "a.png"}
        for address in ("mxc://localhost/nowhere", "https://evil.example/a.png", "mxc://localhost/../../x", ""):
            await ann.sends(room, "m.room.message", {**told, "url": address})
        await ann.until(lambda: sum("does not give me that picture" in each for each in ann.texts(room)) == 4)
        await sends_picture(friends, b"<svg onload='x()'/>", body=told["body"], filename="a.svg")
        await ann.reads(room, "That is no picture: PNG, JPEG and WebP are.")
        assert files(tmp_path) == []


async def test_the_owner_of_a_terminal_names_a_file_and_is_told_where_it_is_kept(
    database: Database, tmp_path: Path
) -> None:
    mine = tmp_path / "my maren.jpg"
    mine.write_bytes(picture("red", fmt="JPEG"))
    (tmp_path / "empty.png").touch()
    lines = (
        "/story new The sea",
        "/story character add Maren",
        f'/story character look Maren file="{mine}"',
        "/story character look Maren",
        "/story look list",
        "/story character look Maren file=/dev/zero",
        f"/story character look Maren file={tmp_path}/nothing.png",
        f"/story character look Maren file={tmp_path}/empty.png",
    )
    async with program(database, tmp_path) as terminal:
        screen = " ".join((await terminal.plays(*lines)).split())
        (file,) = files(tmp_path)
        for words in (
            "Ann gives Maren a look: from scene 1 on, pictures show it.",
            f"Maren looks like this from scene 1 on: a picture that was sent. {tmp_path}/static/{file}",
            "Looks Maren: from scene 1 on See one:",
            "/dev/zero is no file.",
            "nothing.png cannot be read (No such file or directory). Give the whole path.",
            "empty.png is empty.",
        ):
            assert words in screen
        *_, listed, shown = (
            line
            for line in await terminal.plays_json("/story look list", "/story character look Maren")
            if line["type"] == "reply"
        )
        assert listed["lines"] == [{"name": "Maren", "scene": 1, "there": True}]
        assert (shown["kind"], shown["picture"], shown["place"]) == ("look_shown", True, f"{tmp_path}/static/{file}")
