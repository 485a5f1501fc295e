"""Where lines come from: a person at a keyboard, with history, or a file or pipe, line by line."""

import asyncio
import getpass
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Protocol

from bot.platforms.terminal.screen import Screen, Tone

PROMPT = "> "
_KEPT_LINES = 1000
_BLOCK = 65_536
_LOCAL_FLAGS = 3
"""The place of a terminal's local modes among its attributes."""


class Lines(Protocol):
    """Somebody who types, or something that stands for it."""

    @property
    def typed(self) -> bool:
        """A person sits there and sees what they type."""

    async def next(self) -> str | None:
        """Wait for a line; None at the end of input."""


class Pipe:
    """Lines of a file or a pipe."""

    typed = False

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._rest = b""

    async def next(self) -> str | None:
        """Read up to the next line end."""
        return await _beside(self._read)

    def _read(self) -> str | None:
        # Not through sys.stdin: a thread that waits there holds a lock the interpreter needs to end.
        while b"\n" not in self._rest:
            block = b""
            with suppress(OSError):  # the terminal behind it is gone
                block = os.read(self._descriptor, _BLOCK)
            if not block:
                line, self._rest = self._rest, b""
                return _decoded(line) if line else None
            self._rest += block
        line, _, self._rest = self._rest.partition(b"\n")
        return _decoded(line)


class Echo:
    """Lines of a file or a pipe that are shown as if somebody typed them."""

    typed = False

    def __init__(self, screen: Screen, pipe: Pipe) -> None:
        self._screen = screen
        self._pipe = pipe

    async def next(self) -> str | None:
        """Read a line and show it."""
        line = await self._pipe.next()
        if line and line.strip():
            await self._screen.say(PROMPT + line.strip(), Tone.ASIDE)
        return line


class Keyboard:
    """Lines typed at a prompt."""

    typed = True

    def __init__(self, screen: Screen, readline: ModuleType | None) -> None:
        self._screen = screen
        self._readline = readline

    async def next(self) -> str | None:
        """Show the prompt and wait."""
        await self._screen.line("")
        self._screen.ask(self._pending)
        try:
            return await _beside(_input)
        finally:
            self._screen.ask(None)

    def _pending(self) -> str:
        """What stands in the line so far."""
        return PROMPT + (self._readline.get_line_buffer() if self._readline else "")


@contextmanager
def open_lines(screen: Screen, history: Path) -> Iterator[Lines]:
    """Listen to standard input; a person's lines are remembered in the file `history`."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield Echo(screen, Pipe(sys.stdin.fileno()))
        return
    with _sane_terminal(), _remembered(history) as readline:
        yield Keyboard(screen, readline)


def user_name() -> str:
    """How the person at the keyboard is called by the system."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # ImportError: Windows without the variables it looks at
        return "player1"


@contextmanager
def _remembered(history: Path) -> Iterator[ModuleType | None]:
    try:
        import readline  # noqa: PLC0415  # not on Windows
    except ImportError:
        yield None
        return
    with suppress(OSError):
        readline.read_history_file(history)
    readline.set_history_length(_KEPT_LINES)
    try:
        yield readline
    finally:
        with suppress(OSError):
            readline.write_history_file(history)


@contextmanager
def _sane_terminal() -> Iterator[None]:
    """Keep ^C out of the prose, and leave the terminal as it was even when told to end in the middle of a line."""
    try:
        import termios  # noqa: PLC0415  # not on Windows
    except ImportError:
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    quiet = list(before)
    quiet[_LOCAL_FLAGS] &= ~termios.ECHOCTL
    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _input() -> str | None:
    with suppress(EOFError, OSError):  # OSError: the terminal is gone
        return input(PROMPT)
    return None


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", "replace").removeprefix("\ufeff").removesuffix("\r")


async def _beside(read: Callable[[], str | None]) -> str | None:
    """Read in a thread that does not keep the program from ending, as those of `asyncio.to_thread` do."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str | None] = loop.create_future()

    def deliver(line: str | None) -> None:
        if not answer.done():
            answer.set_result(line)

    def work() -> None:
        line = read()
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(deliver, line)

    threading.Thread(target=work, name="read a line", daemon=True).start()
    return await answer
