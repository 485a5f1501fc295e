"""The wire-level Discord holds what it promises, seen by the real client."""

import asyncio
import io
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.platforms.discord.link import hang_up
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.spec import specification
from tests.peers.discord.state import Json, Permission


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
    choice: discord.ui.TextInput["WriteIn"] = discord.ui.TextInput(
        label="Your choice", custom_id="choice", max_length=80
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"You wrote {self.choice.value}", ephemeral=True)


class Bot(discord.AutoShardedClient):
    """A small bot with one of everything."""

    def __init__(self, intents: discord.Intents) -> None:
        super().__init__(
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=0.05,
            heartbeat_timeout=0.5,
        )
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
        self.heard.append(("super" if event.burst else "reacted", (event.user_id, str(event.emoji))))

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
            await hang_up(bot)


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


@pytest.mark.usefixtures("bot")
async def test_a_slash_command_is_deferred_and_then_answered(peer: DiscordPeer) -> None:
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


# what people do


@pytest.mark.usefixtures("bot")
async def test_who_gets_no_answer_in_three_seconds_sees_that_the_application_did_not_respond(peer: DiscordPeer) -> None:
    friends = peer.guild("Friends")
    seen = await friends.member("Ann").slash(friends.text("general"), "story silent")
    assert seen.failed


async def test_an_answer_after_three_seconds_comes_too_late(bot: Bot, peer: DiscordPeer) -> None:
    friends = peer.guild("Friends")
    asked = await ignored(bot, peer)
    peer.clock.forward(3.1)
    with pytest.raises(discord.NotFound, match="10062"):
        await asked.response.send_message("Late")
    assert friends.text("general").messages == []


async def test_an_interaction_is_answered_only_once(bot: Bot, peer: DiscordPeer) -> None:
    asked = await ignored(bot, peer)
    await asked.response.send_message("First")
    asked.response._response_type = None
    with pytest.raises(discord.HTTPException, match="40060"):
        await asked.response.send_message("Second")


async def test_a_token_dies_after_a_quarter_of_an_hour(bot: Bot, peer: DiscordPeer) -> None:
    asked = await ignored(bot, peer)
    await asked.response.send_message("First")
    await asked.edit_original_response(content="Still")
    peer.clock.forward(15 * 60)
    with pytest.raises(discord.HTTPException, match="50027"):
        await asked.edit_original_response(content="Too late")


async def ignored(bot: Bot, peer: DiscordPeer) -> discord.Interaction:
    """An interaction that the bot hasn't answered yet."""
    caught: list[discord.Interaction] = []
    friends = peer.guild("Friends")

    @bot.tree.command(name="catch", description="Catch")
    async def catch(interaction: discord.Interaction) -> None:
        caught.append(interaction)

    await bot.tree.sync()
    asking = asyncio.create_task(friends.member("Ann").slash(friends.text("general"), "catch"))
    async with asyncio.timeout(2):
        while not caught:  # noqa: ASYNC110 -- the client sets no event of ours
            await asyncio.sleep(0.005)
    asking.cancel()
    return caught[0]


@pytest.mark.usefixtures("bot")
async def test_a_form_opens_is_filled_and_answered_privately(peer: DiscordPeer) -> None:
    friends = peer.guild("Friends")
    ann, general = friends.member("Ann"), friends.text("general")
    opened = await ann.slash(general, "story write")
    seen = await ann.modal_submit(opened, choice="Run!")
    assert (seen.text, seen.private) == ("You wrote Run!", True)
    assert general.messages == []
    assert "You wrote Run!" in ann.sees(general)
    assert friends.member("Ben").sees(general) == ""
    assert peer.violations == []


@pytest.mark.usefixtures("bot")
async def test_typing_into_an_option_is_completed(peer: DiscordPeer) -> None:
    friends = peer.guild("Friends")
    offered = await friends.member("Ann").autocomplete(friends.text("general"), "story open", "title", "fer")
    assert [choice["value"] for choice in offered] == ["The Ferry"]
    assert peer.violations == []


