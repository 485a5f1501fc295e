"""A data directory of PostgreSQL: made once, recognised, and freed of what a killed program left behind."""

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import structlog

from storyforge_core.errors import SetupError
from storyforge_core.store.patience import Patience
from storyforge_core.store.premises import Premises
from storyforge_core.store.server import USER, run

_STOP_POLITELY = 30.0
_POLL = 0.05

log = structlog.get_logger(__name__)


async def ensure_cluster(premises: Premises, settings: Mapping[str, str]) -> None:
    """Make the data directory unless it is there already.

    Raises:
        SetupError: what is there is not ours, of another version or incomplete; or there is no room to make it.
    """
    if not await asyncio.to_thread(premises.cluster.exists):
        await _create(premises, settings)
    await asyncio.to_thread(_recognise, premises)


async def clear_leftovers(premises: Premises, sockets: Path) -> None:
    """End a server that outlived the program that owned it, and unmask pid files that name a stranger.

    Only the owner of the data directory may ask for this.
    """
    patience = Patience("the server of an earlier run to end", _POLL)
    while (pid := await asyncio.to_thread(_leftover, premises)) is not None:
        os.kill(pid, signal.SIGINT if patience.waited < _STOP_POLITELY else signal.SIGQUIT)
        await patience.pause()
    await asyncio.to_thread(_unmask, premises, sockets)


async def _create(premises: Premises, settings: Mapping[str, str]) -> None:
    log.info("making a new database", directory=str(premises.root))
    draft = premises.root / "cluster.new"
    await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
    await asyncio.to_thread(premises.write_private, premises.password, secrets.token_urlsafe(24))
    durably = ["--no-sync"] if settings.get("fsync") == "off" else []
    await run(
        premises,
        "initdb",
        f"--pgdata={draft}",
        f"--username={USER}",
        f"--pwfile={premises.password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--data-checksums",
        *_locale(premises),
        *durably,
    )
    await asyncio.to_thread(draft.rename, premises.cluster)


def _locale(premises: Premises) -> list[str]:
    """Sorting and case by code point, the same on every machine and after every upgrade of its C library."""
    if premises.bundle.major >= 17:  # noqa: PLR2004 -- the first version with built-in locales
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C"]


def _recognise(premises: Premises) -> None:
    version, major = premises.cluster / "PG_VERSION", premises.bundle.major
    if not version.is_file():
        raise SetupError(f"{premises.cluster} is not a PostgreSQL data directory; move it away or restore it.")
    found = version.read_text().strip()
    if found != str(major):
        raise SetupError(
            f"The database in {premises.root} was made by PostgreSQL {found}, this program has {major}. Run "
            "`storyforge backup FILE` with the version of StoryForge that made it, move the directory away, then "
            "run `storyforge restore FILE` with this one."
        )
    if not premises.password.is_file():
        raise SetupError(f"The password file {premises.password} is missing; put it back from your backup.")


def _leftover(premises: Premises) -> int | None:
    """Process id of a postmaster on this data directory, whoever started it."""
    pid = _recorded_pid(premises.cluster / "postmaster.pid")
    return pid if pid is not None and _works_in(pid, premises.cluster) else None


def _recorded_pid(file: Path) -> int | None:
    try:
        return abs(int(file.read_text().split("\n", 1)[0]))
    except (FileNotFoundError, ValueError):
        return None


def _works_in(pid: int, cluster: Path) -> bool:
    """Whether `pid` is a live server on `cluster` and not a stranger that got a dead server's number."""
    if Path("/proc/self/cwd").exists():
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == cluster
        except OSError:
            return False
    shown = subprocess.run(["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603 -- a fixed program and a number
    return str(cluster) in shown.stdout


def _unmask(premises: Premises, sockets: Path) -> None:
    """PostgreSQL refuses to start when its pid files name any live process; ours name a dead server for certain.

    The data directory's file also names the shared memory that orphaned sessions may still write to, so it is kept and
    only made to name us: PostgreSQL knows that its parent is not another server.
    """
    file = premises.cluster / "postmaster.pid"
    if file.is_file():
        _, _, rest = file.read_text().partition("\n")
        premises.write_private(file, f"{os.getpid()}\n{rest}")
    for stale in sockets.glob(".s.PGSQL.*"):
        stale.unlink()
