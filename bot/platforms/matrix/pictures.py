"""Pictures that people send for a command: with the command as their caption, or the command as a reply to them."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from nio.crypto.attachments import decrypt_attachment
from nio.exceptions import EncryptionError

from bot.platforms.matrix.content import Json, answered, inner, text
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.sealing import opened
from bot.platforms.matrix.troubles import NotTaken
from bot.platforms.matrix.wire import API, part
from bot.surface import MessageGone, RoomGone, SurfaceDown
from storyforge_core.domain.book import EntityLook
from storyforge_core.domain.looks import MOST_LOOK_BYTES

IMAGE = "m.image"
AGAIN = 1.0
"""Seconds until a picture is asked for once more that the homeserver did not give."""
NOT_GIVEN = "The homeserver does not give me that picture. Send it once more."
NOT_OPENED = "That picture cannot be decrypted. Send it once more."
_MXC = re.compile(r"mxc://([\w.:\[\]-]{1,255})/([\w-]{1,255})")


async def with_picture(link: Link, room: str, asked: EntityLook, content: Json) -> EntityLook:
    """Put the bytes of a picture into a command that came with one, or that is a reply to one.

    Raises:
        SurfaceError: there is one, and it cannot be had.
    """
    shown = content if text(content, "msgtype") == IMAGE else await _answered(link, room, content)
    if text(shown, "msgtype") != IMAGE:
        return asked
    return replace(asked, file="", picture=await _fetched(link, shown))


async def _answered(link: Link, room: str, content: Json) -> Json:
    """The content of the message that a message replies to; empty where there is none that can be read."""
    event = answered(content)
    if not event:
        return {}
    try:
        source = await link.call("GET", f"{API}/rooms/{part(room)}/event/{part(event)}")
    except (MessageGone, RoomGone, NotTaken):
        return {}
    return inner(opened(link.client, room, source) or {}, "content")


async def _fetched(link: Link, content: Json) -> bytes:
    sealed = inner(content, "file")
    address = _MXC.fullmatch(text(sealed or content, "url"))
    if address is None:
        raise NotTaken(NOT_GIVEN)
    server, media = (quote(each, safe="") for each in address.groups())
    data = await _patiently(link, f"/_matrix/client/v1/media/download/{server}/{media}")
    return await asyncio.to_thread(_unsealed, data, sealed) if sealed else data


async def _patiently(link: Link, path: str) -> bytes:
    """Ask twice: the media may come from another homeserver, which is away for as long as it likes.

    Raises:
        NotTaken: it is not to be had, and whoever sent it may try again.
    """
    try:
        try:
            return await link.download(path, MOST_LOOK_BYTES)
        except SurfaceDown:
            await asyncio.sleep(AGAIN)
            return await link.download(path, MOST_LOOK_BYTES)
    except (SurfaceDown, MessageGone, RoomGone) as error:
        raise NotTaken(NOT_GIVEN) from error


def _unsealed(data: bytes, sealed: Mapping[str, Any]) -> bytes:
    key, hashed = text(inner(sealed, "key"), "k"), text(inner(sealed, "hashes"), "sha256")
    try:
        return bytes(decrypt_attachment(data, key, hashed, text(sealed, "iv")))
    except (EncryptionError, ValueError, TypeError) as error:
        raise NotTaken(NOT_OPENED) from error
