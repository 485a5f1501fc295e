"""A chat room in which one story is presented, in virtual time, and what can happen there."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from bot.presenter.presenter import Presenter
from storyforge_core.domain.ballot import Ballot, Vote
from storyforge_core.domain.events import (
    BallotChanged,
    BallotOpened,
    SceneTold,
    Task,
    WritingQueued,
)
from storyforge_core.domain.runs import Draft, Order, Run
from storyforge_core.domain.story import (
    BallotId,
    BranchId,
    Choice,
    ChoiceId,
    Member,
    PlayerId,
    PlaythroughId,
    RoomKey,
    Rules,
    RunId,
    Scene,
    SceneId,
    StoryId,
)
from tests.fakes import NOON, Chat, Events, Gallery, Ledger, Speech, Speeches, chat_limits, in_virtual_time

HERE = RoomKey("chat", "cellar")
THERE = RoomKey("chat", "attic")
ANN, BO = (Member(player=PlayerId(uuid4()), name=name, state="joined") for name in ("Ann", "Bo"))
STORY = PlaythroughId(UUID(int=2))
HEADING = "**1 · The cold door**\n*→ Open the door*"
WORDS = [f"word{number} " for number in range(300)]


def scene(prose: str, number: int = 1) -> Scene:
    return Scene(
        id=SceneId(uuid4()),
        story=StoryId(uuid4()),
        number=number,
        parent=None,
        choice=None,
        branch=BranchId(uuid4()),
        depth=0,
        take=1,
        title="The cold door",
        prose=prose,
        origin="told",
        writer="a model",
        created_at=NOON,
    )


def ballot(*votes: tuple[Member, int], options: Sequence[str] = ("Open the door", "Wait")) -> Ballot:
    here = SceneId(UUID(int=1))
    choices = tuple(
        Choice(id=ChoiceId(UUID(int=100 + place)), scene=here, position=place, text=text)
        for place, text in enumerate(options, start=1)
    )
    return Ballot(
        id=BallotId(UUID(int=7)),
        playthrough=STORY,
        scene=here,
        choices=choices,
        votes=tuple(Vote(member.player, choices[number - 1].id, NOON) for member, number in votes),
        opened_at=NOON,
        deadline=NOON + timedelta(minutes=5),
    )


def opened(asked: Ballot, *, again: bool = False) -> BallotOpened:
    return BallotOpened(asked, Rules(), (ANN, BO), again)


def changed(asked: Ballot) -> BallotChanged:
    return BallotChanged(asked, Rules(), (ANN, BO), "Ann")


@dataclass
class Room:
    """A chat room in which one story is presented, and the means to make things happen in it."""

    chat: Chat = field(default_factory=lambda: Chat(chat_limits()))
    ledger: Ledger = field(default_factory=Ledger)
    store: Events = field(default_factory=Events)
    speeches: Speeches = field(default_factory=Speeches)
    gallery: Gallery = field(default_factory=Gallery)
    playthrough: PlaythroughId = STORY

    def __post_init__(self) -> None:
        self.store.ledger = self.ledger
        self.store.bind(HERE, self.playthrough)
        self.presenter = self.program()

    def program(self) -> Presenter:
        return Presenter(self.store, self.ledger, self.speeches, self.gallery)

    async def start(self) -> None:
        await self.presenter.attend(self.chat, HERE)

    async def kill(self) -> None:
        """End the program as a kill would: nothing more is said, and only the ledger remembers."""
        for show in self.presenter._shows.values():
            show._task.cancel()
            show._drop()
        await asyncio.sleep(0)
        self.presenter = self.program()

    async def restart(self) -> None:
        await self.kill()
        await self.start()

    def happens(self, *events: Any) -> None:
        self.store.tell(self.playthrough, *events)
        self.presenter.wake(self.playthrough)

    async def shows(self, *events: Any) -> None:
        self.happens(*events)
        await self.presenter.settled(HERE)

    def writing(self, task: Task = "continue", chosen: str = "Open the door") -> tuple[RunId, Speech]:
        run = RunId(uuid4())
        order = Order(
            task=task,
            parent=None,
            choice=None,
            chosen=chosen,
            hint="",
            base=None,
            head=None,
            ballot=None,
            seed=1,
            by="Ann",
        )
        self.store.runs[self.playthrough] = Run(
            id=run, playthrough=self.playthrough, status="running", stage="write", draft=Draft(order=order),
            attempts=1, created_at=NOON,
        )  # fmt: skip
        self.happens(WritingQueued(run, task, chosen, "Ann", 0))
        return run, self.speeches.of(run)

    def told(self, run: RunId, speech: Speech) -> SceneTold:
        speech.end()
        self.store.runs.clear()
        return SceneTold(run, scene(speech.text.strip()), "Open the door")

    async def whole_turn(self, gap: float = 0.02) -> str:
        """Write a scene word by word and tell it; answers the prose."""
        run, speech = self.writing()
        await speech.say_slowly(WORDS, gap)
        await self.shows(self.told(run, speech))
        return speech.text.strip()


def visible(text: str) -> str:
    return "".join(text.split())


def present(story: Coroutine[Any, Any, None]) -> None:
    in_virtual_time(story)
