"""What the owner has decided about Matrix."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Encryption = Literal["off", "optional", "required"]
"""In encrypted rooms never, too, or only."""
Stories = Literal["threads", "room"]
"""Each story is a thread of the room in which it was begun; or the whole room is its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """All of it."""

    homeserver: str
    user: str = ""
    """Its whole id; may be left open where there is a token."""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    """Of a session that exists; empty: the bot logs in by itself."""
    recovery_key: str = field(default="", repr=False)
    directory: Path
    """Where what the bot's session needs is kept."""
    encryption: Encryption = "optional"
    stories: Stories = "threads"
    unlimited: bool = False
    """The homeserver is known not to limit the bot."""
    polls: bool = False
    allowed_users: tuple[str, ...] = ()
    """Patterns of user ids who may invite the bot."""
    allowed_rooms: tuple[str, ...] = ()
    """Rooms into which anybody may invite it."""
