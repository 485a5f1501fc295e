"""Stories on a homeserver of our own: real store, real worker, real clients, and people who play."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.illustrator import Studio
from bot.platforms.matrix.options import Options
from bot.platforms.matrix.places import Place
from bot.platforms.matrix.service import Service
from bot.platforms.matrix.wire import API, part
from bot.presenter.presenter import Presenter
from bot.serving import Backing
from storyforge_core.domain.events import Event
from storyforge_core.domain.story import PlaythroughId, Rules, SceneId
from storyforge_core.engine.app import Doorman
from storyforge_core.logs import configure
from storyforge_core.store.database import Database
from storyforge_core.store.ledger import PostgresLedger
from storyforge_core.store.mail import PostgresMailbox
from tests.game import Game, ScriptedWriter, game
from tests.peers.matrix_people import Human, Seen, people
from tests.peers.synapse import PASSWORD, Session, Synapse

PREMISE = "A keeper finds a door"
ONE, TWO, THREE = "1\ufe0f\u20e3", "2\u20e3", "3\ufe0f\u20e3"
"""Signs as clients send them: some leave out what selects the coloured form."""


@dataclass
class Club:
    """Ann, who may invite the bot, Bo, who may not, and the program that tells them stories."""

    homeserver: Synapse
    ann: Human
    bo: Human
    bot: Session
    play: Game
    database: Database
    options: Options
    doorman: Doorman | None = None
    room: str = ""
    """Where they are."""
    running: "asyncio.Future[Service]" = field(default_factory=asyncio.Future)
    """The program, when one runs."""

    async def meets(self, **how: Any) -> str:
        """Ann opens a room for the three of them, and the bot comes."""
        self.room = await self.ann.opens(self.bot.user, self.bo.id, **how)
        await self.bo.joins(self.room)
        await self.ann.reads(self.room, "Hello! I tell branching stories")
        return self.room

    async def begins(self, premise: str = PREMISE) -> Seen:
        """Ann begins a story; answers its first question, in whose thread everything is."""
        await self.ann.says(self.room, f"!story new {premise}")
        await self.ann.reads(self.room, f"{premise} is told in this thread")
        return await self.asked()

    async def asked(self) -> Seen:
        """Wait for a question that is open; answers the newest."""
        return await self.ann.reads(self.room, "What happens next?")

    async def both_play(self) -> Seen:
        """Ann begins a story, and Bo joins it; answers its question."""
        card = await self.begins()
        await self.bo.says(self.room, "!story join", thread=card.thread)
        await self.ann.reads(self.room, "Bo joins")
        return card

    async def newest_card(self, root: str) -> Seen:
        """Wait until a thread shows all there is to see; answers the question at its end."""
        service = await asyncio.shield(self.running)
        await service._backing.presenter.settled(Place(self.room, root).key)
        path = f"{API}/rooms/{part(self.room)}/messages?dir=b&limit=1"
        newest = (await self.ann.asks("GET", path))["chunk"][0]["event_id"]
        await self.ann.until(lambda: any(event["event_id"] == newest for event in self.ann.events[self.room]))
        cards = [each for each in self.ann.messages(self.room) if each.thread == root and is_card(each)]
        return cards[-1]

    async def appears(self, kind: str) -> dict[str, Any]:
        """Wait for an event of a kind, as Ann sees it."""

        def seen() -> list[dict[str, Any]]:
            return [event for event in self.ann.events[self.room] if event["type"] == kind]

        await self.ann.until(lambda: bool(seen()))
        return seen()[-1]

    def now(self, message: Seen) -> str:
        """What a message says now, as Bo sees it."""
        return next((each.text for each in self.bo.messages(self.room) if each.id == message.id), "")

    async def shows(self, message: Seen, words: str) -> None:
        """Wait until a message says something."""
        await self.bo.until(lambda: words in self.now(message))

    def thread(self, root: str) -> list[str]:
        """What stands in a thread, as Ann sees it."""
        return [each.text for each in self.ann.messages(self.room) if each.thread == root]

    async def events(self, root: str) -> tuple[Event, ...]:
        """Everything that the story of a thread told, whether anybody saw it or not."""
        playthrough = await self.playthrough(root)
        return tuple(each.event for each in await self.play.store.events(playthrough, 0, 1000))

    async def playthrough(self, root: str) -> PlaythroughId:
        """What is played in a thread."""
        room = await self.play.store.room(Place(self.room, root).key)
        assert room.playthrough is not None
        return room.playthrough

    @asynccontextmanager
    async def program(self, **options: Any) -> AsyncGenerator[Service]:
        """The program, from start to end; another one after it knows only what is stored."""
        ledger = PostgresLedger(self.database, self.play.forge.clock)
        presenter = Presenter(self.play.store, ledger, self.play.bus, self.play.gallery)
        self.play.bus.on_events(presenter.wake)
        connected = asyncio.Event()
        backing = Backing(
            door=replace(self.play.forge, doorman=self.doorman),
            peephole=self.play.forge,
            rooms=self.play.store,
            clock=self.play.forge.clock,
            presenter=presenter,
            welcome=lambda _: connected.set(),
        )
        mailbox = PostgresMailbox(self.database, self.play.forge.clock)
        service = Service(replace(self.options, **options), mailbox, backing)
        running, waiting = asyncio.create_task(service.run()), asyncio.create_task(connected.wait())
        try:
            await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                await running
            self.running.set_result(service)
            yield service
        finally:
            self.running = asyncio.Future()
            waiting.cancel()
            running.cancel()
            await asyncio.wait({running, waiting})

    async def last_call(self, playthrough: PlaythroughId, scene: SceneId) -> None:
        """Ask the program for votes, as soon as one runs."""
        await (await asyncio.shield(self.running)).last_call(playthrough, scene)


def answer(poll: dict[str, Any], *chosen: str) -> tuple[str, dict[str, Any]]:
    """An answer to a poll."""
    kind = "org.matrix.msc3381.poll.response"
    return kind, {kind: {"answers": chosen}, "m.relates_to": {"rel_type": "m.reference", "event_id": poll["event_id"]}}


def is_card(message: Seen) -> bool:
    """Tell whether a message asks a question that is open."""
    return message.text.startswith("What happens next?") and "No longer asked" not in message.text


@asynccontextmanager
async def club(
    homeserver: Synapse,
    database: Database,
    place: Path,
    writer: ScriptedWriter | None = None,
    rules: Rules | None = None,
    studio: Studio | None = None,
) -> AsyncGenerator[Club]:
    """A club whose program is not started yet."""
    configure("warning", "text")
    clubs: list[Club] = []

    async def last_call(playthrough: PlaythroughId, scene: SceneId) -> None:
        await clubs[0].last_call(playthrough, scene)

    playing = game(database, writer, rules=rules, last_calls=(last_call,), studio=studio, static=place / "static")
    async with people(homeserver) as meet, playing as play:
        ann, bo, bot = await asyncio.gather(meet("ann"), meet("bo"), asyncio.to_thread(homeserver.register, "keeper"))
        options = Options(
            homeserver=homeserver.url,
            user=bot.user,
            password=PASSWORD,
            directory=place / "matrix",
            allowed_users=("@ann-*:localhost",),
            unlimited=True,
        )
        clubs.append(Club(homeserver, ann, bo, bot, play, database, options))
        yield clubs[0]
