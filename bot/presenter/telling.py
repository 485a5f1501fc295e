"""The message of one run in one room: a single writer that edits it beside the stream, latest text first."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import assert_never

import structlog

from bot.presenter import pacer
from bot.presenter.lengths import Lengths
from bot.presenter.manner import readable
from bot.presenter.outbox import FIRST_RETRY, LONGEST_RETRY, Outbox, Showing, let_go
from bot.presenter.pages import NOTHING_LAID
from bot.presenter.sheet import Assignment, Layout, Sheet
from bot.surface import Frame, SlowDown, SurfaceDown, SurfaceError
from bot.wording import happenings
from storyforge_core.domain.events import SceneTold, WritingFailed, WritingStopped
from storyforge_core.domain.space import Manner
from storyforge_core.domain.story import RunId
from storyforge_core.errors import ServiceDown, StoryForgeError, Superseded
from storyforge_core.show_ports import LiveWords, Words

TYPING_SECONDS = 8.0
"""Discord and Matrix show the sign for about ten."""
CLOSE_ENOUGH = 0.001
LISTEN_AGAIN = 0.5
"""After the words ended without an event: the worker may be gone and another may go on."""

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class LetGo:
    """Nobody shows it here any more; the run may go on elsewhere."""

    note: str = ""
    """What to say below the words, ready for the platform, until somebody shows it again."""


Ending = SceneTold | WritingFailed | WritingStopped | LetGo


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is around a scene that is told in a room."""

    words: Words
    streams: Callable[[], int]
    """How many messages are growing on the platform."""
    manner: Callable[[], Awaitable[Manner]]
    """How this room is told scenes."""
    lengths: Lengths


