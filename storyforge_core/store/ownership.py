"""A lock on a file, held by a program for as long as it lives: the kernel lets go of it when the program dies."""

import os
from pathlib import Path


class Ownership:
    """Who owns the embedded server of one data directory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this program is the owner."""
        return self._descriptor is not None

    def take(self) -> bool:
        """Become the owner unless another program is; never waits."""
        if self._descriptor is None:
            descriptor = os.open(self._path, os.O_RDWR)
            if _lock(descriptor):
                self._descriptor = descriptor
            else:
                os.close(descriptor)
        return self.held

    def give_up(self) -> None:
        """Let another program become the owner."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _lock(descriptor: int) -> bool:
    import fcntl  # noqa: PLC0415 -- not on Windows, where this module has to be importable

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
