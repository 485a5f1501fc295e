"""The product telling scenes on any surface: its presenter and all below it, with a store and a model of our own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from bot.presenter.pacer import WORD_CHARS
from bot.presenter.presenter import Presenter
from bot.surface import Surface
from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.events import BallotOpened, SceneTold, WritingQueued
from storyforge_core.domain.story import BallotId, Choice, ChoiceId, PlaythroughId, RoomKey, Rules, RunId
from storyforge_core.engine.bus import Feed
from storyforge_core.ports import Chunk
from tests.bench.chat.speech import Speech, saying
from tests.fakes import NOON, Events, Gallery, Ledger
from tests.stage import scene

SAVING = 0.003
"""Seconds that saving words takes."""
THINKING = 1.0
"""Seconds from the order to the first token."""
CHOOSING = 2.0
"""Seconds from the last token to title and choices."""
OPTIONS = ("Open the door", "Knock", "Go home")


class Feeds:
    """Where the words of each run are heard, as in the program."""

    def __init__(self) -> None:
        self._feeds: dict[RunId, Feed] = {}

    def of(self, run: RunId) -> Feed:
        """The words of a run that this process writes."""
        if run not in self._feeds:
            self._feeds[run] = Feed()
            self._feeds[run].write_with(_kept)
        return self._feeds[run]

    @asynccontextmanager
    async def live(self, run: RunId) -> AsyncIterator[Feed]:
        """Follow a run."""
        yield self.of(run)


async def _kept(_: Chunk) -> None:
    await asyncio.sleep(SAVING)


class Ours:
    """The program on one platform.

    Args:
        surface: where it shows its stories.
        choosing: seconds between a scene's last word and its title and choices.
    """

    def __init__(self, surface: Surface, choosing: float = CHOOSING) -> None:
        self._surface = surface
        self._choosing = choosing
        self._store = Events()
        self._feeds = Feeds()
        self._presenter = Presenter(self._store, Ledger(), self._feeds, Gallery())

    async def tell(self, key: RoomKey, speech: Speech, run: RunId | None = None) -> None:
        """Tell one scene in a room that has seen none, until its last frame and its question are shown."""
        story = PlaythroughId(uuid4())
        self._store.bind(key, story)
        await self._presenter.attend(self._surface, key)
        run = run or RunId(uuid4())
        self._store.tell(story, WritingQueued(run, "open", "", "Ann", 0, len(saying(speech.asked)) // WORD_CHARS))
        self._presenter.wake(story)
        await asyncio.sleep(THINKING)
        feed = self._feeds.of(run)
        await speech.each(feed.append)
        feed.conclude()
        await asyncio.sleep(self._choosing)
        feed.end()
        self._store.tell(story, *_told(run, story, speech.text.strip()))
        self._presenter.wake(story)
        await self._presenter.settled(key)

    async def aclose(self) -> None:
        """Let go."""
        await self._presenter.aclose()


def _told(run: RunId, story: PlaythroughId, prose: str) -> tuple[SceneTold, BallotOpened]:
    here = scene(prose)
    choices = tuple(
        Choice(id=ChoiceId(UUID(int=place)), scene=here.id, position=place, text=text)
        for place, text in enumerate(OPTIONS, start=1)
    )
    ballot = Ballot(
        id=BallotId(uuid4()), playthrough=story, scene=here.id, choices=choices, votes=(), opened_at=NOON, deadline=None
    )
    return SceneTold(run, here, ""), BallotOpened(ballot, Rules(), (), again=False)
