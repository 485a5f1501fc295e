"""The health report: what is there, what is not, and what to do about it. Looks only; changes nothing."""

import asyncio
import json
import os
import shutil
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import aclosing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from bot.compose import database_directory, discord_options, log_file, matrix_options
from bot.illustrator import comfyui
from bot.platforms.discord import checkup as discord
from bot.platforms.discord.link import PLATFORM as DISCORD
from bot.platforms.matrix import checkup as matrix
from bot.platforms.matrix.places import PLATFORM as MATRIX
from bot.storyteller import ollama_options
from storyforge_core.domain.story import RoomKey
from storyforge_core.domain.writing import Finding, Role
from storyforge_core.engine.clock import SystemClock
from storyforge_core.errors import ModelMissing, ServiceDown, SetupError
from storyforge_core.providers.ollama import OllamaWriter
from storyforge_core.providers.ollama_wire import OllamaWire
from storyforge_core.settings import Settings, misspelt
from storyforge_core.store.bundle import find_bundle
from storyforge_core.store.database import open_database
from storyforge_core.store.embedded import embedded_postgres
from storyforge_core.store.postgres import PostgresStore
from storyforge_core.store.shelf import FileShelf

SCARCE_BYTES = 1_000_000_000
"""Below it a year of stories or a model update may not fit."""
NEEDED_BYTES = 100_000_000
"""PostgreSQL alone writes files of 16 MB and stops when it cannot."""
MOST_NAMED = 3
_TELLING_ROLES: Final[tuple[Role, ...]] = ("writer", "planner", "visualizer")
_COLOURS: Final = {"ok": "\x1b[32m", "warn": "\x1b[33m", "fail": "\x1b[31m"}
_RESET = "\x1b[0m"


async def examine(settings: Settings, home: Path | None) -> list[Finding]:
    """Look at everything the program needs."""
    (database, chats), storyteller, pictures = await asyncio.gather(
        _kept_and_chatted(settings), _storyteller(settings), _pictures(settings)
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
        return await _server(settings.database_url.get_secret_value(), settings)
    directory = database_directory(settings)
    try:
        if not directory.exists():
            bundle = find_bundle(18)
            comes = f"PostgreSQL {bundle.major} comes along; the first start sets it up in {directory}"
            return [Finding("database", "ok", comes)], ()
        async with embedded_postgres(directory) as server:
            return await _server(server.url, settings)
    except SetupError as error:
        return [Finding("database", "fail", str(error))], ()


async def _server(url: str, settings: Settings) -> tuple[list[Finding], tuple[RoomKey, ...]]:
    try:
        database = open_database(url)
    except SetupError as error:
        return [Finding("database", "fail", str(error))], ()
    try:
        findings = await database.findings()
        usable = all(finding.status == "ok" for finding in findings)
        store = PostgresStore(database, SystemClock())
        findings += await _looks(store, settings) if usable else []
        rooms = [*await store.rooms(DISCORD), *await store.rooms(MATRIX)] if usable else []
        return findings, tuple(room.key for room in rooms)
    finally:
        await database.aclose()


async def _looks(store: PostgresStore, settings: Settings) -> list[Finding]:
    """Look whether the pictures are there by which people and things are painted again."""
    files = await store.look_files()
    lacking = sorted(await FileShelf(settings.static_dir).lacking([file for file, _ in files]))
    if not lacking:
        return [Finding("looks", "ok", f"{len(files)}, all there")] if files else []
    some = ", ".join(lacking[:MOST_NAMED]) + (" …" if len(lacking) > MOST_NAMED else "")
    what_to_do = f"put them back into {settings.static_dir} from a copy, or send them again with /story character look"
    told = f"{len(lacking)} of {len(files)} are not there, pictures are painted without them ({some}): {what_to_do}"
    return [Finding("looks", "warn", told)]


async def _storyteller(settings: Settings) -> list[Finding]:
    if settings.storyteller == "offline":
        return [Finding("storyteller", "ok", "the built-in one, as STORYTELLER=offline says")]
    models = dict.fromkeys(settings.model_for(role) for role in _TELLING_ROLES)
    found: list[Finding] = []
    for model in models:
        found += [finding for finding in await _model(settings, model) if finding not in found]
    ready = healthy(found)
    if ready:
        found.append(await _embedder(settings))
    return [*(_bearable(finding, settings) for finding in found), _chosen(settings, ready=ready)]


async def _pictures(settings: Settings) -> Sequence[Finding]:
    """Look at the picture servers; stories are told without them, so nothing of it is a failure."""
    if not settings.picture_hosts:
        return []
    if settings.pictures == "off":
        return [Finding("pictures", "ok", "none, as PICTURES=off says")]
    async with aclosing(await comfyui(settings)) as illustrator:
        return await illustrator.check()


async def _model(settings: Settings, model: str) -> Sequence[Finding]:
    writer = OllamaWriter(ollama_options(settings, model))
    try:
        return await writer.check()
    finally:
        await writer.aclose()


async def _embedder(settings: Settings) -> Finding:
    """Nothing stops without this model, so its absence is no failure."""
    model = settings.model_for("embedder")
    wire = OllamaWire(ollama_options(settings, model))
    try:
        await wire.show()
    except (ModelMissing, ServiceDown) as error:
        return Finding(f"model {model}", "warn", str(error))
    else:
        return Finding(f"model {model}", "ok", "is there")
    finally:
        await wire.aclose()


def _bearable(finding: Finding, settings: Settings) -> Finding:
    """With `auto` one can play without a model."""
    bearable = finding.status == "fail" and settings.storyteller == "auto"
    return replace(finding, status="warn") if bearable else finding


def _chosen(settings: Settings, *, ready: bool) -> Finding:
    model = settings.model_for("writer")
    if ready:
        return Finding("storyteller", "ok", model)
    if settings.storyteller == "auto":
        detail = f"the built-in one, and only in `play`, until the model is there: ollama pull {model}"
        return Finding("storyteller", "warn", detail)
    return Finding("storyteller", "fail", f"{model} is not ready, so nothing can be told: see above")


def _places(settings: Settings) -> list[Finding]:
    directories = {
        "data": settings.data_dir,
        "pictures": settings.pictures_dir,
        "static": settings.static_dir,
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
