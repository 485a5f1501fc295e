"""What a room is shown of its story's pictures: they hang, come down, are under way; hosts hear what was reported."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import assert_never

import structlog

from bot.presenter.chronicle import EventSource
from bot.presenter.outbox import Outbox
from bot.presenter.sheet import Layout
from bot.presenter.sketches import Sketches
from bot.presenter.wall import Wall
from bot.surface import SlowDown, SurfaceDown, SurfaceError
from bot.wording import happenings
from storyforge_core.domain.events import (
    PictureFailed,
    PictureForgotten,
    PictureQueued,
    PictureReported,
    PictureShown,
    Recorded,
)
from storyforge_core.domain.story import PlaythroughId, Room, RunId
from storyforge_core.errors import ServiceDown
from storyforge_core.picture_ports import Gallery

PictureEvent = PictureQueued | PictureShown | PictureForgotten | PictureReported | PictureFailed
Say = Callable[[Recorded, str], Awaitable[None]]
"""Says in the room what an event means, once."""
Mention = Callable[[str, str], Awaitable[None]]
"""Says something in the room, once for ever; the first argument names it."""

REPORT = "report:"
"""Begins the ledger's name of what hosts are told of a report: `report:event`."""
WHISPER_PAUSES = (2.0, 10.0, 60.0)
"""Seconds after each time that a host could not be told just then."""

log = structlog.stdlib.get_logger()


class Pictures:
    """All that is about pictures in one room.

    Args:
        sources: what is read of them.
        quiet: tells whether nothing is being written for the room.
        voices: say what an event means in the room, and what is said there only once.
    """

    def __init__(  # noqa: PLR0913 - a room's parts
        self,
        room: Room,
        playthrough: PlaythroughId,
        outbox: Outbox,
        layout: Layout,
        *,
        sources: tuple[EventSource, Gallery],
        quiet: Callable[[], bool],
        voices: tuple[Say, Mention],
    ) -> None:
        self._room = room
        self._playthrough = playthrough
        self._outbox = outbox
        self._layout = layout
        self._store, gallery = sources
        self._say, self._mention = voices
        self._telling: set[asyncio.Task[None]] = set()
        """Hosts are told beside everything else."""
        self._wall = Wall(outbox, layout, gallery, self._store, room.key)
        self._sketches = Sketches(outbox, layout, sources, quiet, self._wall.scene)

    async def take_up(self) -> None:
        """Go on with what an earlier program has told of pictures that are under way."""
        await self._sketches.take_up(self._playthrough)
        for left in await self._outbox.unfinished():
            if left.subject.startswith(REPORT):
                id_ = int(left.subject.removeprefix(REPORT))
                for recorded in await self._store.events(self._playthrough, id_ - 1, 1):
                    if isinstance(recorded.event, PictureReported):
                        self._report(id_, recorded.event)

    async def move_on(self, told: RunId | None) -> None:
        """The story goes on with the scene that a run told, or somebody wrote."""
        await self._wall.move_on(told)

    def drop(self) -> None:
        """Stop; the next program tells hosts what was not told."""
        self._sketches.drop()
        for task in self._telling:
            task.cancel()

    async def show(self, recorded: Recorded, event: PictureEvent) -> None:
        """Show what has happened to a picture."""
        match event:
            case PictureQueued():
                self._sketches.begin(self._playthrough)
            case PictureShown():
                if not await self._wall.hang(event):
                    await self._mention(f"for-adults:{self._playthrough}", happenings.picture_not_here())
                await self._sketches.hung(event.picture.run)
            case PictureForgotten():
                await self._wall.take_down(event.picture)
            case PictureReported():
                if event.hidden:
                    await self._wall.take_down(event.picture)
                if event.room == self._room.id:
                    await self._outbox.announced(f"{REPORT}{recorded.id}")
                    self._report(recorded.id, event)
            case PictureFailed():
                await self._say(recorded, happenings.picture_failed(event, self._layout.voice))
            case _:
                assert_never(event)

    def _report(self, id_: int, event: PictureReported) -> None:
        task = asyncio.create_task(self._tell_hosts(id_, event), name=f"whisper {id_}")
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell_hosts(self, id_: int, event: PictureReported) -> None:
        """Tell the hosts alone; where none of them can be, those in the room, but not who and why."""
        try:
            telling = await self._outbox.announced(f"{REPORT}{id_}")
            if telling.final:
                return
            hosts = await self._store.hosts(self._playthrough, self._room.key.platform)
            told = [host for host in hosts if await self._whispered(host, event)]
            await self._outbox.remember(replace(telling, final=True))
            if not told:
                await self._mention(f"report:{id_}", happenings.picture_hidden(event))
        except (ServiceDown, SurfaceError) as error:  # the next program does it
            log.warning("hosts are not told", room=self._room.key.address, reason=str(error))

    async def _whispered(self, host: str, event: PictureReported) -> bool:
        text = happenings.picture_reported(event, self._layout.voice)
        for pause in WHISPER_PAUSES:
            try:
                await self._outbox.whisper(host, text)
            except (SlowDown, SurfaceDown) as error:
                log.info("a host is told later", room=self._room.key.address, reason=str(error))
                await asyncio.sleep(pause)
            except SurfaceError as error:
                log.info("a host could not be told alone", room=self._room.key.address, reason=str(error))
                return False
            else:
                return True
        return False
