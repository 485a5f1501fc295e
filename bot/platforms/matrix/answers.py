"""What is said to those who ask: notices where they asked, which no other bot answers, and files where it is long."""

import asyncio
import re
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import structlog

from bot.picture.render import map_picture
from bot.platforms.matrix import media, paper
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.patience import patiently
from bot.platforms.matrix.places import Place
from bot.platforms.matrix.rendering import rendered
from bot.platforms.matrix.wire import API, part
from bot.presenter.pages import finished
from bot.surface import File, SlowDown, SurfaceDown, SurfaceError
from bot.wording.looks import look_file
from bot.wording.markup import Plain
from bot.wording.mydata import as_json
from bot.wording.replying import reply_text
from bot.wording.treemap import Canvas
from bot.wording.voice import COMMAND, Voice
from storyforge_core.domain.look_replies import LookShown
from storyforge_core.domain.policy import Bucket, Rate, admit
from storyforge_core.domain.replies import (
    MapShown,
    MyDataShown,
    PathShown,
    Reply,
)
from storyforge_core.errors import ServiceDown, StoryForgeError, TooFast
from storyforge_core.ports import Clock

MOST_CHARS = 6000
"""Longer answers come as a file: nobody wants to scroll past them, least of all those who did not ask."""
BEGINNING = 1500
CANVAS = Canvas(width=56, height=34)
WIDE = Canvas(width=100, height=10_000)
THE_REST_IN_THE_FILE = "…\n\nThe file has all of it."
ALL_OF_IT = "All of it."
ANSWERS = Rate(12)
"""A minute, for one person: whoever keeps asking is not answered that they ask too often for ever."""
REMEMBERED = 1000
REFERENCE_CHARS = 8
_COMMAND = re.compile(rf"(?<![\w/.:]){COMMAND}(?=host\b|\b)")

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class Spot:
    """Where somebody waits for an answer."""

    place: Place
    user: str
    event: str
    """What they have sent."""
    at: datetime
    """When they have, by their homeserver's clock."""
    quiet: bool = False
    """They asked somewhere else, so the answer does not refer to what they have sent."""


