"""Stories on a Discord of our own: real store, real worker, real client, and people who play."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.illustrator import Studio
from bot.platforms.discord.service import Options, Service
from bot.presenter.presenter import Presenter
from bot.serving import Backing
from storyforge_core.domain.events import Event
from storyforge_core.domain.story import PlaythroughId, RoomKey, Rules, SceneId
from storyforge_core.engine.app import Doorman
from storyforge_core.logs import configure
from storyforge_core.store.database import Database
from storyforge_core.store.ledger import PostgresLedger
from tests.game import Game, ScriptedWriter, game
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.people import Human, Seen, Server
from tests.peers.discord.state import Channel, Message

PREMISE = "A keeper finds a door"
OUR_TASKS = ("discord", "CommandTree", "present ", "tell ", "card ", "reactions ")
"""How the names begin of all that a program does on Discord."""


@dataclass
class Club:
    """A server with two friends, and the program that tells them stories."""

    peer: DiscordPeer
    play: Game
    database: Database
    memory: Path
    doorman: Doorman | None = None
    interaction_edits: bool = True
    blocked: frozenset[int] = frozenset()
    """Servers where the bot is not to be."""
    running: "asyncio.Future[Service]" = field(default_factory=asyncio.Future)
    """The program, when one runs."""
    called_last: asyncio.Event = field(default_factory=asyncio.Event)
    """A question's time is up."""
    welcomed: list[str] = field(default_factory=list)

    @property
    def server(self) -> Server:
        return self.peer.guild("Friends")

    @property
    def general(self) -> Channel:
        return self.server.text("general")

    @property
    def ann(self) -> Human:
        return self.server.member("Ann")

    @property
    def bo(self) -> Human:
        return self.server.member("Bo")

    @property
    def thread(self) -> Channel:
        """The thread of the newest story."""
        return self.general.threads[-1]

    @property
    def texts(self) -> list[str]:
        """What stands in the thread."""
        return [message.content for message in self.thread.messages]

    @property
    def card(self) -> Message:
        """The message with the open question."""
        return next(message for message in self.thread.messages if asks(message))

    @property
    def scene(self) -> Message:
        """The message of the first scene."""
        return next(message for message in self.thread.messages if "s1w1 " in message.content)

    @property
    def robot(self) -> Human:
        """Another bot."""
        return self.server.robot("Beep")

    async def until(self, it_is_so: Callable[[], bool]) -> None:
        await self.peer.until(it_is_so, 20)

    async def reads(self, text: str) -> None:
        """Wait until a text stands in the thread."""
        await self.until(lambda: any(text in each for each in self.texts))

    async def asked(self) -> Message:
        """Wait until there is a question with its reactions."""
        await self.until(lambda: any(map(asks, self.thread.messages)))
        return self.card

    async def begins(self, **options: str) -> Message:
        """Ann begins a story; answers its first question."""
        await self.told_to(**options)
        return await self.asked()

    async def types(self, human: Human, command: str, /, **options: object) -> Seen:
        """Somebody types a command in the thread; answers what they see in the end."""
        return await (await human.slash(self.thread, command, **options)).settled()

    async def told_to(self, **options: str) -> None:
        seen = await self.ann.slash(self.general, "story new", premise=PREMISE, **options)
        await seen.settled()

    async def events(self) -> tuple[Event, ...]:
        """Everything that the newest story told, whether anybody saw it or not."""
        room = await self.play.store.room(RoomKey("discord", str(self.thread.id), str(self.server.id)))
        assert room.playthrough is not None
        return tuple(each.event for each in await self.play.store.events(room.playthrough, 0, 1000))

    @asynccontextmanager
    async def program(self, guild: int | None = None) -> AsyncGenerator[Service]:
        """The program, from start to end; another one after it knows only what is stored."""
        service = self.service(guild=guild)
        running = asyncio.create_task(service.run())
        try:
            await self.peer.connected()
            self.running.set_result(service)
            yield service
        finally:
            self.running = asyncio.Future()
            running.cancel()
            await asyncio.wait({running})
            await ended(*OUR_TASKS)

    async def last_call(self, playthrough: PlaythroughId, scene: SceneId) -> None:
        """Ask the program for votes, as soon as one runs."""
        self.called_last.set()
        await (await asyncio.shield(self.running)).last_call(playthrough, scene)

    def service(self, token: str = "", guild: int | None = None) -> Service:
        """The program, not running yet."""
        presenter = Presenter(
            self.play.store, PostgresLedger(self.database, self.play.forge.clock), self.play.bus, self.play.gallery
        )
        self.play.bus.on_events(presenter.wake)
        backing = Backing(
            door=replace(self.play.forge, doorman=self.doorman),
            peephole=self.play.forge,
            rooms=self.play.store,
            clock=self.play.forge.clock,
            presenter=presenter,
            welcome=self.welcomed.append,
        )
        return Service(self.options(token, guild), backing)

    def options(self, token: str = "", guild: int | None = None) -> Options:
        """What the program's owner would have set."""
        return Options(
            token=token or self.peer.token,
            api_base=self.peer.api_base,
            gateway_url=self.peer.gateway_url,
            memory=self.memory,
            guild=guild,
            blocked=self.blocked,
            interaction_edits=self.interaction_edits,
        )


async def ended(*kinds: str) -> None:
    """End what was still being done for people, as the end of a whole program does."""
    left = {task for task in asyncio.all_tasks() if task.get_name().startswith(kinds)}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left)


def asks(message: Message) -> bool:
    """Tell whether choices can be pressed under a message."""
    return any(button.get("custom_id", "").startswith("sf:vote:") for button in message.buttons)


@asynccontextmanager
async def club(
    database: Database,
    place: Path,
    writer: ScriptedWriter | None = None,
    rules: Rules | None = None,
    studio: Studio | None = None,
) -> AsyncGenerator[Club]:
    """A club whose program is not started yet; in the end everything that was asked of Discord was in order."""
    configure("warning", "text")
    clubs: list[Club] = []

    async def last_call(playthrough: PlaythroughId, scene: SceneId) -> None:
        await clubs[0].last_call(playthrough, scene)

    playing = game(database, writer, rules=rules, last_calls=(last_call,), studio=studio, static=place / "static")
    async with DiscordPeer(window=1.0) as peer, playing as play:
        members = Club(peer, play, database, place / "commands")
        clubs.append(members)
        _ = members.general, members.ann, members.bo
        yield members
        assert not peer.violations, "\n".join(peer.violations)
