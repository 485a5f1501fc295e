"""Standard output as blocks with an empty line between them, the newest of which may still grow."""

import asyncio
import os
import shutil
import unicodedata
from collections.abc import Callable
from enum import Enum
from typing import TextIO

from bot.platforms.terminal.wrap import Wrapper

READABLE = 100
"""Columns; the eye loses its way back on longer lines, however wide the window is."""
_ERASE_LINE = "\r\x1b[K"
_RESET = "\x1b[0m"


class ScreenClosed(Exception):
    """Nobody reads any more, as behind `| head`."""


class Tone(Enum):
    """How loud a block is."""

    TELLING = ""
    ASIDE = "\x1b[2m"
    """Hints, and what was typed."""


class Screen:
    """The one place where the terminal platform writes.

    Args:
        width: columns to wrap at; None leaves lines as they are.
        styled: colours are understood.
    """

    def __init__(self, out: TextIO, *, width: int | None, styled: bool) -> None:
        self._out = out
        self.width = width
        self._styled = styled
        self._wrapper = Wrapper(width)
        self._growing: Tone | None = None
        self._newest = 0
        self._prompt: Callable[[], str] | None = None
        self._writing = asyncio.Lock()

    @property
    def blocks(self) -> int:
        """How many blocks there are so far."""
        return self._newest

    @property
    def draws(self) -> bool:
        """It has the signs that boxes and trees are drawn with."""
        try:
            "◉├─←…".encode(getattr(self._out, "encoding", None) or "utf-8")
        except UnicodeEncodeError:
            return False
        return True

    async def say(self, text: str, tone: Tone = Tone.TELLING) -> None:
        """Show a finished block."""
        await self.end(await self.begin(text, tone))

    async def begin(self, text: str, tone: Tone = Tone.TELLING) -> int:
        """Show the beginning of a block, answer its number; one that still grew ends here."""
        gap = "\n" if self._newest else ""
        above = _ERASE_LINE if self._prompt and not self._growing else self._closing() + gap
        self._growing = tone
        self._newest += 1
        block = self._newest
        await self._write(above + self._mark(tone.value) + self._wrapped(text))
        return block

    async def grow(self, block: int, text: str) -> int:
        """Show more of a block, or, where it is not the newest any more, another block with its rest."""
        if block != self._newest or self._growing is None:
            return await self.begin(text.lstrip())
        await self._write(self._wrapped(text))
        return block

    async def end(self, block: int) -> None:
        """Nothing more comes in this block."""
        if block == self._newest and self._growing:
            closing = self._closing()
            await self._write(f"{closing}\n{self._prompt()}" if self._prompt else closing)

    async def line(self, text: str) -> None:
        """Show a line for a program: as it is, without anything around it."""
        await self._write(f"{text}\n")

    def ask(self, prompt: Callable[[], str] | None) -> None:
        """Tell how the line that is being typed looks: it is moved below whatever is shown meanwhile."""
        self._prompt = prompt

    def _closing(self) -> str:
        if self._growing is None:
            return ""
        reset = _RESET if self._growing is not Tone.TELLING else ""
        self._growing = None
        return f"{self._wrapper.end()}{self._mark(reset)}\n"

    def _mark(self, mark: str) -> str:
        return mark if self._styled else ""

    def _wrapped(self, text: str) -> str:
        return self._wrapper.feed(printable(text))

    async def _write(self, text: str) -> None:
        """Write in a thread: a reader that stands still must not hold up whatever else the program does."""
        if text:
            async with self._writing:
                await asyncio.to_thread(self._put, text)

    def _put(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except (BrokenPipeError, ValueError) as error:  # ValueError: the stream is closed
            raise ScreenClosed from error


def printable(text: str) -> str:
    """The text without control characters: nothing anybody wrote may move the cursor or recolour the screen."""
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs"})


def open_screen(out: TextIO) -> Screen:
    """A screen as its environment wants it: wrapped and styled for eyes, as it is for files and pipes."""
    seen = out.isatty()
    width = min(shutil.get_terminal_size().columns, READABLE) if seen or "COLUMNS" in os.environ else None
    styled = seen and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Screen(out, width=width, styled=styled)
