"""The bot's session with a homeserver and nothing else of the program: an ear that notes what it hears."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.platforms.matrix.budget import Budget
from bot.platforms.matrix.connection import Connection
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.options import Options
from storyforge_core.engine.clock import SystemClock
from storyforge_core.logs import configure
from storyforge_core.mailbox import Account, Letter
from storyforge_core.store.database import Database
from storyforge_core.store.mail import PostgresMailbox
from tests.game import until
from tests.peers.matrix_people import Human
from tests.peers.synapse import PASSWORD, Session, Synapse


@dataclass
class Ear:
    """Joins every room it is invited to, and notes what it hears."""

    link: Link
    heard: list[Letter] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    failures: list[Exception] = field(default_factory=list)
    """For each message in turn: fail so."""

    async def receive(self, letter: Letter) -> None:
        if self.failures and letter.body["type"] == "m.room.message":
            raise self.failures.pop(0)
        if letter.id.startswith("invite "):
            await self.link.call("POST", f"/_matrix/client/v3/rooms/{letter.room}/join", {})
        self.heard.append(letter)
        self.news.set()

    @property
    def texts(self) -> list[str]:
        return [each.body["content"]["body"] for each in self.heard if each.body["type"] == "m.room.message"]

    async def hears(self, *texts: str) -> None:
        """Wait until exactly these were said, in this order."""
        async with asyncio.timeout(30):
            while len(self.texts) < len(texts):
                self.news.clear()
                await self.news.wait()
        assert self.texts == list(texts), self.texts

    async def knows(self, room: str, *, sealed: bool = False) -> None:
        """Wait until the client has heard of a room, and that it is encrypted."""

        async def known() -> bool:
            rooms = self.link.client.rooms
            return room in rooms and (rooms[room].encrypted or not sealed)

        await until(known)

    async def says(self, room: str, body: str) -> str:
        """Say something; answers its id."""
        return await self.link.send(room, "m.room.message", {"msgtype": "m.text", "body": body}, body, "last")


@dataclass
class Robot:
    """An account with what a program keeps of it."""

    account: Session
    """As it was registered, in a session that the program does not use."""
    options: Options
    mailbox: PostgresMailbox

    @property
    def files(self) -> Path:
        """Where its session is kept."""
        (directory,) = self.options.directory.iterdir()
        return directory

    async def keeps(self, letters: int) -> bool:
        """Tell whether so many letters wait."""
        return len(await self.mailbox.letters(Account("matrix", self.options.user), 0, 1000)) == letters

    @asynccontextmanager
    async def connected(self, *failures: Exception, **options: Any) -> AsyncGenerator[Ear]:
        """Be connected for a while; another time goes on where this one stopped."""
        link = Link(Budget())
        ear, ready = Ear(link, failures=list(failures)), asyncio.Event()

        async def is_ready() -> None:
            ready.set()

        connection = Connection(
            options=replace(self.options, **options),
            link=link,
            mailbox=self.mailbox,
            clock=SystemClock(),
            recipient=ear,
            ready=is_ready,
        )
        holding, waiting = asyncio.create_task(connection.hold()), asyncio.create_task(ready.wait())
        try:
            await asyncio.wait({holding, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if holding.done():
                await holding
            yield ear
            assert not holding.done(), holding.exception()
        finally:
            for task in (holding, waiting):
                task.cancel()
            await asyncio.wait({holding, waiting})


def robot(homeserver: Synapse, database: Database, place: Path) -> Robot:
    """One with a new account."""
    configure("warning", "text")
    account = homeserver.register("bot")
    options = Options(homeserver=homeserver.url, user=account.user, password=PASSWORD, directory=place / "matrix")
    return Robot(account, options, PostgresMailbox(database, SystemClock()))


async def invited(machine: Robot, human: Human, *, sealed: bool = False) -> str:
    """A room that it has come into."""
    room = await human.opens(machine.options.user, sealed=sealed)
    async with machine.connected() as ear:
        await human.meets(room, machine.options.user)
        await ear.knows(room)
        await until(lambda: machine.keeps(0))
    return room
