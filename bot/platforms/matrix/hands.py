"""Shows of hands: the votes that reactions and answers to polls stand for, heard as they come or counted afterwards.

What counts is what stands under the question: of somebody's signs the newest, and none that was taken back. A vote that
was given in words since counts more than any sign before it. Each sign is an event with an id of its own, and a vote
keeps when its sign was made: so the same sign never counts twice, and taking it back takes back no other vote.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

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
        speaker = await self._askers.voter(card.room.realm, sign.user)
        await self._take_in(card, sign, speaker)

    async def lowered(self, card: OpenCard, sign_event: str, by: str) -> bool:
        """Know that a sign was taken back by another event; False where it is not known to stand there."""
        sign = self._known(card).pop(sign_event, None)
        if sign is None:
            return False
        speaker = await self._askers.voter(card.room.realm, sign.user)
        await self._take_back(card, sign, speaker, by)
        return True

    def spoke(self, card: OpenCard, user: str) -> None:
        """Know that somebody has voted in words: what they take back from now on changes nothing."""
        known = self._known(card)
        for event in [event for event, sign in known.items() if sign.user == user]:
            known[event] = replace(known[event], position=None)

    async def counted(self, card: OpenCard) -> frozenset[int]:
        """Count what stands there and was not counted, take back what does not; answer what has a reaction of ours.

        Raises:
            SurfaceError: the homeserver does not show it.
        """
        known = self._known(card)
        before = tuple(known)
        found, ours = await self._found(card)
        members = await self._askers.members(card.room.realm)
        standing = {sign.event: sign for sign in found if sign.user in members}
        for event in before:
            if event not in standing and (sign := known.pop(event, None)):
                speaker = Speaker(PLATFORM, sign.user, members.get(sign.user) or sign.user)
                await self._take_back(card, sign, speaker, f"gone:{event}")
        news = [sign for sign in standing.values() if sign.event not in known]
        for sign in _newest(news):
            known |= {older.event: older for older in news if older.user == sign.user and older is not sign}
            await self._take_in(card, sign, Speaker(PLATFORM, sign.user, members[sign.user]))
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

    async def _take_in(self, card: OpenCard, sign: Sign, speaker: Speaker) -> None:
        """Count a sign; where somebody has newer ones, it only stands there."""
        known = self._known(card)
        newest = max((other.at for other in known.values() if other.user == sign.user), default=sign.at)
        known[sign.event] = sign
        asker = Asker(card.room, speaker)
        if sign.at < newest:
            return
        if sign.position is not None:
            await self._reception.catch_up(asker, sign.position, sign.event, sign.at)
            return
        for older in [other for other in known.values() if other.user == sign.user and other.position is not None]:
            await self._reception.take_back(asker, older.at, f"{sign.event}:{older.event}")

    async def _take_back(self, card: OpenCard, sign: Sign, speaker: Speaker, by: str) -> None:
        """Take back a sign's vote; what the same person had said before it, and left standing, counts again."""
        asker = Asker(card.room, speaker)
        taken = sign.position is not None and await self._reception.take_back(asker, sign.at, by)
        left = [other for other in self._known(card).values() if other.user == sign.user and other.position is not None]
        if taken and left:
            newest = max(left, key=_age)
            await self._reception.catch_up(asker, newest.position or 0, f"{by}:again", newest.at)

    def _known(self, card: OpenCard) -> dict[str, Sign]:
        return self._signs.setdefault(card.message, {})


def _newest(signs: Iterable[Sign]) -> list[Sign]:
    """The newest sign of each person, in the order in which they were made."""
    by_user: Mapping[str, Sign] = {sign.user: sign for sign in sorted(signs, key=_age)}
    return sorted(by_user.values(), key=_age)


def _age(sign: Sign) -> tuple[datetime, str]:
    return sign.at, sign.event
