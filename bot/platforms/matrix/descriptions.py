"""What the bot's commands are, told to clients that list them while somebody types (MSC4391).

One description has them all: each counts as an event against the homeserver's limit, and there are more than thirty
commands. What is chosen and the words behind it come back in the message beside its text, see `addressing`.
"""

import base64
import hashlib
from typing import Any

from bot.catalog.row import STORY
from bot.catalog.table import ROWS
from bot.platforms.matrix.askers import Askers
from bot.platforms.matrix.link import Link

KIND = "org.matrix.msc4391.command_description"


async def describe(link: Link, askers: Askers, room: str) -> None:
    """Describe the commands in a room, if that is allowed and the same is not described there already.

    Raises:
        SurfaceError: it could not be done now.
    """
    powers = await askers.powers(room)
    if not powers.may_set(link.me, KIND):
        return
    key, content = state_key(link.me), description()
    if await link.state(room, KIND, key) != content:
        await link.put_state(room, KIND, key, content)


def state_key(user: str) -> str:
    """The key under which a description belongs to one bot."""
    return base64.b64encode(hashlib.sha256(f"{STORY.name}{user}".encode()).digest()).decode()


def description() -> dict[str, Any]:
    """Describe the commands: a word out of the list, and whatever stands behind it."""
    names = [{"schema_type": "literal", "value": row.name} for row in ROWS]
    return {
        "command": STORY.name,
        "description": _text(STORY.help),
        "parameters": [
            {
                "key": "command",
                "schema": {"schema_type": "union", "variants": names},
                "description": _text("What to do; help explains each"),
            },
            {
                "key": "words",
                "schema": {"schema_type": "primitive", "type": "string"},
                "optional": True,
                "description": _text("What it is about, a number, a title"),
            },
        ],
        "fi.mau.tail_parameter": "words",
    }


def _text(words: str) -> dict[str, Any]:
    return {"m.text": [{"body": words}]}
