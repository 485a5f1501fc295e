"""Messages of ours that somebody took back: what they said before, in every one of their edits, goes with them."""

import asyncio
import json
import secrets
from urllib.parse import urlencode

import structlog

from bot.platforms.matrix.content import EDIT, Json, inner, relation, text
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.paper import MESSAGE
from bot.platforms.matrix.sealing import SEALED_KIND
from bot.platforms.matrix.wire import API, part
from bot.surface import MessageGone, SlowDown, SurfaceDown, SurfaceError

UNFINISHED = "app.storyforge.withdrawn"
"""What is not cleaned up yet, in the bot's own notes, which its homeserver keeps: each message and its room."""
MOST_PAGES = 50
"""Of a room's history, from a message on, of what the bot has said."""
AGAIN_AFTER = 5.0
"""Seconds, where the homeserver is away."""
SETTLES = 1.0
"""Seconds in which a homeserver that knows MSC3912 has taken the edits back."""

log = structlog.stdlib.get_logger()


class Withdrawals:
    """Cleans up behind messages that were taken back, beside everything else: one by one it may take minutes."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._unfinished: dict[str, str] = {}
        self._cleaning: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._writing = asyncio.Lock()

    async def heard(self, room: str, message: str) -> None:
        """See to it that it is cleaned up behind a message, if it was ours, also if the program is killed meanwhile.

        Raises:
            SurfaceDown: that is not certain, since the homeserver is away.
        """
        if message in self._cleaning:
            self._again.add(message)
        elif await self._is_ours(room, message) and await self._edits(room, message):
            await self._write({**self._unfinished, message: room})
            self._begin(room, message)

    async def resume(self) -> None:
        """Go on with what an earlier program has left.

        Raises:
            SurfaceDown: the homeserver is away.
        """
        try:
            self._unfinished = {**await self._link.call("GET", self._notes)}
        except MessageGone:
            return
        for message, room in self._unfinished.items():
            if message not in self._cleaning:
                self._begin(room, message)

    async def settled(self) -> None:
        """Return when nothing is left to clean up."""
        await asyncio.gather(*self._cleaning.values())

    def close(self) -> None:
        """Stop."""
        for task in list(self._cleaning.values()):
            task.cancel()

    @property
    def _notes(self) -> str:
        return f"{API}/user/{part(self._link.me)}/account_data/{UNFINISHED}"

    async def _write(self, unfinished: dict[str, str]) -> None:
        async with self._writing:
            self._unfinished = unfinished
            await self._link.call("PUT", self._notes, unfinished)

    def _begin(self, room: str, message: str) -> None:
        task = asyncio.create_task(self._until_done(room, message), name=f"withdraw {message}")
        self._cleaning[message] = task
        task.add_done_callback(lambda _: self._cleaning.pop(message, None))

    async def _until_done(self, room: str, message: str) -> None:
        while True:
            try:
                await self._clean(room, message)
                if message not in self._again:
                    await self._write({each: where for each, where in self._unfinished.items() if each != message})
                    return
                self._again.discard(message)
            except SlowDown as slow:
                await asyncio.sleep(slow.retry_after)
            except SurfaceDown as down:
                log.info("drafts wait", room=room, reason=str(down))
                await asyncio.sleep(AGAIN_AFTER)
            except SurfaceError as error:
                log.warning("drafts left", room=room, message=message, reason=str(error))
                return

    async def _is_ours(self, room: str, message: str) -> bool:
        try:
            event = await self._link.call("GET", f"{API}/rooms/{part(room)}/event/{part(message)}")
        except MessageGone:
            return False
        return event.get("sender") == self._link.me

    async def _clean(self, room: str, message: str) -> None:
        """Have all edits taken back by one request, and where the homeserver does not do that, one by one."""
        await self._link.redact(room, message, secrets.token_hex(8), ("m.replace",), "seed")
        await asyncio.sleep(SETTLES)
        for edit in await self._edits(room, message):
            await self._link.redact(room, edit, f"{edit} back", urgency="seed")

    async def _edits(self, room: str, message: str) -> list[str]:
        """List the edits of a message, from the room's history: homeservers hide those of one that was taken back."""
        inside = f"{API}/rooms/{part(room)}"
        wanted = {"senders": [self._link.me], "types": [MESSAGE, SEALED_KIND]}
        around = await self._link.call("GET", f"{inside}/context/{part(message)}?limit=1")
        found: list[str] = []
        at = around.get("start")
        for _ in range(MOST_PAGES):
            query = urlencode({"dir": "f", "limit": "100", "from": str(at), "filter": json.dumps(wanted)})
            page = await self._link.call("GET", f"{inside}/messages?{query}")
            found += [event["event_id"] for event in page.get("chunk", ()) if _edits(event, message)]
            at = page.get("end")
            if at is None:
                break
        return found


def _edits(event: Json, message: str) -> bool:
    """Tell whether an event is an edit of a message that says something still; the relation is never encrypted."""
    related = relation(inner(event, "content"))
    return (text(related, "rel_type"), text(related, "event_id")) == (EDIT, message)
