"""The bot's session with a real homeserver: what comes in is heard once, in order, whatever happened meanwhile."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bot.platforms.matrix.budget import Budget
from bot.platforms.matrix.connection import Connection
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.options import Options
from storyforge_core.engine.clock import SystemClock
from storyforge_core.errors import ServiceDown
from storyforge_core.logs import configure
from storyforge_core.ports import Account, Letter
from storyforge_core.store.database import Database
from storyforge_core.store.mail import PostgresMailbox
from tests.game import until
from tests.peers.matrix_people import Human, people
from tests.peers.synapse import PASSWORD, Synapse


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
        assert self.texts == list(texts)


@dataclass
class Robot:
    """An account with what a program keeps of it."""

    options: Options
    mailbox: PostgresMailbox

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

        chosen = replace(self.options, **options)
        clock = SystemClock()
        connection = Connection(
            options=chosen, link=link, mailbox=self.mailbox, clock=clock, recipient=ear, ready=is_ready
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


@pytest.fixture
def robot(homeserver: Synapse, database: Database, tmp_path: Path) -> Robot:
    configure("warning", "text")
    session = homeserver.register("bot")
    options = Options(homeserver=homeserver.url, user=session.user, password=PASSWORD, directory=tmp_path / "matrix")
    return Robot(options, PostgresMailbox(database, SystemClock()))


@pytest.fixture
async def ann(homeserver: Synapse) -> AsyncGenerator[Human]:
    async with people(homeserver) as meet:
        yield await meet("ann")


async def invited(robot: Robot, ann: Human, *, sealed: bool = False) -> str:
    """A room that the robot has come into."""
    room = await ann.opens(robot.options.user, sealed=sealed)
    async with robot.connected():
        await ann.meets(room, robot.options.user)
    return room


async def test_what_is_said_is_heard_and_old_things_are_not(robot: Robot, ann: Human) -> None:
    room = await ann.opens(robot.options.user)
    await ann.says(room, "before anybody came")
    async with robot.connected() as ear:
        await ann.meets(room, robot.options.user)
        await ann.says(room, "hello")
        await ann.says(room, "world")
        await ear.hears("hello", "world")
        await ear.link.send(room, "m.room.message", {"msgtype": "m.text", "body": "hi"}, "tx1", "last")
        await ear.link.send(room, "m.room.message", {"msgtype": "m.text", "body": "hi"}, "tx1", "last")
        await ann.reads(room, "hi")
        await ann.says(room, "again")
        await ear.hears("hello", "world", "again")
    assert ann.texts(room).count("hi") == 1


@pytest.mark.parametrize("sealed", [False, True])
async def test_nothing_that_was_said_during_an_absence_is_missed(robot: Robot, ann: Human, *, sealed: bool) -> None:
    room = await invited(robot, ann, sealed=sealed)
    said = [f"message {number}" for number in range(1, 61)]
    for body in said:
        await ann.says(room, body)
    async with robot.connected() as ear:
        await ear.hears(*said)
    async with robot.connected() as ear:
        await ann.says(room, "now")
        await ear.hears("now")


async def test_what_was_stored_and_not_handled_is_heard_after_a_crash(robot: Robot, ann: Human) -> None:
    room = await invited(robot, ann)
    async with robot.connected(*[ServiceDown("away")] * 100):
        await ann.says(room, "one")
        await ann.says(room, "two")
        await until(lambda: robot.keeps(2))
    async with robot.connected() as ear:
        await ear.hears("one", "two")
        await until(lambda: robot.keeps(0))


async def test_a_letter_that_nobody_understands_keeps_no_other_waiting(robot: Robot, ann: Human) -> None:
    room = await invited(robot, ann)
    async with robot.connected(ZeroDivisionError("oops")) as ear:
        await ann.says(room, "one")
        await ann.says(room, "two")
        await ear.hears("two")
