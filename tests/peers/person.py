"""Somebody at a real terminal: starts the program in a pseudo-terminal, types, and reads the screen."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fcntl import ioctl
from struct import pack
from termios import TIOCSWINSZ

PATIENCE = 60.0
_MOVES = re.compile(r"\x1b\[\??[0-9;]*[A-Za-z]")


class Person:
    """Types into a program and waits for what it shows."""

    def __init__(self, program: subprocess.Popen[bytes], terminal: int) -> None:
        self.program = program
        self._terminal = terminal
        self.seen = ""
        """The whole screen so far, with all its control sequences."""
        self._read = 0

    def types(self, text: str) -> None:
        """Press keys; `\\n` is Enter, `\\x03` Ctrl-C, `\\x04` Ctrl-D."""
        os.write(self._terminal, text.encode())

    def waits_for(self, text: str) -> str:
        """Watch until a text appears behind what was waited for last; answer what came up to its end."""
        until = time.monotonic() + PATIENCE
        while (found := self.seen.find(text, self._read)) < 0:
            assert time.monotonic() < until, f"never saw {text!r} in {self.seen[self._read :]!r}"
            if select.select([self._terminal], [], [], 0.2)[0]:
                self._look()
        shown = self.seen[self._read : found + len(text)]
        self._read = found + len(text)
        return _MOVES.sub("", shown).replace("\r", "")

    def leaves(self) -> int:
        """Watch until the program has ended; answer its exit code."""
        until = time.monotonic() + PATIENCE
        while self.program.poll() is None:
            assert time.monotonic() < until, f"it goes on and on: {self.seen[-500:]!r}"
            if select.select([self._terminal], [], [], 0.05)[0]:
                self._look()
        while select.select([self._terminal], [], [], 0)[0] and self._look():
            pass
        return self.program.returncode

    def _look(self) -> bool:
        try:
            shown = os.read(self._terminal, 65536)
        except OSError:  # the program has closed its side
            return False
        self.seen += shown.decode(errors="replace")
        return bool(shown)


@contextmanager
def person(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    columns: int = 72,
    program: Sequence[str] = (sys.executable, "-m", "bot"),
) -> Iterator[Person]:
    """Sit down at a terminal that runs StoryForge."""
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, pack("HHHH", 50, columns, 0, 0))
    started = subprocess.Popen(
        [*program, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=dict(environment),
        start_new_session=True,
        preexec_fn=_own_terminal,  # noqa: PLW1509 - nothing else runs in the child yet
    )
    os.close(theirs)
    try:
        yield Person(started, ours)
    finally:
        if started.poll() is None:
            started.send_signal(signal.SIGKILL)
        started.wait()
        os.close(ours)


def _own_terminal() -> None:
    """Let Ctrl-C at this terminal reach the program."""
    import fcntl  # noqa: PLC0415
    import termios  # noqa: PLC0415

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
