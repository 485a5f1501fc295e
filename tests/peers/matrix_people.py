"""People on Matrix: real clients, each with a device of its own, that write, react and see what others do.

In a test: `async with people(homeserver) as meet: ann = await meet("ann"); room = await ann.opens(bot, sealed=True)`.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import nio
from nio.crypto.attachments import decrypt_attachment
from nio.exceptions import EncryptionError

from tests.peers.synapse import Session, Synapse

PATIENCE = 30.0
SEALING = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
FILTER = {"presence": {"types": []}, "room": {"timeline": {"limit": 500}}}
SYNC_MS = 10_000
Event = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """A message as a person sees it: its newest edit, and what others put under it."""

    id: str
    sender: str
    content: Event
    """Of its newest edit."""
    first: Event
    """As it was when it came."""
    edits: int
    sealed: bool

    @property
    def text(self) -> str:
        return str(self.content.get("body", ""))

    @property
    def html(self) -> str:
        return str(self.content.get("formatted_body", ""))

    @property
    def thread(self) -> str:
        """The root of the thread that it is in."""
        relation = self.first.get("m.relates_to", {})
        return str(relation["event_id"]) if relation.get("rel_type") == "m.thread" else ""

    @property
    def notice(self) -> bool:
        return bool(self.content.get("msgtype") == "m.notice")


@dataclass
class Human:
    """Somebody with a client."""

    session: Session
    client: nio.AsyncClient
    events: dict[str, list[Event]] = field(default_factory=dict)
    """All events of each room in the order in which they came, decrypted where that was possible."""
    _unread: dict[str, list[nio.MegolmEvent]] = field(default_factory=dict)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def id(self) -> str:
        return self.session.user

    async def opens(self, *guests: str, sealed: bool = False, version: str = "", name: str = "Friends") -> str:
        """Open a room and invite people; answers its id."""
        made = await self.client.room_create(
            name=name,
            invite=guests,
            initial_state=[SEALING] if sealed else [],
            room_version=version or None,
        )
        assert isinstance(made, nio.RoomCreateResponse), made
        await self.until(lambda: made.room_id in self.client.rooms)
        return str(made.room_id)

    async def joins(self, room: str) -> None:
        """Accept an invitation, and know the room."""
        await self.client.join(room)
        await self.until(lambda: room in self.client.rooms)

    async def meets(self, room: str, user: str) -> None:
        """Wait until somebody else is in a room."""
        await self.until(lambda: any(_joins(event, user) for event in self.events.get(room, ())))

    async def says(self, room: str, body: str, thread: str = "", **content: Any) -> str:
        """Write a message; answers its id."""
        whole = {"msgtype": "m.text", "body": body, **content}
        if thread:
            whole["m.relates_to"] = {"rel_type": "m.thread", "event_id": thread, **content.get("m.relates_to", {})}
        return await self.sends(room, "m.room.message", whole)

    async def sends(self, room: str, kind: str, content: Mapping[str, Any]) -> str:
        """Send an event of any kind; answers its id."""
        sent = await self.client.room_send(room, kind, dict(content), uuid4().hex, ignore_unverified_devices=True)
        assert isinstance(sent, nio.RoomSendResponse), sent
        return str(sent.event_id)

    async def reacts(self, room: str, event: str, key: str) -> str:
        """Put a reaction under an event; answers its id."""
        relation = {"rel_type": "m.annotation", "event_id": event, "key": key}
        return await self.sends(room, "m.reaction", {"m.relates_to": relation})

    async def withdraws(self, room: str, event: str) -> None:
        """Take an event back."""
        answer = await self.client.room_redact(room, event)
        assert isinstance(answer, nio.RoomRedactResponse), answer

    async def downloads(self, content: Mapping[str, Any]) -> bytes:
        """Download what a message shows, decrypted where it is encrypted."""
        file = content.get("file")
        answer = await self.client.download(mxc=file["url"] if file else content["url"])
        assert isinstance(answer, nio.DownloadResponse), answer
        if not file:
            return bytes(answer.body)
        return bytes(decrypt_attachment(answer.body, file["key"]["k"], file["hashes"]["sha256"], file["iv"]))

    async def asks(self, method: str, path: str, body: object = None) -> Event:
        """Make a request of another kind."""
        headers = {"Authorization": f"Bearer {self.session.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body)
        async with await self.client.send(method, path, data, headers) as answer:
            said: Event = await answer.json()
            return said

    def messages(self, room: str) -> list[Seen]:
        """What stands in a room now, oldest first; what was taken back is gone."""
        events = self.events.get(room, [])
        gone = {event.get("redacts") or event["content"].get("redacts") for event in events if _takes_back(event)}
        first = [event for event in events if _is_message(event) and event["event_id"] not in gone]
        edits = [event for event in events if _is_edit(event) and event["event_id"] not in gone]
        return [_seen(message, edits) for message in first]

    def texts(self, room: str) -> list[str]:
        """The words that stand in a room now."""
        return [message.text for message in self.messages(room)]

    def reactions(self, room: str, event: str) -> list[Event]:
        """The reactions under an event that were not taken back."""
        events = self.events.get(room, [])
        gone = {each.get("redacts") or each["content"].get("redacts") for each in events if _takes_back(each)}
        return [each for each in events if _reacts_to(each, event) and each["event_id"] not in gone]

    async def reads(self, room: str, words: str) -> Seen:
        """Wait until words stand in a room; answers the newest message with them."""

        def with_words() -> list[Seen]:
            return [message for message in self.messages(room) if words in message.text]

        await self.until(lambda: bool(with_words()))
        return with_words()[-1]

    async def until(self, it_is_so: Callable[[], bool], within: float = PATIENCE) -> None:
        """Wait until something is so; what is so changes only with what comes."""
        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait_for(it_is_so), within)
            except TimeoutError:
                seen = {room: self.texts(room) for room in self.events}
                raise AssertionError(f"{self.id} waited in vain and sees {seen}") from None

    async def listen(self) -> None:
        """See what comes, for ever."""
        self.client.add_event_callback(self._came, nio.Event)
        self.client.add_response_callback(self._synced, nio.SyncResponse)
        await self.client.sync_forever(SYNC_MS, sync_filter=FILTER, full_state=True)

    async def _came(self, room: nio.MatrixRoom, event: nio.Event) -> None:
        if isinstance(event, nio.MegolmEvent):
            self._unread.setdefault(room.room_id, []).append(event)
        else:
            self._note(room.room_id, event)

    async def _synced(self, _: nio.SyncResponse) -> None:
        for room, events in self._unread.items():
            self._unread[room] = [event for event in events if not self._opens(room, event)]
        async with self._news:
            self._news.notify_all()

    def _opens(self, room: str, event: nio.MegolmEvent) -> bool:
        try:
            self._note(room, self.client.decrypt_event(event))
        except EncryptionError:
            return False
        return True

    def _note(self, room: str, event: nio.Event) -> None:
        source = {**event.source, "sealed": event.decrypted}
        known = self.events.setdefault(room, [])
        if all(each["event_id"] != event.event_id for each in known):
            known.append(source)


@asynccontextmanager
async def people(homeserver: Synapse) -> AsyncGenerator[Callable[[str], Awaitable[Human]]]:
    """Makes people with accounts of their own, who listen until the end."""
    async with AsyncExitStack() as stack:

        async def meet(name: str) -> Human:
            session = await asyncio.to_thread(homeserver.register, name)
            return await stack.enter_async_context(logged_in(session))

        yield meet


@asynccontextmanager
async def logged_in(session: Session) -> AsyncGenerator[Human]:
    """Somebody who listens."""
    config = nio.AsyncClientConfig(
        store=nio.store.SqliteMemoryStore, encryption_enabled=True, store_sync_tokens=False, max_limit_exceeded=3
    )
    client = nio.AsyncClient(session.homeserver, session.user, session.device, config=config)
    client.restore_login(session.user, session.device, session.token)
    human = Human(session, client)
    listening = asyncio.create_task(human.listen())
    ready = asyncio.create_task(client.synced.wait())
    try:
        await asyncio.wait({listening, ready}, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
        yield human
        assert not listening.done(), listening.result()
    finally:
        ready.cancel()
        listening.cancel()
        await asyncio.wait({ready, listening})
        await client.close()


def _is_message(event: Event) -> bool:
    return event["type"] == "m.room.message" and "body" in event["content"] and not _is_edit(event)


def _is_edit(event: Event) -> bool:
    return bool(event["content"].get("m.relates_to", {}).get("rel_type") == "m.replace")


def _joins(event: Event, user: str) -> bool:
    return event.get("state_key") == user and event["content"].get("membership") == "join"


def _takes_back(event: Event) -> bool:
    return bool(event["type"] == "m.room.redaction")


def _reacts_to(event: Event, target: str) -> bool:
    return bool(event["type"] == "m.reaction" and event["content"].get("m.relates_to", {}).get("event_id") == target)


def _seen(message: Event, edits: list[Event]) -> Seen:
    mine = [edit for edit in edits if edit["content"]["m.relates_to"]["event_id"] == message["event_id"]]
    newest = mine[-1]["content"]["m.new_content"] if mine else message["content"]
    return Seen(message["event_id"], message["sender"], newest, message["content"], len(mine), message["sealed"])
