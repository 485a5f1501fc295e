"""The open questions: which message asks in which room, its keycap reactions, and the votes they mean."""

import asyncio
from dataclasses import dataclass

import discord
import structlog

from bot.platforms.discord.link import Link
from bot.platforms.discord.reception import Asker, Reception, speaker
from bot.platforms.discord.troubles import understood
from bot.surface import SlowDown, SurfaceError
from storyforge_core.domain.story import Choice, RoomKey, SceneId

SEED_GAP = 0.3
"""Seconds; Discord takes one reaction a quarter of a second."""
MOST_VOTERS = 1000
"""Of one choice, looked up after a time away."""
_KEYCAP = "\u20e3"
_STYLE = "\ufe0f"
"""Selects the coloured form of a sign; some clients send it with the keycap and some do not."""

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class OpenCard:
    """A message that asks a question."""

    room: RoomKey
    message: str
    choices: tuple[Choice, ...]

    @property
    def scene(self) -> SceneId:
        """The scene whose question it is."""
        return self.choices[0].scene

    def event(self, user: int, position: int) -> str:
        """The id of a reaction: a second look at the same one makes no second vote."""
        return f"reaction:{self.message}:{user}:{position}"


class Board:
    """Keeps an eye on the open question of every room."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._cards: dict[str, OpenCard] = {}
        self._closed: dict[str, SceneId] = {}
        """The question of a room that was decided last."""
        self._tending: dict[str, asyncio.Task[None]] = {}
        self._reception: Reception | None = None

    def open(self, reception: Reception) -> None:
        """Begin to count reactions."""
        self._reception = reception

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

    def asks(self, room: RoomKey, scene: SceneId) -> bool:
        """Tell whether the question of a scene is open in a room, as far as is known so soon after a start."""
        card = self._cards.get(room.address)
        return card.scene == scene if card else self._closed.get(room.address) != scene

    def look_again(self) -> None:
        """Look at every open question: reactions may have been missed."""
        for card in list(self._cards.values()):
            self._tend(card)

    async def reacted(self, reaction: discord.RawReactionActionEvent) -> None:
        """Count a reaction if it is a vote."""
        card = self._cards.get(str(reaction.channel_id))
        position = position_of(reaction.emoji.name or "")
        if card is None or self._reception is None or card.message != str(reaction.message_id) or position is None:
            return
        voter = reaction.member or await self._user(reaction.user_id)
        if voter is not None and not voter.bot and _offers(card, position):
            asker = Asker(card.room, speaker(voter, moderator=False))
            await self._reception.react(asker, position, card.event(voter.id, position))

    def close(self) -> None:
        """Let all questions go."""
        for address in list(self._tending):
            self._let_go(address)

    def _tend(self, card: OpenCard) -> None:
        self._let_go(card.room.address)
        self._tending[card.room.address] = asyncio.create_task(self._keep(card), name=f"reactions {card.message}")

    def _let_go(self, address: str) -> None:
        if task := self._tending.pop(address, None):
            task.cancel()

    async def _keep(self, card: OpenCard) -> None:
        """Count the reactions that are there already, then offer one for each choice."""
        try:
            with understood():
                message = await self._link.channel(card.room).get_partial_message(int(card.message)).fetch()
                ours = await self._count(card, message)
                for choice in card.choices:
                    if choice.position not in ours:
                        await message.add_reaction(keycap(choice.position))
                        await asyncio.sleep(SEED_GAP)
        except SurfaceError as error:  # votes can be cast by button and by command all the same
            log.info("no reactions", room=card.room.address, reason=str(error))
            if isinstance(error, SlowDown):
                await asyncio.sleep(error.retry_after)
                await self._keep(card)

    async def _count(self, card: OpenCard, message: discord.Message) -> set[int]:
        """Count the votes that reactions stand for; answer which choices have one of ours."""
        ours = set()
        for reaction in message.reactions:
            position = position_of(str(reaction.emoji))
            if position is None or not _offers(card, position):
                continue
            if reaction.me:
                ours.add(position)
            if reaction.count > reaction.me and self._reception is not None:
                async for voter in reaction.users(limit=MOST_VOTERS):
                    if not voter.bot:
                        asker = Asker(card.room, speaker(voter, moderator=False))
                        await self._reception.catch_up(asker, position, card.event(voter.id, position))
        return ours

    async def _user(self, user: int) -> discord.User | None:
        """Ask who somebody is: in a direct message their reaction does not say."""
        try:
            with understood():
                return self._link.client.get_user(user) or await self._link.client.fetch_user(user)
        except SurfaceError as error:
            log.info("reaction not counted", user=user, reason=str(error))
            return None


def keycap(position: int) -> str:
    """The sign of a choice's number."""
    return f"{position}{_STYLE}{_KEYCAP}"


def position_of(emoji: str) -> int | None:
    """The number that a keycap shows; None for every other sign."""
    digit = emoji.replace(_STYLE, "").removesuffix(_KEYCAP)
    return int(digit) if emoji.endswith(_KEYCAP) and digit.isascii() and digit.isdecimal() else None


def _offers(card: OpenCard, position: int) -> bool:
    return any(choice.position == position for choice in card.choices)
