"""A room of a real homeserver with the bot's surface and one person in it, and nothing else of the program."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import uuid4

from bot.platforms.matrix import paper
from bot.platforms.matrix.budget import STOCK, Budget, Tally
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.places import Place
from bot.platforms.matrix.surface import MatrixSurface
from bot.platforms.matrix.wire import API
from bot.platforms.matrix.withdrawals import Withdrawals
from bot.surface import Frame
from storyforge_core.domain.story import Choice, RoomKey
from tests.fakes import NOON
from tests.peers.matrix_people import PATIENCE, Event, Human, Seen, people
from tests.peers.synapse import Synapse


@dataclass
class Asked:
    """The questions that were shown."""

    cards: dict[str, tuple[Choice, ...]] = field(default_factory=dict)

    def shown(self, _: RoomKey, message: str, choices: tuple[Choice, ...]) -> None:
        self.cards[message] = choices


@dataclass
class MatrixRoom:
    """What is in it."""

    id: str
    key: RoomKey
    ann: Human
    bot: Human
    link: Link
    budget: Budget
    surface: MatrixSurface
    withdrawals: Withdrawals

    @property
    def root(self) -> str:
        """What the bot's thread hangs on."""
        return Place.of(self.key).thread

    @property
    def sealed(self) -> bool:
        """Whether it is encrypted."""
        return self.link.encrypted(self.id)

    @property
    def events(self) -> list[Event]:
        """All messages and edits that the bot has sent, as the person got them."""
        mine = [event for event in self.ann.events[self.id] if event["sender"] == self.bot.id]
        return [event for event in mine if event["type"] == paper.MESSAGE]

    async def post(self, text: str, *, live: bool = False) -> str:
        """Have the bot say something."""
        return await self.surface.post(self.key, Frame(text, live=live), uuid4())

    async def edit(self, message: str, text: str, *, live: bool = False) -> None:
        """Have the bot say something else there."""
        await self.surface.edit(self.key, message, Frame(text, live=live))

    async def read(self, message: str, words: str) -> Seen:
        """Wait until the person sees words in a message."""
        await self.ann.until(lambda: any(seen.id == message and words in seen.text for seen in self._seen))
        return next(seen for seen in self._seen if seen.id == message)

    async def seen(self) -> str:
        """All that the person reads there, when everything has come that was sent, but for how the story began."""
        newest = await self.ann.asks("GET", f"{API}/rooms/{self.id}/messages?dir=b&limit=1")
        await self.ann.until(
            lambda: any(event["event_id"] == newest["chunk"][0]["event_id"] for event in self.ann.events[self.id])
        )
        return "\n".join(seen.text for seen in self._seen if seen.sender == self.bot.id)

    @property
    def _seen(self) -> list[Seen]:
        return self.ann.messages(self.id)

    async def forgets(self, words: str) -> None:
        """Wait until nobody can read words anywhere in the room's history; Synapse takes edits back in its own time."""
        async with asyncio.timeout(PATIENCE):
            while words in await self.history():  # noqa: ASYNC110 - the homeserver tells nobody
                await asyncio.sleep(0.05)

    async def history(self) -> str:
        """All that anybody can read in the room's history, drafts among it."""
        page = await self.ann.asks("GET", f"{API}/rooms/{self.id}/messages?dir=b&limit=500")
        return str([event["content"] for event in page["chunk"]])


def rested() -> Tally:
    """What is known by a bot that has said nothing for a while."""
    return replace(Tally.at_start(asyncio.get_running_loop().time()), events=STOCK.burst)


@asynccontextmanager
async def matrix_room(
    homeserver: Synapse, *, sealed: bool = False, thread: bool = False, limited: bool = False
) -> AsyncGenerator[MatrixRoom]:
    """Open one.

    Args:
        homeserver: where.
        sealed: the room is encrypted.
        thread: what the bot says is in a thread.
        limited: the bot has not learned that the homeserver limits nobody; it has said nothing for a while.
    """
    async with people(homeserver) as meet:
        ann, bot = await asyncio.gather(meet("ann"), meet("forge"))
        room = await ann.opens(bot.id, sealed=sealed)
        await bot.joins(room)
        budget = Budget(rested() if limited else rested().unlimited())
        link = Link(budget)
        link.connect(bot.client)
        root = await ann.says(room, "A story begins here.") if thread else ""
        withdrawals = Withdrawals(link)
        surface = MatrixSurface(link, budget, Asked(), withdrawals, lambda: NOON)
        yield MatrixRoom(room, Place(room, root).key, ann, bot, link, budget, surface, withdrawals)
        withdrawals.close()
