"""One room and the story it shows: its events in order, each shown before the next, the place kept in the ledger."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import assert_never

import structlog

from bot.presenter.chronicle import Chronicle, EventSource
from bot.presenter.lengths import Lengths
from bot.presenter.manner import manner
from bot.presenter.outbox import FIRST_RETRY, LONGEST_RETRY, Outbox, Showing
from bot.presenter.pictures import Pictures
from bot.presenter.question import Question
from bot.presenter.sheet import Assignment, Layout, Sheet
from bot.presenter.telling import Circumstances, Ending, LetGo, Telling
from bot.surface import Frame, RoomGone, Surface, SurfaceError
from bot.wording import asking, happenings
from bot.wording.voice import voice_of
from storyforge_core.domain.events import (
    BallotChanged,
    BallotDecided,
    BallotOpened,
    BallotWaits,
    Event,
    HeadSet,
    Noted,
    PictureFailed,
    PictureForgotten,
    PictureQueued,
    PictureReported,
    PictureShown,
    Recorded,
    SceneTold,
    StoryBegan,
    StoryOpened,
    WritingFailed,
    WritingQueued,
    WritingStopped,
)
from storyforge_core.domain.story import PlaythroughId, Room, RunId
from storyforge_core.errors import ServiceDown
from storyforge_core.picture_ports import Gallery
from storyforge_core.show_ports import Ledger, Words

SILENTLY = LetGo()

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class Backstage:
    """What all rooms share."""

    store: EventSource
    ledger: Ledger
    words: Words
    gallery: Gallery
    streams: Counter[str]
    """How many messages are growing on each platform."""
    lengths: Lengths


class RoomShow:
    """Presents a playthrough in a room until it is closed, or the room is gone."""

    def __init__(self, surface: Surface, room: Room, playthrough: PlaythroughId, stage: Backstage) -> None:
        self.room = room
        self._playthrough = playthrough
        self._stage = stage
        self._platform = surface.name
        self._layout = Layout(surface.limits, voice_of(surface))
        self._outbox = Outbox(surface, room, stage.ledger)
        self._tellings: dict[RunId, Telling] = {}
        self._chronicle = Chronicle(stage.store, stage.ledger, room.id, playthrough)
        self._question = Question(self._outbox, self._layout, self._chronicle, self._say)
        self._pictures = Pictures(
            room,
            playthrough,
            self._outbox,
            self._layout,
            sources=(stage.store, stage.gallery),
            quiet=lambda: not self._tellings,
            voices=(self._say, self.mention),
        )
        self._stir = asyncio.Event()
        self._news = asyncio.Condition()
        self._wanted = 0
        """How many looks at the store were asked for; `_looked` is how many of them are done."""
        self._looked = 0
        self._task = asyncio.create_task(self._present(), name=f"present {room.key.platform}/{room.key.address}")
        self._task.add_done_callback(self._report)
        self.wake()

    @property
    def over(self) -> bool:
        """It presents no more."""
        return self._task.done()

    def wake(self) -> None:
        """Look for new events."""
        self._wanted += 1
        self._stir.set()

    async def settled(self) -> None:
        """Return when every event so far is shown and nothing is being written.

        Raises:
            RoomGone: there is nowhere to show it.
        """
        self.wake()
        look = self._wanted
        waiting = asyncio.ensure_future(self._quiet(look))
        await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._task.done() and not self._task.cancelled():
            self._task.result()
        await self._question.shown()

    async def mention(self, subject: str, text: str) -> None:
        """Say something once; the ledger remembers that it was said.

        Raises:
            RoomGone: there is nowhere to say it.
        """
        await self._put(f"mention:{subject}", self._layout.message(self._layout.voice.flavour.literal(text)))

    async def pause(self, seconds: float) -> None:
        """Stop presenting because the program ends, and say so below words under way."""
        await self.close(seconds, LetGo(happenings.paused(self._layout.voice)))

    async def close(self, seconds: float, ending: LetGo = SILENTLY) -> None:
        """Stop presenting; words under way are shown if that takes no longer."""
        self._task.cancel()
        await asyncio.wait({self._task})
        letting_go = [asyncio.ensure_future(telling.finish(ending)) for telling in self._tellings.values()]
        if letting_go:
            _, late = await asyncio.wait(letting_go, timeout=seconds)
            for telling in late:
                telling.cancel()
        self._drop()

    def _drop(self) -> None:
        """Leave the messages as they are; the ledger knows which of them are not finished."""
        for telling in self._tellings.values():
            telling.drop()
        self._stage.streams[self._platform] -= len(self._tellings)
        self._tellings.clear()
        self._question.drop()
        self._pictures.drop()

    async def _quiet(self, look: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: self._looked >= look and not self._tellings)

    def _report(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        self._drop()
        match task.exception():
            case RoomGone() as gone:
                log.warning("room is gone", room=self.room.key.address, reason=str(gone))
            case error:
                log.error("room not presented any more", room=self.room.key.address, exc_info=error)

    async def _present(self) -> None:
        retry = FIRST_RETRY
        taken_up = False
        while True:
            await self._stir.wait()
            self._stir.clear()
            look = self._wanted
            try:
                if not taken_up:
                    await self._question.take_up()
                await self._catch_up()
                if not taken_up:
                    await self._find_run()
                    await self._take_up_pictures()
                    taken_up = True
            except ServiceDown as down:
                log.warning("events wait", room=self.room.key.address, reason=str(down))
                self._stir.set()
                await asyncio.sleep(retry)
                retry = min(retry * 2, LONGEST_RETRY)
            else:
                retry = FIRST_RETRY
                async with self._news:
                    self._looked = look
                    self._news.notify_all()

    async def _catch_up(self) -> None:
        """Show what is new, and remember each event once it is shown."""
        async for recorded, later in self._chronicle.news():
            if self._concerns(recorded.event) and not _outdated(recorded, later):
                await self._show(recorded, later)
            await self._chronicle.shown(recorded.id)

    def _concerns(self, event: Event) -> bool:
        """Tell whether an event is for this room: one that comes later is asked what the others were asked before."""
        return not isinstance(event, BallotOpened) or event.room in {None, self.room.id}

    async def _find_run(self) -> None:
        """Go on with the words that were being written when the program ended."""
        run = await self._stage.store.live_run(self._playthrough)
        if run is not None:
            order = run.draft.order
            self._tell(run.id, Assignment(order.task, order.chosen, order.by, words=order.words))

    async def _take_up_pictures(self) -> None:
        try:
            await self._pictures.take_up()
        except SurfaceError as error:
            log.info("nothing told of pictures under way", room=self.room.key.address, reason=str(error))

    async def _show(self, recorded: Recorded, later: Sequence[Recorded]) -> None:  # noqa: C901, PLR0912 - one case for each event there is
        event, voice = recorded.event, self._layout.voice
        match event:
            case StoryBegan():
                await self._say(recorded, happenings.story_began(event, voice))
            case StoryOpened():
                here = event.room in {None, self.room.id}
                tell = happenings.story_opened if here else happenings.story_opened_elsewhere
                await self._say(recorded, tell(event, voice))
            case Noted():
                await self._say(recorded, happenings.sentence(event.sentence, voice))
            case HeadSet():
                await self._question.withdraw()
                await self._say(recorded, happenings.head_set(event, voice))
            case WritingQueued():
                await self._question.withdraw()
                self._tell(event.run, Assignment(event.task, event.chosen, event.by, event.place, event.words))
            case SceneTold():
                await self._scene(recorded, event, self._asked_of(event, later))
            case WritingFailed() | WritingStopped():
                await self._finish(event.run, Assignment("open", "", ""), event)
            case BallotOpened():
                await self._question.ask(recorded, event)
            case BallotChanged():
                await self._question.recount(recorded, event)
            case BallotDecided():
                await self._question.decide(recorded, event)
            case BallotWaits():
                await self._say(recorded, asking.waits(event, voice))
            case PictureQueued() | PictureShown() | PictureForgotten() | PictureReported() | PictureFailed():
                await self._pictures.show(recorded, event)
            case _:
                assert_never(event)

    async def _say(self, recorded: Recorded, text: str) -> None:
        await self._put(f"event:{recorded.id}", self._layout.message(text))

    async def _put(self, subject: str, sheets: Sequence[Sheet], last: Frame | None = None) -> None:
        """Show messages that do not grow; the last of them as it is given, if it is."""
        for part, sheet in enumerate(sheets):
            frame = last if last and part == len(sheets) - 1 else Frame(sheet.text)
            await self._outbox.insist(Showing(subject=subject, part=part, frame=frame, shown=sheet.shown, final=True))

    def _tell(self, run: RunId, assignment: Assignment) -> None:
        """Show the words of a run as they come; it may be known from the store before its event is read."""
        if run in self._tellings:
            return
        telling = self._telling(run, assignment)
        self._tellings[run] = telling
        self._stage.streams[self._platform] += 1
        telling.start()

    def _telling(self, run: RunId, assignment: Assignment) -> Telling:
        streams = self._stage.streams
        around = Circumstances(
            self._stage.words,
            lambda: streams[self._platform],
            partial(manner, self._stage.store, self.room.key, self._outbox),
            self._stage.lengths,
        )
        return Telling(run, assignment, self._outbox, self._layout, around)

    async def _scene(self, recorded: Recorded, event: SceneTold, asks: BallotOpened | None) -> None:
        """Show a scene whole, with the question below it in the same edit where there is room for both."""
        await self._question.withdraw()
        await self._pictures.move_on(event.run)
        assignment = Assignment.of(event)
        sheets = self._layout.told(event, assignment)
        last = self._question.inside(asks, sheets[-1].text) if asks and sheets else None
        if event.run is None:
            await self._put(f"event:{recorded.id}", sheets, last)
        else:
            await self._finish(event.run, assignment, event, last)
        if asks and last:
            subject = f"event:{recorded.id}" if event.run is None else f"run:{event.run}"
            shown = (await self._outbox.known(subject))[len(sheets) - 1]
            await self._question.settle_in(asks, recorded.id, sheets[-1].text, (shown, last))

    def _asked_of(self, told: SceneTold, later: Sequence[Recorded]) -> BallotOpened | None:
        """Find the question that a scene ends with: it was stored in one transaction with it."""
        match later[0].event if later else None:
            case BallotOpened(again=False) as asks if asks.ballot.scene == told.scene.id and self._concerns(asks):
                return asks
            case _:
                return None

    async def _finish(self, run: RunId, assignment: Assignment, ending: Ending, last: Frame | None = None) -> None:
        """Show how a run ended in the message it was shown in, also if an earlier program began that."""
        known = self._tellings.get(run)
        await (known or self._telling(run, assignment)).finish(ending, last)
        if known is not None:
            del self._tellings[run]
            self._stage.streams[self._platform] -= 1


def _outdated(recorded: Recorded, later: Sequence[Recorded]) -> bool:
    """Tell whether a later event shows all that this one does."""
    event = recorded.event
    return (
        isinstance(event, BallotChanged)
        and event.added is None
        and any(
            isinstance(other.event, BallotChanged | BallotDecided) and other.event.ballot.id == event.ballot.id
            for other in later
        )
    )
