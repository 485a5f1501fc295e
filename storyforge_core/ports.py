"""What the engine and the presenter need from the outside world, as narrow protocols."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.changes import Change, Entry, Verb
from storyforge_core.domain.commands import Incoming, Speaker
from storyforge_core.domain.events import Event, Recorded
from storyforge_core.domain.lore import Fired, LoreId, StoryLore
from storyforge_core.domain.pictures import PictureDraft
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
from storyforge_core.domain.writing import Asking, Finding, Profile, Telling, WriterEvent
from storyforge_core.look_ports import LookDesk
from storyforge_core.memory_ports import Book
from storyforge_core.picture_ports import PictureDesk, PictureStore, Purged


class Clock(Protocol):
    """Time and chance, so that tests can hold both still."""

    def now(self) -> datetime:
        """Tell the time, in UTC."""

    def new_id(self) -> UUID:
        """Make a UUIDv7."""

    def seed(self) -> int:
        """Draw a seed, 0 to 2³¹-1."""


class Writer(Protocol):
    """A storyteller: a language model or the built-in one."""

    @property
    def label(self) -> str:
        """How players see it named under a scene, such as `dolphin-mistral:7b` or `built-in storyteller`."""

    @property
    def window(self) -> int:
        """Tokens that prompt and answer may take together."""

    async def profile(self) -> Profile:
        """Say which model it is and how it is used; less exactly while it is away."""

    def tell(self, telling: Telling) -> AsyncGenerator[WriterEvent, None]:
        """Stream prose; the last event is `Finished`. Closing the generator stops the model.

        Raises:
            ServiceDown: away, silent, overloaded, or the stream broke off; what came before stays valid.
            ModelMissing: the model is not there.
        """

    async def ask(self, asking: Asking) -> str:
        """Answer as JSON text that is meant to fit `asking.schema`, which the caller has to check.

        Raises:
            ServiceDown: as for `tell`.
            ModelMissing: as for `tell`.
        """

    async def check(self) -> Sequence[Finding]:
        """Look whether it is ready, without raising for what is expected."""

    async def aclose(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a run's words; `seq` counts from 0 without gaps."""

    seq: int
    text: str


@dataclass(frozen=True, slots=True)
class EventsWaiting:
    """A playthrough has new events."""

    playthrough: PlaythroughId


@dataclass(frozen=True, slots=True)
class WordsWaiting:
    """A run has new words."""

    run: RunId


@dataclass(frozen=True, slots=True)
class Resync:
    """Listening begins, or begins again after a gap: anything may have happened meanwhile."""


Signal = EventsWaiting | WordsWaiting | Resync


@dataclass(frozen=True, slots=True)
class ShownScene:
    """A scene as a message shows it."""

    scene: Scene
    here: bool
    """It belongs to the story that the room shows now."""


