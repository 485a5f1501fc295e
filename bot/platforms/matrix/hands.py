"""Shows of hands: the votes that reactions and answers to polls stand for, heard as they come or counted afterwards.

What counts is what stands under the question: of somebody's signs the newest that was not taken back, unless they have
voted in words since. A vote keeps when it was given: an older sign that is found late changes nothing, and taking one
back takes back no other vote. So everything may be done again, in whatever order it is heard of.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import uuid4

from bot.platforms.matrix.askers import Askers
from bot.platforms.matrix.content import ANNOTATION
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.places import PLATFORM
from bot.platforms.matrix.polls import Polls
from bot.platforms.matrix.signs import REACTION, Sign, reacted
from bot.questions import OpenCard
from bot.reception import Asker, Reception
from storyforge_core.domain.commands import Speaker


class Hands:
    """Casts the votes that signs stand for.

    Args:
        link: the connection.
        reception: takes the votes in.
        askers: knows who is who.
        polls: knows the answers to polls; None where there are none.
    """

    def __init__(self, link: Link, reception: Reception, askers: Askers, polls: Polls | None) -> None:
        self._link = link
        self._reception = reception
        self._askers = askers
        self._polls = polls
        self._signs: dict[str, dict[str, Sign]] = {}
        """What stands under each question, as far as is known, by the sign's event."""

    async def raised(self, card: OpenCard, sign: Sign) -> None:
        """Count a sign that was just made."""
        if sign.position is not None and not card.offers(sign.position):
            return
        known = self._known(card)
        known[sign.event] = sign
        speaker = await self._askers.voter(card.room.realm, sign.user)
        if _newest(_of(sign.user, known)) is sign:
            await self._cast(Asker(card.room, speaker), sign, known, sign.event)

    async def lowered(self, card: OpenCard, sign_event: str, by: str) -> bool:
        """Know that a sign was taken back by another event; False where it is not known to stand there."""
        sign = self._known(card).pop(sign_event, None)
        if sign is None:
            return False
        speaker = await self._askers.voter(card.room.realm, sign.user)
        await self._take_back(card, sign, speaker, by)
        return True

    async def counted(self, card: OpenCard) -> frozenset[int]:
        """Count what stands there and take back what does not; answer which choices have a reaction of ours.

        Raises:
            SurfaceError: the homeserver does not show it.
        """
        known = self._known(card)
        before = tuple(known)
        found, ours = await self._found(card)
        members = await self._askers.members(card.room.realm)
        standing = {sign.event: sign for sign in found if sign.user in members}
        outside = {sign.event: sign for sign in found if sign.user not in members}
        gone = {event: sign for event in before if event not in standing and (sign := known.pop(event, None))}
        known |= standing
        for event, sign in (outside | gone).items():
            await self._take_back(card, sign, _speaker(sign.user, members), f"gone:{event}")
        for user in dict.fromkeys(sign.user for sign in sorted(standing.values(), key=_age)):
            newest = _newest(_of(user, known))
            await self._cast(Asker(card.room, _speaker(user, members)), newest, known, str(uuid4()))
        return ours

    def forget(self, card: OpenCard) -> None:
        """Forget what stands under a question that is decided."""
        self._signs.pop(card.message, None)

    async def _found(self, card: OpenCard) -> tuple[list[Sign], frozenset[int]]:
        """Look what stands under a question, and which reactions of that are ours."""
        events = await self._link.relations(card.room.realm, card.message, ANNOTATION, REACTION)
        signs = [sign for event in events if (sign := reacted(event)) and card.offers(sign.position or 0)]
        ours = frozenset(sign.position for sign in signs if sign.user == self._link.me and sign.position)
        theirs = [sign for sign in signs if sign.user != self._link.me]
        answers = await self._polls.answers(card) if self._polls else ()
        return [*theirs, *answers], ours

    async def _cast(self, asker: Asker, sign: Sign, known: Mapping[str, Sign], event: str) -> None:
        """Cast the vote of somebody's newest sign; one without a choice takes the votes of the others back."""
        if sign.position is not None:
            await self._reception.catch_up(asker, sign.position, event, sign.at)
            return
        for older in _of(sign.user, known):
            if older is not sign:
                await self._reception.take_back(asker, older.at, f"{event}:{older.event}")

    async def _take_back(self, card: OpenCard, sign: Sign, speaker: Speaker, by: str) -> None:
        """Take back a sign's vote; what the same person had said before it, and left standing, counts again."""
        asker, known = Asker(card.room, speaker), self._known(card)
        taken = sign.position is not None and await self._reception.take_back(asker, sign.at, by)
        left = _of(sign.user, known)
        if taken and left:
            await self._cast(asker, _newest(left), known, f"{by}:again")

    def _known(self, card: OpenCard) -> dict[str, Sign]:
        return self._signs.setdefault(card.message, {})


def _of(user: str, known: Mapping[str, Sign]) -> list[Sign]:
    return [sign for sign in known.values() if sign.user == user]


def _newest(signs: Sequence[Sign]) -> Sign:
    return max(signs, key=_age)


def _age(sign: Sign) -> tuple[datetime, str]:
    return sign.at, sign.event


def _speaker(user: str, members: Mapping[str, str]) -> Speaker:
    return Speaker(PLATFORM, user, members.get(user, user))
