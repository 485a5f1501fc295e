"""What can be done with a scene from its message's own menu: right-click it, or hold it, and look under Apps.

Discord takes five such commands of a bot at least; there is room for one more.
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, Literal, Protocol

import discord
from discord import app_commands

from bot.platforms.discord.link import Interaction

Deed = Literal["reroll", "branch", "edit", "report"]
DEEDS: Final[Mapping[Deed, str]] = {
    "reroll": "Reroll this scene",
    "branch": "Branch from here",
    "edit": "Edit this scene",
    "report": "Report this picture",
}
NO_PICTURE = "No picture hangs there. Choose this on a message with a picture of the story."
NOT_THERE = "That picture is not there any more."
NO_SCENE = "That message tells no scene. Choose this on a message with a scene of the story."
NOT_OPEN = "That scene belongs to a story that is not open here now. Open it first: /story stories"


class Menus(Protocol):
    """What the menus need of those who do it."""

    async def chose(self, interaction: Interaction, message: int, deed: Deed) -> None:
        """Somebody has chosen something from a message's menu."""


def message_menus(host: Menus) -> tuple[app_commands.ContextMenu, ...]:
    """The entries of a message's menu."""
    return tuple(app_commands.ContextMenu(name=name, callback=_callback(deed, host)) for deed, name in DEEDS.items())


def _callback(deed: Deed, host: Menus) -> Callable[[Interaction, discord.Message], Coroutine[Any, Any, None]]:
    async def chosen(interaction: Interaction, message: discord.Message) -> None:
        await host.chose(interaction, message.id, deed)

    return chosen
