"""The rooms that the bot is in: those it is asked into and follows, and those it leaves. Nobody may ask by default."""

import asyncio
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import partial
from urllib.parse import urlencode

import structlog

from bot.platforms.matrix.askers import Askers
from bot.platforms.matrix.content import Json, inner, listed, text
from bot.platforms.matrix.descriptions import describe
from bot.platforms.matrix.direct import Direct
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.options import Options
from bot.platforms.matrix.paper import MESSAGE
from bot.platforms.matrix.patience import patiently
from bot.platforms.matrix.places import PLATFORM
from bot.platforms.matrix.troubles import NotTaken
from bot.platforms.matrix.wire import API, part
from bot.reception import Register
from bot.surface import MessageGone, RoomGone, SlowDown, SurfaceError
from storyforge_core.domain.policy import Bucket, Rate, admit
from storyforge_core.errors import ServiceDown, TooFast
from storyforge_core.ports import Clock

JOINS = Rate(6)
"""A minute: nobody may have the bot run from room to room."""
HELLO = (
    "Hello! I tell branching stories, and together you decide how they go on. Type !story new and what yours is about; "
    "!story help lists the rest."
)
NOT_SEALED = (
    "I was set up to tell stories in encrypted rooms only. Turn encryption on in this room's settings, under Security "
    "& Privacy: then !story new begins one."
)
SEALED = (
    "This room is encrypted, and whoever runs StoryForge has set it up without encryption. It tells stories in rooms "
    "that are not encrypted."
)
STRANGER = "StoryForge comes only where its owner has allowed it: MATRIX_ALLOWED_USERS, MATRIX_ALLOWED_ROOMS."
ENCRYPTION = "m.room.encryption"
OUT = frozenset({"leave", "ban"})

log = structlog.stdlib.get_logger()


class Invites:
    """Minds where the bot is.

    Everything may be done again, and raises `SurfaceDown` and `SlowDown` when it should be.

    Args:
        link: the connection.
        askers: knows who is in a room.
        direct: is told of rooms in which the bot is with somebody alone.
        register: where it is written down where the bot is.
        clock: tells the time.
        options: who may invite it, and what it does about encryption.
    """

    def __init__(
        self, *, link: Link, askers: Askers, direct: Direct, register: Register, clock: Clock, options: Options
    ) -> None:
        self._link = link
        self._askers = askers
        self._direct = direct
        self._register = register
        self._clock = clock
        self._options = options
        self._joined: Bucket | None = None
        self._describing: set[asyncio.Task[None]] = set()

    async def look_round(self) -> None:
        """See where the bot is: it may have been thrown out while it was away, or have learned new commands.

        Raises:
            SurfaceError: the homeserver does not say.
        """
        rooms = listed(await self._link.call("GET", f"{API}/joined_rooms"), "joined_rooms")
        await self._note(rooms)
        self._describe_soon(rooms)

    def close(self) -> None:
        """Stop what is done beside everything else."""
        for task in list(self._describing):
            task.cancel()

    async def invited(self, room: str, event: Json) -> None:
        """Somebody has invited the bot: follow, or decline."""
        sender = text(event, "sender")
        if not await self._welcome(sender, room):
            log.info("invitation declined", room=room, by=sender)
            await self._leave(room, STRANGER)
            return
        try:
            await self._join(room, sender)
            await self._introduce(room, sender, alone=inner(event, "content").get("is_direct") is True)
        except (RoomGone, MessageGone, NotTaken) as error:
            log.warning("invitation not followed", room=room, by=sender, reason=str(error))

    async def went(self, room: str) -> None:
        """The bot is in a room no more: from now on the time counts for which its stories are kept."""
        await self._note((), only=room)

    async def moved(self, room: str, event: Json) -> None:
        """Somebody else has come or gone; where nobody is left, the bot goes too."""
        if text(inner(event, "content"), "membership") in OUT and (await self._askers.members(room)).keys() <= {
            self._link.me
        }:
            log.info("left alone", room=room)
            await self._leave(room, "")

    async def sealed(self, room: str) -> None:
        """A room is encrypted from now on."""
        if self._options.encryption == "off":
            await self._leave(room, SEALED)

    def barred(self, room: str) -> str:
        """Say why there are no stories in a room; empty where there can be some.

        Raises:
            SurfaceDown: nothing is known of the room yet.
        """
        return NOT_SEALED if self._options.encryption == "required" and not self._link.encrypted(room) else ""

    async def _welcome(self, sender: str, room: str) -> bool:
        """Tell whether somebody may invite the bot into a room."""
        if any(fnmatchcase(sender, pattern) for pattern in self._options.allowed_users):
            return True
        for allowed in self._options.allowed_rooms:
            if room == (await self._resolved(allowed) if allowed.startswith("#") else allowed):
                return True
        return False

    async def _resolved(self, alias: str) -> str:
        """Ask which room has a name now; empty where none has."""
        try:
            return text(await self._link.call("GET", f"{API}/directory/room/{part(alias)}"), "room_id")
        except (MessageGone, NotTaken) as error:
            log.info("a room that is allowed cannot be found", alias=alias, reason=str(error))
            return ""

    async def _join(self, room: str, sender: str) -> None:
        if room in self._link.client.rooms:
            return
        try:
            self._joined = admit(self._joined, JOINS, self._clock.now().timestamp())
        except TooFast as fast:
            raise SlowDown("There are too many invitations at once.", fast.retry_after) from fast
        server = sender.partition(":")[2]
        query = urlencode({"server_name": server, "via": server})  # a room's id does not say any more where it is
        await self._link.call("POST", f"{API}/join/{part(room)}?{query}", {})

    async def _introduce(self, room: str, sender: str, *, alone: bool) -> None:
        """Say hello, if stories can be told there."""
        sealed = await self._link.state(room, ENCRYPTION) is not None
        if sealed and self._options.encryption == "off":
            await self._leave(room, SEALED)
            return
        await self._note((room,), only=room)
        if alone:
            await self._direct.note(room, sender)
        barred = self._options.encryption == "required" and not sealed
        said = {"msgtype": "m.notice", "body": NOT_SEALED if barred else HELLO, "m.mentions": {}}
        await self._link.send(room, MESSAGE, said, f"hello {room} {self._clock.now():%F}", "last")
        self._describe_soon((room,))

    def _describe_soon(self, rooms: Sequence[str]) -> None:
        """Describe the commands in rooms where they are described otherwise, or not at all; nobody waits for that."""
        task = asyncio.create_task(self._describe(rooms), name="describe commands")
        self._describing.add(task)
        task.add_done_callback(self._describing.discard)

    async def _describe(self, rooms: Sequence[str]) -> None:
        for room in rooms:
            try:
                await patiently(partial(describe, self._link, self._askers, room))
            except SurfaceError as error:
                log.info("commands not described", room=room, reason=str(error))

    async def _leave(self, room: str, reason: str) -> None:
        try:
            body = {"reason": reason} if reason else {}
            await self._link.call("POST", f"{API}/rooms/{part(room)}/leave", body)
        except (RoomGone, MessageGone, NotTaken) as error:
            log.info("not left", room=room, reason=str(error))
        await self._note((), only=room)

    async def _note(self, present: tuple[str, ...], only: str | None = None) -> None:
        try:
            await self._register.attendance(PLATFORM, present, self._clock.now(), only)
        except ServiceDown as down:  # the next look round does it
            log.warning("attendance not noted", reason=str(down))
