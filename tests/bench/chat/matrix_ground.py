"""A Matrix homeserver as far as its rate limit goes, and bots on it. Everything is in memory, for virtual time.

Synapse counts all that a user sends in whatever room (`rc_message`), and holds what it refuses for half a second.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from bot.presenter import pacer
from bot.surface import Allowance, Bucket, File, Frame, Limits, Pace, SlowDown
from storyforge_core.domain.story import RoomKey
from tests.bench.chat.contest import Tell
from tests.bench.chat.ours import Ours
from tests.bench.chat.replicas import EVENT, Replica
from tests.bench.chat.speech import Scene, Sight, Speech, faithful, read

PLATFORM = "matrix"
ONE_WAY = 0.015
"""Seconds from a bot to a homeserver nearby, or back."""
HELD = 0.5
STOCK = Bucket(rate=0.2, burst=10, kept=4)
"""What a homeserver allows whose owner has set nothing; kept are the last frame, the card and two reactions."""
KEPT_FROM_CARDS = 2
"""Events that growing scenes leave for last frames and cards."""
GAP = 0.5
MOST = 60


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
        return [RoomKey(PLATFORM, f"!{len(self.requests) + number}:example.org") for number in range(many)]

    async def send(self, room: RoomKey, message: str | None, text: str) -> str:
        """Send an event, or an edit of one; answers its id.

        Raises:
            LimitExceeded: nothing was sent.
        """
        await asyncio.sleep(ONE_WAY)
        self.requests[room] = self.requests.get(room, 0) + 1
        wait = self._wait()
        if wait:
            self.refused[room] = self.refused.get(room, 0) + 1
            await asyncio.sleep(HELD + ONE_WAY)
            raise LimitExceeded(wait)
        seen = self.sights.setdefault(room, [])
        known = message or f"${room.address}{len(seen)}"
        seen.append(Sight(_now(), known, text))
        await asyncio.sleep(ONE_WAY)
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


class ModelSurface:
    """Matrix as the presenter sees it."""

    name = PLATFORM

    def __init__(self, server: Homeserver) -> None:
        pace = Pace(burst=MOST, per=1.0, min_gap=GAP, first_gap=GAP, most_edits=MOST, bucket=server.bucket)
        self.limits = Limits(max_chars=EVENT, edits="rewrite", markup="markdown", pace=pace, max_choices=5)
        self._server = server
        self._level = pacer.full(server.bucket, _now()) if server.bucket else None

    async def post(self, room: RoomKey, frame: Frame, _key: UUID) -> str:
        """Send a message."""
        return await self._send(room, None, frame)

    async def edit(self, room: RoomKey, message: str, frame: Frame) -> None:
        """Show another frame in it."""
        await self._send(room, message, frame)

    async def attach(self, room: RoomKey, message: str, file: File) -> str:
        """There are no pictures in this contest."""
        raise AssertionError(f"{file.name} for {message} in {room}")

    async def detach(self, room: RoomKey, hung: str) -> None:
        """There are none to take away."""
        raise AssertionError(f"{hung} in {room}")

    async def typing(self, room: RoomKey) -> None:
        """Typing costs nothing."""

    def allowance(self, _: RoomKey) -> Allowance | None:
        """What is left of the budget of all rooms."""
        bucket = self._server.bucket
        return pacer.in_bucket(self._level, bucket, _now()) if self._level and bucket else None

    def moment(self, at: datetime) -> str:
        """Say a time."""
        return f"{at:%H:%M}"

    async def _send(self, room: RoomKey, message: str | None, frame: Frame) -> str:
        self._take(KEPT_FROM_CARDS if frame.live else 0)
        try:
            return await self._server.send(room, message, frame.text)
        except LimitExceeded as refused:
            raise SlowDown("Too many events.", refused.retry_after) from None

    def _take(self, kept: int) -> None:
        """Count an event, or refuse it before the homeserver does."""
        bucket = self._server.bucket
        if not bucket or not self._level:
            return
        left = pacer.in_bucket(self._level, bucket, _now())
        if left.remaining <= kept:
            raise SlowDown("The homeserver takes no more just now.", left.reset_in)
        self._level = pacer.sent(self._level, bucket, _now())


def replica(server: Homeserver, bot: Replica) -> Tell:
    """Have another bot's policy tell scenes."""

    async def tell(room: RoomKey, speech: Speech) -> Scene:
        await bot.answer(PatientRoom(server, room), speech.chunks())
        return server.scene(room, speech)

    return tell


@asynccontextmanager
async def product(server: Homeserver) -> AsyncGenerator[Tell]:
    """Have the product tell scenes; what it shows is held to be faithful, too."""
    ours = Ours(ModelSurface(server))

    async def tell(room: RoomKey, speech: Speech) -> Scene:
        await ours.tell(room, speech)
        faithful(speech, server.sights[room])
        return server.scene(room, speech)

    yield tell
    await ours.aclose()


def _now() -> float:
    return asyncio.get_running_loop().time()