class Answers:
    """Words replies for Matrix, and sends them beside everything else, one room's in order.

    Args:
        link: the connection.
        voice: how the bot speaks there.
        clock: tells how often somebody was answered.
    """

    def __init__(self, link: Link, voice: Voice, clock: Clock) -> None:
        self._link = link
        self._voice = voice
        self._clock = clock
        self._unmarked = Voice(Plain(), voice.moment, voice.mention, voice.command)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._sending: set[asyncio.Task[None]] = set()
        self._answered: OrderedDict[str, Bucket] = OrderedDict()

    def reply(self, spot: Spot, reply: Reply) -> None:
        """Tell somebody what came of it."""
        self._send(spot, self._replied(spot, reply))

    def literal(self, spot: Spot, sentence: str) -> None:
        """Say a sentence of our own, as it stands."""
        self._send(spot, self._paged(self._voice.flavour.literal(self._typed(sentence))))

    def columns(self, spot: Spot, text: str) -> None:
        """Say something whose lines are in columns."""
        self._send(spot, self._paged(self._voice.flavour.block(self._typed(text))))

    def seen(self, spot: Spot) -> None:
        """Show somebody that the bot has read what they sent; that costs nothing."""
        self._begin(self._mark_read(spot), f"receipt {spot.event}")

    async def excused(self, spot: Spot, work: Coroutine[None, None, None]) -> None:
        """See a piece of work through; if it fails, apologise with a number that the log knows too.

        Raises:
            ServiceDown: it should be tried again.
            SurfaceDown: likewise.
            SlowDown: likewise.
        """
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
        match task.exception():
            case None:
                return
            case ServiceDown() | SurfaceDown() | SlowDown() as later:
                raise later
            case StoryForgeError() as known:
                log.warning("command not done", letter=spot.event, reason=str(known))
                self.literal(spot, str(known))
            case error:
                reference = uuid4().hex[:REFERENCE_CHARS]
                log.error("command failed", reference=reference, letter=spot.event, exc_info=error)
                found = f"Whoever runs this bot finds it in the log as {reference}."
                self.literal(spot, f"That went wrong, and it is not your fault. {found}")

    async def settled(self) -> None:
        """Return when everything is said."""
        while self._sending:
            await asyncio.wait(set(self._sending))

    def close(self) -> None:
        """Say no more."""
        for task in list(self._sending):
            task.cancel()

    def _send(self, spot: Spot, contents: AsyncIterator[Mapping[str, Any]]) -> None:
        if self._bears(spot.user):
            self._begin(self._say_all(spot, contents), f"answer {spot.event}")
        else:
            log.info("not answered any more", user=spot.user)

    def _begin(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._sending.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("answer not given", exc_info=error)

    def _bears(self, user: str) -> bool:
        """Tell whether somebody may be answered once more just now."""
        try:
            self._answered[user] = admit(self._answered.get(user), ANSWERS, self._clock.now().timestamp())
        except TooFast:
            return False
        self._answered.move_to_end(user)
        if len(self._answered) > REMEMBERED:
            self._answered.popitem(last=False)
        return True

    async def _say_all(self, spot: Spot, contents: AsyncIterator[Mapping[str, Any]]) -> None:
        related = paper.thread(spot.place, "" if spot.quiet else spot.event)
        number = 0
        async with self._turns[spot.place.room]:
            try:
                async for content in contents:
                    number += 1
                    await self._say(spot, {**content, **related}, f"{spot.event} {number}")
            except SurfaceError as error:
                log.info("answer not heard", room=spot.place.room, reason=str(error))

    async def _say(self, spot: Spot, content: Mapping[str, Any], tx: str) -> None:
        await patiently(lambda: self._link.send(spot.place.room, paper.MESSAGE, content, tx, "last"))

    async def _mark_read(self, spot: Spot) -> None:
        room, thread = spot.place.room, spot.place.thread or "main"
        try:
            path = f"{API}/rooms/{part(room)}/receipt/m.read/{part(spot.event)}"
            await self._link.call("POST", path, {"thread_id": thread})
        except SurfaceError as error:
            log.debug("not marked as read", room=room, reason=str(error))

    async def _paged(self, text: str) -> AsyncIterator[Mapping[str, Any]]:
        for page in finished(text, paper.LIMITS):
            yield notice(page.text)

    async def _replied(self, spot: Spot, reply: Reply) -> AsyncIterator[Mapping[str, Any]]:
        text = reply_text(reply, self._voice, CANVAS)
        text = text if isinstance(reply, PathShown) else self._typed(text)
        if isinstance(reply, MyDataShown):
            yield notice(text)
            yield await self._file(spot, File("mydata.json", as_json(reply.data), ALL_OF_IT))
        elif len(text) > MOST_CHARS:
            beginning = finished(text[:BEGINNING], paper.LIMITS)[0].text
            yield notice(f"{beginning}{THE_REST_IN_THE_FILE}")
            whole = reply_text(reply, self._unmarked, WIDE)
            yield await self._file(spot, File("story.txt", whole.encode(), ALL_OF_IT))
        else:
            async for content in self._paged(text):
                yield content
        if isinstance(reply, LookShown) and reply.picture:
            yield await self._file(spot, look_file(reply))
        if isinstance(reply, MapShown) and reply.nodes:
            async for content in self._picture(spot, reply):
                yield content

    async def _picture(self, spot: Spot, shown: MapShown) -> AsyncIterator[Mapping[str, Any]]:
        try:
            picture = await map_picture(shown)
        except ServiceDown as down:  # the map in letters is there already
            log.warning("map not drawn", reason=str(down))
        else:
            yield await self._file(spot, File("map.png", picture.png, picture.alt))

    async def _file(self, spot: Spot, file: File) -> Mapping[str, Any]:
        return await patiently(lambda: media.uploaded(self._link, spot.place.room, file))

    def _typed(self, text: str) -> str:
        """Name commands as they are typed here."""
        return _COMMAND.sub(self._voice.command, text)


def notice(markdown: str) -> dict[str, Any]:
    """Write something that is said by a bot, and calls nobody."""
    both = rendered(markdown)
    formatted = {"format": paper.HTML, "formatted_body": both.html} if both.html else {}
    return {"msgtype": "m.notice", "body": both.plain, **formatted, "m.mentions": {}}
