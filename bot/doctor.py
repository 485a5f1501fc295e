"""The health report: what is there, what is not, and what to do about it. Looks only; changes nothing."""

import asyncio
import json
import os
import shutil
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import Final

from bot import model_checkup
from bot.compose import database_directory, discord_options, log_file, matrix_options
from bot.illustrator import comfyui
from bot.platforms.discord import checkup as discord
from bot.platforms.discord.link import PLATFORM as DISCORD
from bot.platforms.matrix import checkup as matrix
from bot.platforms.matrix.places import PLATFORM as MATRIX
from storyforge_core.domain.story import RoomKey
from storyforge_core.domain.writing import Finding
from storyforge_core.engine.clock import SystemClock
from storyforge_core.errors import SetupError
from storyforge_core.settings import Settings, misspelt
from storyforge_core.store.bundle import find_bundle
from storyforge_core.store.database import open_database
from storyforge_core.store.embedded import embedded_postgres
from storyforge_core.store.postgres import PostgresStore

SCARCE_BYTES = 1_000_000_000
"""Below it a year of stories or a model update may not fit."""
NEEDED_BYTES = 100_000_000
"""PostgreSQL alone writes files of 16 MB and stops when it cannot."""
_COLOURS: Final = {"ok": "\x1b[32m", "warn": "\x1b[33m", "fail": "\x1b[31m"}
_RESET = "\x1b[0m"


async def examine(settings: Settings, home: Path | None) -> list[Finding]:
    """Look at everything the program needs."""
    (database, chats), storyteller, pictures = await asyncio.gather(
        _kept_and_chatted(settings), model_checkup.examine(settings), _pictures(settings)
    )
    misspellings, places = await asyncio.to_thread(lambda: (misspelt(home), _places(settings)))
    odd = (Finding(".env", "warn", sentence) for sentence in misspellings)
    return [*odd, *database, *storyteller, *pictures, *chats, *places]


def healthy(findings: Sequence[Finding]) -> bool:
    """Whether the program can run."""
    return all(finding.status != "fail" for finding in findings)


def as_text(findings: Sequence[Finding], *, coloured: bool) -> str:
    """The report for people, a line each."""
    width = max(len(finding.name) for finding in findings)
    return "\n".join(
        f"{_status(finding, coloured=coloured)}  {finding.name:<{width}}  {finding.detail}" for finding in findings
    )


def as_json(findings: Sequence[Finding]) -> str:
    """The report for programs: one object on one line."""
    report = {"healthy": healthy(findings), "findings": [asdict(finding) for finding in findings]}
    return json.dumps(report, ensure_ascii=False)


def _status(finding: Finding, *, coloured: bool) -> str:
    padded = f"{finding.status:<4}"
    return f"{_COLOURS[finding.status]}{padded}{_RESET}" if coloured else padded


async def _kept_and_chatted(settings: Settings) -> tuple[list[Finding], list[Finding]]:
    """Look at the database, and with its help at the rooms where stories are told."""
    database, rooms = await _database(settings)
    looks: list[Coroutine[None, None, list[Finding]]] = []
    if (on_discord := discord_options(settings)) is not None:
        looks.append(discord.examine(on_discord, [room for room in rooms if room.platform == DISCORD]))
    if (on_matrix := matrix_options(settings)) is not None:
        looks.append(matrix.examine(on_matrix, [room for room in rooms if room.platform == MATRIX]))
    return database, [finding for found in await asyncio.gather(*looks) for finding in found]


async def _database(settings: Settings) -> tuple[list[Finding], tuple[RoomKey, ...]]:
    """Look at the database, and read which rooms of chats show a story."""
    if settings.database_url is not None:
        return await _server(settings.database_url.get_secret_value())
    directory = database_directory(settings)
    try:
        if not directory.exists():
            bundle = find_bundle(18)
            comes = f"PostgreSQL {bundle.major} comes along; the first start sets it up in {directory}"
            return [Finding("database", "ok", comes)], ()
        async with embedded_postgres(directory) as server:
            return await _server(server.url)
    except SetupError as error:
        return [Finding("database", "fail", str(error))], ()


async def _server(url: str) -> tuple[list[Finding], tuple[RoomKey, ...]]:
    try:
        database = open_database(url)
    except SetupError as error:
        return [Finding("database", "fail", str(error))], ()
    try:
        findings = await database.findings()
        usable = all(finding.status == "ok" for finding in findings)
        store = PostgresStore(database, SystemClock())
        rooms = [*await store.rooms(DISCORD), *await store.rooms(MATRIX)] if usable else []
        return findings, tuple(room.key for room in rooms)
    finally:
        await database.aclose()


async def _pictures(settings: Settings) -> Sequence[Finding]:
    """Look at the picture servers; stories are told without them, so nothing of it is a failure."""
    if not settings.picture_hosts:
        return []
    if settings.pictures == "off":
        return [Finding("pictures", "ok", "none, as PICTURES=off says")]
    async with aclosing(await comfyui(settings)) as illustrator:
        return await illustrator.check()


def _places(settings: Settings) -> list[Finding]:
    directories = {
        "data": settings.data_dir,
        "pictures": settings.pictures_dir,
        "exports": settings.exports_dir,
        "workflows": settings.workflow_dir,
        "log": log_file(settings),
    }
    return [*(_writable(name, path) for name, path in directories.items()), _room(settings.data_dir)]


def _writable(name: str, path: Path) -> Finding:
    nearest = _nearest(path)
    if not os.access(nearest, os.W_OK):
        return Finding(name, "fail", f"{nearest} cannot be written: give this user the right, or choose another place")
    if path != nearest and not nearest.is_dir():
        return Finding(name, "fail", f"{nearest} is in the way: it has to be a directory")
    return Finding(name, "ok", f"{path}{'' if path == nearest else ' (made when needed)'}")


def _room(directory: Path) -> Finding:
    free = shutil.disk_usage(_nearest(directory)).free
    detail = f"{free / 1e9:.1f} GB free"
    if free < NEEDED_BYTES:
        return Finding("disk", "fail", f"{detail}: make room, the database needs some to start")
    if free < SCARCE_BYTES:
        return Finding("disk", "warn", f"{detail}: make room before it runs full")
    return Finding("disk", "ok", detail)


def _nearest(path: Path) -> Path:
    """The path, or the closest directory above it that exists."""
    return next(candidate for candidate in _upwards(path) if candidate.exists())


def _upwards(path: Path) -> Iterator[Path]:
    yield path
    yield from path.absolute().parents
