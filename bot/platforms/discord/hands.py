"""Shows of hands: the votes that keycap reactions stand for, heard as they are made or counted afterwards."""

import asyncio
from collections.abc import AsyncIterator

import discord
from discord import ReactionType

from bot.platforms.discord.askers import speaker
from bot.platforms.discord.link import Link
from bot.platforms.discord.troubles import understood
from bot.questions import OpenCard, position_of
from bot.reception import Asker, Reception

CALM = 1.0
"""Seconds from one vote of somebody who keeps reacting to the next; what comes meanwhile is counted together."""
MOST_VOTERS = 1000
"""Of one choice, looked up after a time away."""
AT_ONCE = 4
"""Questions looked at at the same time: after a time away there may be hundreds, and scenes need requests more."""


class Hands:
    """Casts the votes that reactions stand for.

    Args:
        link: the connection.
        reception: takes the votes in.
    """

    def __init__(self, link: Link, reception: Reception) -> None:
        self._link = link
        self._reception = reception
        self._raised: dict[tuple[str, int], dict[int, Asker]] = {}
        """By message and person: the choices still to be voted for, the newest last."""
        self._looking = asyncio.Semaphore(AT_ONCE)

    async def raised(self, card: OpenCard, voter: discord.abc.User, position: int) -> None:
        """Count a reaction as it is made; returns at once while earlier ones of the same person are being counted.

        Each choice that somebody reacted to is voted for once, in order: one that was passed over would be found
        uncounted later, and would then be taken for the newest.
        """
        if voter.bot or not card.offers(position):
            return
        key = (card.message, voter.id)
        busy = key in self._raised
        waiting = self._raised.setdefault(key, {})
        waiting.pop(position, None)
        waiting[position] = asker_of_voter(card, voter)
        if not busy:
            await self._cast(key, card)

    async def _cast(self, key: tuple[str, int], card: OpenCard) -> None:
        try:
            while waiting := self._raised[key]:
                self._raised[key] = {}
                for position, asker in waiting.items():
                    await self._reception.react(asker, position, _event(card, key[1], position))
                await asyncio.sleep(CALM)
        finally:
            del self._raised[key]

    async def counted(self, card: OpenCard) -> frozenset[int]:
        """Count the votes that are not counted yet; answer which choices have a reaction of ours.

        Raises:
            SurfaceError: Discord did not show them.
        """
        ours = set()
        async with self._looking:
            with understood():
                message = await self._link.channel(card.room).get_partial_message(int(card.message)).fetch()
                for reaction in message.reactions:
                    position = position_of(str(reaction.emoji))
                    if position is None or not card.offers(position):
                        continue
                    if reaction.me:
                        ours.add(position)
                    async for voter in _voters(reaction):
                        asker = asker_of_voter(card, voter)
                        await self._reception.catch_up(asker, position, _event(card, voter.id, position))
        return frozenset(ours)


async def _voters(reaction: discord.Reaction) -> AsyncIterator[discord.abc.User]:
    """Everybody but bots who has reacted so, plainly or with a super reaction."""
    if reaction.count - reaction.burst_count > reaction.me:
        async for voter in reaction.users(limit=MOST_VOTERS, type=ReactionType.normal):
            if not voter.bot:
                yield voter
    if reaction.burst_count:
        async for voter in reaction.users(limit=MOST_VOTERS, type=ReactionType.burst):
            if not voter.bot:
                yield voter


def asker_of_voter(card: OpenCard, voter: discord.abc.User) -> Asker:
    """Who has reacted to a question."""
    return Asker(card.room, speaker(voter))


def _event(card: OpenCard, user: int, position: int) -> str:
    """The id of a reaction: a second look at the same one makes no second vote."""
    return f"reaction:{card.message}:{user}:{position}"
