"""Encrypting what goes out and decrypting what comes in, with nio's Olm machine."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import nio
import structlog
from nio.exceptions import EncryptionError, LocalProtocolError

from bot.platforms.matrix.troubles import NOT_READY, SEALED
from bot.surface import RoomGone, SurfaceDown

SEALED_KIND = "m.room.encrypted"
IN_CLEAR = "m.reaction"
"""Reactions are never encrypted: servers have to see which message they are for."""

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class Sealer:
    """Encrypts for the members of a room; one message of a room at a time, since the first shares the room's key."""

    _turns: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def seal(
        self, client: nio.AsyncClient, room: str, kind: str, content: Mapping[str, Any]
    ) -> tuple[str, Mapping[str, Any]]:
        """Encrypt an event for a room; where the room is open, it stays as it is.

        Raises:
            RoomGone: the room is encrypted, and the bot does without encryption.
            SurfaceDown: the room or its members are not known yet.
        """
        if not encrypted(client, room) or kind == IN_CLEAR:
            return kind, content
        if client.olm is None:
            raise RoomGone(SEALED)
        async with self._turns.setdefault(room, asyncio.Lock()):
            await _share(client, room)
            sealed_kind, sealed = client.encrypt(room, kind, dict(content))
        return sealed_kind, sealed


def encrypted(client: nio.AsyncClient, room: str) -> bool:
    """Tell whether a room is encrypted.

    Raises:
        SurfaceDown: nothing is known of the room yet; whoever guessed would say in clear what is meant to be sealed.
    """
    known = client.rooms.get(room)
    if known is None:
        raise SurfaceDown(NOT_READY)
    return bool(known.encrypted)


def opened(client: nio.AsyncClient, room: str, source: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Decrypt an event; None when its key is not there, and the event itself when it was not encrypted."""
    if source.get("type") != SEALED_KIND:
        return source
    event = nio.Event.parse_event(dict(source))
    if not isinstance(event, nio.MegolmEvent) or client.olm is None:
        return None
    event.room_id = room
    try:
        plain: Mapping[str, Any] = client.decrypt_event(event).source
    except (EncryptionError, ValueError, KeyError, TypeError, AssertionError) as error:
        log.debug("not decrypted", room=room, event_id=source.get("event_id"), reason=str(error))
        return None
    return plain


async def _share(client: nio.AsyncClient, room: str) -> None:
    """Have all members know the key that the next message is encrypted with.

    Raises:
        LocalProtocolError: who they are, or what their devices are, could not be asked.
    """
    if not client.rooms[room].members_synced and isinstance(await client.joined_members(room), nio.ErrorResponse):
        raise LocalProtocolError("the members of the room are not known")
    if client.should_query_keys and isinstance(await client.keys_query(), nio.ErrorResponse):
        raise LocalProtocolError("the devices of the members are not known")
    if client.olm.should_share_group_session(room):
        await client.share_group_session(room, ignore_unverified_devices=True)
