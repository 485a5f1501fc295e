"""What can be started from the command line. The composition of each program, from settings to exit code."""

import asyncio
import gc
import os
import signal
import sys
from argparse import Namespace
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType, TracebackType

import structlog

from bot.art import Scanner, as_text
from bot.compose import (
    House,
    alongside,
    database_directory,
    database_server,
    deciding,
    furnish,
    log_file,
    ready_database,
)
from bot.illustrator import Studio, comfyui, studio
from bot.platforms.terminal.json_lines import JsonLines
from bot.platforms.terminal.keyboard import Lines, Pipe, open_lines, user_name
from bot.platforms.terminal.loop import Play
from bot.platforms.terminal.prose import Prose
from bot.platforms.terminal.screen import Screen, ScreenClosed, Tone, open_screen
from bot.platforms.terminal.seat import Seat, taken
from bot.platforms.terminal.show import Show
from bot.platforms.terminal.surface import TerminalSurface
from bot.presenter.presenter import Presenter
from bot.storyteller import embedder_beside, for_play, for_workers
from storyforge_core.domain.story import PlaythroughId
from storyforge_core.engine.clock import SystemClock
from storyforge_core.errors import SetupError, StoryForgeError
from storyforge_core.logs import configure
from storyforge_core.memory_ports import Embedder
from storyforge_core.ports import Writer
from storyforge_core.settings import Settings, checkout, load_settings
from storyforge_core.store.backup import backup, restore
from storyforge_core.store.postgres import PostgresStore
from storyforge_core.store.shelf import FileShelf

DONE, FAILED, MISCONFIGURED, INTERRUPTED = 0, 1, 78, 130
"""78 is EX_CONFIG of sysexits.h: starting again is pointless before somebody has changed something."""
LAST_PICTURES = 10.0
"""Seconds that a card may take at the end of `play --pictures`; another picture is shown with the next start."""
LOOK = 0.1
NO_ILLUSTRATOR = (
    "No picture server is set up. Install ComfyUI (comfy.org), start it, and put its address into .env, such as "
    "COMFYUI_HOST=127.0.0.1:8188"
)
FIRST_START = "Setting up the database, once …"


def run(options: Namespace) -> int:
    """Run one program and answer its exit code."""
    gc.freeze()  # what was imported stays; each time the collector walks through it everything else waits 70 ms
    try:
        home = checkout()
        return asyncio.run(_stoppable(_program(options, load_settings(home), home)))
    except SetupError as error:
        return _sorry(str(error), MISCONFIGURED)
    except StoryForgeError as error:
        return _sorry(str(error), FAILED)
    except ScreenClosed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes it once more at the end
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


async def _program(options: Namespace, settings: Settings, home: Path | None) -> int:  # noqa: PLR0911 - a line a program
    match options.program:
        case "play":
            return await _play(options, settings)
        case "serve":
            return await _serve(settings)
        case "worker":
            return await _work(settings)
        case "doctor":
            return await _examine(options, settings, home)
        case "workflows":
            return await _check_workflows(settings)
        case "art":
            return await _scan_art(options, settings)
        case _:
            return await _keep(options, settings)


