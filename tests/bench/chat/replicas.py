"""How other bots show a growing text on Discord, rewritten by us from reading them. Nothing of theirs is run here.

Each is one bot: what its channels share is an attribute. Edits are awaited where theirs are.
"""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from io import StringIO
from types import MappingProxyType
from typing import Protocol

PLAIN = 2000
"""Characters of a message."""
EMBED = 4094
"""Characters of an embed's description, without the sign behind a growing one."""


class Channel(Protocol):
    """Where a bot writes."""

    async def post(self, text: str) -> int:
        """Send a message; answers its id."""

    async def edit(self, message: int, text: str) -> None:
        """Show another text in it."""

    async def fetch(self, message: int) -> None:
        """Look at it."""


class Replica(Protocol):
    """One bot."""

    async def answer(self, channel: Channel, chunks: AsyncIterator[str]) -> None:
        """Show what the model says."""


def _now() -> float:
    return asyncio.get_running_loop().time()


class Llmcord:
    """jakobdylanc/llmcord d0aa8d2, `llmcord.py`: a second between edits of all channels together, one chunk behind."""

    gap = 1.0

    def __init__(self) -> None:
        self._last = float("-inf")

    async def answer(self, channel: Channel, chunks: AsyncIterator[str]) -> None:
        """Show what the model says in embeds."""
        parts: list[str] = []
        messages: list[int] = []
        held = ""
        async for chunk in chunks:
            new, held = held, chunk
            if not parts and not new:
                continue
            if opens := not parts or len(parts[-1] + new) > EMBED:
                parts.append("")
            parts[-1] += new
            splits = len(parts[-1] + held) > EMBED
            if opens or splits or _now() - self._last >= self.gap:
                await self._show(channel, parts, messages, opens=opens)
        parts[-1] += held
        await self._show(channel, parts, messages, opens=False)

    async def _show(self, channel: Channel, parts: list[str], messages: list[int], *, opens: bool) -> None:
        if opens:
            messages.append(await channel.post(parts[-1]))
        else:
            await asyncio.sleep(self.gap - (_now() - self._last))
            await channel.edit(messages[-1], parts[-1])
        self._last = _now()


class Discollama:
    """mxyng/discollama 6502c0f, `discollama.py`: whatever came within a second, and an edit to take the dots away."""

    gap = 1.0
    dots = "..."

    async def answer(self, channel: Channel, chunks: AsyncIterator[str]) -> None:
        """Show what the model says."""
        pages = _Pages(channel, PLAIN - len(self.dots))
        began = _now()
        text = ""
        async for chunk in chunks:
            text += chunk
            if _now() - began > self.gap:
                await pages.add(text, self.dots)
                text, began = "", _now()
        await pages.add(text)


class OldDiscollama:
    """mxyng/discollama 0aa3665, `discollama.py`: an edit for every 32 characters, awaited."""

    buffered = 32

    async def answer(self, channel: Channel, chunks: AsyncIterator[str]) -> None:
        """Show what the model says."""
        pages = _Pages(channel, PLAIN)
        text = ""
        async for chunk in chunks:
            text += chunk
            if len(text) >= self.buffered:
                await pages.add(text)
                text = ""
        await pages.add(text)


@dataclass(slots=True)
class _Pages:
    """Messages that are filled one after the other."""

    channel: Channel
    room: int
    message: int | None = None
    text: str = ""

    async def add(self, text: str, sign: str = "") -> None:
        if self.message is None or len(self.text + text) > self.room:
            self.text = text
            self.message = await self.channel.post(text + sign)
        else:
            self.text += text
            await self.channel.edit(self.message, self.text + sign)


class Openclaw:
    """openclaw 0531a6c, `draft-stream-loop.ts`, `discord/draft-stream.ts`: the newest text every 1.2 s, up to a page.

    On Matrix 004050e, `matrix/draft-stream.ts`: every second, up to the size of an event.
    """

    def __init__(self, gap: float = 1.2, room: int = PLAIN) -> None:
        self._gap = gap
        self._room = room

    async def answer(self, channel: Channel, chunks: AsyncIterator[str]) -> None:
        """Show what the model says; what does not fit is sent when it is complete."""
        draft = _Draft(channel, self._gap, self._room)
        async for chunk in chunks:
            draft.update(draft.text + chunk)
        await draft.stop()
        await channel.edit(draft.message, draft.text[: self._room])
        for start in range(self._room, len(draft.text), self._room):
            await channel.post(draft.text[start : start + self._room])


