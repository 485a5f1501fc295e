"""The connection to the homeserver as the rest sees it: the client of the moment, and all that is sent through it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

import nio
from nio.crypto.attachments import encrypt_attachment

from bot.platforms.matrix.sealing import IN_CLEAR, Sealer, encrypted, opened
from bot.platforms.matrix.troubles import AlreadyThere, understood
from bot.platforms.matrix.wire import API, ask, download, part, send
from bot.surface import MessageGone, RoomGone, SlowDown, SurfaceDown, SurfaceError

Urgency = Literal["last", "later", "seed", "draft", "ask"]
"""What an event is for: a last frame, a card or an answer; a tally or a picture; a reaction to be pressed; a scene that
grows on; nothing but to learn whether the homeserver would refuse it."""

LIMIT = "app.storyforge.limit"
"""Where the bot notes whether its homeserver limits it."""
TYPING_MS = 20_000
UPLOAD_SECONDS = 60.0
PAGE = 100
MOST_PAGES = 50
"""Of relations; more than anybody reads, or votes."""


class Toll(Protocol):
    """Counts what the homeserver takes of the bot, in all rooms together."""

    def take(self, urgency: Urgency) -> None:
        """Count an event that is about to be sent.

        Raises:
            SlowDown: the homeserver would refuse it, or what is left is kept for what is more urgent.
        """

    def wonders(self) -> bool:
        """Tell whether this is a time to ask the homeserver whether it limits the bot at all."""

    @property
    def unlimited(self) -> bool:
        """It is known not to."""

    def lift(self) -> None:
        """Know that it does not."""

    def refused(self, retry_after: float) -> None:
        """Know that the homeserver refused an event, and takes the next in so many seconds."""


class Link:
    """Holds the client: a new one takes the place of one that broke, and nobody else notices.

    All that is sent is counted here, once for each event: messages, edits, reactions, redactions, state. All requests
    raise `SlowDown`, `SurfaceDown`, `RoomGone` and `MessageGone`.
    """

    def __init__(self, toll: Toll) -> None:
        self._toll = toll
        self._client: nio.AsyncClient | None = None
        self._sealer = Sealer()

    def connect(self, client: nio.AsyncClient | None) -> None:
        """Use another client from now on; None while there is none."""
        self._client = client
        self._sealer = Sealer()

    @property
    def client(self) -> nio.AsyncClient:
        """The client of the moment.

        Raises:
            SurfaceDown: there is none just now.
        """
        if self._client is None:
            raise SurfaceDown("Matrix is not connected.")
        return self._client

    @property
    def me(self) -> str:
        """The bot's own user id.

        Raises:
            SurfaceDown: nothing is connected.
        """
        return str(self.client.user_id)

    def encrypted(self, room: str) -> bool:
        """Tell whether a room is encrypted.

        Raises:
            SurfaceDown: nothing is known of the room yet.
        """
        return encrypted(self.client, room)

    async def send(self, room: str, kind: str, content: Mapping[str, Any], tx: str, urgency: Urgency) -> str:
        """Send an event, encrypted where the room is, and answer its id; the same `tx` again is the same event."""
        client = self.client
        with understood():
            kind, content = await self._sealer.seal(client, room, kind, content)
        path = f"/rooms/{part(room)}/send/{part(kind)}/{part(tx)}"
        try:
            return str((await self._counted("PUT", path, content, urgency))["event_id"])
        except MessageGone as gone:
            raise _nowhere(gone, content) from gone

    async def react(self, room: str, event: str, key: str, tx: str) -> None:
        """Put a reaction under an event, unless it is there already."""
        relation = {"rel_type": "m.annotation", "event_id": event, "key": key}
        with suppress(AlreadyThere):
            await self.send(room, IN_CLEAR, {"m.relates_to": relation}, tx, "seed")
        if self._toll.wonders():
            with suppress(SurfaceError):  # what a refusal says is noted
                await self._ask(room, {"m.relates_to": relation}, f"{tx} again")

    async def _ask(self, room: str, content: Mapping[str, Any], tx: str) -> None:
        """Ask for what is there already, to learn whether that is refused for its number."""
        with suppress(AlreadyThere):
            await self.send(room, IN_CLEAR, content, tx, "ask")
        await self._know(unlimited=True)

    async def recall(self) -> None:
        """Know again what an earlier program has found out about the homeserver's limit."""
        if await self.exempt():
            self._toll.lift()

    async def exempt(self) -> bool:
        """Tell whether it was found out that the homeserver does not limit the bot."""
        try:
            return (await self.call("GET", self._notes)).get("unlimited") is True
        except MessageGone:
            return False

    async def _know(self, *, unlimited: bool) -> None:
        """Write down what was found out, in the bot's own notes, which its homeserver keeps."""
        if unlimited:
            self._toll.lift()
        await self.call("PUT", self._notes, {"unlimited": unlimited})

    @property
    def _notes(self) -> str:
        return f"{API}/user/{part(self.me)}/account_data/{LIMIT}"

    async def redact(
        self, room: str, event: str, tx: str, along: tuple[str, ...] = (), urgency: Urgency = "last"
    ) -> None:
        """Take an event back, and where the homeserver knows MSC3912 also what relates to it in these ways."""
        body = {"org.matrix.msc3912.with_relations": list(along)} if along else {}
        await self._counted("PUT", f"/rooms/{part(room)}/redact/{part(event)}/{part(tx)}", body, urgency)

    async def put_state(self, room: str, kind: str, key: str, content: Mapping[str, Any]) -> None:
        """Set a piece of a room's state."""
        await self._counted("PUT", f"/rooms/{part(room)}/state/{part(kind)}/{part(key)}", content, "seed")

    async def state(self, room: str, kind: str, key: str = "") -> Mapping[str, Any] | None:
        """Read the content of a piece of a room's state; None where there is none."""
        try:
            return await self.call("GET", f"{API}/rooms/{part(room)}/state/{part(kind)}/{part(key)}")
        except MessageGone:
            return None

    async def relations(self, room: str, event: str, rel_type: str, kind: str) -> tuple[Mapping[str, Any], ...]:
        """Read all events of a kind that relate to an event so, newest first; what cannot be decrypted is left out."""
        sealed = self.encrypted(room) and kind != IN_CLEAR
        path = f"/_matrix/client/v1/rooms/{part(room)}/relations/{part(event)}/{part(rel_type)}"
        path = path if sealed else f"{path}/{part(kind)}"
        found: list[Mapping[str, Any]] = []
        following: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            page = await self.call("GET", f"{path}?{urlencode({'limit': str(PAGE), **following})}")
            plain = (opened(self.client, room, source) for source in page.get("chunk", ()))
            found += [event for event in plain if event is not None and event.get("type") == kind]
            if "next_batch" not in page:
                break
            following = {"from": str(page["next_batch"])}
        return tuple(found)

    async def typing(self, room: str) -> None:
        """Show for a while that something is being written; that costs nothing."""
        body = {"typing": True, "timeout": TYPING_MS}
        await self.call("PUT", f"{API}/rooms/{part(room)}/typing/{part(self.me)}", body)

    async def upload(self, data: bytes, mime: str, name: str, *, encrypted: bool) -> Mapping[str, Any]:
        """Upload a file and answer how an event names it: its `url`, or its `file` with the keys to it."""
        keys: Mapping[str, Any] = {}
        if encrypted:
            data, keys = await asyncio.to_thread(encrypt_attachment, data)
            mime, name = "application/octet-stream", ""
        path = f"/_matrix/media/v3/upload?{urlencode({'filename': name} if name else {})}"
        url = str((await send(self.client, "POST", path, data, mime, UPLOAD_SECONDS))["content_uri"])
        return {"file": {**keys, "url": url}} if encrypted else {"url": url}

    async def download(self, path: str, most: int) -> bytes:
        """Read a file of the homeserver's, no more than so many bytes of it; the path begins with `/_matrix`.

        Raises:
            TooLarge: there are more.
        """
        return await download(self.client, path, most, UPLOAD_SECONDS)

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Make a request of another kind, one that sends no event; the path begins with `/_matrix`."""
        return await ask(self.client, method, path, body)

    async def _counted(self, method: str, path: str, body: Mapping[str, Any], urgency: Urgency) -> Mapping[str, Any]:
        self._toll.take(urgency)
        try:
            return await self.call(method, API + path, body)
        except SlowDown as slow:
            relied = self._toll.unlimited
            self._toll.refused(slow.retry_after)
            if relied:
                await self._know(unlimited=False)
            raise


def _nowhere(gone: MessageGone, content: Mapping[str, Any]) -> Exception:
    """Say what is not there: the message that an event relates to, or the room."""
    return gone if "m.relates_to" in content else RoomGone("That room does not exist any more.")
