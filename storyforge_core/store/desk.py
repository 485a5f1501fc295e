"""A desk: one transaction in which a command is decided."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.bible import Entity, Fact
from storyforge_core.domain.changes import UNDOABLE, Change, Entry, MemberSet, RoomSet, StoryAdded, Verb
from storyforge_core.domain.commands import Speaker
from storyforge_core.domain.events import Event
from storyforge_core.domain.lore import Fired, LoreId, StoryLore
from storyforge_core.domain.pictures import Picture, PictureId, PictureRun
from storyforge_core.domain.privacy import MyData
from storyforge_core.domain.replies import StoryLine
from storyforge_core.domain.runs import Draft, Run, RunStatus, Situation
from storyforge_core.domain.space import Space
from storyforge_core.domain.story import (
    BallotId,
    Choice,
    Player,
    PlayerId,
    PlaythroughId,
    Room,
    RoomKey,
    RunId,
    Scene,
    SceneId,
    StoryId,
    TreeNode,
)
from storyforge_core.domain.tickets import Ticket
from storyforge_core.errors import NotFound
from storyforge_core.picture_ports import Filed
from storyforge_core.ports import Clock
from storyforge_core.store import (
    bible,
    lore,
    memory,
    pictures,
    privacy,
    reading,
    runs,
    spaces,
    tickets,
    tree,
    writing,
)
from storyforge_core.store.arrivals import Arrival
from storyforge_core.store.codec import CHANGES, EVENT, dump, storable
from storyforge_core.store.jobs_sql import CHANNEL
from storyforge_core.store.look_desk import LooksAtDesk
from storyforge_core.store.statement import Db, Statement

# Locks and reads anew afterwards: a statement that had to wait still sees what was before the wait.
_LOCK = Statement("SELECT id FROM playthrough WHERE id = :playthrough FOR UPDATE")

_AUDIT = Statement("""
    INSERT INTO change (playthrough_id, at, actor_id, command, verb, of_id, undoable, changes)
    VALUES (:playthrough, :at, :actor, :command, :verb, :of, :undoable, :changes)
""")

_TELL = Statement("""
    WITH told AS (
        INSERT INTO event (playthrough_id, at, body)
        SELECT :playthrough, :at, body FROM unnest(:bodies::jsonb[]) WITH ORDINALITY AS given (body, place)
         ORDER BY place
        RETURNING id
    )
    SELECT pg_notify(:channel, 'events:' || :playthrough::uuid) FROM told LIMIT 1
