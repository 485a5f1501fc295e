"""The one door: a command comes in, is checked and decided in one transaction, and answered at once."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import assert_never

import structlog

from storyforge_core.domain import book, picturing, policy
from storyforge_core.domain import commands as ask
from storyforge_core.domain.commands import Incoming
from storyforge_core.domain.found import FoundCommand
from storyforge_core.domain.policy import Bucket, Rate
from storyforge_core.domain.replies import Declined, NotHere, Repeated, Reply
from storyforge_core.domain.space import objection_to_start, require_unblocked
from storyforge_core.domain.story import BallotId, PictureMode, PlaythroughId, Rules, SceneId
from storyforge_core.engine.handlers import (
    bible,
    found,
    hosting,
    inquiring,
    linking,
    looks,
    lore,
    moving,
    painting,
    playing,
    privacy,
    recounting,
    replaying,
    retelling,
    showing,
    spaces,
)
from storyforge_core.engine.oracle import Errand, Oracle
from storyforge_core.engine.portraits import Cleared, Portraits
from storyforge_core.engine.table import NO_STORY, Table
from storyforge_core.errors import NotFound, ServiceDown, StoryForgeError
from storyforge_core.ports import Clock, Desk, Store

PERSONAL = (ask.ShowMyData, ask.ForgetMe)
"""What everybody may ask, whoever has shut them out."""
DECIDING = (ask.ShowSpace, ask.ChangeSpace)
"""What is about a whole space."""
HERE_NOT_NEEDED = (ask.NewStory, ask.ShowStories, book.Search, ask.Link, ask.JoinRoom, *PERSONAL, *DECIDING)
"""What can be asked in a room that shows no story."""
REMEMBERED = 10_000
"""How many askers are kept in mind; whoever has been silent longest is forgotten first."""
LAST_CALL_SECONDS = 5.0
"""How long a ballot whose time is up may wait for votes that are still out there."""
DELETED_TOO = (*HERE_NOT_NEEDED, ask.Undo)
"""What can be asked where the story was deleted."""

LastCall = Callable[[PlaythroughId, SceneId], Awaitable[None]]
"""Has a platform bring in the votes under the question of a scene that it has not passed on yet; may be cancelled."""


class Doorman:
    """Keeps players and rooms from asking too often."""

    def __init__(self, player: Rate, room: Rate) -> None:
        self._player = player
        self._room = room
        self._buckets: OrderedDict[tuple[str, str, str], Bucket] = OrderedDict()

    def admit(self, incoming: Incoming) -> None:
        """Let a command in.

        Raises:
            TooFast: the player or the room has asked too often.
        """
        room, speaker, at = incoming.room, incoming.speaker, incoming.at.timestamp()
        self._take(("room", room.platform, room.address), self._room, at)
        self._take(("player", speaker.platform, speaker.user), self._player, at)

    def _take(self, key: tuple[str, str, str], rate: Rate, at: float) -> None:
        self._buckets[key] = policy.admit(self._buckets.get(key), rate, at)
        self._buckets.move_to_end(key)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)


@dataclass(frozen=True, slots=True)
class StoryForge:
    """Stories for one or many rooms."""

    store: Store
    clock: Clock
    rules: Rules
    """For new stories."""
    oracle: Oracle
    pictures: PictureMode = "off"
    """Which scenes get a picture where a story's settings do not say; off where nobody paints."""
    portraits: Portraits | None = None
    """Where looks are; None where there is no place for them."""
    doorman: Doorman | None = None
    """None where only the owner plays."""
    last_calls: tuple[LastCall, ...] = ()
    """Of all platforms where people vote in ways that may go unheard."""

    async def handle(self, incoming: Incoming) -> Reply:
        """Do what is asked, or say in a sentence why not. Never raises what is expected."""
        try:
            if self.doorman is not None:
                self.doorman.admit(incoming)
            incoming = await self._drawn(incoming)
            async with self.store.receive(incoming) as desk:
                found = await self._answer(desk, incoming) if desk.fresh else Repeated()
            if isinstance(found, Cleared):
                return await self._cleared(found)
            return await self.oracle.look(found) if isinstance(found, Errand) else found
        except StoryForgeError as error:
            structlog.get_logger().info("declined", error=str(error), command=type(incoming.command).__name__)
            return Declined(str(error))

    async def _cleared(self, found: Cleared) -> Reply:
        """Delete files that nothing needs any more; a disk that is away keeps them, and the log says so."""
        if self.portraits is not None and found.files:
            try:
                await self.portraits.shelf.remove(found.files)
            except ServiceDown as error:
                structlog.get_logger().error("files not deleted", files=found.files, reason=str(error))
        return found.reply

    async def _drawn(self, incoming: Incoming) -> Incoming:
        """Look through a picture that comes along, before anything is held for it.

        Raises:
            Invalid: it is none that can be used.
        """
        command = incoming.command
        if not isinstance(command, book.EntityLook) or not command.picture or self.portraits is None:
            return incoming
        return replace(incoming, command=replace(command, picture=await self.portraits.shelf.drawn(command.picture)))

    async def objection(self, incoming: Incoming) -> Reply | None:
        """Say why no story can begin there, before a place is made for it; None when one can.

        It counts as a request: making places is what costs.
        """
        try:
            if self.doorman is not None:
                self.doorman.admit(incoming)
            space = await self.store.space(incoming.room)
            require_unblocked(space, incoming.speaker)
        except StoryForgeError as error:
            return Declined(str(error))
        found = objection_to_start(space, incoming.speaker, incoming.around)
        return None if found is None else NotHere(found)

    async def deadline(self, ballot: BallotId) -> None:
        """Decide a ballot whose time is up. Again, or too late, it does nothing.

        Raises:
            ServiceDown: the store is away; try again.
        """
        playthrough = await self.store.playthrough_of(ballot)
        if playthrough is None:
            return
        if self.last_calls:
            await self._call_last(playthrough, ballot)
        async with self.store.resume(playthrough) as desk:
            await playing.ballot_deadline(desk, ballot, self.clock)

    async def _call_last(self, playthrough: PlaythroughId, ballot: BallotId) -> None:
        """Have the votes brought in that nobody has heard of yet, if the ballot is still open."""
        async with self.store.resume(playthrough) as desk:
            asked = desk.situation.ballot if desk.situation else None
        if asked is None or asked.id != ballot:
            return
        calls = [asyncio.ensure_future(call(playthrough, asked.scene)) for call in self.last_calls]
        try:
            done, _ = await asyncio.wait(calls, timeout=LAST_CALL_SECONDS)
        finally:
            for call in calls:
                call.cancel()
        for failed in filter(None, (call.exception() for call in done)):
            structlog.get_logger().error("votes not brought in", ballot=str(ballot), exc_info=failed)

    async def _answer(self, desk: Desk, incoming: Incoming) -> Reply | Errand | Cleared:
        if desk.room is None or desk.player is None:
            msg = "Somebody has to ask, from somewhere."
            raise NotFound(msg)
        here = desk.situation
        if here is None and not isinstance(incoming.command, HERE_NOT_NEEDED):
            raise NotFound(NO_STORY)
        if here is not None and here.story.shelved and not isinstance(incoming.command, DELETED_TOO):
            raise NotFound(NO_STORY)
        if not isinstance(incoming.command, PERSONAL):
            require_unblocked(desk.space, incoming.speaker)
            policy.require_welcome(here.members if here else (), desk.player.id, incoming.speaker)
        table = Table(
            desk=desk,
            clock=self.clock,
            speaker=incoming.speaker,
            player=desk.player,
            room=desk.room,
            at=incoming.at,
            around=incoming.around,
            rules=self.rules,
            pictures=self.pictures,
            portraits=self.portraits,
            window=self.oracle.writer.window,
        )
        return await _dispatch(table, incoming.command)


