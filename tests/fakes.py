"""Stand-ins with the habits of the real thing: a chat with limits, delays and failures, and what a presenter reads."""

import asyncio
import selectors
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from bot.surface import Allowance, File, Frame, Limits, MessageGone, RoomGone, SlowDown, SurfaceError
from storyforge_core.domain.events import Event, Recorded
from storyforge_core.domain.pictures import HungPicture, InHand, Kept, Mime, PictureId, Size
from storyforge_core.domain.runs import Run
from storyforge_core.domain.space import Manner, Space
from storyforge_core.domain.story import PlaythroughId, Room, RoomId, RoomKey, RunId
from storyforge_core.errors import ServiceDown
from storyforge_core.show_ports import Delivery

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time stands still while anybody works, and jumps to the next appointment when nobody does."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def hold_up(self, seconds: float) -> None:
        """Let time pass in which nothing gets to run, as on a machine that has other things to do."""
        self._jumping.now += seconds


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            msg = "everybody waits, and nobody will ever wake them"
            raise RuntimeError(msg)
        if not ready and timeout:
            self.now += timeout
        return ready


def in_virtual_time(story: Coroutine[Any, Any, T]) -> T:
    """Run to the end without waiting for a clock."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(story)


@dataclass(slots=True)
class ChatMessage:
    """A message as people see it."""

    id: str
    room: RoomKey
    frames: list[Frame]
    files: list[File] = field(default_factory=list)
    gone: bool = False

    @property
    def text(self) -> str:
        return self.frames[-1].text


class Chat:
    """A chat platform in memory: remembers every frame, refuses what is too long or too fast, fails when told to.

    Args:
        latency: seconds that a request is under way.
        window: edits allowed in `per` seconds of a fixed window that begins with its first edit; None allows all.
        tells: it says in each answer how many edits are left.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        latency: float = 0.0,
        window: int | None = None,
        per: float = 5.0,
        tells: bool = False,
    ) -> None:
        self.limits = limits
        self.messages: list[ChatMessage] = []
        self.typed: list[RoomKey] = []
        self.refused = 0
        self.failures: deque[SurfaceError] = deque()
        """What the next requests fail with, before anything is shown."""
        self.manners: dict[RoomKey, Manner] = {}
        """How rooms want to be told scenes."""
        self.sketches: list[tuple[str, str, File | None]] = []
        self.marks: dict[RoomKey, bool] = {}
        """Rooms of which it is marked whether they are for adults only."""
        self.reachable: set[str] = set()
        self.whispers: list[tuple[str, str]] = []
        self.closed: set[RoomKey] = set()
        """Rooms that threw the bot out."""
        self.lost_answers = 0
        """How many of the next posts are shown, but their answer never arrives."""
        self.when: list[tuple[float, str, str]] = []
        """Time, message and text of every frame shown."""
        self._latency = latency
        self._window = window
        self._per = per
        self._tells = tells
        self._began = float("-inf")
        self._edits = 0
        self._by_key: dict[UUID, ChatMessage] = {}
        self._busy: set[str] = set()

    name = "chat"

    @property
    def texts(self) -> list[str]:
        """What people see, from top to bottom."""
        return [message.text for message in self.messages if not message.gone]

    async def post(self, room: RoomKey, frame: Frame, key: UUID) -> str:
        await self._travel(room, frame.text)
        message = self._by_key.get(key)
        if message is None:
            message = ChatMessage(f"m{len(self.messages)}", room, [frame])
            self._by_key[key] = message
            self.messages.append(message)
            self._log(message)
        if self.lost_answers:
            self.lost_answers -= 1
            await asyncio.sleep(3600)
        await asyncio.sleep(self._latency)
        return message.id

    async def edit(self, room: RoomKey, message: str, frame: Frame) -> None:
        assert message not in self._busy, "two edits of a message at once"
        self._busy.add(message)
        try:
            await self._travel(room, frame.text)
            self._count()
            found = self._find(room, message)
            if self.limits.edits == "append":
                assert frame.text.startswith(found.text), "this platform cannot take words back"
            assert self.limits.edits != "none", "this platform cannot edit"
            found.frames.append(frame)
            self._log(found)
            await asyncio.sleep(self._latency)
        finally:
            self._busy.discard(message)

    async def attach(self, room: RoomKey, message: str, file: File) -> str:
        await self._travel(room, file.name)
        self._find(room, message).files[:] = [file]
        return message

    async def detach(self, room: RoomKey, hung: str) -> None:
        await self._travel(room, hung)
        self._find(room, hung).files.clear()

    async def sketch(self, room: RoomKey, message: str, text: str, preview: File | None = None) -> None:
        await self._travel(room, message)
        self._find(room, message)
        self.sketches.append((message, text, preview))

    async def adults(self, room: RoomKey) -> bool | None:
        return self.marks.get(room)

    async def whisper(self, room: RoomKey, user: str, text: str) -> None:  # noqa: ARG002 - people are the same anywhere
        if user not in self.reachable:
            raise SurfaceError("They take no messages.")
        self.whispers.append((user, text))

    async def typing(self, room: RoomKey) -> None:
        self.typed.append(room)

    async def manner(self, room: RoomKey) -> Manner:
        return self.manners.get(room, "live")

    def allowance(self, room: RoomKey) -> Allowance | None:
        if not self._tells or self._window is None or room in self.closed:
            return None
        now = asyncio.get_running_loop().time()
        if now >= self._began + self._per:
            return Allowance(self._window, self._per)
        return Allowance(self._window - self._edits, self._began + self._per - now)

    def moment(self, at: datetime) -> str:
        return f"{at:%H:%M}"

    def _find(self, room: RoomKey, message: str) -> ChatMessage:
        found = next(
            (each for each in self.messages if (each.room, each.id) == (room, message) and not each.gone), None
        )
        if found is None:
            raise MessageGone("That message is not there.")
        return found

    async def _travel(self, room: RoomKey, text: str) -> None:
        await asyncio.sleep(self._latency)
        if room in self.closed:
            raise RoomGone("The bot may not write here.")
        if self.failures:
            raise self.failures.popleft()
        assert text.strip(), "an empty message"
        assert self.limits.max_chars is None or len(text) <= self.limits.max_chars, "too long a message"

    def _count(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._began + self._per:
            self._began, self._edits = now, 0
        self._edits += 1
        if self._window is not None and self._edits > self._window:
            self.refused += 1
            raise SlowDown("Too many edits.", self._began + self._per - now)

    def _log(self, message: ChatMessage) -> None:
        self.when.append((asyncio.get_running_loop().time(), message.id, message.text))


class Ledger:
    """A delivery ledger in memory; it outlives a presenter as the database does."""

    def __init__(self) -> None:
        self.rows: dict[tuple[RoomId, str, int], Delivery] = {}
        self.cursors: dict[tuple[RoomId, PlaythroughId], int] = {}
        self.outages = 0
        """How many of the next writes fail."""

    async def cursor(self, room: RoomId, playthrough: PlaythroughId) -> int:
        return self.cursors.get((room, playthrough), 0)

    async def advance(self, room: RoomId, playthrough: PlaythroughId, event: int) -> None:
        self._fail()
        self.cursors[room, playthrough] = max(event, self.cursors.get((room, playthrough), 0))

    async def deliveries(self, room: RoomId, subject: str) -> tuple[Delivery, ...]:
        found = [row for (where, what, _), row in self.rows.items() if where == room and what == subject]
        return tuple(sorted(found, key=lambda row: row.part))

    async def unfinished(self, room: RoomId) -> tuple[Delivery, ...]:
        return tuple(row for (where, _, _), row in self.rows.items() if where == room and not row.final)

    async def open(self, room: RoomId, subject: str, part: int) -> Delivery:
        fresh = Delivery(uuid4(), room, subject, part, None, 0, final=False)
        return self.rows.setdefault((room, subject, part), fresh)

    async def mark(self, delivery: Delivery) -> None:
        self._fail()
        self.rows[delivery.room, delivery.subject, delivery.part] = delivery

    def _fail(self) -> None:
        if self.outages:
            self.outages -= 1
            raise ServiceDown("The story's database does not answer.")


class Events:
    """The part of a store that a presenter reads."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self.ledger = ledger or Ledger()
        self.told: list[tuple[PlaythroughId, Recorded]] = []
        self.rooms: dict[RoomKey, Room] = {}
        self.runs: dict[PlaythroughId, Run] = {}
        self.spaces: dict[str, Space] = {}
        self.painting: InHand | None = None
        """The picture that is in hand."""
        self.hosting: tuple[str, ...] = ()

    def tell(self, playthrough: PlaythroughId, *events: Event) -> None:
        for event in events:
            self.told.append((playthrough, Recorded(len(self.told) + 1, NOON, event)))

    def bind(self, key: RoomKey, playthrough: PlaythroughId | None) -> Room:
        known = self.rooms.get(key) or Room(RoomId(uuid4()), key, None)
        self.rooms[key] = replace(known, playthrough=playthrough)
        return self.rooms[key]

    async def events(self, playthrough: PlaythroughId, after: int, limit: int) -> tuple[Recorded, ...]:
        found = [each for owner, each in self.told if owner == playthrough and each.id > after]
        return tuple(found[:limit])

    async def room(self, key: RoomKey) -> Room:
        return self.rooms[key]

    async def live_run(self, playthrough: PlaythroughId) -> Run | None:
        return self.runs.get(playthrough)

    async def picture_in(self, key: RoomKey, message: str) -> HungPicture | None:
        found = [
            row
            for (room, what, _), row in self.ledger.rows.items()
            if room == self.rooms[key].id and row.message == message and what.startswith("picture:")
        ]
        return HungPicture(PictureId(UUID(found[-1].subject[8:44])), 1) if found else None

    async def in_hand(self, playthrough: PlaythroughId) -> InHand | None:  # noqa: ARG002
        return self.painting

    async def hosts(self, playthrough: PlaythroughId, platform: str) -> tuple[str, ...]:  # noqa: ARG002
        return self.hosting

    async def space(self, key: RoomKey) -> Space:
        return self.spaces.get(key.realm, Space())


class Gallery:
    """Pictures in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.previews: dict[RunId, bytes] = {}

    async def keep(self, data: bytes) -> Kept:
        kept = Kept(sha256(data).hexdigest(), "image/png", len(data), Size(96, 64))
        self.files[kept.sha256] = data
        return kept

    async def fitting(self, kept: Kept, limit: int | None) -> tuple[bytes, Mime] | None:
        data = self.files.get(kept.sha256)
        return None if data is None else (data[:limit], kept.mime)

    async def keep_preview(self, run: RunId, data: bytes) -> None:
        self.previews[run] = data

    async def preview(self, run: RunId) -> bytes | None:
        return self.previews.get(run)

    def place(self, kept: Kept) -> Path:
        return Path("pictures") / f"{kept.sha256}.png"


class Speech:
    """The words of one run, spoken by a test."""

    def __init__(self) -> None:
        self.text = ""
        self.saved = 0
        self._over = False
        self._complete = asyncio.Event()
        self._stir = asyncio.Event()

    def say(self, words: str) -> None:
        self.text += words
        self._stir.set()

    def conclude(self) -> None:
        self._complete.set()

    def end(self) -> None:
        self._over = True
        self._complete.set()
        self._stir.set()

    async def say_slowly(self, words: Sequence[str], gap: float) -> None:
        for word in words:
            self.say(word)
            await asyncio.sleep(gap)
        self.end()

    async def changed(self, beyond: int) -> bool:
        while len(self.text) <= beyond and not self._over:
            self._stir.clear()
            await self._stir.wait()
        return len(self.text) > beyond

    async def complete(self) -> None:
        await self._complete.wait()

    async def save(self, upto: int) -> None:
        self.saved = max(self.saved, upto)


class Speeches:
    """Where the words of each run are heard."""

    def __init__(self) -> None:
        self.runs: dict[RunId, Speech] = {}

    def of(self, run: RunId) -> Speech:
        return self.runs.setdefault(run, Speech())

    @asynccontextmanager
    async def live(self, run: RunId) -> AsyncIterator[Speech]:
        yield self.of(run)


def chat_limits(max_chars: int | None = 2000, **changes: Any) -> Limits:
    """Limits like Discord's."""
    return replace(Limits(max_chars=max_chars, edits="rewrite", markup="markdown"), **changes)
