"""One room and the story it shows: its events in order, each shown before the next, the place kept in the ledger."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, assert_never
from uuid import UUID

import structlog

from bot.presenter.card import Card
from bot.presenter.outbox import FIRST_RETRY, LONGEST_RETRY, Outbox, Showing
from bot.presenter.sheet import Assignment, Layout, Sheet
from bot.presenter.telling import Ending, LetGo, Telling
from bot.surface import Frame, RoomGone, Surface
from bot.wording import asking, happenings
from bot.wording.asking import Asked
from bot.wording.voice import voice_of
from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.events import (
    BallotChanged,
    BallotDecided,
    BallotOpened,
    BallotWaits,
    Event,
    HeadSet,
    Noted,
    Recorded,
    SceneTold,
    StoryBegan,
    StoryOpened,
    WritingFailed,
    WritingQueued,
    WritingStopped,
)
from storyforge_core.domain.runs import Run
from storyforge_core.domain.story import BallotId, PlaythroughId, Room, RoomKey, Rules, RunId
from storyforge_core.errors import ServiceDown
from storyforge_core.ports import Ledger, Words

BATCH = 200
_CARD = "ballot:"
LOOK_BACK = 2000
"""How many event ids back a card of before the restart is looked up; the ids of all stories count together."""

log = structlog.stdlib.get_logger()


class EventSource(Protocol):
    """What a presenter needs of the store."""

    async def events(self, playthrough: PlaythroughId, after: int, limit: int) -> tuple[Recorded, ...]:
        """Read events in order."""

    async def room(self, key: RoomKey) -> Room:
        """Find a room, or make it known."""

    async def live_run(self, playthrough: PlaythroughId) -> Run | None:
        """Find what is being written or queued."""


@dataclass(frozen=True, slots=True)
class Backstage:
    """What all rooms share."""

    store: EventSource
    ledger: Ledger
    words: Words
    streams: Counter[str]
    """How many messages are growing on each platform."""


async def skip_the_past(room: Room, playthrough: PlaythroughId, stage: Backstage) -> None:
    """Begin with the event that brought the story into the room: what was told elsewhere before is not told again."""
    after = await stage.ledger.cursor(room.id, playthrough)
    opened = 0
    while events := await stage.store.events(playthrough, after, BATCH):
        opened = max([opened, *(each.id for each in events if isinstance(each.event, StoryBegan | StoryOpened))])
        after = events[-1].id
    if opened:
        await stage.ledger.advance(room.id, playthrough, opened - 1)


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
        self._card: Card | None = None
        self._asked: Asked | None = None
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
        if self._card is not None:
            await self._card.shown()

    async def mention(self, subject: str, text: str) -> None:
        """Say something once; the ledger remembers that it was said.

        Raises:
            RoomGone: there is nowhere to say it.
        """
        await self._put(f"mention:{subject}", self._layout.message(self._layout.voice.flavour.literal(text)))

    async def close(self, seconds: float) -> None:
        """Stop presenting; words under way are shown if that takes no longer."""
        self._task.cancel()
        await asyncio.wait({self._task})
        letting_go = [asyncio.ensure_future(telling.finish(LetGo())) for telling in self._tellings.values()]
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
        if self._card is not None:
            self._card.drop()

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
                    await self._find_card()
                await self._catch_up()
                if not taken_up:
                    await self._find_run()
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
        cursor = await self._stage.ledger.cursor(self.room.id, self._playthrough)
        while events := await self._stage.store.events(self._playthrough, cursor, BATCH):
            for place, recorded in enumerate(events):
                if self._concerns(recorded.event) and not _outdated(recorded, events[place + 1 :]):
                    await self._show(recorded)
                cursor = recorded.id
                await self._stage.ledger.advance(self.room.id, self._playthrough, cursor)

    def _concerns(self, event: Event) -> bool:
        """Tell whether an event is for this room: one that comes later is asked what the others were asked before."""
        return not isinstance(event, BallotOpened) or event.room in {None, self.room.id}

    async def _find_run(self) -> None:
        """Go on with the words that were being written when the program ended."""
        run = await self._stage.store.live_run(self._playthrough)
        if run is not None and run.id not in self._tellings:
            order = run.draft.order
            self._tell(run.id, Assignment(order.task, order.chosen, order.by, 0))

    async def _find_card(self) -> None:
        """Keep the card up to date that was open when the program ended."""
        subjects = [each.subject for each in await self._outbox.unfinished() if each.subject.startswith(_CARD)]
        if not subjects or self._card is not None:
            return
        ballot = BallotId(UUID(subjects[-1].split(":")[1]))
        self._asked = await self._last_asked(ballot)
        self._card = Card(subjects[-1], self._outbox)
        if self._asked is not None:
            self._card.show(self._question(self._asked))

    async def _last_asked(self, ballot: BallotId) -> Asked | None:
        """Find how a ballot stood last, by the newest events."""
        asked = None
        cursor = await self._stage.ledger.cursor(self.room.id, self._playthrough)
        after = max(cursor - LOOK_BACK, 0)
        while events := await self._stage.store.events(self._playthrough, after, BATCH):
            for recorded in events:
                event = recorded.event
                if isinstance(event, BallotOpened | BallotChanged) and event.ballot.id == ballot:
                    asked = asking.asked(event)
            after = events[-1].id
        return asked

    async def _recalled(self, ballot: Ballot) -> Asked:
        """Put a ballot as it is now together with the members and rules that were told last."""
        asked = self._asked
        if asked is None or asked.ballot.id != ballot.id:
            asked = await self._last_asked(ballot.id)
        return replace(asked, ballot=ballot) if asked else Asked(ballot, Rules(), ())

    async def _show(self, recorded: Recorded) -> None:  # noqa: C901 - one case for each event there is
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
                await self._withdraw()
                await self._say(recorded, happenings.head_set(event, voice))
            case WritingQueued():
                await self._withdraw()
                self._tell(event.run, Assignment(event.task, event.chosen, event.by, event.place))
            case SceneTold():
                await self._scene(recorded, event)
            case WritingFailed() | WritingStopped():
                await self._finish(event.run, Assignment("open", "", "", 0), event)
            case BallotOpened():
                await self._ask(recorded, event)
            case BallotChanged():
                await self._recount(recorded, event)
            case BallotDecided():
                await self._decided(recorded, event)
            case BallotWaits():
                await self._say(recorded, asking.waits(event, voice))
            case _:
                assert_never(event)

    async def _say(self, recorded: Recorded, text: str) -> None:
        await self._put(f"event:{recorded.id}", self._layout.message(text))

    async def _put(self, subject: str, sheets: Sequence[Sheet]) -> None:
        for part, sheet in enumerate(sheets):
            frame = Frame(sheet.text)
            await self._outbox.insist(Showing(subject=subject, part=part, frame=frame, shown=sheet.shown, final=True))

    def _tell(self, run: RunId, assignment: Assignment) -> None:
        telling = self._telling(run, assignment)
        self._tellings[run] = telling
        self._stage.streams[self._platform] += 1
        telling.start()

    def _telling(self, run: RunId, assignment: Assignment) -> Telling:
        streams = self._stage.streams
        return Telling(run, assignment, self._outbox, self._layout, self._stage.words, lambda: streams[self._platform])

    async def _scene(self, recorded: Recorded, event: SceneTold) -> None:
        await self._withdraw()
        assignment = Assignment("continue" if event.chosen else "open", event.chosen, "", 0)
        if event.run is None:
            await self._put(f"event:{recorded.id}", self._layout.told(event, assignment))
        else:
            await self._finish(event.run, assignment, event)

    async def _finish(self, run: RunId, assignment: Assignment, ending: Ending) -> None:
        """Show how a run ended in the message it was shown in, also if an earlier program began that."""
        known = self._tellings.get(run)
        await (known or self._telling(run, assignment)).finish(ending)
        if known is not None:
            del self._tellings[run]
            self._stage.streams[self._platform] -= 1

    async def _ask(self, recorded: Recorded, event: BallotOpened) -> None:
        await self._withdraw()
        self._asked = asking.asked(event)
        if not self._keeps_cards:
            await self._say(recorded, asking.question(self._asked, self._layout.voice))
            return
        self._card = Card(f"{_CARD}{event.ballot.id}:{recorded.id}", self._outbox)
        self._card.show(self._question(self._asked))
        await self._card.shown()

    async def _recount(self, recorded: Recorded, event: BallotChanged) -> None:
        self._asked = asking.asked(event)
        if not self._keeps_cards:
            await self._say(recorded, asking.tally(event, self._layout.voice))
        elif self._card is not None:
            self._card.show(self._question(self._asked))

    async def _decided(self, recorded: Recorded, event: BallotDecided) -> None:
        asked, voice = await self._recalled(event.ballot), self._layout.voice
        if not self._keeps_cards:
            await self._say(recorded, asking.decision_line(asked, event, voice))
        await self._close_card(asking.decided_card(asked, event, voice, self._layout.limits.max_chars))

    async def _withdraw(self) -> None:
        """Take the question back that the group has moved away from."""
        limit, voice = self._layout.limits.max_chars, self._layout.voice
        await self._close_card(
            asking.withdrawn_card(self._asked, voice, limit) if self._asked else asking.withdrawn(voice)
        )
        self._asked = None

    @property
    def _keeps_cards(self) -> bool:
        return self._layout.limits.edits == "rewrite"

    async def _close_card(self, text: str) -> None:
        if self._card is not None:
            await self._card.close(Frame(text))
            self._card = None

    def _question(self, asked: Asked) -> Frame:
        limits = self._layout.limits
        text = asking.open_card(asked, self._layout.voice, limits.max_chars)
        return Frame(text, choices=asked.ballot.choices[: limits.max_choices])


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
