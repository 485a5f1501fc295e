"""What Discord's errors mean to those who asked for something."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import aiohttp
import discord

from bot.surface import MessageGone, MessageOld, RoomGone, SlowDown, SurfaceDown, SurfaceError

UNSAID_WAIT = 5.0
"""Seconds to wait where a refusal does not say how long: the window of Discord's message limits."""
HOW_TO_ALLOW = (
    "StoryForge may not write in this channel. Give its role View Channel, Send Messages, Send Messages in Threads "
    "and Read Message History in the channel's settings, under Permissions."
)
TOO_LARGE = "That is too large for Discord."
ASLEEP = "That thread is archived. Write anything into it, then try again."
LOCKED = "That thread is locked. A moderator can unlock it again."
TOO_MANY_THREADS = "This server has as many open threads as Discord allows. A moderator can close old ones."
MODERATED = (
    "This server's automatic moderation does not let that passage through. Its owner can except StoryForge's role: "
    "Server Settings, Safety Setup, AutoMod."
)
NO_DIRECT_MESSAGES = (
    "Discord lets me send you no direct messages. Allow them in the privacy settings of a server that we share."
)


class ThreadAsleep(RoomGone):
    """The thread is archived: nothing in it can be changed until it is opened again."""


class NotPermitted(RoomGone):
    """The bot lacks a permission there."""


class NotHere(SurfaceError):
    """Discord does not do this here; elsewhere or otherwise it would."""


class TooLate(SurfaceDown):
    """Nobody waits for the answer any more: an interaction lives three seconds unanswered, fifteen minutes answered."""


TOO_LATE = (TooLate, "The answer came too late for Discord.")
NO_ANSWER_TO_EDIT = (MessageGone, "That message cannot be edited any more.")
GONE = (RoomGone, "That channel or server does not exist any more.")
FORBIDDEN = (NotPermitted, HOW_TO_ALLOW)
MEANINGS: Mapping[int, tuple[type[SurfaceError], str]] = MappingProxyType(
    {
        10003: GONE,  # unknown channel
        10004: GONE,  # unknown server
        10008: NO_ANSWER_TO_EDIT,  # unknown message
        10015: TOO_LATE,  # unknown webhook: an interaction's token is one
        10062: TOO_LATE,  # unknown interaction
        30010: (NotHere, "That message has twenty different reactions already, and Discord takes no more."),
        30046: (MessageOld, "That message is too old to be edited that often."),
        40005: (NotHere, TOO_LARGE),
        40060: TOO_LATE,  # answered already
        40067: (NotHere, "This forum wants a tag on every post. Begin the story in a text channel."),
        50001: FORBIDDEN,  # no access
        50007: (RoomGone, NO_DIRECT_MESSAGES),
        50008: (NotHere, "Nobody can write here. Begin the story in a text channel."),
        50013: FORBIDDEN,  # a permission is missing
        50024: (NotHere, "That cannot be done in a channel of this kind. Begin the story in a text channel."),
        50027: TOO_LATE,  # the token's quarter of an hour is over
        50083: (ThreadAsleep, ASLEEP),
        50278: (RoomGone, NO_DIRECT_MESSAGES),  # no server in common any more
        160002: FORBIDDEN,  # a reply where the history may not be read
        160005: (RoomGone, LOCKED),
        160006: (NotHere, TOO_MANY_THREADS),
        200000: (RoomGone, MODERATED),
        200001: (RoomGone, MODERATED),
    }
)
"""By code of https://docs.discord.com/developers/topics/opcodes-and-status-codes#json."""
CLIENT_GONE = "Session is closed"
"""What aiohttp says of a request that was still waiting when its client was replaced."""
TOO_MANY_REQUESTS, THEIR_FAULT = 429, 500
SLOW_MODE = frozenset({20016, 20028, 20029})
"""Codes of limits that are the channel's or the server's, not the bot's."""


@contextmanager
def understood() -> Iterator[None]:
    """Raise what the surface's callers know; a request that was wrong in itself stays Discord's error.

    Raises:
        SurfaceError: see `meaning`.
    """
    try:
        yield
    except discord.RateLimited as error:
        raise SlowDown("Discord wants fewer requests.", error.retry_after) from error
    except discord.HTTPException as error:
        raise meaning(error) from error
    except (aiohttp.ClientError, OSError) as error:
        raise SurfaceDown("Discord cannot be reached.") from error
    except RuntimeError as error:
        if str(error) != CLIENT_GONE:
            raise
        raise SurfaceDown("Discord is being connected anew.") from error


def meaning(error: discord.HTTPException) -> Exception:
    """Say what an answer of Discord's means; one that means nothing to players stays as it is."""
    if known := MEANINGS.get(error.code):
        kind, sentence = known
        return kind(sentence)
    if error.status == TOO_MANY_REQUESTS or error.code in SLOW_MODE:
        return SlowDown("Discord wants fewer requests.", float(error.response.headers.get("Retry-After", UNSAID_WAIT)))
    if error.status >= THEIR_FAULT:
        return SurfaceDown(f"Discord has a problem of its own ({error.status}).")
    return error
