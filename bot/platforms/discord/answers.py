"""What only the asker sees: replies of the story, and apologies with a number to ask about."""

import asyncio
from collections.abc import Coroutine
from io import BytesIO
from uuid import uuid4

import discord
import structlog

from bot.picture.fitting import fitted
from bot.platforms.discord.link import Interaction
from bot.platforms.discord.troubles import TooLate, understood
from bot.presenter.pages import finished
from bot.surface import File, Limits, SurfaceError
from bot.wording.looks import look_file
from bot.wording.lore import lore_exported
from bot.wording.markup import Markdown, Plain
from bot.wording.mydata import as_json
from bot.wording.replying import reply_text
from bot.wording.treemap import Canvas
from bot.wording.voice import Voice, plain_mention
from storyforge_core.domain.look_replies import LookShown
from storyforge_core.domain.replies import LoreExported, MyDataShown, Reply
from storyforge_core.errors import StoryForgeError

MOST_PAGES = 3
"""Longer answers come as a file: nobody wants to scroll past them."""
CANVAS = Canvas(width=56, height=34)
"""Columns of a code block on a phone held upright are about 40, on a desk 100; lines that are too long can be moved."""
WIDE = Canvas(width=100, height=10_000)
THE_REST_IN_THE_FILE = "…\n\nThe file has all of it."
REFERENCE_CHARS = 8

log = structlog.stdlib.get_logger()


class Answers:
    """Words replies for Discord.

    Args:
        voice: how the bot speaks there.
        limits: of one message.
    """

    def __init__(self, voice: Voice, limits: Limits) -> None:
        self._voice = voice
        self._limits = limits
        self._unmarked = Voice(Plain(), voice.moment)

    async def reply(self, interaction: Interaction, reply: Reply, note: str = "") -> None:
        """Tell the asker what came of it, and a note of our own below."""
        text = "\n".join(part for part in (reply_text(reply, self._voice, CANVAS), note) if part)
        if isinstance(reply, MyDataShown):
            await self._with_file(interaction, text, File("mydata.json", as_json(reply.data), "all of it"))
            return
        if isinstance(reply, LoreExported):
            await self._with_file(interaction, lore_exported(reply), File("lore.json", reply.text.encode(), "the lore"))
            return
        if isinstance(reply, LookShown) and reply.picture:
            await self._with_file(interaction, text, await fitted(look_file(reply), interaction.filesize_limit))
            return
        whole = "" if len(text) <= MOST_PAGES * self._room else reply_text(reply, self._unmarked, WIDE)
        await self.say(interaction, text or "Done.", whole)

    async def _with_file(self, interaction: Interaction, text: str, file: File) -> None:
        """Say the beginning of a text, and hang what has all of it below."""
        page = finished(text, self._limits)[0].text
        shown = discord.File(BytesIO(file.data), filename=file.name, description=file.alt)
        with understood():
            await interaction.followup.send(page, file=shown, ephemeral=True)

    async def literal(self, interaction: Interaction, text: str) -> None:
        """Tell the asker something in plain words, as they stand."""
        await self.say(interaction, self._voice.flavour.literal(text))

    async def columns(self, interaction: Interaction, text: str) -> None:
        """Tell the asker something whose lines are in columns."""
        await self.say(interaction, self._voice.flavour.block(text))

    async def say(self, interaction: Interaction, text: str, whole: str = "") -> None:
        """Say a ready text in as many messages as it takes; with `whole`, its beginning, and all of that as a file.

        Raises:
            SurfaceError: Discord did not take it.
        """
        fits = len(text) <= self._room
        pages = [text] if fits else [page.text for page in finished(text, self._limits)]
        with understood():
            if not whole:
                for page in pages:
                    await interaction.followup.send(page, ephemeral=True)
                return
            beginning = finished(text[: self._room - len(THE_REST_IN_THE_FILE)], self._limits)[0].text
            file = discord.File(BytesIO(whole.encode()), filename="story.txt")
            await interaction.followup.send(f"{beginning}{THE_REST_IN_THE_FILE}", file=file, ephemeral=True)

    async def decline(self, message: discord.Message, reply: Reply) -> None:
        """Say below a message why nothing comes of it."""
        try:
            with understood():
                await message.reply(reply_text(reply, self._voice, CANVAS), mention_author=False)
        except SurfaceError as error:
            log.info("reply not answered", message=message.id, reason=str(error))

    async def picture(self, interaction: Interaction, file: File) -> None:
        """Show a picture with its description."""
        fitting = await fitted(file, interaction.filesize_limit)
        shown = discord.File(BytesIO(fitting.data), filename=fitting.name, description=fitting.alt)
        with understood():
            await interaction.followup.send(file=shown, ephemeral=True)

    @property
    def _room(self) -> int:
        return self._limits.max_chars or len(THE_REST_IN_THE_FILE)


def mention(kind: str, address: str) -> str:
    """Name a channel, a role or a person as Discord shows them; what only the asker reads pings nobody."""
    signs = {"channel": "#", "role": "@&", "person": "@"}
    return f"<{signs[kind]}{address}>" if address.isdecimal() else Markdown().literal(plain_mention(kind, address))


async def excused(interaction: Interaction, work: Coroutine[None, None, None]) -> None:
    """See a piece of work through; if it fails, apologise to the asker with a number that the log knows too."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task})
    finally:
        task.cancel()
    match task.exception():
        case None:
            return
        case TooLate() as late:
            log.info("answer too late", interaction=interaction.id, reason=str(late))
        case StoryForgeError() as known:
            log.warning("command not done", interaction=interaction.id, reason=str(known))
            await whisper(interaction, str(known))
        case error:
            await apologise(interaction, error)


async def apologise(interaction: Interaction, error: BaseException) -> None:
    """Tell the asker that something went wrong, with a number by which the log tells what."""
    reference = uuid4().hex[:REFERENCE_CHARS]
    log.error("command failed", reference=reference, interaction=interaction.id, exc_info=error)
    sorry = f"That went wrong, and it is not your fault. Whoever runs this bot finds it in the log as {reference}."
    await whisper(interaction, sorry)


async def whisper(interaction: Interaction, sentence: str) -> None:
    """Say a sentence of our own to the asker only, if anything can be said to them."""
    try:
        with understood():
            if interaction.response.is_done():
                await interaction.followup.send(sentence, ephemeral=True)
            else:
                await interaction.response.send_message(sentence, ephemeral=True)
    except (SurfaceError, discord.HTTPException) as unheard:
        log.warning("answer not heard", interaction=interaction.id, sentence=sentence, reason=str(unheard))


async def acknowledge(interaction: Interaction) -> None:
    """Answer within the three seconds that Discord gives; what is said later only the asker will see."""
    with understood():
        await interaction.response.defer(ephemeral=True, thinking=True)
