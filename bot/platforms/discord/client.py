"""The program as a Discord user: what it hears of people, passed on."""

import asyncio
import sys
from dataclasses import replace
from typing import Protocol

import discord
import structlog
from discord import app_commands
from discord.app_commands import Choice as Offer

from bot.catalog.help import help_text
from bot.catalog.row import HINT_CHARS, Argument, Given, HelpAsked, Parsed, Problem, Row
from bot.catalog.typed import make
from bot.deeds import Deed as PictureDeed
from bot.deeds import command_for
from bot.picture.render import map_picture
from bot.platforms.discord.answers import Answers, acknowledge, apologise, excused
from bot.platforms.discord.askers import asker_of, asker_of_message
from bot.platforms.discord.board import Board
from bot.platforms.discord.buttons import BUTTONS, ReportForm
from bot.platforms.discord.commands import menus
from bot.platforms.discord.completing import Value, command_names, completion, offers
from bot.platforms.discord.files import file_argument, with_file
from bot.platforms.discord.forms import FORM_CHARS, TOO_LONG, EditForm, NoteForm, wants_edit_form, wants_note_form
from bot.platforms.discord.link import NO_PINGS, Interaction, Link, hang_up
from bot.platforms.discord.menus import NO_PICTURE, NO_SCENE, NOT_OPEN, NOT_THERE, Deed, message_menus
from bot.platforms.discord.openings import Openings
from bot.platforms.discord.pictures import picture_argument, with_picture
from bot.platforms.discord.threads import give_back, make_place, not_allowed
from bot.platforms.discord.tongues import Interpreter
from bot.reception import Asker, Reception
from bot.surface import File
from storyforge_core.domain.commands import (
    BranchFrom,
    CloseBallot,
    Command,
    ContinueStory,
    Direct,
    Edit,
    Extend,
    NewStory,
    Reroll,
    ShowStatus,
    ShowTakes,
    Stop,
    Vote,
    WriteIn,
)
from storyforge_core.domain.pictures import HungPicture, PictureId
from storyforge_core.domain.replies import Accepted, Declined, MapShown, Reply, StatusShown, TakesShown
from storyforge_core.domain.story import RunId, Scene, SceneId
from storyforge_core.errors import ServiceDown

INTENTS = discord.Intents(guilds=True, guild_messages=True, guild_reactions=True, dm_reactions=True)
"""What the bot hears of; none of it needs Discord's approval."""
LONGEST_WAIT = 30.0
"""Seconds that discord.py may wait by itself before a request; whoever asked wants to know of longer ones."""
NO_LONGER_ASKED = "That question is decided. The newest one stands further down."
UNKNOWN_COMMAND = "That command is new or gone. Reload Discord with Ctrl+R, then try again."

OPENING = (ContinueStory, Reroll, Extend, Vote, WriteIn, CloseBallot)
"""What may begin a scene where it is asked for."""

log = structlog.stdlib.get_logger()


class Owner(Protocol):
    """The service whose client it is, as far as it is told of things that nobody asked for."""

    @property
    def openings(self) -> Openings:
        """The interactions whose answer a scene's first message may be."""

    async def ready(self, client: "StoryClient") -> None:
        """A new session begins."""

    async def invited(self, client: "StoryClient", guild: discord.Guild) -> None:
        """Somebody has invited the bot to another server."""

    async def removed(self, guild: discord.Guild) -> None:
        """Somebody has removed the bot from a server, or the server is gone."""

    async def reopened(self, guild: int) -> None:
        """The bot may be allowed more in a server than before."""