async def test_reactions_reach_the_client_and_can_be_fetched(bot: Bot, peer: DiscordPeer) -> None:
    sent = await place(bot, peer).send("Choose")
    await sent.add_reaction("1️⃣")
    (message,) = peer.guild("Friends").text("general").messages
    ann, ben = peer.guild("Friends").member("Ann"), peer.guild("Friends").member("Ben")
    for human in (ann, ben):
        human.react(message, "1️⃣")
    ben.unreact(message, "1️⃣")
    await heard(bot, "unreacted")
    assert ("reacted", (ann.user.id, "1️⃣")) in bot.heard
    assert ("unreacted", (ben.user.id, "1️⃣")) in bot.heard
    fetched = await place(bot, peer).fetch_message(sent.id)
    assert {user.name async for user in fetched.reactions[0].users(limit=100)} == {"StoryForge", "Ann"}
    assert peer.violations == []


async def heard(bot: Bot, what: str) -> object:
    """Wait for what the bot hears of."""
    async with asyncio.timeout(2):
        while True:
            found = [thing for name, thing in bot.heard if name == what]
            if found:
                return found[-1]
            await asyncio.sleep(0.005)


async def test_without_the_content_intent_only_a_reply_with_a_ping_is_readable(bot: Bot, peer: DiscordPeer) -> None:
    friends = peer.guild("Friends")
    ann, general = friends.member("Ann"), friends.text("general")
    await place(bot, peer).send("The end?")
    ann.message(general, "just chatting")
    ann.reply(general.messages[0], "no ping", ping=False)
    ann.reply(general.messages[0], "go on", ping=True)
    async with asyncio.timeout(2):
        while len(bot.heard) < 4:  # noqa: ASYNC110 -- the client sets no event of ours
            await asyncio.sleep(0.005)
    texts = [message.content for _, message in bot.heard if isinstance(message, discord.Message)]
    assert texts == ["The end?", "", "", "go on"]


async def test_other_bots_and_super_reactions_are_told_as_such(bot: Bot, peer: DiscordPeer) -> None:
    friends = peer.guild("Friends")
    ann, robot = friends.member("Ann"), friends.robot("Other")
    message = robot.message(friends.text("general"), "Beep")
    ann.super_react(message, "👀")
    await heard(bot, "super")
    told = await heard(bot, "message")
    assert isinstance(told, discord.Message)
    assert told.author.bot


