"""Discord as a surface: posts, edits and files in channels and threads."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

import discord
import structlog

from bot.picture.fitting import fitted
from bot.platforms.discord.board import Board
from bot.platforms.discord.buttons import beside_of, mark_of, under
from bot.platforms.discord.link import NO_PINGS, PACE, PLATFORM, Link
from bot.platforms.discord.openings import Openings
from bot.platforms.discord.troubles import TOO_LARGE, NotHere, NotPermitted, ThreadAsleep, understood
from bot.surface import BARE, Allowance, Beside, File, Frame, Limits, MessageGone, MessageOld, SurfaceError
from storyforge_core.domain.space import Manner
from storyforge_core.domain.story import RoomKey

LIMITS = Limits(
    max_chars=2000,
    edits="rewrite",
    markup="markdown",
    pace=PACE,
    question="inside",
    max_choices=9,
    max_file=10_000_000,
    sketches="beside",
)
"""Nine choices: as many keycaps with one digit, and with the pen ten buttons in two rows. A file of 10 MiB is taken
everywhere."""
ALT_CHARS = 1024
YOUNG = timedelta(minutes=55)
"""Discord takes few edits of a message older than an hour (error 30046), and clocks differ by some minutes."""
REMEMBERED = 2000
"""Messages of which it is kept in mind what stands beside them; of an older one Discord is asked."""
NEWEST = 20
"""How far back a message is looked for that may have been posted by a program that was killed just then."""
T = TypeVar("T")

log = structlog.stdlib.get_logger()


class DiscordSurface:
    """Shows messages in the rooms of Discord.

    Args:
        link: the connection.
        board: is told which messages ask a question.
        now: tells the time, to know how old a message is.
        openings: the interactions whose answer a scene's first message may be; None for none.
    """

    name = PLATFORM
    limits = LIMITS

    def __init__(
        self,
        link: Link,
        board: Board,
        now: Callable[[], datetime] = discord.utils.utcnow,
        openings: Openings | None = None,
    ) -> None:
        self._link = link
        self._board = board
        self._openings = openings or Openings(used=False)
        self._now = now
        self._beside: dict[str, Beside] = {}
        """What stands beside the messages that this program has shown."""
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def post(self, room: RoomKey, frame: Frame, key: UUID) -> str:
        """Send a message; Discord answers the one that is there when the key is the same, for some minutes.

        The messages of a scene may be the answer to the click that began it, see `openings`.
        """
        mark = nonce(key)
        message = await self._opened(room, frame, mark) or await self._sent(room, frame, key)
        self._openings.posted(room, message, mark, live=frame.live)
        self._keep(message, BARE)
        self._board.shown(room, message, frame.choices)
        return message

    async def _sent(self, room: RoomKey, frame: Frame, key: UUID) -> str:
        async def send() -> discord.Message:
            return await self._link.channel(room).send(
                frame.text,
                nonce=nonce(key),
                silent=frame.live,
                suppress_embeds=True,  # an address in a story is no invitation to show the page behind it
                allowed_mentions=NO_PINGS,
                view=under(frame),
            )

        return str((await self._asked(room, send)).id)

    async def _opened(self, room: RoomKey, frame: Frame, mark: str) -> str | None:
        """Post a scene's message by what began it, or find that this was done; None for neither."""
        if there := await self._marked(room, mark):
            return there
        way = await self._openings.way(room, frame.stop) if frame.stop else None
        if way is None:
            return None
        self._openings.doubt(mark)
        try:
            hook = await way.post(frame, mark)
        except SurfaceError as error:
            log.info("the answer went astray", room=room.address, reason=str(error))
            return await self._marked(room, mark)
        self._openings.opened(room, hook)
        return hook.newest

    async def _marked(self, room: RoomKey, mark: str) -> str | None:
        """Find the message that was posted as an answer, among those that were the newest when it was looked for."""

        async def look() -> list[discord.Message]:
            return [message async for message in self._link.channel(room).history(limit=NEWEST)]

        if self._openings.unknown(room, mark):
            try:
                found = await self._asked(room, look)
            except NotPermitted:
                found = []
            self._openings.looked(room, {own: str(message.id) for message in found if (own := mark_of(message))})
        return self._openings.there(room, mark)

    async def edit(self, room: RoomKey, message: str, frame: Frame) -> None:
        """Show another frame in a message.

        Raises:
            MessageGone: it is not there, or Discord lets nobody edit it any more.
            MessageOld: it is so old that a question, whose votes go on, belongs in another one.
        """
        part = self._message(room, message)
        async with self._turn(message):
            if not frame.choices and not frame.live:  # what it asked is decided, and the story goes on
                self._keep(message, BARE)
            if frame.choices and self._now() - part.created_at > YOUNG:
                await self._require_shown(room, part, frame)
            else:
                await self._edited(room, part, replace(frame, beside=await self._found_beside(room, part, frame)))
            self._board.shown(room, message, frame.choices)

    async def attach(self, room: RoomKey, message: str, file: File) -> str:
        """Hang a file under a message, in place of one that hung there; a picture that is too large, as a smaller one.

        Raises:
            MessageGone: as for `edit`.
            NotHere: it is too large, and no picture.
        """
        part, most = self._message(room, message), self._link.most_bytes(room)
        fitting = await fitted(file, most)
        if len(fitting.data) > most:
            raise NotHere(TOO_LARGE)
        async with self._turn(message):
            view = self._view(room, message, Beside(file.picture))
            await self._asked(room, lambda: part.edit(attachments=[hung(fitting)], view=view))
            self._keep(message, Beside(file.picture))
        return message

    async def detach(self, room: RoomKey, hung: str) -> None:
        """Leave a message without a file.

        Raises:
            MessageGone: as for `edit`.
        """
        part = self._message(room, hung)
        async with self._turn(hung):
            view = self._view(room, hung, BARE)
            await self._asked(room, lambda: part.edit(attachments=[], view=view))
            self._keep(hung, BARE)

    async def sketch(self, room: RoomKey, message: str, text: str, preview: File | None = None) -> None:
        """Show beside a message how far its picture is, as a button that cannot be pressed.

        Raises:
            MessageGone: as for `edit`.
        """
        part, beside = self._message(room, message), Beside(sketch=text)
        async with self._turn(message):
            before = self._beside.get(message)
            if before == beside:
                return
            view = self._view(room, message, beside)
            files = [hung(preview)] if preview else []
            if preview or (before and before.sketch and not text):  # what was seen of it goes
                await self._asked(room, lambda: part.edit(view=view, attachments=files))
            else:
                await self._asked(room, lambda: part.edit(view=view))
            self._keep(message, beside)

    async def adults(self, room: RoomKey) -> bool | None:
        """A channel is marked for adults, or it is not."""
        return self._link.adults(room)

    async def whisper(self, room: RoomKey, user: str, text: str) -> None:  # noqa: ARG002 - people are the same anywhere
        """Send somebody a direct message."""
        with understood():
            channel = await self._link.client.create_dm(discord.Object(int(user)))
            await channel.send(text, allowed_mentions=NO_PINGS, suppress_embeds=True)

    async def typing(self, room: RoomKey) -> None:
        """Show for ten seconds that something is being written."""
        await self._asked(room, lambda: self._link.channel(room).typing())

    async def manner(self, room: RoomKey) -> Manner:  # noqa: ARG002
        """Nothing of a channel says it; what its server has decided is known anyway."""
        return "live"

    def allowance(self, room: RoomKey) -> Allowance | None:
        """Say what the newest answer of Discord told about further edits."""
        return self._openings.allowance(room, self._link.allowance(room))

    def moment(self, at: datetime) -> str:
        """Say a time so that every reader sees it in their own zone."""
        return f"{discord.utils.format_dt(at, 't')}, {discord.utils.format_dt(at, 'R')}"

    async def _edited(self, room: RoomKey, part: discord.PartialMessage, frame: Frame) -> None:
        """Edit by the way that has more left; whatever goes wrong on the other one, this way it is done."""
        hook = self._openings.hook(room, str(part.id), self._link.allowance(room))
        if hook is not None and await hook.edit(str(part.id), frame):
            return
        view = under(frame)

        async def edit() -> None:
            sent = part.edit(content=frame.text, allowed_mentions=NO_PINGS, view=view)
            await self._link.edited(room, part.id, sent)

        await self._asked(room, edit)

    async def _require_shown(self, room: RoomKey, part: discord.PartialMessage, frame: Frame) -> None:
        """Be content with an old message that shows the frame already, as it mostly does after a restart."""
        old = await self._asked(room, part.fetch)
        if old.content.strip() != frame.text.strip():
            raise MessageOld("That message is too old for votes to be counted in it.")

    def _turn(self, message: str) -> asyncio.Lock:
        """Let one request change what stands beside a message at a time."""
        return self._turns.setdefault(message, asyncio.Lock())

    def _keep(self, message: str, beside: Beside) -> None:
        """Keep in mind what stands beside the newest messages."""
        self._beside[message] = beside
        if len(self._beside) > REMEMBERED:
            del self._beside[next(iter(self._beside))]

    def _view(self, room: RoomKey, message: str, beside: Beside) -> discord.ui.View:
        return under(Frame("", choices=self._board.choices(room, message), beside=beside))

    async def _found_beside(self, room: RoomKey, part: discord.PartialMessage, frame: Frame) -> Beside:
        """Say what stands beside a message; of a question that an earlier program asked, Discord is asked for it."""
        message = str(part.id)
        if frame.choices and message not in self._beside:
            self._keep(message, beside_of(await self._asked(room, part.fetch)))
        return self._beside.get(message, BARE)

    def _message(self, room: RoomKey, message: str) -> discord.PartialMessage:
        if not message.isdecimal():
            raise MessageGone("Discord has no such message.")
        return self._link.channel(room).get_partial_message(int(message))

    async def _asked(self, room: RoomKey, request: Callable[[], Awaitable[T]]) -> T:
        """Ask Discord; a thread that has gone to sleep is woken and asked again."""
        try:
            with understood():
                return await request()
        except ThreadAsleep:
            await self._wake(room)
            with understood():
                return await request()

    async def _wake(self, room: RoomKey) -> None:
        with understood():
            thread = await self._link.client.fetch_channel(int(room.address))
            if isinstance(thread, discord.Thread):
                await thread.edit(archived=False)


def nonce(key: UUID) -> str:
    """Write a key in the 25 characters that Discord keeps of one."""
    return urlsafe_b64encode(key.bytes).rstrip(b"=").decode()


def hung(file: File) -> discord.File:
    """A file as discord.py wants it."""
    data, alt = BytesIO(file.data), file.alt[:ALT_CHARS]
    return discord.File(data, filename=file.name, description=alt, spoiler=file.covered)