class StoryClient(discord.AutoShardedClient):
    """One connection of the program to Discord, with the commands it understands. Needs no privileged intent."""

    def __init__(self, link: Link, board: Board, reception: Reception, answers: Answers, owner: Owner) -> None:
        super().__init__(
            intents=INTENTS,
            allowed_mentions=NO_PINGS,
            chunk_guilds_at_startup=False,
            max_messages=None,
            max_ratelimit_timeout=LONGEST_WAIT,
            http_trace=link.trace(),
        )
        self._board = board
        self._reception = reception
        self._answers = answers
        self._owner = owner
        self._openings = owner.openings
        self.tree = StoryTree(self)
        for menu in menus(self):
            self.tree.add_command(menu)
        for entry in message_menus(self):
            self.tree.add_command(entry)
        self.add_dynamic_items(*BUTTONS)

    async def setup_hook(self) -> None:
        """Before anything is told to Discord: who translates the commands."""
        await self.tree.set_translator(Interpreter())

    async def close(self) -> None:
        """End the connection, also one that was only being made."""
        await super().close()
        await hang_up(self)

    async def on_ready(self) -> None:
        """A new session begins: what was reacted to meanwhile was not heard."""
        self._board.look_again()
        await self._owner.ready(self)

    async def on_resumed(self) -> None:
        """A session goes on after a gap; what happened meanwhile is told again, but not for ever."""
        self._board.look_again()

    async def on_guild_channel_update(self, _before: discord.abc.GuildChannel, now: discord.abc.GuildChannel) -> None:
        """Permissions may have changed in a channel."""
        await self._owner.reopened(now.guild.id)

    async def on_guild_role_update(self, _before: discord.Role, now: discord.Role) -> None:
        """Permissions may have changed everywhere."""
        await self._owner.reopened(now.guild.id)

    async def on_raw_thread_update(self, thread: discord.RawThreadUpdateEvent) -> None:
        """A thread may have been unlocked."""
        await self._owner.reopened(thread.guild_id)

    async def on_error(self, event: str, /, *_: object, **__: object) -> None:
        """Write down what went wrong where nobody waits for an answer."""
        log.error("event not handled", event_name=event, exc_info=sys.exception())

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Somebody has invited the bot."""
        await self._owner.invited(self, guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The bot is in a server no more; one that is only away for a while is not told of here."""
        await self._owner.removed(guild)

    async def on_raw_reaction_add(self, reaction: discord.RawReactionActionEvent) -> None:
        """Somebody has reacted to a message."""
        if self.user is None or reaction.user_id != self.user.id:
            await self._board.reacted(reaction)

    async def on_message(self, message: discord.Message) -> None:
        """A reply that pings the bot says what shall happen next; of other messages Discord shows us no words."""
        answered = message.reference.resolved if message.reference else None
        ours = isinstance(answered, discord.Message) and answered.author == self.user
        if message.author.bot or not ours or self.user not in message.mentions or not message.content.strip():
            return
        asker = asker_of_message(message)
        hint = message.content.strip()[:HINT_CHARS]
        reply = await self._reception.ask(asker, ContinueStory(hint), str(message.id))
        if isinstance(reply, Declined):
            await self._answers.decline(message, reply)

    async def typed(self, interaction: Interaction, row: Row, given: Given) -> None:
        """Somebody has sent a slash command; one that says too little opens a form."""
        if wants_edit_form(row, given):
            await excused(interaction, self._open_edit(interaction))
        elif wants_note_form(row, given):
            await excused(interaction, self._open_note(interaction))
        else:
            await excused(interaction, self._do(interaction, row, given))

    async def chose(self, interaction: Interaction, message: int, deed: Deed) -> None:
        """Somebody has chosen something from a message's menu."""
        await excused(interaction, self._do_with_scene(interaction, message, deed))

    async def edited(self, interaction: Interaction, prose: str, scene: str) -> None:
        """Somebody has rewritten a scene."""
        await acknowledge(interaction)
        await self._answer(interaction, asker_of(interaction), Edit(prose, scene))

    async def directed(self, interaction: Interaction, note: str) -> None:
        """Somebody has written a director's note, or cleared it."""
        await acknowledge(interaction)
        await self._answer(interaction, asker_of(interaction), Direct(note))

    async def offered(self, interaction: Interaction, row: Row, argument: Argument, typed: str) -> list[Offer[Value]]:
        """Say what may complete an argument."""
        if argument.kind == "command":
            return offers(command_names(), typed)
        wanted = completion(row, argument)
        if wanted is None:
            return []
        return offers(wanted.read(await self._reception.look(asker_of(interaction), wanted.command)), typed)

    async def voted(self, interaction: Interaction, position: int, scene: SceneId) -> None:
        """Somebody has pressed the button of a choice."""
        await self._answer_open(interaction, Vote(position), scene)

    async def wrote(self, interaction: Interaction, text: str, scene: SceneId) -> None:
        """Somebody has written a choice of their own."""
        await self._answer_open(interaction, WriteIn(text), scene)

    async def pictured(self, interaction: Interaction, deed: PictureDeed, picture: PictureId, why: str = "") -> None:
        """Somebody wants something of a picture."""
        await acknowledge(interaction)
        asker, message = asker_of(interaction), interaction.message
        hung = await self._reception.picture_in(asker.room, str(message.id)) if message else HungPicture(picture, 0)
        if hung is None or hung.picture != picture:
            await self._answers.reply(interaction, Declined(NOT_THERE))
        else:
            await self._answer(interaction, asker, command_for(deed, hung, why))

    async def stopped(self, interaction: Interaction, run: RunId) -> None:
        """Somebody wants no more to be written."""
        await acknowledge(interaction)
        await self._answer(interaction, asker_of(interaction), Stop(run))

    async def _do(self, interaction: Interaction, row: Row, given: Given) -> None:
        file = file_argument(row)
        if file is not None:
            await acknowledge(interaction)
            await self._carry_out(interaction, make(row, await with_file(interaction, file, given)))
            return
        wanted = make(row, given)
        if (shown := picture_argument(row)) is not None:
            await acknowledge(interaction)
            await self._carry_out(interaction, await with_picture(interaction, shown, wanted))
            return
        if isinstance(wanted, OPENING):
            await self._play_on(interaction, asker_of(interaction), wanted)
            return
        await acknowledge(interaction)
        await self._carry_out(interaction, wanted)

    async def _carry_out(self, interaction: Interaction, wanted: Parsed) -> None:
        """Do what was asked, once it is acknowledged."""
        match wanted:
            case Problem(sentence):
                await self._answers.literal(interaction, sentence)
            case HelpAsked(command):
                await self._answers.columns(interaction, help_text(command))
            case NewStory() as new:
                await self._begin(interaction, new)
            case command:
                await self._answer(interaction, asker_of(interaction), command)

    async def _do_with_scene(self, interaction: Interaction, message: int, deed: Deed) -> None:
        asker = asker_of(interaction)
        if deed == "report":
            await self._report(interaction, await self._reception.picture_in(asker.room, str(message)))
            return
        shown = await self._reception.scene_in(asker.room, str(message))
        if shown is None or not shown.here:
            await _say(interaction, NO_SCENE if shown is None else NOT_OPEN)
        elif deed == "edit":
            await self._offer_edit(interaction, shown.scene)
        else:
            await acknowledge(interaction)
            number = str(shown.scene.number)
            command = Reroll(scene=number) if deed == "reroll" else BranchFrom(number)
            await self._answer(interaction, asker, command)

    async def _report(self, interaction: Interaction, hung: HungPicture | None) -> None:
        if hung is None:
            await _say(interaction, NO_PICTURE)
        else:
            await interaction.response.send_modal(ReportForm(hung.picture))

    async def _open_edit(self, interaction: Interaction) -> None:
        """Open the form for the scene where the group stands."""
        found = await self._reception.look(asker_of(interaction), ShowTakes())
        if isinstance(found, TakesShown):
            await self._offer_edit(interaction, next(take for take in found.takes if take.id == found.head))
        else:
            await acknowledge(interaction)
            await self._answers.reply(interaction, found)

    async def _offer_edit(self, interaction: Interaction, scene: Scene) -> None:
        if len(scene.prose) > FORM_CHARS:
            await _say(interaction, TOO_LONG.format(length=len(scene.prose), limit=FORM_CHARS))
        else:
            await interaction.response.send_modal(EditForm(str(scene.number), scene.prose))

    async def _open_note(self, interaction: Interaction) -> None:
        found = await self._reception.look(asker_of(interaction), ShowStatus())
        if isinstance(found, StatusShown):
            await interaction.response.send_modal(NoteForm(found.playthrough.note))
        else:
            await acknowledge(interaction)
            await self._answers.reply(interaction, found)

    async def _begin(self, interaction: Interaction, command: NewStory) -> None:
        """Begin a story in a place of its own."""
        if missing := not_allowed(interaction):
            await self._answers.literal(interaction, missing)
            return
        asker = asker_of(interaction)
        if (objection := await self._reception.objection(asker, command)) is not None:
            await self._answers.reply(interaction, objection)
            return
        place = await make_place(interaction, asker, command)
        reply = await self._reception.begin(replace(asker, room=place.room), command, str(interaction.id))
        if isinstance(reply, Accepted):
            await self._answers.reply(interaction, reply, place.note)
        else:
            await give_back(place)
            await self._answers.reply(interaction, reply)

    async def _play_on(self, interaction: Interaction, asker: Asker, command: Command) -> None:
        """Do what may begin a scene, whose first message then is the answer."""
        asking = asyncio.ensure_future(self._reception.ask(asker, command, str(interaction.id)))
        try:
            if not not_allowed(interaction) and await self._openings.answered(interaction, asker.room, asking):
                return
            await acknowledge(interaction)
            await self._tell(interaction, await asking)
        finally:
            asking.cancel()

    async def _answer(self, interaction: Interaction, asker: Asker, command: Command) -> None:
        await self._tell(interaction, await self._reception.ask(asker, command, str(interaction.id)))

    async def _tell(self, interaction: Interaction, reply: Reply) -> None:
        note = not_allowed(interaction) if isinstance(reply, Accepted) else ""
        await self._answers.reply(interaction, reply, note)
        if isinstance(reply, MapShown) and reply.nodes:
            await self._picture(interaction, reply)

    async def _picture(self, interaction: Interaction, shown: MapShown) -> None:
        try:
            picture = await map_picture(shown)
        except ServiceDown as down:  # the map in letters is there already
            log.warning("map not drawn", reason=str(down))
        else:
            await self._answers.picture(interaction, File("map.png", picture.png, picture.alt))

    async def _answer_open(self, interaction: Interaction, command: Command, scene: SceneId) -> None:
        """Do what was pressed, if the question is still open that it stood under."""
        asker = asker_of(interaction)
        if self._board.asks(asker.room, scene):
            await self._play_on(interaction, asker, command)
        else:
            await acknowledge(interaction)
            await self._answers.reply(interaction, Declined(NO_LONGER_ASKED))


class StoryTree(app_commands.CommandTree[StoryClient]):
    """The commands, and what is said when one cannot even be begun."""

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """Say what can be done, or apologise."""
        if isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
            await excused(interaction, _say(interaction, UNKNOWN_COMMAND))
        elif interaction.type is discord.InteractionType.autocomplete:  # nobody is told anything while they type
            log.warning("nothing offered", interaction=interaction.id, exc_info=error)
        else:
            await apologise(interaction, error)


async def _say(interaction: Interaction, sentence: str) -> None:
    await interaction.response.send_message(sentence, ephemeral=True)
