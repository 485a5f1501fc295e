"""A Matrix homeserver as far as its rate limit goes, and other bots on it. All of it in memory, for virtual time.

Synapse counts all that a user sends in whatever room (`rc_message`), and holds what it refuses for half a second.
"""

import asyncio
from dataclasses import dataclass, field

from bot.platforms.matrix.budget import Bucket
from bot.platforms.matrix.places import Place
from storyforge_core.domain.story import RoomKey
from tests.bench.chat.contest import Tell
from tests.bench.chat.replicas import Replica
from tests.bench.chat.speech import Scene, Sight, Speech, read

ONE_WAY = 0.015
"""Seconds from a bot to a homeserver nearby, or back."""
HELD = 0.5


@dataclass(frozen=True, slots=True)
class LimitExceeded(Exception):
    """M_LIMIT_EXCEEDED."""

    retry_after: float


@dataclass(slots=True)
class Homeserver:
    """Takes one user's events.

    Args:
        bucket: the limit; None for a user who is exempt.
    """

    bucket: Bucket | None
    sights: dict[RoomKey, list[Sight]] = field(default_factory=dict)
    requests: dict[RoomKey, int] = field(default_factory=dict)
    refused: dict[RoomKey, int] = field(default_factory=dict)
    _level: float = 0.0
    """Events that have not leaked away."""
    _at: float = 0.0

    def rooms(self, many: int) -> list[RoomKey]:
        """Rooms where nobody has written yet."""
        return [Place(f"!{len(self.requests) + number}:example.org").key for number in range(many)]

    async def send(self, room: RoomKey, message: str | None, text: str) -> str:
        """Send an event, or an edit of one, over the network; answers its id.

        Raises:
            LimitExceeded: nothing was sent.
        """
        await asyncio.sleep(ONE_WAY)
        try:
            return await self.take(room, message, text)
        finally:
            await asyncio.sleep(ONE_WAY)

    async def take(self, room: RoomKey, message: str | None, text: str) -> str:
        """Have an event arrive, as `send`."""
        self.requests[room] = self.requests.get(room, 0) + 1
        wait = self._wait()
        if wait:
            self.refused[room] = self.refused.get(room, 0) + 1
            await asyncio.sleep(HELD)
            raise LimitExceeded(wait)
        seen = self.sights.setdefault(room, [])
        known = message or f"${room.address}{len(seen)}"
        seen.append(Sight(_now(), known, text))
        return known

    def scene(self, room: RoomKey, speech: Speech) -> Scene:
        """Follow what was shown in a room."""
        return read(speech, self.sights[room], self.requests[room], self.refused.get(room, 0))

    def _wait(self) -> float:
        if self.bucket is None:
            return 0.0
        now = _now()
        self._level = max(self._level - (now - self._at) * self.bucket.rate, 0.0)
        self._at = now
        if self._level + 1 > self.bucket.burst + 1e-9:
            return (self._level + 1 - self.bucket.burst) / self.bucket.rate
        self._level += 1
        return 0.0


@dataclass(frozen=True, slots=True)
class PatientRoom:
    """A room for a bot whose library asks again, for ever, when it was refused; nio does so unless told otherwise."""

    server: Homeserver
    room: RoomKey
    messages: list[str] = field(default_factory=list)

    async def post(self, text: str) -> int:
        """Send a message."""
        self.messages.append(await self._insist(None, text))
        return len(self.messages)

    async def edit(self, message: int, text: str) -> None:
        """Show another text in it."""
        await self._insist(self.messages[message - 1], text)

    async def fetch(self, message: int) -> None:
        """Look at it."""

    async def _insist(self, message: str | None, text: str) -> str:
        while True:
            try:
                return await self.server.send(self.room, message, text)
            except LimitExceeded as refused:
                await asyncio.sleep(refused.retry_after)


def replica(server: Homeserver, bot: Replica) -> Tell:
    """Have another bot's policy tell scenes."""

    async def tell(room: RoomKey, speech: Speech) -> Scene:
        await bot.answer(PatientRoom(server, room), speech.chunks())
        return server.scene(room, speech)

    return tell


def _now() -> float:
    return asyncio.get_running_loop().time()
