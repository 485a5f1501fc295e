"""The servers that the bot is in: those it leaves again, and those it was removed from."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import discord
import structlog

from bot.platforms.discord.link import PLATFORM
from bot.platforms.discord.troubles import understood
from bot.reception import Register
from bot.surface import SurfaceError
from storyforge_core.errors import ServiceDown
from storyforge_core.ports import Clock

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class Guilds:
    """Minds where the bot is."""

    register: Register
    clock: Clock
    blocked: frozenset[int]
    """Where the owner does not want it to be."""

    async def look_round(self, guilds: Iterable[discord.Guild]) -> None:
        """See where the bot is: it may have been invited or removed while it was away."""
        present = [guild for guild in guilds if not await self._left(guild)]
        await self._note([str(guild.id) for guild in present])

    async def came(self, guild: discord.Guild) -> bool:
        """Note that the bot was invited; False where it has left again at once."""
        if await self._left(guild):
            return False
        await self._note([str(guild.id)], only=str(guild.id))
        return True

    async def went(self, guild: discord.Guild) -> None:
        """Note that the bot was removed: from now on the time counts for which stories are kept."""
        await self._note([], only=str(guild.id))

    async def _left(self, guild: discord.Guild) -> bool:
        """Leave without a word where the bot is not to be."""
        if guild.id not in self.blocked:
            return False
        try:
            with understood():
                await guild.leave()
            log.info("blocked server left", guild=guild.id)
        except SurfaceError as error:
            log.warning("blocked server not left", guild=guild.id, reason=str(error))
        return True

    async def _note(self, present: Collection[str], only: str | None = None) -> None:
        try:
            await self.register.attendance(PLATFORM, present, self.clock.now(), only)
        except ServiceDown as down:  # the next look round does it
            log.warning("attendance not noted", reason=str(down))
