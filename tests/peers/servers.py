"""Looking at embedded servers from outside, and running one in another program."""

import asyncio
import json
import os
import stat
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import psutil


def furnish(path: Path, text: str = "") -> None:
    """Put a file somewhere, with the directories above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def rename(path: Path, name: str) -> None:
    path.rename(path.with_name(name))


async def ask(url: str, question: str = "SELECT 1") -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def ask_patiently(url: str, question: str = "SELECT 1") -> object:
    """Ask again until a server that is being restarted answers."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await ask(url, question)
            except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError):
                await asyncio.sleep(0.05)


async def until(it_is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not it_is_so():  # noqa: ASYNC110 -- other processes set no event of ours
            await asyncio.sleep(0.02)


def ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@asynccontextmanager
async def another_program(directory: Path) -> AsyncGenerator[tuple[asyncio.subprocess.Process, dict[str, object]]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.peers.server_owner", str(directory)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": "."},
    )
    assert process.stdin
    assert process.stdout
    try:
        while not (line := await process.stdout.readline()).startswith(b"{"):
            assert line, "the program ended before its server answered"
        yield process, json.loads(line)
    finally:
        process.stdin.close()
        await process.wait()
