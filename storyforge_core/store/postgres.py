"""The store: stories in PostgreSQL."""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from uuid import UUID

from storyforge_core.domain.commands import Incoming
from storyforge_core.domain.events import Recorded
from storyforge_core.domain.looks import Reading
from storyforge_core.domain.manifest import Measure
from storyforge_core.domain.memory import Cue, Found, Passage, Progress, Unread, Vector
from storyforge_core.domain.pictures import HungPicture, InHand, PictureDraft, PictureRun
from storyforge_core.domain.runs import Draft, Run, RunStatus
from storyforge_core.domain.space import Space
from storyforge_core.domain.story import BallotId, PlaythroughId, Room, RoomKey, RunId, Scene, SceneId
from storyforge_core.picture_ports import Purged
from storyforge_core.ports import Chunk, Clock, ShownScene, Signal
from storyforge_core.store import arrivals, looks, measures, memory, pictures, purge, reading, runs, spaces
from storyforge_core.store.database import Database
from storyforge_core.store.desk import PostgresDesk
from storyforge_core.store.liveness import alive
from storyforge_core.store.signals import signals
from storyforge_core.store.transaction import connection, transaction


class PostgresStore:
    """See `ports.Store`.

    Whatever is asked of it may raise `ServiceDown` when the database is away or full, and `Busy` when others hold
    what it needs for too long.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._url = database.url
        self._engine = database.engine
        self._clock = clock

    @asynccontextmanager
    async def receive(self, incoming: Incoming) -> AsyncGenerator[PostgresDesk, None]:
        """Open a desk for something that came in; commits at the end, rolls back on an exception."""
        async with transaction(self._engine) as db:
            desk = PostgresDesk(db, self._clock)
            arrival = await arrivals.receive(db, self._clock, incoming)
            if arrival:
                await desk.seat(arrival)
            else:
                desk.fresh = False
            yield desk

    @asynccontextmanager
    async def resume(self, playthrough: PlaythroughId) -> AsyncGenerator[PostgresDesk, None]:
        """Open a desk for a playthrough, for the clock or a worker.

        Raises:
            NotFound: there is none of this id.
        """
        async with transaction(self._engine) as db:
            desk = PostgresDesk(db, self._clock)
            desk.situation = await desk.open_situation(playthrough)
            yield desk

    async def playthrough_of(self, ballot: BallotId) -> PlaythroughId | None:
        """Find whose ballot it is."""
        async with connection(self._engine) as db:
            return await reading.playthrough_of(db, ballot)

    async def claim(self, run: RunId, worker: UUID) -> Run | None:
        """Take a run up; None when it is over or a living worker has it."""
        async with connection(self._engine) as db:
            return await runs.claim(db, run, worker)

    async def claim_picture(self, run: RunId, worker: UUID) -> PictureRun | None:
        """Take the run of a picture up; None when it is over or a living worker has it."""
        async with connection(self._engine) as db:
            return await runs.claim_picture(db, run, worker)

    async def picture_in(self, key: RoomKey, message: str) -> HungPicture | None:
        """Find the picture that hangs at a message of a room, or is one; None where none does."""
        async with connection(self._engine) as db:
            return await pictures.picture_in(db, key, message)

    async def in_hand(self, playthrough: PlaythroughId) -> InHand | None:
        """Find the picture of a playthrough that is painted now or next; None when none is wanted."""
        async with connection(self._engine) as db:
            return await pictures.in_hand(db, playthrough)

    async def hosts(self, playthrough: PlaythroughId, platform: str) -> tuple[str, ...]:
        """List the accounts on a platform of those who host a playthrough."""
        async with connection(self._engine) as db:
            return await pictures.hosts(db, playthrough, platform)

    async def run_status(self, run: RunId) -> RunStatus | None:
        """Read how a run stands."""
        async with connection(self._engine) as db:
            return await runs.run_status(db, run)

    async def checkpoint(self, run: RunId, worker: UUID, stage: str, draft: Draft | PictureDraft) -> None:
        """Save a draft and the stage that comes next.

        Raises:
            Superseded: the run is no longer this worker's.
        """
        async with connection(self._engine) as db:
            await runs.checkpoint(db, run, worker, stage, draft)

    async def save_words(self, run: RunId, worker: UUID, chunk: Chunk) -> None:
        """Save a stretch of words and wake the listeners; the same `seq` again changes nothing.

        Raises:
            Superseded: the run is no longer this worker's.
        """
        async with connection(self._engine) as db:
            await runs.save_words(db, run, worker, chunk)

    async def chunks(self, run: RunId, after: int) -> tuple[Chunk, ...]:
        """Read the stretches with a `seq` above `after`, in order."""
        async with connection(self._engine) as db:
            return await runs.chunks(db, run, after)

    async def orphans(self) -> tuple[RunId, ...]:
        """Find live runs whose worker is gone, those first queued first."""
        async with connection(self._engine) as db:
            return await runs.orphans(db)

    async def revive(self, run: RunId) -> None:
        """Give an orphan back to the workers, in its old place; a run that is none any more is left alone."""
        async with transaction(self._engine) as db:
            await runs.revive(db, run)

    def alive(self, worker: UUID) -> AbstractAsyncContextManager[None]:
        """Be known as a living worker while the context is open, and not a moment longer, even after a kill."""
        return alive(self._url, worker)

    def signals(self) -> AsyncGenerator[Signal, None]:
        """Listen: `Resync` first, then whatever happens in any process, for ever; reconnects by itself."""
        return signals(self._url)

    async def events(self, playthrough: PlaythroughId, after: int, limit: int) -> tuple[Recorded, ...]:
        """Read the events of a playthrough with an id above `after`, in order."""
        async with connection(self._engine) as db:
            return await reading.events(db, playthrough, after, limit)

    async def room(self, key: RoomKey) -> Room:
        """Find a room, or make it known."""
        async with connection(self._engine) as db:
            return await arrivals.make_room(db, self._clock, key)

    async def rooms(self, platform: str) -> tuple[Room, ...]:
        """List the rooms of a platform that show a story."""
        async with connection(self._engine) as db:
            return await arrivals.rooms(db, platform)

    async def forget_messages(self, before: datetime) -> None:
        """Forget what came in before a time: letters, and ids of messages; those would then have an effect again."""
        async with connection(self._engine) as db:
            await arrivals.forget(db, before)

    async def live_run(self, playthrough: PlaythroughId) -> Run | None:
        """Find what is being written or queued."""
        async with connection(self._engine) as db:
            return await reading.live_run(db, playthrough)

    async def space(self, key: RoomKey) -> Space:
        """Read what was decided for the space that a room is in."""
        async with connection(self._engine) as db:
            return await spaces.space(db, key)

    async def attendance(self, platform: str, present: Collection[str], at: datetime, only: str | None = None) -> None:
        """Note in which spaces of a platform the bot is, all of them or `only` one, and that it is in no others."""
        async with connection(self._engine) as db:
            await spaces.attendance(db, platform, present, at, only)

    async def purge(self, before: datetime) -> Purged:
        """Delete the stories of spaces that the bot left before a time."""
        async with transaction(self._engine) as db:
            return await purge.purge(db, before)

    async def readings(self, number: int | None = None) -> tuple[Reading, ...]:
        """List the stories that are read, or the one of a number; those begun last come first."""
        async with connection(self._engine) as db:
            return await looks.readings(db, number)

    async def look_files(self) -> tuple[tuple[str, str], ...]:
        """List the files of all looks that hold anywhere, and the hashes of what should be in them."""
        async with connection(self._engine) as db:
            return await looks.files(db)

    async def scene_in(self, key: RoomKey, message: str) -> ShownScene | None:
        """Find the scene that a message of a room tells; None when it tells none."""
        async with connection(self._engine) as db:
            return await reading.scene_in(db, key, message)

    async def scene(self, scene: SceneId) -> Scene | None:
        """Read a scene; None when there is none of this id any more."""
        async with connection(self._engine) as db:
            return await memory.scene(db, scene)

    async def keep_passages(self, scene: SceneId, passages: Sequence[Passage]) -> None:
        """Store the passages of a scene; again it changes nothing."""
        async with connection(self._engine) as db:
            await memory.keep_passages(db, scene, passages)

    async def uncut(self, limit: int) -> tuple[Scene, ...]:
        """Find scenes without passages."""
        async with connection(self._engine) as db:
            return await memory.uncut(db, limit)

    async def unread(self, model: str, limit: int, scene: SceneId | None = None) -> tuple[Unread, ...]:
        """Find passages, of one scene or of all, newest first, that this embedder has not read."""
        async with connection(self._engine) as db:
            return await memory.unread(db, model, limit, scene)

    async def keep_reading(self, model: str, read: Sequence[Unread], vectors: Sequence[Vector | None]) -> None:
        """Store what an embedder made of passages; None for those it could not read."""
        async with connection(self._engine) as db:
            await memory.keep_reading(db, model, read, vectors)

    async def progress(self, model: str) -> Progress:
        """Count how much an embedder has read."""
        async with connection(self._engine) as db:
            return await memory.progress(db, model)

    async def recall(self, end: SceneId, skip: int, cue: Cue, limit: int) -> tuple[Found, ...]:
        """Find passages on the path that ends at a scene, without its newest `skip` scenes; best first."""
        async with connection(self._engine) as db:
            return await memory.recall(db, end, skip, cue, limit)

    async def search(self, realm: RoomKey, cue: Cue, limit: int) -> tuple[Found, ...]:
        """Find passages on the paths that are read in the realm of a room; best first."""
        async with transaction(self._engine) as db:
            return await memory.search(db, realm, cue, limit)

    async def measure(self, model: str) -> Measure:
        """Read how long the tokens of a model are."""
        async with connection(self._engine) as db:
            return await measures.measure(db, model)

    async def learn(self, model: str, estimated: int, read: int) -> None:
        """Take in how many tokens a prompt had that was estimated at so many."""
        async with connection(self._engine) as db:
            await measures.learn(db, model, estimated, read)
