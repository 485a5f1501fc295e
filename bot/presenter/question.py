"""What the players of a room are asked: on a card that is kept up to date, or in lines where nothing can be edited."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from uuid import UUID

from bot.presenter.card import Card, Face, Slot
from bot.presenter.chronicle import Chronicle
from bot.presenter.outbox import Outbox
from bot.presenter.sheet import Assignment, Layout
from bot.surface import Frame
from bot.wording import asking
from bot.wording.asking import Asked
from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.events import BallotChanged, BallotDecided, BallotOpened, Recorded, SceneTold
from storyforge_core.domain.story import BallotId, Rules
from storyforge_core.show_ports import Delivery

INSIDE = "inside:"
"""Begins the ledger's name of a question in a scene's message: `inside:ballot:event of the scene`."""
BELOW = "ballot:"
"""Begins the ledger's name of a question in a message of its own: `ballot:ballot:event:which`."""
ROOM_FOR_VOTES = 160
"""Characters that have to be left below a scene and its question, for the names of those who will have voted."""

Say = Callable[[Recorded, str], Awaitable[None]]


class Question:
    """The open question of one room; there is at most one.

    Args:
        say: puts what an event means into the room as a message of its own.
    """

    def __init__(self, outbox: Outbox, layout: Layout, chronicle: Chronicle, say: Say) -> None:
        self._outbox = outbox
        self._layout = layout
        self._chronicle = chronicle
        self._say = say
        self._asked: Asked | None = None
        self._ballot: BallotId | None = None
        """Whose card it is."""
        self._card: Card | None = None

    async def shown(self) -> None:
        """Wait until the card shows the newest state.

        Raises:
            RoomGone: there is nowhere to show it.
        """
        if self._card is not None:
            await self._card.shown()

    def drop(self) -> None:
        """Stop; the ledger knows that the card is not finished."""
        if self._card is not None:
            self._card.drop()

    async def take_up(self) -> None:
        """Keep the card up to date that was open when the program ended."""
        if self._card is not None:
            return
        subjects = [each.subject for each in await self._outbox.unfinished() if _asks(each.subject)]
        slots = [slot for subject in subjects if (slot := await self._slot(subject))]
        if not slots:
            return
        *left, newest = slots
        ballot = BallotId(UUID(newest.subject.split(":")[1]))
        self._asked = await self._chronicle.last_asked(ballot)
        self._place(ballot, newest, tuple(left))
        self._refresh()

    def inside(self, event: BallotOpened, above: str) -> Frame | None:
        """Put a question below the end of its scene, in one message; None where it belongs, or has to go, elsewhere."""
        limits = self._layout.limits
        now = asking.asked(event)
        asked = len(asking.open_card(now, self._layout.voice, None))
        room = Slot("", above).room(limits.max_chars)
        if limits.question == "below" or (room is not None and asked + ROOM_FOR_VOTES > room):
            return None
        return self._open(now).frame(Slot("", above), limits.max_chars)

    async def settle_in(self, event: BallotOpened, scene: int, above: str, shown: tuple[Delivery, Frame]) -> None:
        """Keep a question up to date in the message where it stands below its scene.

        Args:
            event: the question.
            scene: the id of the event that told the scene.
            above: the end of the scene.
            shown: the message, and what it shows now.
        """
        if self._ballot == event.ballot.id:  # the program before this one died here
            return
        slot = Slot(f"{INSIDE}{event.ballot.id}:{scene}", above)
        await self._outbox.share(slot.subject, *shown)
        self._asked = asking.asked(event)
        self._place(event.ballot.id, slot)
        self._refresh()

    async def ask(self, recorded: Recorded, event: BallotOpened) -> None:
        """Ask."""
        if self._ballot == event.ballot.id and not event.again:
            return
        await self.withdraw()
        self._asked = asking.asked(event)
        if not self._keeps_cards:
            await self._say(recorded, asking.question(self._asked, self._layout.voice))
            return
        self._place(event.ballot.id, Slot(f"{BELOW}{event.ballot.id}:{recorded.id}"))
        self._refresh()
        await self.shown()

    async def recount(self, recorded: Recorded, event: BallotChanged) -> None:
        """Show how the votes stand."""
        self._asked = asking.asked(event)
        if self._keeps_cards:
            self._refresh()
        else:
            await self._say(recorded, asking.tally(event, self._layout.voice))

    async def decide(self, recorded: Recorded, event: BallotDecided) -> None:
        """Show what the votes have decided."""
        now, voice = await self._recalled(event.ballot), self._layout.voice
        if not self._keeps_cards:
            await self._say(recorded, asking.decision_line(now, event, voice))
        alone = partial(asking.decided_card, now, event, voice)
        await self._close(Face(alone, lambda _: asking.outcome(now, event, voice)))

    async def withdraw(self) -> None:
        """Take the question back that the group has moved away from; a scene that it stood below stays."""
        now, voice = self._asked, self._layout.voice
        alone = partial(asking.withdrawn_card, now, voice) if now else lambda _: asking.withdrawn(voice)
        await self._close(Face(alone, lambda _: ""))
        self._asked = None

    @property
    def _keeps_cards(self) -> bool:
        return self._layout.limits.edits == "rewrite"

    def _open(self, now: Asked) -> Face:
        wording = partial(asking.open_card, now, self._layout.voice)
        return Face(wording, wording, now.ballot.choices[: self._layout.limits.max_choices])

    def _refresh(self) -> None:
        if self._card is not None and self._asked is not None:
            self._card.show(self._open(self._asked))

    def _place(self, ballot: BallotId, slot: Slot, left: tuple[Slot, ...] = ()) -> None:
        self._ballot = ballot
        self._card = Card(_slots(ballot, slot), self._outbox, asking.moved(self._layout.voice), left)

    async def _close(self, face: Face) -> None:
        if self._card is not None:
            await self._card.close(face)
        self._card = self._ballot = None

    async def _slot(self, subject: str) -> Slot | None:
        """Find out what stands above a question of before the restart."""
        if subject.startswith(BELOW):
            return Slot(subject)
        told = await self._chronicle.event(int(subject.rsplit(":", 1)[1]))
        if not isinstance(told, SceneTold):
            return None
        return Slot(subject, self._layout.told(told, Assignment.of(told))[-1].text)

    async def _recalled(self, ballot: Ballot) -> Asked:
        """Put a ballot as it is now together with the members and rules that were told last."""
        now = self._asked
        if now is None or now.ballot.id != ballot.id:
            now = await self._chronicle.last_asked(ballot.id)
        return replace(now, ballot=ballot) if now else Asked(ballot, Rules(), ())


def _asks(subject: str) -> bool:
    return subject.startswith((INSIDE, BELOW))


def _slots(ballot: BallotId, first: Slot) -> Iterator[Slot]:
    """The messages that a question moves to, one after the other."""
    yield first
    stem = f"{BELOW}{ballot}:{first.subject.split(':')[2]}"
    number = int(next(iter(first.subject.split(":")[3:]), "0"))
    yield from (Slot(f"{stem}:{place}") for place in count(number + 1))
