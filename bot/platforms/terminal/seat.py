"""Who sits at the terminal, in which room, and that nobody else sits there at the same time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.platforms.terminal.surface import PLATFORM
from storyforge_core.domain.commands import Speaker
from storyforge_core.domain.story import RoomKey
from storyforge_core.errors import SetupError

REALM = "here"
"""All rooms of a terminal are on one machine and see each other's stories."""


@dataclass(frozen=True, slots=True)
class Seat:
    """The person at the keyboard, by name, and their room."""

    name: str
    room: RoomKey

    def speaker(self, name: str | None) -> Speaker:
        """The person themselves, or somebody they speak for; only the first has power over the room."""
        called = " ".join((name or self.name).split())
        user = called.casefold()
        return Speaker(PLATFORM, user, called, moderator=user == self.name.casefold(), private=True)


@contextmanager
def taken(name: str, room: str, directory: Path) -> Iterator[Seat]:
    """Sit down in a room.

    Raises:
        SetupError: somebody sits there, or nothing can be written in the directory.
    """
    file = directory / f"terminal-{room}.lock"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SetupError(f"{file} cannot be written ({error.strerror}): set DATA_DIR to another place.") from error
    try:
        if not _locked(descriptor):
            raise SetupError(
                f"The room {room} is open in another window. Close that one, or open another room here: "
                "storyforge play --room second"
            )
        yield Seat(name, RoomKey(PLATFORM, room, REALM))
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        import fcntl  # noqa: PLC0415  # not on Windows, where two windows are not told apart
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
