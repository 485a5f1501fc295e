"""Questions asked as polls, too, where the owner wants that: in encrypted rooms their answers are encrypted."""

from dataclasses import dataclass

from bot.platforms.matrix.content import REFERENCE, THREAD, inner, text
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.places import Place
from bot.platforms.matrix.signs import ANSWER, CARD, POLL, POLL_END, Sign, answered, offered, poll, poll_end
from bot.questions import OpenCard


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll that stands below a card."""

    event: str
    positions: frozenset[int]
    """The choices it offers; those that were written in since are not among them."""


class Polls:
    """Puts polls below questions, and reads how they stand."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._polls: dict[str, Poll] = {}
        """By card."""

    async def under(self, card: OpenCard) -> frozenset[int]:
        """See to it that a question has a poll; answers which choices it offers."""
        found = await self._find(card)
        if found is None:
            content = poll(card)
            event = await self._link.send(card.room.realm, POLL, content, f"poll {card.message}", "seed")
            found = Poll(event, offered(content))
        self._polls[card.message] = found
        return found.positions

    async def answers(self, card: OpenCard) -> tuple[Sign, ...]:
        """Read all answers to a question's poll, as far as they were not taken back."""
        found = await self._find(card)
        if found is None:
            return ()
        events = await self._link.relations(card.room.realm, found.event, REFERENCE, ANSWER)
        signs = (answered(event) for event in events)
        return tuple(sign for sign in signs if sign is not None and _allowed(card, sign))

    def card_of(self, sign: Sign, cards: tuple[OpenCard, ...]) -> OpenCard | None:
        """Find the question whose poll somebody has answered."""
        asked = (card for card in cards if (known := self._polls.get(card.message)) and known.event == sign.under)
        return next(asked, None)

    async def close(self, card: OpenCard) -> None:
        """Close the poll of a question that is decided; again, it is the same event."""
        found = await self._find(card)
        if found is not None:
            await self._link.send(card.room.realm, POLL_END, poll_end(found.event), f"end {found.event}", "last")
            self._polls.pop(card.message, None)

    async def _find(self, card: OpenCard) -> Poll | None:
        """Find the poll below a card; after a restart, by what the homeserver knows of it."""
        if card.message in self._polls:
            return self._polls[card.message]
        thread = Place.of(card.room).thread
        around = (thread, THREAD) if thread else (card.message, REFERENCE)
        for event in await self._link.relations(card.room.realm, *around, POLL):
            content = inner(event, "content")
            if text(event, "sender") == self._link.me and text(content, CARD) == card.message:
                return Poll(text(event, "event_id"), offered(content))
        return None


def _allowed(card: OpenCard, sign: Sign) -> bool:
    return sign.position is None or card.offers(sign.position)
