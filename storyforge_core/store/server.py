"""One run of the bundled `postgres`: begun, waited for, ended, and its last words understood."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Self
from urllib.parse import quote

import asyncpg
import structlog

from storyforge_core.errors import SetupError
from storyforge_core.store.bundle import bare_environment
from storyforge_core.store.patience import Patience
from storyforge_core.store.premises import Premises

USER = "storyforge"
DATABASE = "storyforge"
PORT = 5432
PROBE = "SELECT '[1,2]'::vector <=> '[2,1]'"
"""pgvector's distance is compiled for AVX2 and FMA: a processor without them kills the session that asks this."""

_STOP_WITHIN = 20.0
_POLL = 0.02
_SETTINGS = MappingProxyType(
    {
        "max_connections": "60",
        "shared_buffers": "256MB",
        "maintenance_work_mem": "256MB",
        "max_wal_size": "2GB",
        "timezone": "UTC",
        "lc_messages": "C",
        # a file for each day of the week, begun anew a week later: bounded without our help
        "logging_collector": "on",
        "log_filename": "postgres-%a.log",
        "log_rotation_age": "1d",
        "log_truncate_on_rotation": "on",
        "log_timezone": "UTC",
    }
)
_NOT_READY = (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError)
_CAUSES = MappingProxyType(
    {
        "No space left on device": "the disk is full; make room there",
        "Permission denied": "its user may not write there; check who owns the directory",
        "could not map anonymous shared memory": "there is too little free memory; close other programs",
        "could not look up effective user ID": "the user that runs it has no entry in /etc/passwd; add one",
        "could not load library": "its pgvector does not fit; install StoryForge again",
    }
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens and how to get in."""

    sockets: str
    """The directory with the server's socket; it listens nowhere else."""
    password: str = field(repr=False)

    def url(self, database: str = DATABASE) -> str:
        """A `postgresql://` address that contains the password."""
        where = f"host={quote(self.sockets, safe='/')}&port={PORT}"  # said, because PGPORT may say something else
        return f"postgresql://{USER}:{quote(self.password, safe='')}@/{database}?{where}"


async def answers(address: Address) -> bool:
    """Whether a server lets us into the database at `address` now."""
    try:
        connection = await asyncpg.connect(address.url(), timeout=10)
    except (*_NOT_READY, asyncpg.InvalidCatalogNameError):
        return False
    except asyncpg.TooManyConnectionsError:
        return True
    await connection.close()
    return True


def command(premises: Premises, name: str, *arguments: str) -> tuple[str, ...]:
    """The command line that runs a program of the bundle as the server's user, ending when this program ends."""
    become = Path(__file__).with_name("exec_server.py")
    ids = (os.getpid(), premises.account.uid, premises.account.gid)
    return (sys.executable, "-I", "-S", str(become), *map(str, ids), str(premises.bundle.program(name)), *arguments)


async def run(premises: Premises, name: str, *arguments: str) -> None:
    """Run a program of the bundle as the server's user, to its end.

    Raises:
        SetupError: it failed.
    """
    process = await asyncio.create_subprocess_exec(
        *command(premises, name, *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=bare_environment(),
    )
    try:
        said, _ = await process.communicate()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    if process.returncode:
        raise SetupError(_explain(premises, said.decode(errors="replace")))


class Server:
    """A `postgres` process that is our child."""

    def __init__(self, premises: Premises, address: Address, process: asyncio.subprocess.Process) -> None:
        self.address = address
        self._premises = premises
        self._process = process

    @classmethod
    async def launch(cls, premises: Premises, address: Address, settings: Mapping[str, str]) -> Self:
        """Start the process and wait until its database answers; a long crash recovery is waited for.

        Raises:
            SetupError: it ended instead, or this machine can't run it.
        """
        marks = await asyncio.to_thread(_log_sizes, premises)
        await asyncio.to_thread(premises.private_file, premises.first_words)
        with await asyncio.to_thread(premises.first_words.open, "wb") as words:
            process = await asyncio.create_subprocess_exec(
                *command(premises, "postgres", "-D", str(premises.cluster), *_options(premises, address, settings)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                env=bare_environment(),
            )
        server = cls(premises, address, process)
        try:
            await server._become_ready(marks)
        except BaseException:
            await server.abandon()
            raise
        return server

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""
        return self._process.pid

    async def wait(self) -> int:
        """Wait for its end; the exit code, or minus the signal."""
        return await self._process.wait()

    async def stop(self) -> None:
        """End it cleanly; open sessions are broken off, what was committed is on disk."""
        await self._end(signal.SIGINT)
        if self._process.returncode is None:
            # PostgreSQL forgets a clean stop that comes in the moment in which it begins to repair itself
            log.warning("the database server does not stop cleanly; it will repair itself at the next start")
            await self.abandon()

    async def abandon(self) -> None:
        """End it at once; what was committed is on disk, and the next start repairs the rest."""
        await self._end(signal.SIGQUIT)
        await self.wait()  # PostgreSQL kills its own within seconds

    async def _end(self, how: signal.Signals) -> None:
        if self._process.returncode is None:
            with suppress(TimeoutError, ProcessLookupError):
                self._process.send_signal(how)
                await asyncio.wait_for(self.wait(), _STOP_WITHIN)

    async def _become_ready(self, marks: Mapping[Path, int]) -> None:
        patience = Patience("the database to start (after an unclean stop it first repairs itself)", _POLL)
        while True:
            if self._process.returncode is not None:
                raise SetupError(await asyncio.to_thread(_last_words, self._premises, marks))
            try:
                connection = await asyncpg.connect(self.address.url("postgres"), timeout=10)
            except _NOT_READY:
                await patience.pause()
                continue
            except asyncpg.InvalidPasswordError as error:
                raise SetupError(
                    f"The password in {self._premises.password} is not that of this database; put the right file back."
                ) from error
            break
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()
        await probe(self.address)


async def probe(address: Address, question: str = PROBE) -> None:
    """Ask pgvector for a distance.

    Raises:
        SetupError: the session died of it.
    """
    connection = await asyncpg.connect(address.url(), timeout=10)
    try:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        await connection.execute(question)
    except (OSError, asyncpg.PostgresConnectionError) as error:
        raise SetupError(
            "This machine's processor cannot run the bundled pgvector (it needs AVX2 and FMA). Set DATABASE_URL to a "
            "PostgreSQL server (15 or later, with pgvector) that was built for this machine or runs on another one."
        ) from error
    finally:
        connection.terminate()


def _options(premises: Premises, address: Address, settings: Mapping[str, str]) -> list[str]:
    """The server's settings as arguments, so that no file of the data directory has to be edited."""
    quoted = address.sockets.replace('"', '""')
    where = {
        "listen_addresses": "",
        "log_directory": str(premises.logs),
        "port": str(PORT),
        "unix_socket_directories": f'"{quoted}"',
        "unix_socket_permissions": "0700",
    }
    return [part for name, value in {**_SETTINGS, **where, **settings}.items() for part in ("-c", f"{name}={value}")]


def _log_sizes(premises: Premises) -> dict[Path, int]:
    return {path: path.stat().st_size for path in premises.logs.glob("*.log")}


def _last_words(premises: Premises, marks: Mapping[Path, int]) -> str:
    """What the server wrote since `marks` were taken, explained."""
    said = premises.first_words.read_text(errors="replace")
    for path in sorted(premises.logs.glob("*.log")):
        with path.open(errors="replace") as file:
            file.seek(marks.get(path, 0))
            said += file.read()
    return _explain(premises, said)


def _explain(premises: Premises, said: str) -> str:
    for sign, cause in _CAUSES.items():
        if sign in said:
            return f"The database in {premises.root} cannot start: {cause}. (PostgreSQL said: {_loudest(said)})"
    return (
        f"The database in {premises.root} cannot start. PostgreSQL said: {_loudest(said)} "
        f"(More may be in {premises.logs}.)"
    )


def _loudest(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    loud = [line for line in lines if any(word in line for word in ("PANIC:", "FATAL:", "error:", "ERROR:"))]
    return (loud or lines or ["nothing"])[-1]
