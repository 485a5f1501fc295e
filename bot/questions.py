"""The open questions of a chat's rooms: which message asks in which room, and somebody who looks after each."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from bot.surface import SlowDown, SurfaceDown, SurfaceError
from storyforge_core.domain.story import Choice, RoomKey, SceneId

LOOK_AGAIN = 5.0
"""Seconds until a question is looked at again that could not be looked at."""
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

    def offers(self, position: int) -> bool:
        """Tell whether there is such a choice."""
        return any(choice.position == position for choice in self.choices)


Tend = Callable[[OpenCard], Awaitable[None]]
"""Does what a question needs; may be asked again. Raises what a surface raises."""


class Questions:
    """Keeps an eye on the open question of every room.

    Args:
        tend: looks after a question from when it is asked, and again when it offers more.
        refused: told why a question cannot be looked after.
    """

    def __init__(self, tend: Tend, refused: Callable[[OpenCard, SurfaceError], Awaitable[None]]) -> None:
        self._tend = tend
        self._refused = refused
        self._cards: dict[str, OpenCard] = {}
        self._closed: dict[str, SceneId] = {}
        """The question of a room that was decided last."""
        self._tending: dict[str, asyncio.Task[None]] = {}
        self._news = asyncio.Event()

    def shown(self, room: RoomKey, message: str, choices: tuple[Choice, ...]) -> OpenCard | None:
        """Know that a message shows these choices, or none any more; answers the question that is closed so."""
        closed = None
        before = self._cards.get(room.address)
        if choices:
            card = OpenCard(room, message, choices)
            self._cards[room.address] = card
            if before is None or (before.message, len(before.choices)) != (message, len(choices)):
                self._begin(card)
        elif before is not None and before.message == message:
            closed = self._cards.pop(room.address)
            self._closed[room.address] = closed.scene
            self._let_go(room.address)
        self._news.set()
        self._news = asyncio.Event()
        return closed

    def at(self, address: str) -> OpenCard | None:
        """Find the open question of a room."""
        return self._cards.get(address)

    def of(self, realm: str) -> tuple[OpenCard, ...]:
        """List the open questions of a realm."""
        return tuple(card for card in self._cards.values() if card.room.realm == realm)

    def asks(self, room: RoomKey, scene: SceneId) -> bool:
        """Tell whether the question of a scene is open in a room, as far as is known so soon after a start."""
        card = self._cards.get(room.address)
        return card.scene == scene if card else self._closed.get(room.address) != scene

    async def known(self, room: RoomKey, scene: SceneId) -> OpenCard:
        """Wait until it is known which message asks the question of a scene; soon after a start it is not."""
        while (card := self._cards.get(room.address)) is None or card.scene != scene:
            await self._news.wait()
        return card

    def look_again(self) -> None:
        """Look after every open question anew: something may have been missed."""
        for card in list(self._cards.values()):
            self._begin(card)

    def close(self) -> None:
        """Look after none, until that is asked for again."""
        for address in list(self._tending):
            self._let_go(address)

    def _begin(self, card: OpenCard) -> None:
        self._let_go(card.room.address)
        self._tending[card.room.address] = asyncio.create_task(self._keep(card), name=f"reactions {card.message}")

    def _let_go(self, address: str) -> None:
        if task := self._tending.pop(address, None):
            task.cancel()

    async def _keep(self, card: OpenCard) -> None:
        while True:
            try:
                await self._tend(card)
            except SlowDown as slow:
                await asyncio.sleep(slow.retry_after)
            except SurfaceDown as down:
                log.info("reactions wait", room=card.room.address, reason=str(down))
                await asyncio.sleep(LOOK_AGAIN)
            except SurfaceError as error:
                log.info("no reactions", room=card.room.address, reason=str(error))
                await self._refused(card, error)
                return
            else:
                return


def keycap(position: int) -> str:
    """The sign of a choice's number."""
    return f"{position}{_STYLE}{_KEYCAP}"


def position_of(emoji: str) -> int | None:
    """The number that a keycap shows; None for every other sign."""
    digit = emoji.replace(_STYLE, "").removesuffix(_KEYCAP)
    single = len(digit) == 1 and digit.isascii() and digit.isdecimal()
    return int(digit) if single and emoji.replace(_STYLE, "").endswith(_KEYCAP) else None