async def _dispatch(table: Table, command: ask.Command) -> Reply | Errand | Cleared:  # noqa: C901, PLR0911, PLR0912 - a line for each file of handlers
    if isinstance(command, book.BookCommand):
        return await _dispatch_book(table, command)
    match command:
        case ask.NewStory() | ask.ContinueStory() | ask.Vote() | ask.Unvote() | ask.WriteIn() | ask.CloseBallot():
            return await playing.handle(table, command)
        case ask.BranchFrom() | ask.GoTo() | ask.Undo() | ask.Redo():
            return await moving.handle(table, command)
        case ask.Reroll() | ask.Extend() | ask.Edit() | ask.ShowTakes():
            return await retelling.handle(table, command)
        case ask.ShowPath() | ask.ShowMap() | ask.ShowStories() | ask.ShowStatus():
            return await showing.handle(table, command)
        case ask.SetTitle() | ask.Direct() | ask.ChangeRules() | ask.Join() | ask.Leave():
            return await hosting.handle(table, command)
        case ask.Ban() | ask.Stop() | ask.DeleteStory():
            return await hosting.handle(table, command)
        case picturing.Paint() | picturing.ForgetPicture() | picturing.ReportPicture() | picturing.RestorePicture():
            return await painting.handle(table, command)
        case ask.Link() | ask.JoinRoom():
            return await linking.handle(table, command)
        case ask.ShowSpace() | ask.ChangeSpace():
            return await spaces.handle(table, command)
        case ask.ShowMyData() | ask.ForgetMe():
            return await privacy.handle(table, command)
        case ask.AddLore() | ask.EditLore() | ask.ForgetLore() | ask.ShowLore() | ask.ListLore():
            return await lore.handle(table, command)
        case ask.ImportLore() | ask.ExportLore():
            return await lore.handle(table, command)
        case _:
            assert_never(command)


async def _dispatch_book(table: Table, command: book.BookCommand) -> Reply | Errand | Cleared:
    if isinstance(command, FoundCommand):
        return await found.handle(table, command)
    match command:
        case book.Replay():
            return await replaying.handle(table, command)
        case book.Ask() | book.Search() | book.ShowWhy() | book.ShowContext():
            return await inquiring.handle(table, command)
        case (
            book.AddEntity()
            | book.ShowEntity()
            | book.EditEntity()
            | book.ListEntities()
            | book.ForgetEntity()
            | book.AliasEntity()
            | book.AddFact()
            | book.ListFacts()
            | book.ForgetFact()
        ):
            return await bible.handle(table, command)
        case book.EntityLook() | book.KeepLook() | book.ListLooks() | book.ForgetLook():
            return await looks.handle(table, command)
        case book.ShowChapters() | book.EndChapter() | book.ShowRecap():
            return await recounting.handle(table, command)
        case _:
            assert_never(command)
