"""Rooms in which the bot answers somebody alone: found among those there are, or opened for it."""

import asyncio
from typing import Any

from bot.platforms.matrix.askers import TWO, Askers
from bot.platforms.matrix.content import inner, listed, text
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.options import Encryption
from bot.platforms.matrix.troubles import NOT_READY
from bot.platforms.matrix.wire import API, part
from bot.surface import MessageGone, RoomGone, SurfaceDown

SEALING = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
DIRECT = "m.direct"
KNOWN_WITHIN = 20.0
LOOK_AGAIN = 0.05


class Direct:
    """Knows the bot's direct rooms, as its homeserver keeps them for all of an account's programs.

    Args:
        link: the connection.
        askers: knows who is in a room.
        encryption: what the owner wants.
    """

    def __init__(self, link: Link, askers: Askers, encryption: Encryption) -> None:
        self._link = link
        self._askers = askers
        self._encryption = encryption

    async def room_with(self, user: str) -> str:
        """Find the direct room with somebody, or open one and invite them.

        Raises:
            SurfaceError: there is none, and none can be had.
        """
        for room in reversed(listed(await self._known(), user)):
            if await self._usable(room, user):
                return room
        body: dict[str, Any] = {"preset": "trusted_private_chat", "is_direct": True, "invite": [user]}
        if self._encryption != "off":
            body["initial_state"] = [SEALING]
        room = text(await self._link.call("POST", f"{API}/createRoom", body), "room_id")
        await self.note(room, user)
        await self._heard_of(room)
        return room

    async def note(self, room: str, user: str) -> None:
        """Remember that a room is for somebody alone."""
        known = await self._known()
        rooms = [*(each for each in listed(known, user) if each != room), room]
        await self._link.call("PUT", self._notes, {**known, user: rooms})

    async def _usable(self, room: str, user: str) -> bool:
        """Tell whether somebody is in a room, or invited, and nobody else."""
        if not self._fits(room):
            return False
        try:
            members = await self._askers.members(room)
            asked = text(await self._link.state(room, "m.room.member", user) or {}, "membership")
        except RoomGone:
            return False
        return asked in {"join", "invite"} and members.keys() <= {self._link.me, user} and len(members) <= TWO

    def _fits(self, room: str) -> bool:
        """Tell whether a room is known to be encrypted, or not, as the owner wants it."""
        return room in self._link.client.rooms and self._link.encrypted(room) is (self._encryption != "off")

    async def _heard_of(self, room: str) -> None:
        """Wait until the client knows a room that was just opened; at first it may not seem to be encrypted."""
        try:
            async with asyncio.timeout(KNOWN_WITHIN):
                while not self._fits(room):  # noqa: ASYNC110 - nobody tells when the client has learned it
                    await asyncio.sleep(LOOK_AGAIN)
        except TimeoutError as error:
            raise SurfaceDown(NOT_READY) from error

    async def _known(self) -> dict[str, Any]:
        try:
            return dict(inner({"all": await self._link.call("GET", self._notes)}, "all"))
        except MessageGone:
            return {}

    @property
    def _notes(self) -> str:
        return f"{API}/user/{part(self._link.me)}/account_data/{DIRECT}"
