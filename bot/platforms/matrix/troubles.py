"""What a homeserver's refusals mean to those who asked for something."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import aiohttp
from nio.exceptions import EncryptionError, LocalProtocolError

from bot.surface import MessageGone, RoomGone, SlowDown, SurfaceDown, SurfaceError

UNSAID_WAIT = 5.0
"""Seconds to wait where a refusal does not say how long: until Synapse takes one event more of a user."""
AWAY = "The homeserver cannot be reached."
NOT_READY = "The keys of this encrypted room are not there yet."
HOW_TO_ALLOW = (
    "StoryForge may not do that in this room. Somebody who may can raise its power level in the room's settings, under "
    "Roles & Permissions, or invite it anew."
)
SEALED = (
    "This room is encrypted, and StoryForge was set up without encryption (MATRIX_E2EE=off), so it says nothing here."
)
UNAUTHORISED, TOO_MANY_REQUESTS, THEIR_FAULT = 401, 429, 500


class NotPermitted(RoomGone):
    """The bot's power level is too low for it, or the bot is not in the room."""


class LoggedOut(SurfaceDown):
    """The homeserver does not know the bot's session any more."""


class TooLarge(SurfaceError):
    """The homeserver takes nothing as large as that."""


class NotTaken(SurfaceError):
    """The homeserver does not do that; elsewhere or otherwise it would."""


class Unproved(SurfaceError):
    """The homeserver wants to see once more who asks.

    Attributes:
        session: by which it knows the request again.
    """

    def __init__(self, session: str) -> None:
        super().__init__("the homeserver wants the account's password")
        self.session = session


class AlreadyThere(SurfaceError):
    """The very same reaction is there already."""


MEANINGS: Mapping[str, tuple[type[SurfaceError], str]] = MappingProxyType(
    {
        "M_FORBIDDEN": (NotPermitted, HOW_TO_ALLOW),
        "M_UNKNOWN_TOKEN": (LoggedOut, "The homeserver has logged StoryForge out."),
        "M_MISSING_TOKEN": (LoggedOut, "The homeserver has logged StoryForge out."),
        "M_USER_DEACTIVATED": (LoggedOut, "StoryForge's account was closed."),
        "M_NOT_FOUND": (MessageGone, "There is no such message any more."),
        "M_TOO_LARGE": (TooLarge, "That is too large for the homeserver."),
        "M_DUPLICATE_ANNOTATION": (AlreadyThere, "That reaction is there already."),
        "M_USER_LOCKED": (SurfaceDown, "StoryForge's account is locked by its homeserver."),
    }
)
"""By code of https://spec.matrix.org/latest/client-server-api/#api-standards."""


@contextmanager
def understood() -> Iterator[None]:
    """Raise what the surface's callers know.

    Raises:
        SurfaceError: the connection or the encryption failed.
    """
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise SurfaceDown(AWAY) from error
    except (EncryptionError, LocalProtocolError) as error:
        raise SurfaceDown(NOT_READY) from error


def answered(status: int, headers: Mapping[str, str], data: bytes) -> Mapping[str, Any]:
    """Read the answer to a request.

    Raises:
        SurfaceError: it is a refusal; `SlowDown` tells for how long.
    """
    body = _body(data)
    if status < 400:  # noqa: PLR2004  # everything below is a success, or a redirection that was followed
        return body
    raise meaning(status, headers, body)


def meaning(status: int, headers: Mapping[str, str], body: Mapping[str, Any]) -> SurfaceError:
    """Say what a refusal means."""
    code, words = str(body.get("errcode", "")), str(body.get("error", f"status {status}"))
    if status == TOO_MANY_REQUESTS or code == "M_LIMIT_EXCEEDED":
        return SlowDown("The homeserver wants fewer events.", _wait(headers, body))
    if status >= THEIR_FAULT:
        return SurfaceDown(f"The homeserver has a problem of its own ({status}).")
    if status == UNAUTHORISED and "flows" in body:
        return Unproved(str(body.get("session", "")))
    if known := MEANINGS.get(code):
        kind, sentence = known
        return kind(sentence)
    if "unknown event" in words:  # Synapse has no code for a relation to something that is not there
        return MessageGone("There is no such message any more.")
    return NotTaken(f"The homeserver does not take that: {words}")


def _wait(headers: Mapping[str, str], body: Mapping[str, Any]) -> float:
    """Read the wait where it is told most exactly: the field of the body is out of use, but counts milliseconds."""
    told = body.get("retry_after_ms")
    if isinstance(told, int | float):
        return told / 1000
    said = headers.get("Retry-After", "")
    return float(said) if said.isdecimal() else UNSAID_WAIT


def _body(data: bytes) -> Mapping[str, Any]:
    """Read a JSON object; whatever stands in for the homeserver may answer with a page."""
    try:
        body = json.loads(data or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
