"""What stands under Matrix's open questions: the numbers to react with, or a poll, and the votes that they mean."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.platforms.matrix.askers import Askers
from bot.platforms.matrix.content import Json
from bot.platforms.matrix.hands import Hands
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.polls import Polls
from bot.platforms.matrix.signs import answered, reacted
from bot.platforms.matrix.troubles import NotPermitted
from bot.platforms.matrix.wire import API, part
from bot.questions import LOOK_AGAIN, OpenCard, Questions, keycap
from bot.reception import Reception
from bot.surface import MessageGone, SlowDown, SurfaceDown, SurfaceError
from storyforge_core.domain.story import Choice, RoomKey, SceneId

MOST_SEEDS = 5
"""Each of them takes as much of the homeserver's limit as a message; people find more numbers by themselves."""
NO_REACTIONS = (
    "I may not react to messages in this room: vote with !story vote and the number, or react with it yourselves. "
    "Somebody who may can allow me to send reactions in the room's settings, under Roles & Permissions."
)
REACTIONS_ARE_SEEN = (
    "This room is encrypted, but reactions are not: whoever runs your homeservers can see who reacts with which. "
    "!story vote and the number is encrypted."
)
TOLD = "app.storyforge.told"
"""What people in a room were told once for all, in the bot's own notes about the room, which its homeserver keeps."""

log = structlog.stdlib.get_logger()

Mention = Callable[[RoomKey, str, str], Awaitable[None]]
"""Says something in a room, once for ever; the second argument names it."""


class Board:
    """Has every open question offered for votes, and the votes counted.

    Args:
        link: the connection.
        polls: asks questions as polls instead of by reactions; None where the owner wants none.
    """

    def __init__(self, link: Link, polls: Polls | None = None) -> None:
        self._link = link
        self._polls = polls
        self._questions = Questions(self._tend, self._explain)
        self._closing: set[asyncio.Task[None]] = set()
        self._hands: Hands | None = None
        self._mention: Mention | None = None

    def open(self, reception: Reception, askers: Askers, mention: Mention) -> None:
        """Begin to count."""
        self._hands = Hands(self._link, reception, askers, self._polls)
        self._mention = mention

    def shown(self, room: RoomKey, message: str, choices: tuple[Choice, ...]) -> None:
        """A message shows these choices now, or none any more."""
        closed = self._questions.shown(room, message, choices)
        if closed is None or self._hands is None:
            return
        self._hands.forget(closed)
        if self._polls is not None:
            task = asyncio.create_task(self._close_poll(self._polls, closed), name=f"poll of {closed.message}")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def look_again(self) -> None:
        """Look at every open question: something may have been missed."""
        self._questions.look_again()

    async def count(self, room: RoomKey, scene: SceneId) -> None:
        """Count the votes under the question of a scene; soon after a start this waits until it is known.

        Raises:
            SurfaceError: the homeserver does not show them.
        """
        card = await self._questions.known(room, scene)
        if self._hands is not None:
            await self._hands.counted(card)

    async def reacted(self, room: str, event: Json) -> None:
        """Count a reaction if it is a vote."""
        sign = reacted(event)
        card = next((card for card in self._questions.of(room) if sign and card.message == sign.under), None)
        if card is not None and sign is not None and self._hands is not None:
            await self._hands.raised(card, sign)

    async def answered(self, room: str, event: Json) -> None:
        """Count an answer to a poll."""
        sign = answered(event)
        card = self._polls.card_of(sign, self._questions.of(room)) if sign and self._polls else None
        if card is not None and sign is not None and self._hands is not None:
            await self._hands.raised(card, sign)

    async def lowered(self, room: str, event: str, by: str) -> bool:
        """Take back the vote of a sign that was taken back by another event; False where it is under no question."""
        for card in self._questions.of(room):
            if self._hands is not None and await self._hands.lowered(card, event, by):
                return True
        return False

    def close(self) -> None:
        """Stop looking, until it is asked for again."""
        self._questions.close()
        for task in list(self._closing):
            task.cancel()

    async def _tend(self, card: OpenCard) -> None:
        """Count what stands there already, then offer what is missing; words work all the same."""
        if self._hands is None:
            return
        there = await self._hands.counted(card)
        if self._polls is not None:
            there |= await self._polls.under(card)
        missing = [choice.position for choice in card.choices[:MOST_SEEDS] if choice.position not in there]
        for position in missing:
            tx = f"{card.message} {position}"
            await self._link.react(card.room.realm, card.message, keycap(position), tx)
        if self._polls is None and self._link.encrypted(card.room.realm):
            await self._tell_once(card.room)

    async def _tell_once(self, room: RoomKey) -> None:
        """Tell the people of an encrypted room what is not, in whichever of its threads they vote first."""
        notes = f"{API}/user/{part(self._link.me)}/rooms/{part(room.realm)}/account_data/{TOLD}"
        try:
            told = await self._link.call("GET", notes)
        except MessageGone:
            told = {}
        if "reactions" not in told and self._mention is not None:
            await self._mention(room, "reactions-are-seen", REACTIONS_ARE_SEEN)
            await self._link.call("PUT", notes, {**told, "reactions": True})

    async def _explain(self, card: OpenCard, error: SurfaceError) -> None:
        if self._mention is None or not isinstance(error, NotPermitted):
            return
        try:
            await self._mention(card.room, "no-reactions", NO_REACTIONS)
        except SurfaceError as unsaid:
            log.info("nothing can be said", room=card.room.address, reason=str(unsaid))

    async def _close_poll(self, polls: Polls, card: OpenCard) -> None:
        while True:
            try:
                await polls.close(card)
            except SlowDown as slow:
                await asyncio.sleep(slow.retry_after)
            except SurfaceDown:
                await asyncio.sleep(LOOK_AGAIN)
            except SurfaceError as error:
                log.info("poll left open", room=card.room.address, reason=str(error))
                return
            else:
                return
