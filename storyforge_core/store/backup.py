"""A whole database as one file, and back again, with PostgreSQL's own tools.

A restore goes only into a database that holds no story and that nobody uses: what is there is dropped, then the file is
read in one transaction. When that fails the database is empty, and the next start makes its tables anew.
"""

import asyncio
import os
import re
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from storyforge_core.errors import SetupError
from storyforge_core.store.address import DatabaseUrl, normalise
from storyforge_core.store.bundle import BUNDLED, bare_environment, find_bundle
from storyforge_core.store.database import visit
from storyforge_core.store.migrate import known_revisions

_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
# everything but what belongs to an extension; what belongs to a table goes with it
_EMPTY = """
DO $$
DECLARE
    thing text;
BEGIN
    FOREACH thing IN ARRAY ARRAY(
        SELECT format('%s %s', CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END,
                      oid::regclass)
          FROM pg_class AS it
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = it.oid AND deptype IN ('e', 'a', 'i'))
        UNION ALL
        SELECT format('ROUTINE %s', oid::regprocedure) FROM pg_proc AS it
         WHERE pronamespace = 'public'::regnamespace
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = it.oid AND deptype = 'e')
        UNION ALL
        SELECT format('TYPE %s', oid::regtype) FROM pg_type AS it
         WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd', 'c')
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = it.oid AND deptype = 'e')
           AND NOT EXISTS (SELECT FROM pg_class WHERE pg_class.oid = typrelid AND relkind <> 'c')
    ) LOOP
        BEGIN
            EXECUTE 'DROP ' || thing || ' CASCADE';
        EXCEPTION WHEN undefined_table OR undefined_function OR undefined_object THEN
            NULL; -- it went with something before it
        END;
    END LOOP;
END
$$
"""


async def backup(url: str, file: Path) -> None:
    """Write everything in the database to `file`, which appears only when it is complete.

    Raises:
        SetupError: the file exists, the database is out of reach, the tools don't fit, the disk is full.
    """
    database = normalise(url)
    if await asyncio.to_thread(file.exists):
        raise SetupError(f"{file} exists: name another file, or move that one away.")
    tools = await _fitting_tools(database)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        await asyncio.to_thread(draft.touch, 0o600, exist_ok=False)
        await tools.run("pg_dump", "--format=custom", f"--file={draft}", f"--dbname={database.without_password}")
        await asyncio.to_thread(_publish, draft, file)
    except OSError as error:
        raise SetupError(f"{file} cannot be written ({error.strerror}): name a file elsewhere.") from error
    finally:
        await asyncio.to_thread(draft.unlink, missing_ok=True)


async def restore(url: str, file: Path) -> None:
    """Read a backup into a database without stories. Its tables may be older than this program: `upgrade` comes next.

    This program, too, has to keep its pool closed until then.

    Raises:
        SetupError: the file is no backup, or the database isn't free for it; the sentence says what to do.
    """
    database = normalise(url)
    tools = await _fitting_tools(database)
    await _look_through(tools, file)
    async with visit(database) as connection:
        if await connection.fetchval(_OTHERS):
            raise SetupError("Another program uses the database: stop every StoryForge program, then restore.")
        if await connection.fetchval("SELECT to_regclass('public.story')") and await connection.fetchval(
            "SELECT EXISTS (SELECT FROM story)"
        ):
            raise SetupError(
                "The database holds stories already, and a restore would replace them. Restore into an empty one: "
                "move the data directory away, or name a new database in DATABASE_URL."
            )
        await connection.execute(_EMPTY)
    await tools.run(
        "pg_restore",
        "--single-transaction",
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
        "--no-comments",  # those of the extension belong to its owner
        f"--dbname={database.without_password}",
        str(file),
    )


@dataclass(frozen=True, slots=True)
class _Tools:
    """The programs that fit a server."""

    directory: Path
    password: str

    async def run(self, name: str, *arguments: str) -> str:
        """Run one to its end and return what it printed."""
        process = await asyncio.create_subprocess_exec(
            str(self.directory / name),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=bare_environment() | ({"PGPASSWORD": self.password} if self.password else {}),
        )
        try:
            said, complained = await process.communicate()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
        if process.returncode:
            lines = complained.decode(errors="replace").strip().splitlines() or ["it ended without a word"]
            raise SetupError(f"{name} did not succeed: {lines[0]}")
        return said.decode(errors="replace")


async def _fitting_tools(database: DatabaseUrl) -> _Tools:
    """Tools of the server's version or the next after it: older ones can't read it, newer ones say what it can't read.

    The bundle's, or those of the machine where the bundle's are too old or the way is encrypted.

    Raises:
        SetupError: neither fits.
    """
    async with visit(database) as connection:
        server = connection.get_server_version().major
        encrypted = await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    fitting = [major for major in BUNDLED if major >= server and not encrypted]  # the bundle is built without TLS
    if fitting:
        bundle = await asyncio.to_thread(find_bundle, min(fitting))
        return _Tools(bundle.program("pg_dump").parent, database.password)
    installed = await asyncio.to_thread(shutil.which, "pg_dump")
    if installed:
        tools = _Tools(Path(installed).parent, database.password)
        if _major(await tools.run("pg_dump", "--version")) >= server:
            return tools
    raise SetupError(
        f"The database runs PostgreSQL {server}{' behind TLS' if encrypted else ''}, which the bundled tools cannot "
        f"reach: install the PostgreSQL client programs (pg_dump), version {server} or later, on this machine."
    )


async def _look_through(tools: _Tools, file: Path) -> None:
    """Read the whole file before anything is touched.

    Raises:
        SetupError: it is broken, somebody else's, or newer than this program.
    """
    if not await asyncio.to_thread(file.is_file):
        raise SetupError(f"There is no file {file}.")
    try:
        await tools.run("pg_restore", f"--file={os.devnull}", str(file))
        told = await tools.run("pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(file))
    except SetupError as error:
        if "unsupported version" in str(error):
            raise SetupError(f"{file} comes from a newer PostgreSQL: restore it into one at least as new.") from error
        raise SetupError(f"{file} is not a backup, or it is damaged: take another one. ({error})") from error
    revision = re.search(r"^COPY public\.alembic_version .*\n(.+)$", told, re.MULTILINE)
    if not revision:
        raise SetupError(f"{file} is a backup of something else than StoryForge: take another one.")
    if revision[1] not in await asyncio.to_thread(known_revisions):
        raise SetupError(f"{file} was made by a newer StoryForge: install that version, then restore.")


def _publish(draft: Path, file: Path) -> None:
    """Give the complete file its name, never that of a file that came into being meanwhile."""
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    try:
        file.hardlink_to(draft)
    except FileExistsError:
        raise SetupError(f"{file} exists by now: name another file.") from None
    except OSError:  # a file system without hard links
        draft.rename(file)
    directory = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _major(version: str) -> int:
    """Read `pg_dump (PostgreSQL) 18.4 (Debian …)`."""
    found = re.search(r"\) (\d+)", version)
    return int(found[1]) if found else 0