class Desk(Book, PictureDesk, LookDesk, Protocol):
    """One transaction in which a command is decided. All that is written here is stored together, or not at all.

    While a desk with a situation is open, the playthrough is locked against every other desk.
    """

    @property
    def fresh(self) -> bool:
        """False when this very event was handled before."""

    @property
    def room(self) -> Room | None:
        """Where the command came from; None when the clock or a worker asks."""

    @property
    def player(self) -> Player | None:
        """Who asks; None when the clock or a worker asks."""

    @property
    def space(self) -> Space:
        """What was decided for the space that the room is in."""

    @property
    def situation(self) -> Situation | None:
        """Where the playthrough stood when the desk was opened; None where the room shows no story."""

    async def apply(self, changes: Sequence[Change], command: str, verb: Verb = "do", of: int | None = None) -> None:
        """Write changes and their audit entry.

        Raises:
            Refused: an update's `before` is no longer what is stored.
        """

    async def tell(self, playthrough: PlaythroughId, *events: Event) -> None:
        """Add events to the playthrough's order and wake the listeners at commit."""

    async def queue(self, run: Run, priority: int) -> int:
        """Store a run and its job; answer how many runs are before it.

        Raises:
            Busy: the playthrough has a live run already.
        """

    async def schedule(self, ballot: BallotId, at: datetime) -> None:
        """Have the ballot decided at that time, if it is still open then."""

    async def remember(self, scene: SceneId) -> None:
        """Have a scene made findable in the background."""

    async def stop(self, run: RunId) -> bool:
        """Mark a live run as stopping and have its worker told; False when no worker has it yet, or ever will."""

    async def finish(self, run: RunId, status: RunStatus, error: str = "") -> None:
        """End a run; `error` is for operators."""

    async def scene(self, scene: SceneId) -> Scene:
        """Read a scene."""

    async def find_scenes(self, story: StoryId, words: str) -> tuple[Scene, ...]:
        """Find scenes by number (`12`, `#12`) or by words of the title; a full title before a part, newest first."""

    async def ballot(self, ballot: BallotId) -> Ballot:
        """Read a ballot with its choices and votes, whatever became of it."""

    async def choices(self, scene: SceneId) -> tuple[Choice, ...]:
        """Read the choices of a scene in order."""

    async def path(self, scene: SceneId, last: int) -> tuple[Scene, ...]:
        """Read the last scenes of the path that ends at a scene, root side first."""

    async def choice_texts(self, scenes: Sequence[Scene]) -> tuple[str, ...]:
        """Read for each scene the choice that led to it; empty where none did."""

    async def takes(self, scene: Scene) -> tuple[Scene, ...]:
        """Read the takes that a scene is one of, first told first."""

    async def tree(self, story: StoryId, around: SceneId | None, limit: int) -> tuple[tuple[TreeNode, ...], int]:
        """Read the nodes, parents first; those nearest to a scene if there are more, and how many are left out."""

    async def stories(self, room: Room, limit: int) -> tuple[tuple[PlaythroughId, StoryLine], ...]:
        """List the playthroughs of a room's platform and realm, newest first; shelved stories are left out."""

    async def open_situation(self, playthrough: PlaythroughId) -> Situation:
        """Lock another playthrough and read where it stands."""

    async def entries(self, playthrough: PlaythroughId, last: int) -> tuple[Entry, ...]:
        """Read the newest steps that undo can take back, and the undos and redos among them, oldest first."""

    async def entry_changes(self, entry: int) -> tuple[Change, ...]:
        """Read what a step changed."""

    async def members_named(self, playthrough: PlaythroughId, name: str) -> tuple[PlayerId, ...]:
        """Find members by name, letter case aside."""

    async def count_scenes(self, story: StoryId) -> int:
        """Count the scenes of a story."""

    async def lore(self) -> StoryLore:
        """Read the lore of the story at the desk."""

    async def lore_found(self, scene: SceneId, entries: Sequence[LoreId], last: int) -> Mapping[LoreId, int]:
        """Read when entries were found and not only held: the newest depth among the last scenes of a path."""

    async def lore_told(self, scene: SceneId) -> tuple[Fired, ...]:
        """Read what of the lore was told for a scene."""

    async def issue(self, ticket: Ticket, now: datetime) -> None:
        """Keep a code until it is typed somewhere; the asker's older one of the same kind is worthless then."""

    async def redeem(self, code: str, now: datetime) -> Ticket | None:
        """Take a code in; None when there is none such, or none any more."""

    async def same_person(self, kept: PlayerId, gone: PlayerId) -> tuple[PlaythroughId, ...]:
        """Let one player be another from now on, and lock and answer the playthroughs that they took part in."""

    async def on_their_own(self, player: PlayerId, new: PlayerId, speaker: Speaker) -> bool:
        """Let an account be a person of its own again; False when it is one."""

    async def hold_space(self) -> Space:
        """Read the space as it is now; until the end nobody else decides anything for it."""

    async def keep_space(self, space: Space) -> None:
        """Store what is decided for the space that is held."""

    async def my_data(self) -> MyData:
        """Read everything that is kept about the asker."""

    async def traces(self) -> tuple[PlaythroughId, ...]:
        """Lock and answer the playthroughs in which the asker left a trace."""

    async def forget_player(self, stranger: PlayerId, *, everything: bool) -> tuple[str, ...]:
        """Forget who the asker is, but for their place in stories and their votes in open ballots.

        Where they were shut out, their accounts stay so, as those of a stranger. Answers the files of looks that have
        to be deleted once this is stored.
        """

    async def draft_of(self, scene: SceneId) -> Draft | None:
        """Read what a scene was made from; None when no run told it."""

    async def runs_before(self, run: RunId) -> int:
        """Count the live runs that were queued before this one."""

    async def words_told(self, run: RunId) -> str:
        """Read the words that a run has told so far."""


