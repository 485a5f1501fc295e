"""What the bot's session on Matrix needs to go on where it was, in a directory that only this program may read."""

import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from storyforge_core.errors import SetupError

ACCOUNT, SEEDS, STORE = "account.json", "cross-signing.json", "keys"
IN_USE = "StoryForge is running already as {user}. Two of them would make the account's encryption useless: end one."


@dataclass(frozen=True, slots=True)
class Session:
    """Who the bot is on its homeserver."""

    user: str
    device: str
    token: str = field(repr=False)
    pickle_key: str = field(repr=False)
    """What nio encrypts its keys with, where they are stored."""

    @classmethod
    def begun(cls, user: str, device: str, token: str) -> Self:
        """A session that has no keys yet."""
        return cls(user, device, token, secrets.token_urlsafe(32))


class Unreadable(Exception):
    """What was written is damaged."""


@dataclass(frozen=True, slots=True)
class Cabinet:
    """The directory of one account."""

    directory: Path

    @classmethod
    def of(cls, user: str, directory: Path) -> Self:
        """The one in which an account has its place."""
        return cls(directory / re.sub(r"[^\w.=-]", "_", user.removeprefix("@")))

    @property
    def store(self) -> Path:
        """Where nio keeps its keys."""
        return self.directory / STORE

    @contextmanager
    def held(self, user: str) -> Iterator[None]:
        """Keep other programs away from it.

        Raises:
            SetupError: one has it already, or nothing can be written there.
        """
        try:
            self.store.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.directory.chmod(0o700)
            descriptor = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise SetupError(f"{self.directory} cannot be written ({error.strerror}): set DATA_DIR anew.") from error
        try:
            if not _locked(descriptor):
                raise SetupError(IN_USE.format(user=user))
            yield
        finally:
            os.close(descriptor)

    def session(self) -> Session | None:
        """Read the session; None when there is none.

        Raises:
            Unreadable: there is something else.
        """
        kept = self._read(ACCOUNT)
        try:
            return Session(**kept) if kept is not None else None
        except TypeError as error:
            raise Unreadable(ACCOUNT) from error

    def keep_session(self, session: Session) -> None:
        """Write the session down."""
        self._write(ACCOUNT, asdict(session))

    def seeds(self) -> Mapping[str, str] | None:
        """Read what the account's cross-signing keys are made from; None when there is nothing.

        Raises:
            Unreadable: there is something else. Whoever made new ones then would take the account's identity away.
        """
        return self._read(SEEDS)

    def keep_seeds(self, seeds: Mapping[str, str]) -> None:
        """Write them down."""
        self._write(SEEDS, seeds)

    def set_aside(self) -> Path:
        """Put the session and its keys away, for a new one; nothing is deleted."""
        number = 1
        while (aside := self.directory / f"lost-{number}").exists():
            number += 1
        aside.mkdir(mode=0o700)
        for name in (ACCOUNT, STORE):
            if (old := self.directory / name).exists():
                old.rename(aside / name)
        self.store.mkdir(mode=0o700)
        return aside

    def _read(self, name: str) -> dict[str, str] | None:
        try:
            value: Any = json.loads((self.directory / name).read_text("utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise Unreadable(name) from error
        if not isinstance(value, dict) or not all(isinstance(part, str) for part in value.values()):
            raise Unreadable(name)
        return {str(key): part for key, part in value.items()}

    def _write(self, name: str, value: Mapping[str, str]) -> None:
        """Write a file that is whole or not there."""
        new = self.directory / f"{name}.new"
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.directory / name)


def _locked(descriptor: int) -> bool:
    try:
        import fcntl  # noqa: PLC0415  # not on Windows, where two programs are not told apart
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
