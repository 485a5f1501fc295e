"""Telling Discord which commands there are: only when they have changed, since it counts how often one tells it."""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import discord
import structlog
from discord import app_commands

from bot.platforms.discord.troubles import understood
from storyforge_core.errors import SetupError

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class CommandMemory:
    """A file with what Discord was told last.

    It lies beside the stories rather than in their database: it belongs to one bot account on one machine, and a
    backup that is restored elsewhere must not claim that another bot's commands are known. Losing it costs one request.
    """

    file: Path

    async def known(self) -> str:
        """What Discord was told last; empty when that is not known."""
        return await asyncio.to_thread(self._read)

    async def keep(self, digest: str) -> None:
        """Remember what Discord was told.

        Raises:
            SetupError: the file cannot be written.
        """
        await asyncio.to_thread(self._write, digest)

    def _read(self) -> str:
        try:
            return self.file.read_text("utf-8").strip()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            log.warning("commands not remembered", file=str(self.file), reason=str(error))
            return ""

    def _write(self, digest: str) -> None:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.write_text(f"{digest}\n", "utf-8")
        except OSError as error:
            raise SetupError(f"{self.file} cannot be written ({error.strerror}): set DATA_DIR elsewhere.") from error


async def sync(tree: app_commands.CommandTree[Any], guild: int | None, memory: CommandMemory) -> None:
    """Tell Discord of the commands, if it does not know them as they are; in one guild they are there at once.

    Raises:
        SurfaceError: Discord was not told.
        SetupError: what it was told cannot be remembered.
    """
    digest = _digest(tree, guild)
    if await memory.known() == digest:
        return
    place = discord.Object(guild) if guild is not None else None
    if place is not None:
        tree.copy_global_to(guild=place)
    with understood():
        told = await tree.sync(guild=place)
    await memory.keep(digest)
    log.info("commands told", commands=len(told), guild=guild)


def _digest(tree: app_commands.CommandTree[Any], guild: int | None) -> str:
    commands = [command.to_dict(tree) for command in tree.get_commands()]
    said = json.dumps([tree.client.application_id, guild, commands], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()
