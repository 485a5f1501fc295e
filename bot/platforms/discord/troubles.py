"""What Discord's errors mean to those who asked for something."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord

from bot.surface import MessageGone, RoomGone, SlowDown, SurfaceDown

UNKNOWN_CHANNEL, UNKNOWN_GUILD, UNKNOWN_MESSAGE, UNKNOWN_INTERACTION = 10003, 10004, 10008, 10062
TOO_MANY_OLD_EDITS = 30046
NO_ACCESS, NO_PERMISSION = 50001, 50013
THREAD_IS_ARCHIVED = 50083
TOKEN_EXPIRED = (10015, 50027, 40060)
"""Codes of https://docs.discord.com/developers/topics/opcodes-and-status-codes#json."""
UNSAID_WAIT = 5.0
"""Seconds to wait where a refusal does not say how long: the window of Discord's message limits."""
HOW_TO_ALLOW = (
    "StoryForge may not write in this channel. Give its role View Channel, Send Messages, Send Messages in Threads "
    "and Read Message History in the channel's settings, under Permissions."
)


class ThreadAsleep(RoomGone):
    """The thread is archived: nothing in it can be changed until it is opened again."""


class TooLate(SurfaceDown):
    """Nobody waits for the answer any more: an interaction lives three seconds unanswered, fifteen minutes answered."""


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


def meaning(error: discord.HTTPException) -> Exception:
    """Say what an answer of Discord's means; one that means nothing to players stays as it is."""
    if error.code in {UNKNOWN_MESSAGE, TOO_MANY_OLD_EDITS}:
        return MessageGone("That message cannot be edited any more.")
    if error.code in {UNKNOWN_CHANNEL, UNKNOWN_GUILD}:
        return RoomGone("That channel or server does not exist any more.")
    if error.code in {NO_ACCESS, NO_PERMISSION}:
        return RoomGone(HOW_TO_ALLOW)
    if error.code == THREAD_IS_ARCHIVED:
        return ThreadAsleep("That thread is archived and locked. A moderator can open it again.")
    if error.code == UNKNOWN_INTERACTION or error.code in TOKEN_EXPIRED:
        return TooLate("The answer came too late for Discord.")
    return _by_status(error)


def _by_status(error: discord.HTTPException) -> Exception:
    if error.status == 429:  # noqa: PLR2004 - the numbers of HTTP are its words
        return SlowDown("Discord wants fewer requests.", float(error.response.headers.get("Retry-After", UNSAID_WAIT)))
    if error.status >= 500:  # noqa: PLR2004
        return SurfaceDown(f"Discord has a problem of its own ({error.status}).")
    return error
