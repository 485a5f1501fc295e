"""The wire-level Discord holds what it promises, seen by the real client."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import discord
import pytest
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.state import Permission


class Vote(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"vote:(?P<choice>\d)"):
    """A button that outlives its process."""

    def __init__(self, choice: int) -> None:
        super().__init__(discord.ui.Button(label=f"Choice {choice}", custom_id=f"vote:{choice}"))
        self.choice = choice

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[discord.ui.View], match: re.Match[str]
    ) -> "Vote":
        del interaction, item
        return cls(int(match["choice"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"Counted: {self.choice}", ephemeral=True)


class WriteIn(discord.ui.Modal, title="Write in"):
    choice: discord.ui.TextInput["WriteIn"] = discord.ui.TextInput(label="Your choice", custom_id="choice", max_length=80)

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"You wrote {self.choice.value}", ephemeral=True)


class Bot(discord.AutoShardedClient):
    """A small bot with one of everything."""

    def __init__(self, intents: discord.Intents) -> None:
        super().__init__(intents=intents, allowed_mentions=discord.AllowedMentions.none(), guild_ready_timeout=0.05)
        self.tree = app_commands.CommandTree(self)
        self.heard: list[tuple[str, object]] = []
        self.is_up = asyncio.Event()

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Vote)
        self.tree.add_command(Story())
        await self.tree.sync()

    async def on_ready(self) -> None:
        self.is_up.set()

    async def on_resumed(self) -> None:
        self.heard.append(("resumed", None))

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(("message", message))

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        self.heard.append(("reacted", (event.user_id, str(event.emoji))))

    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        self.heard.append(("unreacted", (event.user_id, str(event.emoji))))


class Story(app_commands.Group, name="story", description="Stories"):
    @app_commands.command(description="Begin")
    async def new(self, interaction: discord.Interaction, premise: str) -> None:
        await interaction.response.defer(thinking=True)
        await interaction.edit_original_response(content=f"Once: {premise}")

    @app_commands.command(description="Say nothing")
    async def silent(self, interaction: discord.Interaction) -> None:
        pass

    @app_commands.command(name="write", description="Write in")
    async def write_in(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(WriteIn())

    @app_commands.command(name="open", description="Open")
    async def open_story(self, interaction: discord.Interaction, title: str) -> None:
        await interaction.response.send_message(title, ephemeral=True)

    @open_story.autocomplete("title")
    async def titles(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        del interaction
        known = ["The Lighthouse", "The Ferry"]
        return [app_commands.Choice(name=name, value=name) for name in known if typed.lower() in name.lower()]


@asynccontextmanager
async def running(peer: DiscordPeer, intents: discord.Intents | None = None) -> AsyncGenerator[Bot]:
    async with Bot(intents or discord.Intents(guilds=True, guild_messages=True, guild_reactions=True)) as bot:
        connection = asyncio.create_task(bot.start(peer.token))
        up = asyncio.create_task(bot.is_up.wait())
        await asyncio.wait([connection, up], timeout=5, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        if connection.done():
            connection.result()
        try:
            yield bot
        finally:
            await bot.close()
            await connection


@pytest.fixture
async def peer(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[DiscordPeer]:
    async with DiscordPeer(window=0.5) as peer:
        monkeypatch.setattr(Route, "BASE", peer.api_base)
        monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(peer.gateway_url))
        peer.guild("Friends").text("general")
        yield peer


@pytest.fixture
async def bot(peer: DiscordPeer) -> AsyncGenerator[Bot]:
    async with running(peer) as bot:
        yield bot


def place(bot: Bot, peer: DiscordPeer) -> discord.TextChannel:
    channel = bot.get_channel(peer.guild("Friends").text("general").id)
    assert isinstance(channel, discord.TextChannel)
    return channel


async def test_a_client_logs_in_registers_its_commands_and_sees_the_server(bot: Bot, peer: DiscordPeer) -> None:
    assert [guild.name for guild in bot.guilds] == ["Friends"]
    assert [command["name"] for command in peer.world.commands[None]] == ["story"]
    assert place(bot, peer).permissions_for(bot.guilds[0].me).send_messages
    assert peer.violations == []


async def test_a_slash_command_is_deferred_and_then_answered(bot: Bot, peer: DiscordPeer) -> None:
    friends = peer.guild("Friends")
    seen = await friends.member("Ann").slash(friends.text("general"), "story new", premise="a lamp")
    await seen.settled()
    assert seen.text == "Once: a lamp"
    assert not seen.private
    assert peer.violations == []


async def test_a_message_is_sent_and_edited_and_remembers_what_it_said(bot: Bot, peer: DiscordPeer) -> None:
    sent = await place(bot, peer).send("one", silent=True)
    await place(bot, peer).get_partial_message(sent.id).edit(content="two")
    (message,) = peer.guild("Friends").text("general").messages
    assert [version.content for version in message.history] == ["one", "two"]
    assert peer.violations == []


async def test_a_button_works_in_a_process_that_never_sent_it(bot: Bot, peer: DiscordPeer) -> None:
    view = discord.ui.View(timeout=None).add_item(Vote(1)).add_item(Vote(2))
    await place(bot, peer).send("Choose", view=view)
    await bot.close()
    (message,) = peer.guild("Friends").text("general").messages
    async with running(peer):
        seen = await peer.guild("Friends").member("Ann").click(message, "Choice 2")
    assert (seen.text, seen.private) == ("Counted: 2", True)
    assert message.shown == "Choose\n[Choice 1] [Choice 2]"
    assert peer.violations == []
