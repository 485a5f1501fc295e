"""The composition root: the only place that knows every part, and puts them together from the settings."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

from pydantic import SecretStr

from bot.illustrator import Studio
from bot.platforms.discord.service import Options as DiscordOptions
from bot.platforms.matrix.options import Options as MatrixOptions
from storyforge_core.domain.policy import Rate
from storyforge_core.domain.story import Rules
from storyforge_core.engine.app import Doorman, LastCall, StoryForge
from storyforge_core.engine.background import Quiet
from storyforge_core.engine.bus import Bus
from storyforge_core.engine.cast import Cast
from storyforge_core.engine.chronicle import Chronicle
from storyforge_core.engine.clock import SystemClock
from storyforge_core.engine.memory import Memory
from storyforge_core.engine.oracle import Oracle
from storyforge_core.engine.painter import Painter
from storyforge_core.engine.portraits import Portraits
from storyforge_core.engine.reading import Reader
from storyforge_core.engine.recipes import PICTURE, SCENE
from storyforge_core.engine.runner import Runner
from storyforge_core.engine.sharing import Rest, Sharing
from storyforge_core.errors import SetupError
from storyforge_core.memory_ports import Embedder
from storyforge_core.picture_ports import Purged
from storyforge_core.settings import Settings
from storyforge_core.store.card import PostgresCard
from storyforge_core.store.database import Database, open_database
from storyforge_core.store.embedded import embedded_postgres
from storyforge_core.store.gallery import FileGallery
from storyforge_core.store.jobs import Worker
from storyforge_core.store.ledger import PostgresLedger
from storyforge_core.store.migrate import upgrade
from storyforge_core.store.postgres import PostgresStore
from storyforge_core.store.shelf import FileShelf

NO_HOMESERVER = "Set MATRIX_HOMESERVER, the address of the server that the bot's Matrix account is on."


def database_directory(settings: Settings) -> Path:
    """Where the bundled PostgreSQL keeps its files."""
    return settings.data_dir / "postgres"


def log_file(settings: Settings) -> Path:
    """Where a program that uses the screen for something else writes its log."""
    return settings.data_dir / "logs" / "storyforge.log"


@asynccontextmanager
async def database_server(settings: Settings) -> AsyncGenerator[str, None]:
    """The address of the owner's server, or of the bundled one, which runs meanwhile.

    Raises:
        SetupError: there is none.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    async with embedded_postgres(database_directory(settings)) as server, alongside(server.watch()):
        yield server.url


@asynccontextmanager
async def ready_database(settings: Settings) -> AsyncGenerator[Database, None]:
    """A database that is there and up to date.

    Raises:
        SetupError: it is not, and the sentence says what to do.
    """
    async with database_server(settings) as url:
        database = open_database(url)
        try:
            await database.check()
            await upgrade(database.url)
            yield database
        finally:
            await database.aclose()


@asynccontextmanager
async def alongside(*works: Coroutine[None, None, None]) -> AsyncGenerator[None, None]:
    """Let works that never end run beside the body; when one of them fails, so does the body."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
            yield
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from failures


@dataclass(frozen=True, slots=True)
class House:
    """The parts that every program with stories in it has."""

    store: PostgresStore
    ledger: PostgresLedger
    clock: SystemClock
    bus: Bus
    door: StoryForge
    worker: Worker
    gallery: FileGallery


def furnish(
    settings: Settings, database: Database, cast: Cast, embedder: Embedder, studio: Studio | None = None
) -> House:
    """Put the parts together; nothing runs yet. Without a studio there are no pictures."""
    clock = SystemClock()
    store = PostgresStore(database, clock)
    bus = Bus(store)
    memory = Memory(store, embedder)
    mode = studio.mode if studio else "off"
    gallery, shelf = FileGallery(settings.pictures_dir), FileShelf(settings.static_dir)
    portraits = Portraits(shelf, gallery)
    door = StoryForge(store, clock, rules(settings), Oracle(memory, cast.reader), mode, portraits)
    sharing = _sharing(settings, database, cast, studio)
    quiet = Quiet(sharing.taken if sharing else None)
    chronicle = Chronicle(store, cast.reader, clock, quiet)
    runner = Runner(store, cast, memory, bus, clock, SCENE, mode, quiet, sharing)
    retention = timedelta(days=settings.retention_days) if settings.retention_days else None
    worker = Worker(
        conninfo=database.conninfo,
        store=store,
        on_run=runner.execute,
        on_deadline=door.deadline,
        on_scene=memory.remember,
        on_start=memory.reread,
        on_read=Reader(store, cast.reader, quiet).read,
        on_chapter=chronicle.summarise,
        runs_at_once=settings.runs_at_once,
        retention=retention,
        on_purged=partial(_swept, gallery, shelf),
    )
    if studio is not None:
        visualizer = cast.visualizer if studio.described else None
        painter = Painter(store, studio.illustrator, gallery, shelf, visualizer, clock, PICTURE, sharing)
        worker = replace(worker, on_picture=painter.execute, pictures_at_once=studio.at_once)
    return House(store, PostgresLedger(database, clock), clock, bus, door, worker, gallery)


async def _swept(gallery: FileGallery, shelf: FileShelf, purged: Purged) -> None:
    """Delete the files of what was deleted."""
    await gallery.remove(purged.pictures)
    await shelf.remove(purged.looks)


@runtime_checkable
class Resting(Protocol):
    """Whoever holds a graphics card's memory, and can let go of it."""

    async def rest(self) -> None:
        """Let go of it. Raises `ServiceDown`."""


