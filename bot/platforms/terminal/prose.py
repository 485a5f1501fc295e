"""The story as it is read: the presenter tells what happens, this adds what only the person at the keyboard is told."""

from bot.platforms.terminal.screen import Screen, Tone
from bot.platforms.terminal.surface import TerminalSurface
from bot.presenter.presenter import Presenter
from bot.wording.happenings import reminder
from bot.wording.replying import reply_text
from bot.wording.treemap import ASCII, LINES, Canvas
from bot.wording.voice import voice_of
from storyforge_core.domain.look_replies import LookShown
from storyforge_core.domain.replies import Accepted, Reply, StatusShown
from storyforge_core.domain.story import Room, RoomKey

WELCOME_BACK = "Welcome back."
_UNWRAPPED = 100
"""Columns of a map where lines may have any length."""


class Prose:
    """Shows a room's story on a screen."""

    def __init__(self, screen: Screen, surface: TerminalSurface, presenter: Presenter) -> None:
        self._screen = screen
        self._surface = surface
        self._presenter = presenter
        self._voice = voice_of(surface)
        self._canvas = Canvas(width=screen.width or _UNWRAPPED, glyphs=LINES if screen.draws else ASCII)
        self._room: RoomKey | None = None
        self._blocks_before = 0
        self._unsaid = ""

    async def welcome(self, status: StatusShown) -> None:
        """Say where the story stands, for somebody who comes back to it."""
        await self.note(WELCOME_BACK)
        if status.head:
            await self._screen.say(reminder(status.head, self._voice))
        await self.reply(status)

    async def attend(self, room: Room) -> None:
        """Show from now on what happens in the story of this room."""
        self._room = room.key
        await self._presenter.attend(self._surface, room.key)

    async def settled(self) -> None:
        """Wait until all that has happened is shown and nothing is being written."""
        if self._room:
            await self._presenter.settled(self._room)
        unsaid, self._unsaid = self._unsaid, ""
        if unsaid and self._screen.blocks == self._blocks_before:
            await self._screen.say(unsaid, Tone.ASIDE)

    async def line(self, text: str) -> None:
        """Note what is on the screen before the line has an effect."""
        del text
        self._blocks_before = self._screen.blocks

    async def reply(self, reply: Reply) -> None:
        """Show what only the asker is told; that a thing was accepted goes without saying where its effect is seen."""
        text = reply_text(reply, self._voice, self._canvas)
        if isinstance(reply, LookShown) and reply.picture:
            text = f"{text}\n{reply.place}"
        if isinstance(reply, Accepted):
            self._unsaid = text
        elif text:
            await self._screen.say(text)

    async def note(self, text: str) -> None:
        """Show something about the program rather than the story."""
        await self._screen.say(text, Tone.ASIDE)