async def test_what_only_moderators_may_is_offered_to_them_only(bot: Bot, peer: DiscordPeer) -> None:
    @bot.tree.command(name="ban", description="Ban")
    @app_commands.default_permissions(manage_messages=True)
    async def ban(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Banned", ephemeral=True)

    await bot.tree.sync()
    friends = peer.guild("Friends")
    ann, general = friends.member("Ann"), friends.text("general")
    with pytest.raises(AssertionError, match="there is no /ban"):
        await ann.slash(general, "ban")
    friends.promote(ann, Permission.MANAGE_MESSAGES)
    assert (await ann.slash(general, "ban")).text == "Banned"


async def test_nobody_is_pinged_whom_the_message_does_not_allow(bot: Bot, peer: DiscordPeer) -> None:
    friends = peer.guild("Friends")
    ann, ben = friends.member("Ann").user, friends.member("Ben").user
    text = f"{ann.mention} and {ben.mention} and @everyone"
    await place(bot, peer).send(text)
    await place(bot, peer).send(text, allowed_mentions=discord.AllowedMentions(users=[discord.Object(ann.id)]))
    assert [message.pinged for message in friends.text("general").messages] == [frozenset(), frozenset({"Ann"})]


async def test_a_direct_message_has_a_command_and_an_answer(bot: Bot, peer: DiscordPeer) -> None:
    ann = peer.guild("Friends").member("Ann")
    seen = await ann.slash(ann.direct, "story new", premise="alone")
    await seen.settled()
    user = await bot.fetch_user(ann.user.id)
    await user.send("And a word")
    assert [message.shown for message in ann.direct.messages] == ["Once: alone", "And a word"]
    assert peer.violations == []


async def test_who_takes_no_direct_messages_gets_none(bot: Bot, peer: DiscordPeer) -> None:
    ann = peer.guild("Friends").member("Ann")
    ann.close_direct()
    user = await bot.fetch_user(ann.user.id)
    with pytest.raises(discord.Forbidden, match="50007"):
        await user.send("Psst")


# messages


async def test_the_same_nonce_gives_the_same_message_again(bot: Bot, peer: DiscordPeer) -> None:
    first = await place(bot, peer).send("Once", nonce="n-1")
    again = await place(bot, peer).send("Once", nonce="n-1")
    assert first.id == again.id
    assert len(peer.guild("Friends").text("general").messages) == 1


async def test_a_file_is_kept_with_its_words(bot: Bot, peer: DiscordPeer) -> None:
    picture = discord.File(io.BytesIO(b"\x89PNG"), filename="map.png", description="A map with two roads")
    sent = await place(bot, peer).send("Look", file=picture)
    (message,) = peer.guild("Friends").text("general").messages
    (kept,) = message.attachments
    assert (kept.name, kept.size, kept.description) == ("map.png", 4, "A map with two roads")
    await place(bot, peer).get_partial_message(sent.id).edit(attachments=[])
    assert message.attachments == []
    assert peer.violations == []


@pytest.mark.parametrize(
    ("content", "embeds", "wrong"),
    [
        ("x" * 2001, [], "content"),
        (None, [discord.Embed(description="x" * 4096), discord.Embed(description="x" * 1905)], "Embed size"),
    ],
)
async def test_what_is_too_long_is_refused_and_noted(
    bot: Bot, peer: DiscordPeer, content: str | None, embeds: list[discord.Embed], wrong: str
) -> None:
    with pytest.raises(discord.HTTPException, match="50035") as caught:
        await place(bot, peer).send(content, embeds=embeds)
    assert wrong in str(caught.value)
    assert any("50035" in violation for violation in peer.violations)


async def test_an_empty_message_is_refused(bot: Bot, peer: DiscordPeer) -> None:
    with pytest.raises(discord.HTTPException, match="50006"):
        await place(bot, peer).send("")


async def test_a_tree_of_components_holds_four_thousand_characters(bot: Bot, peer: DiscordPeer) -> None:
    def view(length: int) -> discord.ui.LayoutView:
        texts = (discord.ui.TextDisplay["discord.ui.LayoutView"]("x" * part) for part in (2000, length - 2000))
        layout = discord.ui.LayoutView()
        for text in texts:
            layout.add_item(text)
        return layout

    await place(bot, peer).send(view=view(4000))
    with pytest.raises(discord.HTTPException, match="50035"):
        await place(bot, peer).send(view=view(4001))


async def test_a_message_takes_twenty_emoji(bot: Bot, peer: DiscordPeer) -> None:
    peer.limits.window = 0
    sent = await place(bot, peer).send("Many")
    for number in range(20):
        await sent.add_reaction(chr(0x1F600 + number))
    with pytest.raises(discord.HTTPException, match="30010"):
        await sent.add_reaction("🚪")


async def test_a_deleted_message_is_unknown(bot: Bot, peer: DiscordPeer) -> None:
    sent = await place(bot, peer).send("Gone")
    (message,) = peer.guild("Friends").text("general").messages
    peer.guild("Friends").member("Ann").delete(message)
    with pytest.raises(discord.NotFound, match="10008"):
        await sent.edit(content="Still?")


async def test_a_message_older_than_an_hour_takes_few_edits(bot: Bot, peer: DiscordPeer) -> None:
    sent = await place(bot, peer).send("Tally 0")
    peer.clock.forward(3601)
    for number in range(3):
        await place(bot, peer).get_partial_message(sent.id).edit(content=f"Tally {number + 1}")
    with pytest.raises(discord.HTTPException, match="30046"):
        await place(bot, peer).get_partial_message(sent.id).edit(content="Tally 4")


# places


async def test_a_thread_opens_under_a_message_and_can_be_archived_and_deleted(bot: Bot, peer: DiscordPeer) -> None:
    friends = peer.guild("Friends")
    friends.permit(friends.text("general"), Permission.MANAGE_THREADS)
    sent = await place(bot, peer).send("A story")
    thread = await sent.create_thread(name="The Lighthouse")
    scene = await thread.send("It was dark.")
    assert thread.id == sent.id
    assert [message.content for message in friends.thread("The Lighthouse").messages] == ["It was dark."]
    await thread.edit(archived=True)
    with pytest.raises(discord.HTTPException, match="50083"):
        await scene.edit(content="It was darker.")
    await thread.send("Light!")
    assert not friends.thread("The Lighthouse").archived
    await thread.delete()
    assert friends.guild.threads == {}
    assert peer.violations == []


async def test_a_thread_opens_by_itself_and_in_a_forum(bot: Bot, peer: DiscordPeer) -> None:
    friends = peer.guild("Friends")
    alone = await place(bot, peer).create_thread(name="Alone", type=discord.ChannelType.public_thread)
    forum = await bot.fetch_channel(friends.forum("stories").id)
    assert isinstance(forum, discord.ForumChannel)
    post = await forum.create_thread(name="A post", content="It began.")
    assert alone.parent_id == friends.text("general").id
    assert friends.thread("A post").shown == "StoryForge: It began."
    assert post.thread.name == "A post"
    assert peer.violations == []


async def test_a_locked_thread_takes_nothing(bot: Bot, peer: DiscordPeer) -> None:
    friends = peer.guild("Friends")
    thread = await place(bot, peer).create_thread(name="Shut", type=discord.ChannelType.public_thread)
    friends.member("Ann").lock(friends.thread("Shut"))
    with pytest.raises(discord.HTTPException, match="50083"):
        await thread.send("Open up")


@pytest.mark.parametrize(("taken", "code"), [(Permission.VIEW_CHANNEL, "50001"), (Permission.SEND_MESSAGES, "50013")])
async def test_a_permission_that_is_taken_is_missed(bot: Bot, peer: DiscordPeer, taken: Permission, code: str) -> None:
    channel = place(bot, peer)
    peer.guild("Friends").forbid(peer.guild("Friends").text("general"), taken)
    with pytest.raises(discord.Forbidden, match=code):
        await channel.send("Hello?")


async def test_a_server_that_sends_the_bot_away_is_closed_to_it(bot: Bot, peer: DiscordPeer) -> None:
    channel = place(bot, peer)
    peer.guild("Friends").kick_bot()
    with pytest.raises(discord.Forbidden, match="50001"):
        await channel.send("Hello?")
    assert list(bot.guilds) == []
    peer.guild("Friends").invite_bot()
    await channel.send("Back again")
    assert peer.violations == []


async def test_reacting_asks_for_a_permission_of_its_own(bot: Bot, peer: DiscordPeer) -> None:
    friends = peer.guild("Friends")
    sent = await place(bot, peer).send("Choose")
    friends.forbid(friends.text("general"), Permission.ADD_REACTIONS)
    with pytest.raises(discord.Forbidden, match="50013"):
        await sent.add_reaction("1️⃣")
    friends.member("Ann").react(friends.text("general").messages[0], "1️⃣")
    await sent.add_reaction("1️⃣")


# trouble


async def test_the_limit_is_told_in_headers_and_the_client_keeps_it(bot: Bot, peer: DiscordPeer) -> None:
    for number in range(7):
        await place(bot, peer).send(str(number))
    statuses = [request.status for request in peer.asked("POST", "/channels/{channel_id}/messages")]
    assert statuses == [200] * 7
    first, *_, last = peer.guild("Friends").text("general").messages
    assert last.created - first.created >= 0.4


async def test_who_ignores_the_limit_is_refused_and_told_when(peer: DiscordPeer) -> None:
    url = f"{peer.api_base}/channels/{peer.guild('Friends').text('general').id}/messages"
    headers = {"Authorization": f"Bot {peer.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for number in range(5):
            async with session.post(url, json={"content": str(number)}) as response:
                assert response.headers["X-RateLimit-Remaining"] == str(4 - number)
        async with session.post(url, json={"content": "5"}) as response:
            refusal = await response.json()
            assert (response.status, refusal["global"]) == (429, False)
            assert 0 < refusal["retry_after"] <= 0.5


async def test_two_channels_do_not_share_a_limit(bot: Bot, peer: DiscordPeer) -> None:
    threads = [await place(bot, peer).create_thread(name=name, type=discord.ChannelType.public_thread) for name in "ab"]
    for number in range(5):
        await asyncio.gather(*(thread.send(str(number)) for thread in threads))
    times = [message.created for name in "ab" for message in peer.guild("Friends").thread(name).messages]
    assert max(times) - min(times) < 0.4


async def test_everything_together_has_a_limit_too(peer: DiscordPeer) -> None:
    headers = {"Authorization": f"Bot {peer.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def ask(number: int) -> tuple[int, str | None]:
            async with session.get(f"{peer.api_base}/channels/{number}") as response:
                return response.status, response.headers.get("X-RateLimit-Global")

        answers = await asyncio.gather(*map(ask, range(60)))
    assert answers.count((429, "true")) == 10


async def test_a_storm_of_429_is_weathered(bot: Bot, peer: DiscordPeer) -> None:
    peer.trouble("POST /channels/*/messages", "storm", seconds=0.01, times=3)
    await place(bot, peer).send("At last")
    statuses = [request.status for request in peer.asked("POST", "/channels/{channel_id}/messages")]
    assert statuses == [429, 429, 429, 200]


async def test_a_message_whose_answer_was_lost_is_there_once_when_it_is_sent_again(bot: Bot, peer: DiscordPeer) -> None:
    peer.trouble("POST /channels/*/messages", "lost")
    with pytest.raises(aiohttp.ClientError):
        await place(bot, peer).send("Once", nonce="n-2")
    await place(bot, peer).send("Once", nonce="n-2")
    assert [message.content for message in peer.guild("Friends").text("general").messages] == ["Once"]


async def test_a_cut_connection_does_nothing(bot: Bot, peer: DiscordPeer) -> None:
    peer.trouble("POST /channels/*/messages", "cut")
    with pytest.raises(aiohttp.ClientError):
        await place(bot, peer).send("Never")
    assert peer.guild("Friends").text("general").messages == []


async def test_a_server_error_is_answered_as_ordered(bot: Bot, peer: DiscordPeer) -> None:
    peer.trouble("POST /channels/*/messages", "error", status=503)
    with pytest.raises(discord.DiscordServerError):
        await place(bot, peer).send("Out of order")


async def test_a_slow_answer_is_an_answer(bot: Bot, peer: DiscordPeer) -> None:
    peer.trouble("POST /channels/*/messages", "slow", seconds=0.2)
    began = peer.clock()
    await place(bot, peer).send("Slowly")
    assert peer.clock() - began >= 0.2


# the gateway


@pytest.mark.parametrize("how", ["drop", "reconnect", "close"])
async def test_what_happened_while_the_line_was_down_is_told_after_it(bot: Bot, peer: DiscordPeer, how: str) -> None:
    break_it = {"drop": peer.gateway.drop, "reconnect": peer.gateway.reconnect}
    break_it.get(how, lambda: peer.gateway.close(4000))()
    await peer.until(lambda: all(session.line is None for session in peer.gateway.sessions.values()))
    peer.guild("Friends").member("Ann").message(peer.guild("Friends").text("general"), "Are you there?")
    await heard(bot, "resumed")
    assert isinstance(await heard(bot, "message"), discord.Message)
    assert (peer.gateway.identified, peer.gateway.resumed) == (1, 1)


async def test_a_session_that_is_over_begins_anew(bot: Bot, peer: DiscordPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discord.Client, "before_identify_hook", no_pause)
    peer.gateway.invalidate()
    await peer.until(lambda: peer.gateway.identified == 2)
    assert bot.guilds


async def no_pause(self: discord.Client, shard_id: int | None, *, initial: bool = False) -> None:
    """Identify at once: Discord's own pause is five seconds."""
    del self, shard_id, initial


async def test_a_wrong_token_is_refused_before_the_gateway(peer: DiscordPeer) -> None:
    peer.token = "wrong"  # noqa: S105 -- on purpose
    with pytest.raises(discord.LoginFailure):
        async with running(peer):
            pass


async def test_a_token_that_only_the_gateway_refuses_closes_the_line(peer: DiscordPeer) -> None:
    peer.gateway.token = "another"  # noqa: S105 -- on purpose
    with pytest.raises(discord.ConnectionClosed) as caught:
        async with running(peer):
            pass
    assert caught.value.code == 4004


async def test_heartbeats_nobody_answers_bring_the_client_back(bot: Bot, peer: DiscordPeer) -> None:
    peer.gateway.heartbeat = 0.1
    peer.gateway.drop()
    await heard(bot, "resumed")
    peer.gateway.acknowledges = False
    await peer.until(lambda: peer.gateway.resumed >= 2)
    assert peer.gateway.identified == 1


async def test_an_intent_that_is_not_granted_closes_the_line(peer: DiscordPeer) -> None:
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with running(peer, discord.Intents(guilds=True, message_content=True)):
            pass


async def test_without_their_intent_messages_are_not_told(peer: DiscordPeer) -> None:
    async with running(peer, discord.Intents(guilds=True, guild_reactions=True)) as bot:
        message = peer.guild("Friends").member("Ann").message(peer.guild("Friends").text("general"), "Psst")
        peer.guild("Friends").member("Ann").react(message, "👀")
        await heard(bot, "reacted")
        assert "message" not in dict(bot.heard)


async def test_what_the_official_specification_does_not_know_is_noted(peer: DiscordPeer) -> None:
    if specification() is None:
        pytest.skip("no specification: set DISCORD_OPENAPI to the official openapi.json")
    assert peer.violations == []
    url = f"{peer.api_base}/channels/{peer.guild('Friends').text('general').id}/messages"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {peer.token}"}) as session:
        await session.post(url, json={"content": "fine", "tts": "yes"})
    assert any("tts" in violation for violation in peer.violations)


# as a process


async def test_another_process_can_act_and_look(bot: Bot, peer: DiscordPeer) -> None:
    view = discord.ui.View(timeout=None).add_item(Vote(1))
    sent = await place(bot, peer).send("Choose", view=view)
    base = peer.api_base.removesuffix("/api/v10")
    async with aiohttp.ClientSession(base) as session:

        async def does(what: str, **more: object) -> Json:
            async with session.post("/peer/human", json={"who": "Ann", "do": what, **more}) as response:
                answer: Json = await response.json()
                return answer

        clicked = await does("click", message=str(sent.id), which="vote:1")
        await does("react", message=str(sent.id), emoji="1️⃣")
        told = await does("slash", command="story open", options={"title": "The Ferry"})
        wrong = await does("slash", command="story closed")
        async with session.get("/peer/state") as response:
            state = await response.json()
    assert (clicked["text"], told["text"], told["private"]) == ("Counted: 1", "The Ferry", True)
    assert "there is no /story closed" in wrong["error"]
    (message,) = state["guilds"]["Friends"][0]["messages"]
    assert (message["content"], message["reactions"]) == ("Choose", {"1️⃣": ["Ann"]})
    assert state["connected"]
    assert state["violations"] == []


async def test_it_runs_by_itself() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.peers.discord", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        base, _, token = (await process.stdout.readline()).decode().split()
        headers = {"Authorization": f"Bot {token}"}
        async with aiohttp.ClientSession(headers=headers) as session, session.get(f"{base}/users/@me") as response:
            assert (await response.json())["username"] == "StoryForge"
    finally:
        process.terminate()
    assert await process.wait() == 0
