"""Telling Discord which commands there are: only when they have changed, since it counts how often one tells it."""

import asyncio
import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import discord
import structlog
from discord import app_commands

from bot.platforms.discord.troubles import understood
from bot.surface import RoomGone
from storyforge_core.errors import SetupError

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class Told:
    """What Discord was told last."""

    digest: str = ""
    """Of the commands in all their languages; empty when nothing is known."""
    guild: int | None = None
    """The one server that has them; None: they are everywhere."""


@dataclass(frozen=True, slots=True)
class CommandMemory:
    """A file with what Discord was told last.

    It lies beside the stories rather than in their database: it belongs to one bot account on one machine, and a
    backup that is restored elsewhere must not claim that another bot's commands are known. Losing it costs a request
    or two.
    """

    file: Path

    async def known(self) -> Told:
        """What Discord was told last."""
        return await asyncio.to_thread(self._read)

    async def keep(self, told: Told) -> None:
        """Remember what Discord was told.

        Raises:
            SetupError: the file cannot be written.
        """
        await asyncio.to_thread(self._write, told)

    def _read(self) -> Told:
        try:
            digest, _, guild = self.file.read_text("utf-8").strip().partition(" ")
        except FileNotFoundError:
            return Told()
        except (OSError, UnicodeDecodeError) as error:
            log.warning("commands not remembered", file=str(self.file), reason=str(error))
            return Told()
        return Told(digest, int(guild) if guild.isdecimal() else None)

    def _write(self, told: Told) -> None:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.write_text(f"{told.digest} {told.guild or ''}".strip() + "\n", "utf-8")
        except OSError as error:
            raise SetupError(f"{self.file} cannot be written ({error.strerror}): set DATA_DIR elsewhere.") from error


async def sync(tree: app_commands.CommandTree[Any], guild: int | None, memory: CommandMemory) -> None:
    """Tell Discord of the commands, if it does not know them as they are; in one guild they are there at once.

    Where they were told before and do not belong any more, they are taken away: people would see them twice.

    Raises:
        SurfaceError: Discord was not told.
        SetupError: what it was told cannot be remembered.
    """
    before = await memory.known()
    now = Told(await _digest(tree, guild), guild)
    if before == now:
        return
    place = discord.Object(guild) if guild is not None else None
    if place is not None:
        tree.copy_global_to(guild=place)
    with understood():
        told = await tree.sync(guild=place)
    await _take_away(tree, before, now)
    await memory.keep(now)
    log.info("commands told", commands=len(told), guild=guild)


async def _take_away(tree: app_commands.CommandTree[Any], before: Told, now: Told) -> None:
    """Remove the commands from where they were told before; in a server that is out of reach nobody sees them."""
    http, application = tree.client.http, tree.client.application_id or 0
    if now.guild is not None and before.guild is None:
        with understood():
            await http.bulk_upsert_global_commands(application, payload=[])
    if before.guild not in {None, now.guild}:
        with suppress(RoomGone), understood():
            await http.bulk_upsert_guild_commands(application, before.guild or 0, payload=[])


async def _digest(tree: app_commands.CommandTree[Any], guild: int | None) -> str:
    translator = tree.translator or app_commands.Translator()
    commands = [await command.get_translated_payload(tree, translator) for command in tree.get_commands()]
    menus = tree.get_commands(type=discord.AppCommandType.message)
    entries = [await entry.get_translated_payload(tree, translator) for entry in menus]
    said = json.dumps([tree.client.application_id, guild, commands, entries], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()
