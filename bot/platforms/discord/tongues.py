"""The commands in other languages than English: names, descriptions, menus. Discord shows each person their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation as Where

from bot.platforms.discord import german


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language. What has no entry is shown in English."""

    names: Mapping[str, str]
    """Of commands, groups, arguments and menus. People type them: Discord takes no capitals or blanks but in menus."""
    texts: Mapping[str, str]
    """Descriptions, 100 characters at the most."""


TONGUES: Final[Mapping[discord.Locale, Tongue]] = {discord.Locale.german: Tongue(german.NAMES, german.TEXTS)}
_NAMED = {Where.command_name, Where.group_name, Where.parameter_name}
_DESCRIBED = {Where.command_description, Where.group_description, Where.parameter_description}


class Interpreter(app_commands.Translator):
    """Looks words up. The words that arguments take stay English: settings and answers use them too."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """Say something in a language; None where it is not known there."""
        tongue = TONGUES.get(locale)
        if tongue is None:
            return None
        if context.location in _NAMED:
            return tongue.names.get(string.message)
        return tongue.texts.get(string.message) if context.location in _DESCRIBED else None