class Telling:
    """Follows a run until it is told how it ended; then its last frame is shown, however long that takes."""

    def __init__(
        self,
        run: RunId,
        assignment: Assignment,
        outbox: Outbox,
        layout: Layout,
        around: Circumstances,
    ) -> None:
        self._run = run
        self._assignment = assignment
        self._outbox = outbox
        self._layout = layout
        self._around = around
        self._manner: Manner = "live"
        self._sign_until = 0.0
        self._over: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
        self._text = ""
        """The newest words, shown or about to be."""
        self._laid = NOTHING_LAID
        self._shown = 0
        self._due = pacer.Due(0, 0)
        self._not_before = 0.0
        """A frame that failed is not tried again before."""
        self._progress = pacer.Progress()
        self._rhythm = pacer.Rhythm()
        self._retry = FIRST_RETRY
        self._task: asyncio.Task[None] | None = None

    @property
    def subject(self) -> str:
        """Its name in the ledger."""
        return f"run:{self._run}"

    def start(self) -> None:
        """Begin to follow the words."""
        self._task = asyncio.create_task(self._follow(), name=f"tell {self._run}")

    async def finish(self, ending: Ending, last: Frame | None = None) -> None:
        """Show how it ended; the request under way is waited for, so that no older frame comes later.

        Args:
            ending: how.
            last: what the last message of a told scene shows, where that is more than the scene.

        Raises:
            RoomGone: there is nowhere to show it.
        """
        known = self._over.done()
        if not known:
            self._over.set_result(None)
        if self._task is not None:
            await self._task
        match ending:
            case LetGo() if known or self._manner == "off":
                return  # its last frame may be there already, and a restart shows it if it is not
            case SceneTold():
                self._learn(ending)
                await self._finally(self._layout.told(ending, self._assignment), last)
            case WritingFailed():
                await self._break_off(happenings.failed(ending, self._layout.voice))
            case WritingStopped():
                await self._break_off(happenings.stopped(ending, self._layout.voice))
            case LetGo(note):
                await self._try_frame()
                await self._pause(note)
            case _:
                assert_never(ending)

    def drop(self) -> None:
        """Stop at once; the ledger knows that it is not finished."""
        if self._task is not None:
            let_go(self._task)

    async def _follow(self) -> None:
        self._manner = await self._around.manner()
        if self._manner == "off" or self._layout.limits.edits == "none":
            await self._wait()
            return
        await self._recall()
        await self._try_frame()
        while not self._over.done():
            try:
                async with self._around.words.live(self._run) as words:
                    await self._keep_up(words)
            except ServiceDown as down:
                log.warning("words not heard", run=str(self._run), reason=str(down))
            await self._unless_over(asyncio.sleep(LISTEN_AGAIN))

    async def _wait(self) -> None:
        """Let it be written unseen."""
        while not self._over.done():
            await self._show_sign()
            await asyncio.wait({self._over}, timeout=TYPING_SECONDS)

    async def _recall(self) -> None:
        """Begin with the words that an earlier program has shown: they must not go away before the next ones come."""
        try:
            if any(delivery.shown for delivery in await self._outbox.known(self.subject)):
                async with self._around.words.live(self._run) as words:
                    await self._take(words)
        except ServiceDown as down:
            log.warning("words not recalled", run=str(self._run), reason=str(down))

    async def _keep_up(self, words: LiveWords) -> None:
        while await self._more(words):
            await self._unless_over(self._turn(words))
            taken = await self._take(words)
            if self._over.done():
                return
            if taken:
                await self._try_frame()

    async def _take(self, words: LiveWords) -> bool:
        """Take the newest words, once a restart would know them too."""
        text = readable(words.text, self._manner)
        try:
            await words.save(len(text))
        except (ServiceDown, Superseded) as lost:
            self._step_back(lost, self._retry)
            return False
        self._text = text
        self._progress = self._progress.heard(len(text), _now())
        return True

    async def _more(self, words: LiveWords) -> bool:
        """Wait for words to be shown, and show that one waits; False when there will be none."""
        beyond = self._shown
        if not self._shown:
            await self._show_sign()
        while not self._over.done():
            more = await self._unless_over(asyncio.wait_for(words.changed(beyond), TYPING_SECONDS))
            if more is False:
                break
            if len(readable(words.text, self._manner)) > self._shown:
                return True
            beyond = len(words.text) if more else beyond
            await self._show_sign()
        return False

    async def _show_sign(self) -> None:
        """Show that something is being written, unless that was done just before."""
        if _now() >= self._sign_until:
            self._sign_until = _now() + TYPING_SECONDS
            await self._outbox.typing()

    async def _turn(self, words: LiveWords) -> None:
        """Wait until a frame is due; the last words wait no longer than the platform makes them."""
        due = asyncio.ensure_future(self._until_due(words))
        complete = asyncio.ensure_future(words.complete())
        try:
            await asyncio.wait({due, complete}, return_when=asyncio.FIRST_COMPLETED)
            if not due.done():
                soonest = pacer.last_edit(self._outbox.left(), _now())
                await asyncio.sleep(max(self._not_before, min(soonest, self._due.at)) - _now())
        finally:
            due.cancel()
            complete.cancel()

    async def _until_due(self, words: LiveWords) -> None:
        """Wait until a frame is due; less, if a sentence is complete, or no more words are expected before."""
        self._rhythm = self._rhythm.listening()
        await asyncio.sleep(self._due.listens(self._rhythm) - _now())
        while (left := self._due.at - _now()) > CLOSE_ENOUGH:
            if _now() >= self._due.early and pacer.ends_sentence(words.text):
                return
            try:
                grown = await asyncio.wait_for(words.changed(len(words.text)), left)
            except TimeoutError:
                return
            if not grown:
                await asyncio.sleep(self._due.at - _now())
                return
            self._rhythm = self._rhythm.heard(_now())
            if self._due.done(self._rhythm, _now()):
                return

    async def _unless_over(self, step: Awaitable[bool | None]) -> bool | None:
        """Do something as long as the run is not over; None when it is, or when the step's time was up."""
        doing = asyncio.ensure_future(step)
        try:
            await asyncio.wait({doing, self._over}, return_when=asyncio.FIRST_COMPLETED)
            return await doing if doing.done() else None
        except TimeoutError:
            return None
        finally:
            doing.cancel()

    def _step_back(self, reason: StoryForgeError, seconds: float) -> None:
        log.warning("frame waits", run=str(self._run), reason=str(reason), seconds=seconds)
        self._not_before = _now() + seconds
        self._due = pacer.Due(self._not_before, self._not_before)

    async def _try_frame(self) -> None:
        """Show the newest words once; what fails now is made good by a later frame."""
        self._laid = self._layout.laid(self._text, self._laid)
        sheets = self._layout.growing(self._laid, self._assignment)
        try:
            await self._show(sheets)
        except SlowDown as slow:
            self._step_back(slow, slow.retry_after)
        except (SurfaceDown, ServiceDown) as down:
            self._step_back(down, self._retry)
            self._retry = min(self._retry * 2, LONGEST_RETRY)
        else:
            self._shown = len(self._text)
            self._retry = FIRST_RETRY

    async def _pause(self, note: str) -> None:
        """Say below the words why no more come for a while, where that is quickly done."""
        sheets = self._layout.paused(self._laid, note, self._assignment) if note else ()
        if not sheets:
            return
        try:
            await self._outbox.send(self._showing(sheets[-1], len(sheets) - 1))
        except (SurfaceError, ServiceDown) as trouble:
            log.info("pause not told", run=str(self._run), reason=str(trouble))

    async def _show(self, sheets: tuple[Sheet, ...]) -> None:
        """Open the messages that are missing, in order; then edit those that are there, or meanwhile."""
        if not sheets:
            return
        there = [part for part in range(len(sheets)) if self._outbox.text(self.subject, part)]
        missing = [part for part in range(len(sheets)) if part not in there]
        meant = max(self._due.at, _now())
        if missing and there and all(self._grows(part, sheets[part]) for part in there):
            done = await asyncio.gather(
                self._bring(sheets, missing), self._bring(sheets, there), return_exceptions=True
            )
            for failed in filter(None, done):
                raise failed
        else:
            await self._bring(sheets, [*missing, *there])
        self._progress = self._progress.showed(len(missing) or 1)
        self._due = self._next(meant, posted=bool(missing and not there))

    def _grows(self, part: int, sheet: Sheet) -> bool:
        """Tell whether a message only gets more words: none leave it that would have to stand elsewhere before."""
        return sheet.text.startswith(self._outbox.text(self.subject, part))

    async def _bring(self, sheets: tuple[Sheet, ...], parts: list[int]) -> None:
        for part in parts:
            await self._outbox.send(self._showing(sheets[part], part, live=part == len(sheets) - 1))

    def _next(self, meant: float, *, posted: bool) -> pacer.Due:
        """Time the next frame after one that was shown just now, as it was meant to be at some time."""
        pace, left = self._layout.limits.pace, self._outbox.left()
        if not self._text:
            return pacer.first_words(pace, left, _now())
        if posted:
            return pacer.first_edit(pace, left, _now())
        course = self._progress.outlook(self._assignment.words, self._around.lengths.expected)
        return pacer.next_edit(pace, left, _now(), self._around.streams(), course, meant)

    def _learn(self, ending: SceneTold) -> None:
        """Know better how long the next scene is going to be; an extended one was half told before."""
        if self._assignment.task != "extend":
            self._around.lengths.told(self._assignment.words, len(ending.scene.prose))

    async def _finally(self, sheets: tuple[Sheet, ...], last: Frame | None = None) -> None:
        """Show the last frames until they are shown: the end first, since that is what is new."""
        known = {delivery.part for delivery in await self._outbox.known(self.subject)}
        surplus = {part: Sheet(happenings.NOTHING_HERE, sheets[-1].shown) for part in known if part >= len(sheets)}
        wanted = {**dict(enumerate(sheets)), **surplus}
        missing = [part for part in wanted if part not in known]
        there = sorted(known & wanted.keys(), key=lambda part: (part in surplus, -part))  # its words are above by then
        for part in (*missing, *there):
            left = self._outbox.left()
            await asyncio.sleep(pacer.last_edit(left, _now()) - _now() if part in known else 0)
            showing = self._showing(wanted[part], part, final=True)
            if last and part == len(sheets) - 1:
                showing = replace(showing, frame=last)
            await self._outbox.insist(showing)

    async def _break_off(self, reason: str) -> None:
        """Keep the words that were told, and say why there are no more."""
        if not self._text:
            self._text = await self._words_left()
        known = await self._outbox.known(self.subject)
        if not self._text and any(delivery.shown for delivery in known):
            await self._outbox.close(self.subject)  # its words are not known any more, but they stand in the room
            await self._outbox.insist(Showing(subject=f"{self.subject}:end", frame=Frame(reason), final=True))
        else:
            await self._finally(self._layout.broken_off(self._text, reason, self._assignment))

    async def _words_left(self) -> str:
        """Read what the run had told, where this program has not followed it."""
        async with self._around.words.live(self._run) as words:
            return words.text

    def _showing(self, sheet: Sheet, part: int, *, live: bool = False, final: bool = False) -> Showing:
        frame = Frame(sheet.text, live=live, stop=self._run if live else None)
        return Showing(subject=self.subject, part=part, frame=frame, shown=sheet.shown, final=final)


def _now() -> float:
    return asyncio.get_running_loop().time()