class _Draft:
    """A message that grows beside the model, one request at a time."""

    def __init__(self, channel: Channel, gap: float, room: int) -> None:
        self.text = ""
        self.message = 0
        self._room = room
        self._channel = channel
        self._gap = gap
        self._newest = ""
        self._stir = asyncio.Event()
        self._free = asyncio.Lock()
        self._task = asyncio.create_task(self._loop())

    def update(self, text: str) -> None:
        self.text = text
        if len(text) <= self._room:
            self._newest = text
            self._stir.set()

    async def stop(self) -> None:
        """Wait for the request under way, and send nothing after it."""
        async with self._free:
            self._task.cancel()

    async def _loop(self) -> None:
        while True:
            await self._stir.wait()
            async with self._free:
                self._stir.clear()
                await self._send(self._newest)
            await asyncio.sleep(self._gap)

    async def _send(self, text: str) -> None:
        if self.message:
            await self._channel.edit(self.message, text)
        else:
            self.message = await self._channel.post(text)


@dataclass(slots=True)
class _Reply:
    """What nanobot knows of an answer that grows."""

    channel: Channel
    over: asyncio.Event = field(default_factory=asyncio.Event)
    text: str = ""
    message: int = 0
    edited: float = float("-inf")


class Nanobot:
    """HKUDS/nanobot 00839d6, `channels/discord.py`, `manager.py`: 0.8 s, one dispatcher that awaits every request.

    On Matrix, `channels/matrix.py`: two seconds.
    """

    def __init__(self, gap: float = 0.8, room: int = PLAIN) -> None:
        self._gap = gap
        self._room = room
        self._out: deque[tuple[_Reply, str | None]] = deque()
        self._stir = asyncio.Event()
        self._open = 0
        self._task: asyncio.Task[None] | None = None

    async def answer(self, channel: Channel, chunks: AsyncIterator[str]) -> None:
        """Hand what the model says to the dispatcher."""
        self._open += 1
        self._task = self._task or asyncio.create_task(self._dispatch())
        reply = _Reply(channel)
        async for chunk in chunks:
            self._say(reply, chunk)
        self._say(reply, None)
        await reply.over.wait()
        self._open -= 1
        if not self._open:
            self._task.cancel()
            self._task = None

    def _say(self, reply: _Reply, chunk: str | None) -> None:
        self._out.append((reply, chunk))
        self._stir.set()

    async def _dispatch(self) -> None:
        while True:
            await self._stir.wait()
            self._stir.clear()
            while self._out:
                reply, chunk = self._out.popleft()
                await (self._finalize(reply) if chunk is None else self._delta(reply, chunk + self._more(reply)))

    def _more(self, reply: _Reply) -> str:
        """Take what waits for the same reply."""
        more = "".join(chunk for each, chunk in self._out if each is reply and chunk)
        self._out = deque(waiting for waiting in self._out if waiting[0] is not reply or waiting[1] is None)
        return more

    async def _delta(self, reply: _Reply, chunk: str) -> None:
        reply.text += chunk
        now = _now()
        if not reply.message:
            reply.edited = now
            reply.message = await reply.channel.post(reply.text)
        elif now - reply.edited >= self._gap:
            reply.edited = now
            await reply.channel.edit(reply.message, reply.text[: self._room])

    async def _finalize(self, reply: _Reply) -> None:
        await reply.channel.edit(reply.message, reply.text[: self._room])
        for start in range(self._room, len(reply.text), self._room):
            await reply.channel.post(reply.text[start : start + self._room])
        reply.over.set()


class Hermes:
    """NousResearch/hermes-agent 00bd2c4, `stream_consumer.py`, 0067253 `discord.py`: fetch and edit every 50 ms."""

    look = 0.05
    enough = 24
    room = PLAIN - 2

    async def answer(self, channel: Channel, chunks: AsyncIterator[str]) -> None:
        """Show what the model says; past 24 characters every look is an edit."""
        over = asyncio.Event()
        heard = StringIO()
        listening = asyncio.create_task(self._listen(chunks, heard, over))
        message, start, shown = 0, 0, ""
        while True:
            ended, text = over.is_set(), heard.getvalue()
            while len(text) - start > self.room:
                message = await self._show(channel, message, text[start : start + self.room])
                message, start, shown = 0, start + self.room, ""
            part = text[start:]
            if part != shown and (ended or len(text) >= self.enough):
                message = await self._show(channel, message, part if ended else f"{part} ▉")
                shown = part
            if ended:
                break
            await asyncio.sleep(self.look)
        await listening

    async def _listen(self, chunks: AsyncIterator[str], heard: StringIO, over: asyncio.Event) -> None:
        async for chunk in chunks:
            heard.write(chunk)
        over.set()

    async def _show(self, channel: Channel, message: int, text: str) -> int:
        if not message:
            return await channel.post(text)
        await channel.fetch(message)
        await channel.edit(message, text)
        return message


