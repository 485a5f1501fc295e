"""The keycap reactions under Discord's open questions, and the votes they mean."""

import asyncio
from collections.abc import Awaitable, Callable

import discord
import structlog

from bot.platforms.discord.hands import Hands
from bot.platforms.discord.link import Link
from bot.platforms.discord.troubles import NotPermitted, understood
from bot.questions import OpenCard, Questions, keycap, position_of
from bot.reception import Reception
from bot.surface import SurfaceError
from storyforge_core.domain.story import Choice, RoomKey, SceneId

SEED_GAP = 0.3
"""Seconds; Discord takes one reaction a quarter of a second."""
OFFERING = 4
"""Questions that get their reactions at the same time: of all requests together, scenes need the most."""
NO_REACTIONS = (
    "I may not put reactions under questions here: vote with the buttons or with /story vote. For votes by reaction "
    "allow me Add Reactions and Read Message History in the channel's settings, under Permissions."
)

log = structlog.stdlib.get_logger()

Mention = Callable[[RoomKey, str, str], Awaitable[None]]
"""Says something in a room, once for ever; the second argument names it."""


class Board:
    """Has the reactions under every open question offered and counted."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._questions = Questions(self._tend, self._explain)
        self._hands: Hands | None = None
        self._mention: Mention | None = None
        self._offering = asyncio.Semaphore(OFFERING)

    def open(self, reception: Reception, mention: Mention) -> None:
        """Begin to count reactions."""
        self._hands = Hands(self._link, reception)
        self._mention = mention

    def shown(self, room: RoomKey, message: str, choices: tuple[Choice, ...]) -> None:
        """A message shows these choices now, or none any more."""
        self._questions.shown(room, message, choices)

    def choices(self, room: RoomKey, message: str) -> tuple[Choice, ...]:
        """What can be voted for under a message, as far as is known."""
        card = self._questions.at(room.address)
        return card.choices if card and card.message == message else ()

    def asks(self, room: RoomKey, scene: SceneId) -> bool:
        """Tell whether the question of a scene is open in a room, as far as is known so soon after a start."""
        return self._questions.asks(room, scene)

    def look_again(self) -> None:
        """Look at every open question: reactions may have been missed."""
        self._questions.look_again()

    async def count(self, room: RoomKey, scene: SceneId) -> None:
        """Count the votes under the question of a scene; soon after a start this waits until it is known.

        Raises:
            SurfaceError: Discord does not show them.
        """
        card = await self._questions.known(room, scene)
        if self._hands is not None:
            await self._hands.counted(card)

    async def reacted(self, reaction: discord.RawReactionActionEvent) -> None:
        """Count a reaction if it is a vote."""
        card = self._questions.at(str(reaction.channel_id))
        position = position_of(reaction.emoji.name or "")
        if card is None or self._hands is None or card.message != str(reaction.message_id) or position is None:
            return
        voter = reaction.member or await self._user(reaction.user_id)
        if voter is not None:
            await self._hands.raised(card, voter, position)

    def close(self) -> None:
        """Stop looking, until it is asked for again."""
        self._questions.close()

    async def _tend(self, card: OpenCard) -> None:
        """Count the reactions that are there already, then offer one for each choice; buttons work all the same."""
        if self._hands is not None:
            await self._offer(card, await self._hands.counted(card))

    async def _explain(self, card: OpenCard, error: SurfaceError) -> None:
        if self._mention is None or not isinstance(error, NotPermitted):
            return
        try:
            await self._mention(card.room, "no-reactions", NO_REACTIONS)
        except SurfaceError as unsaid:
            log.info("nothing can be said", room=card.room.address, reason=str(unsaid))

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