class Store(PictureStore, Protocol):
    """Where stories are kept."""

    def receive(self, incoming: Incoming) -> AbstractAsyncContextManager[Desk]:
        """Open a desk for something that came in; commits at the end, rolls back on an exception."""

    def resume(self, playthrough: PlaythroughId) -> AbstractAsyncContextManager[Desk]:
        """Open a desk for a playthrough, for the clock or a worker."""

    async def playthrough_of(self, ballot: BallotId) -> PlaythroughId | None:
        """Find whose ballot it is."""

    async def claim(self, run: RunId, worker: UUID) -> Run | None:
        """Take a run up; None when it is over or a living worker has it."""

    async def run_status(self, run: RunId) -> RunStatus | None:
        """Read how a run stands."""

    async def checkpoint(self, run: RunId, worker: UUID, stage: str, draft: Draft | PictureDraft) -> None:
        """Save a draft and the stage that comes next.

        Raises:
            Superseded: the run is no longer this worker's.
        """

    async def save_words(self, run: RunId, worker: UUID, chunk: Chunk) -> None:
        """Save a stretch of words and wake the listeners; the same `seq` again changes nothing.

        Raises:
            Superseded: the run is no longer this worker's.
        """

    async def chunks(self, run: RunId, after: int) -> tuple[Chunk, ...]:
        """Read the stretches with a `seq` above `after`, in order."""

    async def orphans(self) -> tuple[RunId, ...]:
        """Find live runs whose worker is gone."""

    async def revive(self, run: RunId) -> None:
        """Give an orphan back to the workers, in its old place."""

    def alive(self, worker: UUID) -> AbstractAsyncContextManager[None]:
        """Be known as a living worker while the context is open, and not a moment longer, even after a kill."""

    def signals(self) -> AsyncIterator[Signal]:
        """Listen: `Resync` first, then whatever happens in any process, for ever; reconnects by itself."""

    async def events(self, playthrough: PlaythroughId, after: int, limit: int) -> tuple[Recorded, ...]:
        """Read the events of a playthrough with an id above `after`, in order."""

    async def room(self, key: RoomKey) -> Room:
        """Find a room, or make it known."""

    async def rooms(self, platform: str) -> tuple[Room, ...]:
        """List the rooms of a platform that show a story."""

    async def forget_messages(self, before: datetime) -> None:
        """Forget what came in before a time: letters, and ids of messages; those would then have an effect again."""

    async def live_run(self, playthrough: PlaythroughId) -> Run | None:
        """Find what is being written or queued."""

    async def space(self, key: RoomKey) -> Space:
        """Read what was decided for the space that a room is in."""

    async def attendance(self, platform: str, present: Collection[str], at: datetime, only: str | None = None) -> None:
        """Note in which spaces of a platform the bot is, all of them or `only` one, and that it is in no others."""

    async def purge(self, before: datetime) -> Purged:
        """Delete the stories of spaces that the bot left before a time."""

    async def scene_in(self, key: RoomKey, message: str) -> ShownScene | None:
        """Find the scene that a message of a room tells; None when it tells none."""
