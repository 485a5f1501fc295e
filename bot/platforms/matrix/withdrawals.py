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
from bot.surface import SlowDown, SurfaceDown, SurfaceError

ALONG = "org.matrix.msc3912"
"""Advertised by homeservers that take an event's edits back along with it."""
MOST_PAGES = 50
"""Of a room's history, from a message on, of what the bot has said."""
AGAIN_AFTER = 5.0
"""Seconds, where the homeserver is away."""

log = structlog.stdlib.get_logger()


class Withdrawals:
    """Cleans up behind messages that were taken back, beside everything else: one by one it may take minutes."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._cleaning: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()

    def heard(self, room: str, message: str) -> None:
        """Clean up behind a message, if it was ours."""
        if message in self._cleaning:
            self._again.add(message)
            return
        task = asyncio.create_task(self._until_done(room, message), name=f"withdraw {message}")
        self._cleaning[message] = task
        task.add_done_callback(lambda _: self._cleaning.pop(message, None))

    async def settled(self) -> None:
        """Return when nothing is left to clean up."""
        await asyncio.gather(*self._cleaning.values())

    def close(self) -> None:
        """Stop."""
        for task in list(self._cleaning.values()):
            task.cancel()

    async def _until_done(self, room: str, message: str) -> None:
        while True:
            try:
                await self._clean(room, message)
            except SlowDown as slow:
                await asyncio.sleep(slow.retry_after)
            except SurfaceDown as down:
                log.info("drafts wait", room=room, reason=str(down))
                await asyncio.sleep(AGAIN_AFTER)
            except SurfaceError as error:
                log.warning("drafts left", room=room, message=message, reason=str(error))
                return
            else:
                if message not in self._again:
                    return
                self._again.discard(message)

    async def _clean(self, room: str, message: str) -> None:
        event = await self._link.call("GET", f"{API}/rooms/{part(room)}/event/{part(message)}")
        if event.get("sender") != self._link.me:
            return
        known = await self._link.call("GET", "/_matrix/client/versions")
        if known.get("unstable_features", {}).get(ALONG):
            await self._link.redact(room, message, secrets.token_hex(8), along=("m.replace",))
            return
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