async def _stoppable(program: Coroutine[None, None, int]) -> int:
    """Let SIGTERM end a program as its own end would: everything is closed, and nothing was wrong."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(program)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(task.cancel)

    signal.signal(signal.SIGTERM, stop)
    with suppress(asyncio.CancelledError):
        return await task
    return DONE


async def _play(options: Namespace, settings: Settings) -> int:
    await _log_to(log_file(settings), settings)
    settings = settings.model_copy(update={"storyteller": options.storyteller or settings.storyteller})
    screen = open_screen(sys.stdout)
    with taken(options.name or user_name(), options.room, settings.data_dir) as seat:
        if options.json:
            table = _Table(screen, Pipe(sys.stdin.fileno()), _json_show, cards=options.pictures)
            await _sit(seat, settings, table)
        else:
            if settings.database_url is None and not database_directory(settings).exists():
                await screen.say(FIRST_START, Tone.ASIDE)
            with open_lines(screen, settings.data_dir / "history") as lines:
                await _sit(seat, settings, _Table(screen, lines, _prose_show, cards=options.pictures))
    return DONE


async def _sit(seat: Seat, settings: Settings, table: "_Table") -> None:
    """Play at a table from the first line to the last."""
    choosing = asyncio.ensure_future(for_play(settings, watched=table.lines.typed))
    async with ready_database(settings) as database:
        chosen = await choosing
        embedder = await embedder_beside(chosen.writer, settings)
        async with aclosing(chosen.writer), aclosing(embedder), _painting(settings, cards=table.cards) as painting:
            house = furnish(settings, database, chosen.writer, embedder, painting)
            async with alongside(house.bus.listen(), house.worker.work()), table.open(table.screen, house) as show:
                if chosen.notice:
                    await show.note(chosen.notice)
                await Play(seat, house.door, house.store, show, table.lines, house.clock).run()
                if table.cards:
                    await _last_pictures(seat, house, show)


async def _work(settings: Settings) -> int:
    await _log_to(None, settings)
    async with ready_database(settings) as database, _models(settings) as models, _painting(settings) as painting:
        house = furnish(settings, database, *models, painting)
        worker = replace(house.worker, on_deadline=None)
        async with alongside(house.bus.listen(), worker.work()):
            await asyncio.Event().wait()
    return DONE


async def _serve(settings: Settings) -> int:
    """Tell stories wherever people chat, for ever."""
    from bot.chats import chats_of, require_some  # noqa: PLC0415 - with nio, whose 18 MB nobody else needs

    require_some(settings)
    await _log_to(None, settings)
    async with ready_database(settings) as database, _models(settings) as models, _painting(settings) as painting:
        house = furnish(settings, database, *models, painting)
        async with AsyncExitStack() as presenters:
            chats = [await presenters.enter_async_context(chat) for chat in chats_of(settings, database, house)]
            worker = deciding(house, *(chat.service.last_call for chat in chats))
            running = [chat.run(alone=len(chats) == 1) for chat in chats]
            async with alongside(house.bus.listen(), worker.work(), *running):
                await asyncio.Event().wait()
    return DONE


async def _examine(options: Namespace, settings: Settings, home: Path | None) -> int:
    from bot import doctor  # noqa: PLC0415 - likewise

    configure("error", settings.log_format)
    findings = await doctor.examine(settings, home)
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    _say(doctor.as_json(findings) if options.json else doctor.as_text(findings, coloured=coloured))
    return DONE if doctor.healthy(findings) else FAILED


async def _check_workflows(settings: Settings) -> int:
    """Say for every workflow what the picture servers lack."""
    from bot import doctor  # noqa: PLC0415 - likewise

    configure("error", settings.log_format)
    if not settings.picture_hosts:
        raise SetupError(NO_ILLUSTRATOR)
    async with aclosing(await comfyui(settings)) as illustrator:
        findings = await illustrator.examine()
    _say(doctor.as_text(findings, coloured=sys.stdout.isatty() and not os.environ.get("NO_COLOR")))
    return DONE if any(finding.status == "ok" for finding in findings) else FAILED


async def _scan_art(options: Namespace, settings: Settings) -> int:
    """Say whose pictures are in a directory, and take them in where that is asked for."""
    configure("error", settings.log_format)
    async with ready_database(settings) as database:
        clock = SystemClock()
        scanner = Scanner(PostgresStore(database, clock), FileShelf(settings.static_dir), clock)
        found = await scanner.scan(Path(options.directory), options.story)
        if options.apply:
            found = await scanner.take_in(found)
        _say(as_text(found))
    return DONE


async def _keep(options: Namespace, settings: Settings) -> int:
    """Look after the database: bring it up to date, into a file, or out of one."""
    configure("warning", settings.log_format)
    if options.program == "migrate":
        async with ready_database(settings):
            _say("The database is up to date.")
        return DONE
    file = Path(options.file)
    async with database_server(settings) as url:
        if options.program == "backup":
            await backup(url, file)
            _say(f"All stories are in {file}.")
            for directory, what in ((settings.pictures_dir, "pictures"), (settings.static_dir, "looks")):
                if await asyncio.to_thread(directory.is_dir):
                    _say(f"Their {what} are files of their own: copy {directory} as well.")
        else:
            await restore(url, file)
            _say(f"The stories of {file} are in the database.")
    return DONE


@dataclass(frozen=True, slots=True)
class _Table:
    """Screen, lines and the way a story is shown."""

    screen: Screen
    lines: Lines
    open: Callable[[Screen, House], AbstractAsyncContextManager[Show]]
    cards: bool
    """Each scene gets a picture, and a card where there is no picture server."""


@asynccontextmanager
async def _json_show(screen: Screen, house: House) -> AsyncGenerator[Show, None]:
    show = JsonLines(screen, house.store, house.ledger, house.bus)
    house.bus.on_events(show.wake)
    async with alongside(show.run()):
        yield show


@asynccontextmanager
async def _prose_show(screen: Screen, house: House) -> AsyncGenerator[Show, None]:
    surface = TerminalSurface(screen, lambda: house.clock.now().astimezone())
    async with aclosing(Presenter(house.store, house.ledger, house.bus, house.gallery)) as presenter:
        house.bus.on_events(presenter.wake)
        yield Prose(screen, surface, presenter)


async def _log_to(file: Path | None, settings: Settings) -> None:
    """Have the log in a file where the screen is for stories, and mistakes of our own in it with all they left."""
    await asyncio.to_thread(configure, settings.log_level, settings.log_format, file)

    def explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        structlog.get_logger().critical("the program failed", exc_info=(kind, error, trace))
        where = f" The log tells more: {file}" if file else ""
        _sorry(f"StoryForge made a mistake ({kind.__name__}) and had to stop. Stories are kept.{where}", FAILED)

    sys.excepthook = explain


@asynccontextmanager
async def _models(settings: Settings) -> AsyncGenerator[tuple[Writer, Embedder], None]:
    """Who tells stories and who finds their scenes again, where nobody watches."""
    async with aclosing(for_workers(settings)) as writer:
        await _note_storyteller(writer)
        async with aclosing(await embedder_beside(writer, settings)) as embedder:
            yield writer, embedder


@asynccontextmanager
async def _painting(settings: Settings, *, cards: bool = False) -> AsyncGenerator[Studio | None, None]:
    """Have whoever paints at hand."""
    found = await studio(settings, cards=cards)
    try:
        yield found
    finally:
        if found is not None:
            await found.aclose()


async def _last_pictures(seat: Seat, house: House, show: Show) -> None:
    """Show the pictures of the last scenes, if that does not take long."""
    room = await house.store.room(seat.room)
    with suppress(TimeoutError, StoryForgeError):
        async with asyncio.timeout(LAST_PICTURES):
            while room.playthrough and await _coming(house, room.playthrough):  # noqa: ASYNC110 - another task hangs them
                await asyncio.sleep(LOOK)
        await show.settled()


async def _coming(house: House, playthrough: PlaythroughId) -> bool:
    async with house.store.resume(playthrough) as desk:
        return bool(await desk.live_pictures(playthrough))


async def _note_storyteller(writer: Writer) -> None:
    for finding in await writer.check():
        structlog.get_logger().info("storyteller", name=finding.name, status=finding.status, detail=finding.detail)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _sorry(sentence: str, code: int) -> int:
    sys.stderr.write(f"{sentence}\n")
    return code