""")


class PostgresDesk(LooksAtDesk):
    """See `ports.Desk`. Made by the store; dead once its transaction has ended."""

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self.fresh = True
        self.room: Room | None = None
        self.player: Player | None = None
        self.space = Space()
        self.situation: Situation | None = None

    async def seat(self, arrival: Arrival) -> None:
        """Take in who asks and where, and lock what the room shows."""
        self.room, self.player, self.space = arrival.room, arrival.player, arrival.space
        if self.room.playthrough:
            await _LOCK.run(self._db, playthrough=self.room.playthrough)
            self.situation = await reading.situation(self._db, self.room.playthrough, seen_from=self.room)

    async def open_situation(self, playthrough: PlaythroughId) -> Situation:
        """Lock another playthrough and read where it stands."""
        await _LOCK.run(self._db, playthrough=playthrough)
        return await reading.situation(self._db, playthrough)

    async def apply(self, changes: Sequence[Change], command: str, verb: Verb = "do", of: int | None = None) -> None:
        """Write changes and their audit entry.

        Raises:
            Refused: an update's `before` is no longer what is stored.
        """
        for change in changes:
            await writing.write(self._db, self._clock, change)
        await _AUDIT.run(
            self._db,
            playthrough=self._about(changes),
            at=self._clock.now(),
            actor=self.player and self.player.id,
            command=storable(command),
            verb=verb,
            of=of,
            undoable=any(isinstance(change, UNDOABLE) for change in changes),
            changes=dump(CHANGES, tuple(changes)),
        )

    async def tell(self, playthrough: PlaythroughId, *events: Event) -> None:
        """Add events to the playthrough's order and wake the listeners at commit."""
        if events:
            bodies = [dump(EVENT, event) for event in events]
            now = self._clock.now()
            await _TELL.run(self._db, playthrough=playthrough, at=now, bodies=bodies, channel=CHANNEL)

    async def queue(self, run: Run, priority: int) -> int:
        """Store a run and its job; answer how many runs are before it.

        Raises:
            Busy: the playthrough has a live run already.
        """
        return await runs.queue(self._db, run, priority)

    async def queue_picture(self, run: PictureRun, priority: int, most: int) -> int:
        """Store the run of a picture and its job; answer how many pictures are before it.

        Raises:
            Busy: `most` pictures of the playthrough are waiting already.
        """
        return await runs.queue_picture(self._db, run, priority, most)

    async def live_pictures(self, playthrough: PlaythroughId) -> tuple[PictureRun, ...]:
        """List the pictures of a playthrough that are being painted or wait, first come first."""
        return await runs.live_pictures(self._db, playthrough)

    async def pictures(self, scene: SceneId) -> tuple[Picture, ...]:
        """List the pictures of a scene that are shown, newest first."""
        return await pictures.shown(self._db, scene)

    async def picture(self, picture: PictureId) -> Picture | None:
        """Find a picture that is shown, of whatever story; None when it is not."""
        return await pictures.picture(self._db, picture)

    async def reports(self, playthrough: PlaythroughId) -> tuple[Filed, ...]:
        """List what was reported of a playthrough's pictures, newest first."""
        return await pictures.reports(self._db, playthrough)

    async def told_by(self, scene: SceneId) -> RunId | None:
        """Find the run that told a scene; None for one that a player wrote."""
        return await pictures.told_by(self._db, scene)

    async def schedule(self, ballot: BallotId, at: datetime) -> None:
        """Have the ballot decided at that time, if it is still open then."""
        await runs.schedule(self._db, ballot, at)

    async def remember(self, scene: SceneId) -> None:
        """Have a scene made findable in the background."""
        await memory.remember_soon(self._db, scene)

    async def stop(self, run: RunId) -> bool:
        """Mark a live run as stopping; False when no worker has it, so that nobody but the caller will finish it."""
        return await runs.stop(self._db, run)

    async def finish(self, run: RunId, status: RunStatus, error: str = "") -> None:
        """End a run; `error` is for operators."""
        await runs.finish(self._db, run, status, error, self._clock.now())

    async def scene(self, scene: SceneId) -> Scene:
        """Read a scene.

        Raises:
            NotFound: there is none of this id.
        """
        return await tree.scene(self._db, scene)

    async def find_scenes(self, story: StoryId, words: str) -> tuple[Scene, ...]:
        """Find scenes by number (`12`, `#12`) or by words of the title; a full title before a part, newest first."""
        return await tree.find_scenes(self._db, story, storable(words))

    async def ballot(self, ballot: BallotId) -> Ballot:
        """Read a ballot with its choices and votes, whatever became of it."""
        return await reading.ballot(self._db, ballot)

    async def choices(self, scene: SceneId) -> tuple[Choice, ...]:
        """Read the choices of a scene in order."""
        return await tree.choices(self._db, scene)

    async def path(self, scene: SceneId, last: int) -> tuple[Scene, ...]:
        """Read the last scenes of the path that ends at a scene, root side first."""
        return await tree.path(self._db, scene, last)

    async def choice_texts(self, scenes: Sequence[Scene]) -> tuple[str, ...]:
        """Read for each scene the choice that led to it; empty where none did."""
        return await tree.choice_texts(self._db, scenes)

    async def takes(self, scene: Scene) -> tuple[Scene, ...]:
        """Read the takes that a scene is one of, first told first."""
        return await tree.takes(self._db, scene)

    async def tree(self, story: StoryId, around: SceneId | None, limit: int) -> tuple[tuple[TreeNode, ...], int]:
        """Read the nodes, parents first; those nearest to a scene if there are more, and how many are left out."""
        return await tree.tree(self._db, story, around, limit)

    async def stories(self, room: Room, limit: int) -> tuple[tuple[PlaythroughId, StoryLine], ...]:
        """List the playthroughs of a room's platform and realm, latest activity first; shelved stories are left out."""
        return await reading.stories(self._db, room, limit)

    async def entries(self, playthrough: PlaythroughId, last: int) -> tuple[Entry, ...]:
        """Read the newest steps that undo can take back, and the undos and redos among them, oldest first."""
        return await reading.entries(self._db, playthrough, last)

    async def entry_changes(self, entry: int) -> tuple[Change, ...]:
        """Read what a step changed."""
        return await reading.entry_changes(self._db, entry)

    async def members_named(self, playthrough: PlaythroughId, name: str) -> tuple[PlayerId, ...]:
        """Find members by name, letter case aside."""
        return await reading.members_named(self._db, playthrough, name)

    async def count_scenes(self, story: StoryId) -> int:
        """Count the scenes of a story."""
        return await tree.count_scenes(self._db, story)

    async def lore(self) -> StoryLore:
        """Read the lore of the story at the desk."""
        return await lore.read(self._db, self._story)

    async def lore_found(self, scene: SceneId, entries: Sequence[LoreId], last: int) -> Mapping[LoreId, int]:
        """Read when entries were found and not only held: the newest depth among the last scenes of a path."""
        return await lore.found(self._db, scene, entries, last)

    async def lore_told(self, scene: SceneId) -> tuple[Fired, ...]:
        """Read what of the lore was told for a scene."""
        return await lore.told(self._db, scene)

    async def issue(self, ticket: Ticket, now: datetime) -> None:
        """Keep a code until it is typed somewhere; the asker's older one of the same kind is worthless then."""
        await tickets.issue(self._db, ticket, now)

    async def redeem(self, code: str, now: datetime) -> Ticket | None:
        """Take a code in; None when there is none such, or none any more."""
        return await tickets.redeem(self._db, code, now)

    async def same_person(self, kept: PlayerId, gone: PlayerId) -> tuple[PlaythroughId, ...]:
        """Let one player be another from now on, and lock and answer the playthroughs that they took part in."""
        return await tickets.same_person(self._db, kept, gone)

    async def on_their_own(self, player: PlayerId, new: PlayerId, speaker: Speaker) -> bool:
        """Let an account be a person of its own again; False when it is one."""
        return await tickets.on_their_own(self._db, player, new, storable(speaker))

    async def hold_space(self) -> Space:
        """Read the space as it is now; until the end nobody else decides anything for it."""
        return await spaces.hold(self._db, self._asker[0])

    async def keep_space(self, space: Space) -> None:
        """Store what is decided for the space that is held."""
        await spaces.keep(self._db, self._asker[0], space)

    async def my_data(self) -> MyData:
        """Read everything that is kept about the asker."""
        return await privacy.my_data(self._db, self._asker[1].id)

    async def traces(self) -> tuple[PlaythroughId, ...]:
        """Lock and answer the playthroughs in which the asker left a trace."""
        return await privacy.traces(self._db, self._asker[1].id)

    async def forget_player(self, stranger: PlayerId, *, everything: bool) -> tuple[str, ...]:
        """Forget who the asker is, but for their place in stories and their votes in open ballots."""
        return await privacy.forget(self._db, self._asker[1].id, stranger, everything=everything)

    async def draft_of(self, scene: SceneId) -> Draft | None:
        """Read what a scene was made from; None when no run told it."""
        return await runs.draft_of(self._db, scene)

    async def entities(self, story: StoryId) -> tuple[Entity, ...]:
        """Read who and what there is in a story, in the order in which they were written down."""
        return await bible.entities(self._db, story)

    async def facts(self, end: SceneId) -> tuple[Fact, ...]:
        """Read the facts that hold at a scene, in the order in which they were written down."""
        return await bible.facts(self._db, end)

    async def runs_before(self, run: RunId) -> int:
        """Count the live runs that are written before this one."""
        return await runs.runs_before(self._db, run)

    async def words_told(self, run: RunId) -> str:
        """Read the words that a run has told so far."""
        return "".join(chunk.text for chunk in await runs.chunks(self._db, run, after=-1))

    @property
    def _story(self) -> StoryId:
        """The story at the desk.

        Raises:
            NotFound: there is none.
        """
        if self.situation is None:
            raise NotFound("There is no story here. Begin one with /story new.")
        return self.situation.story.id

    @property
    def _asker(self) -> tuple[RoomKey, Player]:
        """Where somebody asks, and who.

        Raises:
            NotFound: nobody does.
        """
        if self.room is None or self.player is None:
            raise NotFound("Somebody has to ask, from somewhere.")
        return self.room.key, self.player

    def _about(self, changes: Sequence[Change]) -> PlaythroughId:
        """Whose audit entry it is: that of a story begun, joined or left, else of the one at the desk or opened."""
        begun = next((change.playthrough.id for change in changes if isinstance(change, StoryAdded)), None)
        begun = begun or next((change.playthrough for change in changes if isinstance(change, MemberSet)), None)
        here = self.situation.playthrough.id if self.situation else None
        opened = next((change.after for change in changes if isinstance(change, RoomSet)), None)
        about = begun or here or opened
        if about is None:
            raise NotFound("There is no story here. Begin one with /story new.")
        return about
