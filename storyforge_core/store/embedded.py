"""The bundled PostgreSQL as a child of our program: started, watched, shared, stopped.

The first program on a data directory owns the server: it holds the lock. Others use that server, and one of them takes
over when the owner goes away. What the wheel itself offers for this (`get_server()`) trusts every local user, believes
stale pid files and leaves servers behind, so only its programs are used.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

import structlog

from storyforge_core.errors import SetupError
from storyforge_core.store.bundle import Major
from storyforge_core.store.cluster import clear_leftovers, ensure_cluster
from storyforge_core.store.ownership import Ownership
from storyforge_core.store.patience import Patience
from storyforge_core.store.premises import Premises, settle
from storyforge_core.store.server import Address, Server, answers

_NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
_CRASHES = 8
"""After so many ends in a row, each less than `_STEADY` seconds after its start, we stop trying."""
_STEADY = 60.0
_FIRST_PAUSE = 0.1
_LOOK_AFTER_OWNER = 0.5

log = structlog.get_logger(__name__)


@asynccontextmanager
async def embedded_postgres(
    directory: Path, major: Major = 18, settings: Mapping[str, str] = _NO_SETTINGS
) -> AsyncGenerator["EmbeddedPostgres", None]:
    """A PostgreSQL server with its data in `directory`: ours, or the one that another program already runs there.

    Args:
        directory: made if missing; `root` inside may turn out to be elsewhere when we run as root.
        major: which of the bundled versions.
        settings: PostgreSQL settings that go before ours.

    Raises:
        SetupError: it can't run; the sentence says what to change.
    """
    server = EmbeddedPostgres(await asyncio.to_thread(settle, directory, major), settings)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


class EmbeddedPostgres:
    """The server of one data directory, as seen by one program."""

    def __init__(self, premises: Premises, settings: Mapping[str, str]) -> None:
        self._premises = premises
        self._settings = settings
        self._ownership = Ownership(premises.lock)
        self._address: Address | None = None
        self._server: Server | None = None
        self._supervision: asyncio.Task[None] | None = None

    @property
    def owned(self) -> bool:
        """Whether the server is our child."""
        return self._ownership.held

    @property
    def url(self) -> str:
        """A `postgresql://` address that contains the password; the same for as long as this program runs."""
        return self._known_address().url()

    @property
    def pid(self) -> int | None:
        """The server's process id where it is our child."""
        return self._server.pid if self._server else None

    async def start(self) -> None:
        """Start the server, or find the one that another program runs, and keep watch over it.

        Raises:
            SetupError: it can't run; the sentence says what to change.
        """
        patience = Patience("the program that owns the database to get it ready", _FIRST_PAUSE)
        try:
            with _told_to_owners(self._premises):
                while not (await self._take() or await self._join()):
                    await patience.pause()
        except BaseException:
            await self.stop()
            raise
        self._supervision = asyncio.create_task(self._supervise(), name="embedded PostgreSQL")

    async def stop(self) -> None:
        """Let go of the server; if it is our child it ends."""
        if self._supervision:
            self._supervision.cancel()
            with suppress(asyncio.CancelledError, SetupError):
                await self._supervision
        if self._server:
            await self._server.stop()
            with suppress(OSError):  # next time it is made again
                await asyncio.to_thread(Path(self._server.address.sockets).rmdir)
        self._ownership.give_up()

    async def watch(self) -> None:
        """Wait for as long as the server can be kept alive.

        Raises:
            SetupError: it crashed too often; nobody tries to start it any more.
        """
        if self._supervision:
            await asyncio.shield(self._supervision)

    async def _take(self) -> bool:
        """Become the owner if nobody else is, and start the server."""
        if not self._ownership.take():
            return False
        await ensure_cluster(self._premises, self._settings)
        self._address = self._address or await asyncio.to_thread(_new_address, self._premises)
        await self._launch()
        return True

    async def _join(self) -> bool:
        """Use the server of another program if it is ready."""
        address = await asyncio.to_thread(_read_address, self._premises)
        if address is None or not await answers(address):
            return False
        self._address = address
        log.info("sharing the database server of another StoryForge program", directory=str(self._premises.root))
        return True

    async def _launch(self) -> None:
        address = self._known_address()
        sockets = await asyncio.to_thread(self._premises.private_directory, Path(address.sockets))
        await clear_leftovers(self._premises, sockets)
        self._server = await Server.launch(self._premises, address, self._settings)
        await asyncio.to_thread(_write_address, self._premises, address)
        log.info("database server started", pid=self._server.pid, directory=str(self._premises.root))

    async def _supervise(self) -> None:
        """Start the server again whenever it is gone, with longer and longer pauses."""
        crashes, began = 0, time.monotonic()
        while True:
            with _told_to_owners(self._premises):
                await self._until_needed()
            crashes = crashes + 1 if time.monotonic() - began < _STEADY else 1
            await asyncio.sleep(_FIRST_PAUSE * 2 ** (crashes - 1))
            began = time.monotonic()
            try:
                with _told_to_owners(self._premises):
                    await self._launch()
            except SetupError as error:
                log.warning("the database server does not start", attempt=crashes, reason=str(error))
                if crashes == _CRASHES:
                    raise

    async def _until_needed(self) -> None:
        """Wait for the end of our server, or for that of the program whose server we use."""
        if self._server:
            code = await self._server.wait()
            self._server = None
            log.warning("the database server ended by itself; starting it again", code=code)
        while not self._ownership.take():  # noqa: ASYNC110 -- a file lock has no event to wait for
            await asyncio.sleep(_LOOK_AFTER_OWNER)

    def _known_address(self) -> Address:
        if self._address is None:
            raise SetupError("The database server has not been started.")
        return self._address


@contextmanager
def _told_to_owners(premises: Premises) -> Generator[None, None, None]:
    """Turn what the file system refuses into a sentence for the owner."""
    try:
        yield
    except OSError as error:
        raise SetupError(
            f"The database cannot work in {premises.root} ({error.strerror}: {error.filename}): see that the directory "
            "is there, belongs to the user who runs StoryForge, and has free space."
        ) from error


def _new_address(premises: Premises) -> Address:
    return Address(str(premises.socket_directory()), premises.password.read_text(encoding="utf-8"))


def _write_address(premises: Premises, address: Address) -> None:
    premises.write_private(premises.address, json.dumps({"sockets": address.sockets}))


def _read_address(premises: Premises) -> Address | None:
    try:
        told = json.loads(premises.address.read_text(encoding="utf-8"))
        return Address(told["sockets"], premises.password.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise SetupError(
            f"The database in {premises.root} is run by another user; start StoryForge as that user."
        ) from error
