"""What people do with a picture on Matrix: they put a sign under it, which is a command.

Each sign that the bot puts there first takes as much of the homeserver's limit as a message. So it does only where
there is no limit; elsewhere people read once which signs there are.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

import structlog

from bot.deeds import Deed, command_for
from bot.platforms.matrix.answers import Answers, Spot
from bot.platforms.matrix.askers import Askers
from bot.platforms.matrix.content import ANNOTATION, Json, dated, inner, relation, text
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.places import Place
from bot.platforms.matrix.threads import Threads
from bot.reception import Asker, Reception
from bot.surface import SurfaceError
from storyforge_core.domain.commands import Surroundings
from storyforge_core.domain.pictures import HungPicture
from storyforge_core.domain.replies import Declined
from storyforge_core.domain.story import RoomKey

SIGNS: Mapping[str, Deed] = MappingProxyType({"🔁": "again", "📌": "keep", "🗑": "forget", "🚩": "report"})
_STYLE = "\ufe0f"
WORDS = (
    "React to a picture with 🔁 to have it painted again, with 📌 if whoever is seen on it is to look like that from "
    "now on, with 🗑️ to take it down if you asked for it or host the story, and with 🚩 to report it: then it is gone "
    "at once, and the hosts look at it."
)

Mention = Callable[[RoomKey, str, str], Awaitable[None]]
Find = Callable[[RoomKey, str], Awaitable[HungPicture | None]]
"""Finds the picture that a message of a room shows."""

log = structlog.stdlib.get_logger()


class PictureSigns:
    """Offers signs under pictures, and does what people mean by them."""

    def __init__(self, link: Link, find: Find, mention: Mention) -> None:
        self._link = link
        self._find = find
        self._mention = mention
        self._offering: set[asyncio.Task[None]] = set()

    def hung(self, room: RoomKey, message: str, *, unlimited: bool) -> None:
        """A picture hangs; nobody waits for its signs."""
        task = asyncio.create_task(self._offer(room, message, unlimited=unlimited), name=f"signs of {message}")
        self._offering.add(task)
        task.add_done_callback(self._offering.discard)

    async def reacted(
        self, room: str, event: Json, around: tuple[Reception, Askers, Threads], answers: Answers
    ) -> None:
        """Do what a sign means, if it is one under a picture; only who may not do that is answered."""
        related = relation(inner(event, "content"))
        deed = SIGNS.get(text(related, "key").replace(_STYLE, ""))
        if deed is None or text(related, "rel_type") != ANNOTATION:
            return
        reception, askers, threads = around
        message = text(related, "event_id")
        for place in await threads.places(room):
            hung = await self._find(place.key, message)
            if hung is not None:
                user = text(event, "sender")
                asker = Asker(place.key, await askers.speaker(room, user), Surroundings(room))
                reply = await reception.ask(asker, command_for(deed, hung), text(event, "event_id"))
                if isinstance(reply, Declined):
                    spot = Spot(Place(room, place.thread), user, message, dated(event))
                    answers.reply(spot, reply)
                return

    def close(self) -> None:
        """Offer no more."""
        for task in list(self._offering):
            task.cancel()

    async def _offer(self, room: RoomKey, message: str, *, unlimited: bool) -> None:
        try:
            await self._mention(room, "picture-signs", WORDS)
            if unlimited:
                for sign in SIGNS:
                    key = f"{sign}{_STYLE}" if sign == "🗑" else sign
                    await self._link.react(Place.of(room).room, message, key, f"{message} {sign}")
        except SurfaceError as error:
            log.info("no signs under a picture", room=room.address, reason=str(error))
