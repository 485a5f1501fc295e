"""Stories in a store without an engine: what a desk is asked for, in the fewest words."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from storyforge_core.domain.changes import BallotAdded, HeadMoved, MemberSet, RoomSet, SceneAdded, Standing, StoryAdded
from storyforge_core.domain.commands import Incoming, ShowStatus, Speaker
from storyforge_core.domain.runs import Draft, Order, Run
from storyforge_core.domain.story import (
    BallotId,
    Choice,
    ChoiceId,
    NewScene,
    PlayerId,
    Playthrough,
    PlaythroughId,
    RoomKey,
    Rules,
    RunId,
    Scene,
    SceneId,
    Story,
    StoryId,
)
from storyforge_core.engine.clock import SystemClock
from storyforge_core.store.database import Database
from storyforge_core.store.postgres import PostgresStore

HOME = RoomKey("test", "home")
ANN = Speaker("test", "ann", "Ann")


@dataclass(slots=True)
class World:
    """A store and shortcuts to fill it."""

    store: PostgresStore
    clock: SystemClock = field(default_factory=SystemClock)

    def incoming(self, speaker: Speaker = ANN, room: RoomKey = HOME, event: str = "") -> Incoming:
        return Incoming(event or str(self.clock.new_id()), room, speaker, ShowStatus(), self.clock.now())

    async def begin(self, room: RoomKey = HOME, title: str = "The Door in the Sea") -> Playthrough:
        """A story without scenes, shown by a room, hosted by Ann."""
        story, playthrough = self.new_story(title)
        async with self.store.receive(self.incoming(room=room)) as desk:
            assert desk.room
            assert desk.player
            was = desk.room.playthrough
            joined = MemberSet(playthrough.id, desk.player.id, None, Standing("joined", host=True))
            shown = RoomSet(desk.room.id, was, playthrough.id)
            await desk.apply([StoryAdded(story, playthrough), joined, shown], "new")
        return playthrough

    def new_story(self, title: str) -> tuple[Story, Playthrough]:
        now = self.clock.now()
        story = Story(
            id=StoryId(self.clock.new_id()),
            title=title,
            premise="A lighthouse keeper finds a door in the sea",
            genre="fantasy",
            tone="calm",
            seed=self.clock.seed(),
            created_at=now,
        )
        playthrough = Playthrough(
            id=PlaythroughId(self.clock.new_id()), story=story.id, head=None, note="", rules=Rules(), created_at=now
        )
        return story, playthrough

    def new_scene(
        self,
        story: StoryId,
        parent: SceneId | None,
        choice: ChoiceId | None = None,
        title: str = "A scene",
        run: RunId | None = None,
    ) -> NewScene:
        return NewScene(
            id=SceneId(self.clock.new_id()),
            story=story,
            parent=parent,
            choice=choice,
            title=title,
            prose="The sea held its breath.",
            origin="told",
            writer="test",
            created_at=self.clock.now(),
            run=run,
        )

    def new_choices(self, scene: SceneId, texts: Sequence[str]) -> tuple[Choice, ...]:
        return tuple(
            Choice(id=ChoiceId(self.clock.new_id()), scene=scene, position=place, text=text)
            for place, text in enumerate(texts, 1)
        )

    async def tell(
        self,
        playthrough: Playthrough,
        parent: SceneId | None,
        choice: ChoiceId | None = None,
        title: str = "A scene",
        options: Sequence[str] = ("Open the door", "Walk away"),
    ) -> Scene:
        """A scene with choices; nobody's head moves."""
        scene = self.new_scene(playthrough.story, parent, choice, title)
        async with self.store.resume(playthrough.id) as desk:
            await desk.apply([SceneAdded(scene, self.new_choices(scene.id, options))], "continue")
            return await desk.scene(scene.id)

    async def choices(self, playthrough: Playthrough, scene: Scene) -> tuple[Choice, ...]:
        async with self.store.resume(playthrough.id) as desk:
            return await desk.choices(scene.id)

    async def ask(self, playthrough: Playthrough, scene: Scene) -> BallotId:
        """Move the head there and open a ballot."""
        ballot = BallotId(self.clock.new_id())
        async with self.store.resume(playthrough.id) as desk:
            assert desk.situation
            moved = HeadMoved(playthrough.id, desk.situation.playthrough.head, scene.id)
            opened = BallotAdded(
                ballot=ballot,
                playthrough=playthrough.id,
                scene=scene.id,
                opened_at=self.clock.now(),
                deadline=None,
            )
            await desk.apply([moved, opened], "branch")
        return ballot

    def new_run(self, playthrough: PlaythroughId) -> Run:
        order = Order(
            task="continue",
            parent=None,
            choice=None,
            chosen="",
            hint="",
            base=None,
            head=None,
            seed=1,
            by="Ann",
            ballot=None,
        )
        return Run(
            id=RunId(self.clock.new_id()),
            playthrough=playthrough,
            status="queued",
            stage="",
            draft=Draft(order=order),
            attempts=0,
            created_at=self.clock.now(),
        )

    async def queue(self, playthrough: Playthrough, priority: int = 0) -> Run:
        run = self.new_run(playthrough.id)
        async with self.store.resume(playthrough.id) as desk:
            await desk.queue(run, priority)
        return run

    async def player(self, speaker: Speaker) -> PlayerId:
        async with self.store.receive(self.incoming(speaker)) as desk:
            assert desk.player
            return desk.player.id


def open_world(database: Database) -> World:
    return World(PostgresStore(database, SystemClock()))


def some_worker() -> UUID:
    return SystemClock().new_id()


async def eventually(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait until something that nobody announces is the case."""
    async with asyncio.timeout(5):
        while not await condition():  # noqa: ASYNC110 - what another process does sets no event
            await asyncio.sleep(0.01)
