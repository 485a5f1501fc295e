"""Whether the bot could log in, for the health report."""

import aiohttp
import discord

from bot.platforms.discord.link import aim
from bot.platforms.discord.service import NOT_ACCEPTED, Options, invitation
from storyforge_core.domain.writing import Finding

NAME = "Discord"


async def examine(options: Options) -> Finding:
    """Log in, look at the servers, and leave again."""
    aim(options.api_base, options.gateway_url)
    async with discord.Client(intents=discord.Intents.none()) as client:
        try:
            await client.login(options.token)
            servers = [guild.name async for guild in client.fetch_guilds(limit=None, with_counts=False)]
        except discord.LoginFailure:
            return Finding(NAME, "fail", NOT_ACCEPTED)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            return Finding(NAME, "fail", f"cannot be reached from here: {error}")
        if not servers:
            return Finding(NAME, "warn", f"nobody has invited the bot yet: {invitation(client.application_id or 0)}")
        return Finding(NAME, "ok", f"{client.user} is in {', '.join(servers)}")
