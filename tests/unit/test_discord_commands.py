"""The commands as Discord is told of them: what it takes, and in which languages."""

import re
from collections.abc import Iterator
from typing import Any

import discord
import pytest
from discord import app_commands

from bot.platforms.discord.commands import menus
from bot.platforms.discord.menus import DEEDS, message_menus
from bot.platforms.discord.tongues import TONGUES, Interpreter
from tests.peers.discord.answers import COMMAND_SIZE

Json = dict[str, Any]
NAME = re.compile(r"[-_'\w]{1,32}")
"""As Discord asks for, for the letters of Europe: no blanks, no signs; and nothing that has a small form."""
MENU = re.compile(r"[-_'\w ]{1,32}")


class Nobody:
    """Does what is typed: nothing."""

    async def typed(self, *_: object) -> None:
        """Nobody types here."""

    async def offered(self, *_: object) -> list[Any]:
        """Nobody types here."""
        return []

    async def chose(self, *_: object) -> None:
        """Nobody chooses here."""


async def payloads() -> list[Json]:
    """Every command as it is sent."""
    async with discord.Client(intents=discord.Intents.none()) as client:
        tree = app_commands.CommandTree(client)
        await tree.set_translator(Interpreter())
        interpreter = tree.translator
        assert interpreter is not None
        groups = [await group.get_translated_payload(tree, interpreter) for group in menus(Nobody())]
        return groups + [await entry.get_translated_payload(tree, interpreter) for entry in message_menus(Nobody())]


def parts(command: Json) -> Iterator[Json]:
    """A command, its groups, subcommands and options."""
    yield command
    for option in command.get("options", ()):
        yield from parts(option)


def names(part: Json, locale: str) -> str:
    return str(part.get("name_localizations", {}).get(locale) or part["name"])


def length(command: Json, locale: str) -> int:
    """Characters of all that has some, as Discord counts them, in one language."""
    own = len(names(command, locale)) + len(command.get("description_localizations", {}).get(locale, ""))
    choices = sum(len(choice["name"]) + len(str(choice["value"])) for choice in command.get("choices") or ())
    return own + choices + sum(length(option, locale) for option in command.get("options", ()))


@pytest.mark.parametrize("locale", [locale.value for locale in TONGUES])
async def test_every_name_and_description_is_said_in_each_language(locale: str) -> None:
    untold = [
        part["name"]
        for command in await payloads()
        for part in parts(command)
        if locale not in part.get("name_localizations", {})
        or (part.get("description") and locale not in part.get("description_localizations", {}))
    ]
    assert untold == []


@pytest.mark.parametrize("locale", ["en-US", *(locale.value for locale in TONGUES)])
async def test_discord_takes_every_name_and_description(locale: str) -> None:
    for command in await payloads():
        for part in parts(command):
            form = MENU if command.get("type") == discord.AppCommandType.message.value else NAME
            name = names(part, locale)
            assert form.fullmatch(name), name
            assert form is MENU or name == name.lower(), name
            said = part.get("description_localizations", {}).get(locale, part.get("description", ""))
            assert len(said) <= 100, said
        assert length(command, locale) <= COMMAND_SIZE


@pytest.mark.parametrize("locale", ["en-US", *(locale.value for locale in TONGUES)])
async def test_no_two_things_beside_each_other_have_one_name(locale: str) -> None:
    commands = await payloads()
    beside = [commands, *(part["options"] for command in commands for part in parts(command) if part.get("options"))]
    for siblings in beside:
        together = [names(part, locale) for part in siblings]
        assert len(set(together)) == len(together), together


async def test_other_languages_are_shown_english() -> None:
    for command in await payloads():
        for part in parts(command):
            assert {*part.get("name_localizations", {})} <= {locale.value for locale in TONGUES}


def test_no_translation_is_for_something_that_is_gone() -> None:
    from bot.catalog.table import FAMILIES, ROOTS, ROWS  # noqa: PLC0415 - only here

    arguments = [argument for row in ROWS for argument in row.arguments]
    known = {root.name for root in ROOTS} | {*FAMILIES} | {word for row in ROWS for word in row.name.split()}
    known |= {argument.name for argument in arguments} | {*DEEDS.values()}
    said = {root.help for root in ROOTS} | {*FAMILIES.values()} | {row.help for row in ROWS}
    said |= {argument.help for argument in arguments}
    for tongue in TONGUES.values():
        assert {*tongue.names} <= known
        assert {*tongue.texts} <= said


def test_a_message_has_room_in_its_menu_for_more() -> None:
    assert len(DEEDS) <= 5 - 1