class DiscordOllama:
    """kevinthedang/discord-ollama 32137da, `messageNormal.ts`: an edit for each token, not awaited.

    discord.js sends them one after the other, none is left out.
    """

    async def answer(self, channel: Channel, chunks: AsyncIterator[str]) -> None:
        """Show what the model says; a full message is followed by another."""
        queue: asyncio.Queue[tuple[int, str] | None] = asyncio.Queue()
        sending = asyncio.create_task(self._send(channel, queue))
        text, message = "", 0
        async for chunk in chunks:
            if message and len(text + chunk) <= PLAIN:
                text += chunk
                queue.put_nowait((message, text))
            else:
                text = chunk
                message = await channel.post(text)
        queue.put_nowait(None)
        await sending

    async def _send(self, channel: Channel, queue: asyncio.Queue[tuple[int, str] | None]) -> None:
        while (edit := await queue.get()) is not None:
            await channel.edit(*edit)


class AdDiscordbot:
    """altoiddealer/ad_discordbot ae79b77, `bot.py`, as it comes: everything when it is complete.

    etkecc/baibot f7c88fe does the same on Matrix.
    """

    def __init__(self, room: int = PLAIN) -> None:
        self._room = room

    async def answer(self, channel: Channel, chunks: AsyncIterator[str]) -> None:
        """Send what the model has said."""
        text = "".join([chunk async for chunk in chunks])
        for start in range(0, len(text), self._room):
            await channel.post(text[start : start + self._room])


class StreamingAdDiscordbot:
    """The same with streaming switched on: at a full stop, every second time, a new message; awaited."""

    chance = 0.5

    def __init__(self) -> None:
        self._dice = random.Random(1)

    async def answer(self, channel: Channel, chunks: AsyncIterator[str]) -> None:
        """Send sentences."""
        text = ""
        async for chunk in chunks:
            text += chunk
            if "." in chunk and self._dice.random() < self.chance:
                await channel.post(text)
                text = ""
        if text:
            await channel.post(text)


class Mindroom:
    """mindroom 00266d0, `streaming.py`: every 0.5 s at first and 5 s after 15, or after 48 characters and then 240."""

    ramp = 15.0
    gaps = (0.5, 5.0)
    characters = (48, 240)
    shortest = 0.35

    async def answer(self, channel: Channel, chunks: AsyncIterator[str]) -> None:
        """Show what the model says; each edit is awaited."""
        began = edited = _now()
        text, message, shown = "", 0, 0
        async for chunk in chunks:
            text += chunk
            way = min((_now() - began) / self.ramp, 1.0)
            gap, many = (low + (high - low) * way for low, high in (self.gaps, self.characters))
            waited = _now() - edited
            if waited >= gap or (len(text) - shown >= many and waited >= self.shortest) or not message:
                shown = len(text)
                message = await self._show(channel, message, text)
                edited = _now()
        await self._show(channel, message, text)

    async def _show(self, channel: Channel, message: int, text: str) -> int:
        if not message:
            return await channel.post(text)
        await channel.edit(message, text)
        return message


EVENT = 15_000
"""Characters of a Matrix event."""
ON_DISCORD: Mapping[str, Callable[[], Replica]] = MappingProxyType(
    {
        "llmcord": Llmcord,
        "discollama": Discollama,
        "openclaw": Openclaw,
        "nanobot": Nanobot,
        "hermes": Hermes,
        "old discollama": OldDiscollama,
        "discord-ollama": DiscordOllama,
        "ad_discordbot": AdDiscordbot,
        "ad_discordbot, streaming": StreamingAdDiscordbot,
    }
)
ON_MATRIX: Mapping[str, Callable[[], Replica]] = MappingProxyType(
    {
        "openclaw": lambda: Openclaw(1.0, EVENT),
        "mindroom": Mindroom,
        "nanobot": lambda: Nanobot(2.0, EVENT),
        "baibot": lambda: AdDiscordbot(EVENT),
    }
)
