"""The `/story` commands as Discord knows them: derived from the table of all commands, row by row."""

import inspect
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, Protocol

import discord
from discord import app_commands
from discord.app_commands import Choice as Offer

from bot.catalog.row import Argument, Given, Kind, Row
from bot.catalog.table import FAMILIES, GROUPS, ROOTS
from bot.platforms.discord.completing import Value
from bot.platforms.discord.link import Interaction

HELP_CHARS = 100
OPTION_CHARS = 6000
"""The most that Discord lets anybody type into an option."""


Place = discord.TextChannel | discord.ForumChannel | discord.VoiceChannel | discord.StageChannel
PICKED: Mapping[Kind, object] = {
    "channel": Place,
    "role": discord.Role,
    "person": discord.User,
    "file": discord.Attachment,
    "picture": discord.Attachment,
}
"""What people pick from Discord's own lists, or from their disk."""


class Slash(Protocol):
    """What the commands need of those who do them."""

    async def typed(self, interaction: Interaction, row: Row, given: Given) -> None:
        """Somebody has sent a command."""

    async def offered(self, interaction: Interaction, row: Row, argument: Argument, typed: str) -> list[Offer[Value]]:
        """Say what may complete an argument."""


def menus(slash: Slash) -> Iterator[app_commands.Group]:
    """All commands, under their roots; families such as `fact` have a menu of their own."""
    for root in ROOTS:
        menu = app_commands.Group(name=root.name, description=root.help)
        families: dict[str, app_commands.Group] = {}
        for row in (row for group in GROUPS if group.root == root for row in group.rows):
            first, _, member = row.name.partition(" ")
            if member and first not in families:
                families[first] = app_commands.Group(name=first, description=FAMILIES[first], parent=menu)
            (families[first] if member else menu).add_command(_command(row, slash))
        yield menu


def _command(row: Row, slash: Slash) -> app_commands.Command[Any, ..., None]:
    command: app_commands.Command[Any, ..., None] = app_commands.Command(
        name=row.name.rpartition(" ")[2], description=row.help[:HELP_CHARS], callback=_callback(row, slash)
    )
    for argument in row.arguments:
        if argument.kind not in {"text", "word", *PICKED}:
            command.autocomplete(argument.name)(_completer(row, argument, slash))
    return command


def _callback(row: Row, slash: Slash) -> Callable[..., Coroutine[Any, Any, None]]:
    """A function with the arguments of a row: discord.py reads the options off its signature."""

    async def callback(interaction: Interaction, **given: Value | discord.abc.Snowflake | None) -> None:
        await slash.typed(interaction, row, {name: _said(value) for name, value in given.items() if value is not None})

    asked = inspect.Parameter("interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Interaction)
    options = [_parameter(argument) for argument in row.arguments]
    signature = inspect.Signature([asked, *options])
    callback.__signature__ = signature  # type: ignore[attr-defined]  # where inspect looks before it looks at the code
    app_commands.describe(**{argument.name: _described(argument) for argument in row.arguments})(callback)
    words = {each.name: [Offer(name=word, value=word) for word in each.words] for each in row.arguments if each.words}
    return app_commands.choices(**words)(callback)


def _parameter(argument: Argument) -> inspect.Parameter:
    if argument.kind in PICKED:
        annotation: object = PICKED[argument.kind]
    elif argument.kind == "number":
        annotation = app_commands.Range[int, 1, argument.limit]
    elif argument.words:
        annotation = str
    else:
        annotation = app_commands.Range[str, 1, min(argument.limit, OPTION_CHARS)]
    default = inspect.Parameter.empty if argument.required else None
    return inspect.Parameter(argument.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _said(value: Value | discord.abc.Snowflake) -> str:
    return str(value) if isinstance(value, Value) else str(value.id)


def _described(argument: Argument) -> str:
    return argument.help[:HELP_CHARS]


def _completer(row: Row, argument: Argument, slash: Slash) -> Callable[..., Coroutine[Any, Any, list[Offer[Any]]]]:
    async def complete(interaction: Interaction, typed: Value) -> list[Offer[Any]]:
        return await slash.offered(interaction, row, argument, str(typed))

    return complete
