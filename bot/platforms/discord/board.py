"""The open questions: which message asks in which room, its keycap reactions, and the votes they mean."""

import asyncio
from collections.abc import Awaitable, Callable

import discord
import structlog

from bot.platforms.discord.hands import Hands, OpenCard, keycap, position_of
from bot.platforms.discord.link import Link
from bot.platforms.discord.troubles import NotPermitted, understood
from bot.reception import Reception
from bot.surface import SlowDown, SurfaceDown, SurfaceError
from storyforge_core.domain.story import Choice, RoomKey, SceneId

SEED_GAP = 0.3
"""Seconds; Discord takes one reaction a quarter of a second."""
OFFERING = 4
"""Questions that get their reactions at the same time: of all requests together, scenes need the most."""
LOOK_AGAIN = 5.0
"""Seconds until a question is looked at again that could not be looked at."""
NO_REACTIONS = (
    "I may not put reactions under questions here: vote with the buttons or with /story vote. For votes by reaction "
    "allow me Add Reactions and Read Message History in the channel's settings, under Permissions."
)

log = structlog.stdlib.get_logger()

Mention = Callable[[RoomKey, str, str], Awaitable[None]]
"""Says something in a room, once for ever; the second argument names it."""


class Board:
    """Keeps an eye on the open question of every room."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._cards: dict[str, OpenCard] = {}
        self._closed: dict[str, SceneId] = {}
        """The question of a room that was decided last."""
        self._tending: dict[str, asyncio.Task[None]] = {}
        self._hands: Hands | None = None
        self._mention: Mention | None = None
        self._offering = asyncio.Semaphore(OFFERING)
        self._news = asyncio.Event()

    def open(self, reception: Reception, mention: Mention) -> None:
        """Begin to count reactions."""
        self._hands = Hands(self._link, reception)
        self._mention = mention

    def shown(self, room: RoomKey, message: str, choices: tuple[Choice, ...]) -> None:
        """A message shows these choices now, or none any more."""
        before = self._cards.get(room.address)
        if choices:
            card = OpenCard(room, message, choices)
            self._cards[room.address] = card
            if before is None or (before.message, len(before.choices)) != (message, len(choices)):
                self._tend(card)
        elif before is not None and before.message == message:
            self._closed[room.address] = self._cards.pop(room.address).scene
            self._let_go(room.address)
        self._news.set()
        self._news = asyncio.Event()

    def asks(self, room: RoomKey, scene: SceneId) -> bool:
        """Tell whether the question of a scene is open in a room, as far as is known so soon after a start."""
        card = self._cards.get(room.address)
        return card.scene == scene if card else self._closed.get(room.address) != scene

    def look_again(self) -> None:
        """Look at every open question: reactions may have been missed."""
        for card in list(self._cards.values()):
            self._tend(card)

    async def count(self, room: RoomKey, scene: SceneId) -> None:
        """Count the votes under the question of a scene; soon after a start this waits until it is known.

        Raises:
            SurfaceError: Discord does not show them.
        """
        while (card := self._cards.get(room.address)) is None or card.scene != scene:
            await self._news.wait()
        if self._hands is not None:
            await self._hands.counted(card)

    async def reacted(self, reaction: discord.RawReactionActionEvent) -> None:
        """Count a reaction if it is a vote."""
        card = self._cards.get(str(reaction.channel_id))
        position = position_of(reaction.emoji.name or "")
        if card is None or self._hands is None or card.message != str(reaction.message_id) or position is None:
            return
        voter = reaction.member or await self._user(reaction.user_id)
        if voter is not None:
            await self._hands.raised(card, voter, position)

    def close(self) -> None:
        """Stop looking, until it is asked for again."""
        for address in list(self._tending):
            self._let_go(address)

    def _tend(self, card: OpenCard) -> None:
        self._let_go(card.room.address)
        self._tending[card.room.address] = asyncio.create_task(self._keep(card), name=f"reactions {card.message}")

    def _let_go(self, address: str) -> None:
        if task := self._tending.pop(address, None):
            task.cancel()

    async def _keep(self, card: OpenCard) -> None:
        """Count the reactions that are there already, then offer one for each choice; buttons work all the same."""
        while self._hands is not None:
            try:
                await self._offer(card, await self._hands.counted(card))
            except SlowDown as slow:
                await asyncio.sleep(slow.retry_after)
            except SurfaceDown as down:
                log.info("reactions wait", room=card.room.address, reason=str(down))
                await asyncio.sleep(LOOK_AGAIN)
            except SurfaceError as error:
                log.info("no reactions", room=card.room.address, reason=str(error))
                if isinstance(error, NotPermitted):
                    await self._explain(card.room)
                return
            else:
                return

    async def _explain(self, room: RoomKey) -> None:
        try:
            if self._mention is not None:
                await self._mention(room, "no-reactions", NO_REACTIONS)
        except SurfaceError as error:
            log.info("nothing can be said", room=room.address, reason=str(error))

    async def _offer(self, card: OpenCard, ours: frozenset[int]) -> None:
        message = self._link.channel(card.room).get_partial_message(int(card.message))
        async with self._offering:
            for choice in card.choices:
                if choice.position not in ours:
                    with understood():
                        await message.add_reaction(keycap(choice.position))
                    await asyncio.sleep(SEED_GAP)

    async def _user(self, user: int) -> discord.User | None:
        """Ask who somebody is: in a direct message their reaction does not say."""
        try:
            with understood():
                return self._link.client.get_user(user) or await self._link.client.fetch_user(user)
        except SurfaceError as error:
            log.info("reaction not counted", user=user, reason=str(error))
            return None