@runtime_checkable
class Measured(Protocol):
    """Whoever knows how large the card is that it paints on."""

    async def roomy(self) -> bool:
        """Tell whether it has memory enough for a language model besides."""


def _sharing(settings: Settings, database: Database, cast: Cast, studio: Studio | None) -> Sharing | None:
    """Who looks after the graphics card that words and pictures share; None where each has its own."""
    if not settings.shares_card:
        return None
    if studio is None:
        return Sharing(PostgresCard(database), _rests(cast.writer, cast.planner))
    painter = studio.illustrator
    roomy = painter.roomy if isinstance(painter, Measured) else None
    return Sharing(PostgresCard(database), _rests(cast.writer, cast.planner, cast.visualizer), _rests(painter), roomy)


def _rests(*holders: object) -> tuple[Rest, ...]:
    return tuple(holder.rest for holder in dict.fromkeys(holders) if isinstance(holder, Resting))


def guarded(door: StoryForge, settings: Settings) -> StoryForge:
    """The same door with somebody before it who keeps people from asking too often."""
    doorman = Doorman(Rate(settings.rate_per_minute), Rate(settings.room_rate_per_minute))
    return replace(door, doorman=doorman)


def deciding(house: House, *last_calls: LastCall) -> Worker:
    """The worker where people chat: votes that went unheard are counted before a deadline decides."""
    door = replace(house.door, last_calls=last_calls)
    return replace(house.worker, on_deadline=door.deadline)


def discord_options(settings: Settings) -> DiscordOptions | None:
    """What the settings say about Discord; None where there is no bot."""
    if settings.discord_token is None:
        return None
    return DiscordOptions(
        token=settings.discord_token.get_secret_value(),
        api_base=settings.discord_api_base,
        gateway_url=settings.discord_gateway_url,
        interaction_edits=settings.discord_interaction_edits == "auto",
        guild=settings.discord_guild,
        blocked=settings.blocked_guilds,
        memory=settings.data_dir / "discord-commands",
    )


def matrix_options(settings: Settings) -> MatrixOptions | None:
    """What the settings say about Matrix; None where there is no bot.

    Raises:
        SetupError: they leave open where its account is.
    """
    if not settings.matrix_homeserver:
        if settings.matrix_user_id or settings.matrix_access_token:
            raise SetupError(NO_HOMESERVER)
        return None
    return MatrixOptions(
        homeserver=settings.matrix_homeserver,
        user=settings.matrix_user_id,
        password=_secret(settings.matrix_password),
        token=_secret(settings.matrix_access_token),
        recovery_key=_secret(settings.matrix_recovery_key),
        directory=settings.data_dir / "matrix",
        encryption=settings.matrix_e2ee,
        stories=settings.matrix_stories,
        unlimited=settings.matrix_rate_limit == "none",
        polls=settings.matrix_polls == "on",
        allowed_users=settings.matrix_allowed_users,
        allowed_rooms=settings.matrix_allowed_rooms,
    )


def _secret(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""


def rules(settings: Settings) -> Rules:
    """The settings that new stories begin with."""
    return Rules(
        words=settings.scene_words,
        choices=settings.scene_choices,
        chapter=settings.chapter_tokens,
        quorum=settings.vote_quorum,
        deadline=settings.vote_deadline,
        tie=settings.vote_tie,
        planner=settings.planner == "on",
    )
