"""The chat platforms that the settings name, each with a presenter of its own: what becomes of one stops no other."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import NoReturn, Protocol

import structlog

from bot.compose import House, discord_options, guarded, matrix_options
from bot.platforms.discord.service import Service as Discord
from bot.platforms.matrix.service import Service as Matrix
from bot.presenter.presenter import Presenter
from bot.serving import Backing
from storyforge_core.domain.story import PlaythroughId, SceneId
from storyforge_core.errors import SetupError
from storyforge_core.settings import Settings
from storyforge_core.store.database import Database
from storyforge_core.store.mail import PostgresMailbox

NOTHING_TO_SERVE = (
    "No chat platform is set up. Put the token of a Discord bot (DISCORD_TOKEN) or a Matrix account "
    "(MATRIX_HOMESERVER, MATRIX_USER_ID, MATRIX_PASSWORD) into .env; the README tells how to get one. Or play in this "
    "terminal: ./storyforge play"
)
DISCORD_INVITATION = "Discord: invite the bot to your server by this link.\n{}\n"
MATRIX_INVITATION = "Matrix: invite {} into a room.\n"

log = structlog.stdlib.get_logger()


class Served(Protocol):
    """A chat platform as a part of the program."""

    async def run(self) -> NoReturn:
        """Be connected for ever."""

    async def last_call(self, playthrough: PlaythroughId, scene: SceneId) -> None:
        """Count the votes under a question before it is decided."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat platform, and whether it ever was connected."""

    service: Served
    welcomed: asyncio.Event

    async def run(self, *, alone: bool) -> None:
        """Be connected for ever. What is set wrongly stops the start; later it stops nothing but this chat.

        Raises:
            SetupError: the owner has to change something.
        """
        try:
            await self.service.run()
        except SetupError as error:
            if alone or not self.welcomed.is_set():
                raise
            log.critical("one chat is served no more, the others are", reason=str(error))


def require_some(settings: Settings) -> None:
    """See that there is something to serve.

    Raises:
        SetupError: there is not.
    """
    if discord_options(settings) is None and matrix_options(settings) is None:
        raise SetupError(NOTHING_TO_SERVE)


def chats_of(settings: Settings, database: Database, house: House) -> list[AbstractAsyncContextManager[Chat]]:
    """All that the settings name."""
    chats: list[AbstractAsyncContextManager[Chat]] = []
    if (discord := discord_options(settings)) is not None:
        chats.append(_chat(partial(Discord, discord), DISCORD_INVITATION, settings, house))
    if (matrix := matrix_options(settings)) is not None:
        mailbox = PostgresMailbox(database, house.clock)
        chats.append(_chat(partial(Matrix, matrix, mailbox), MATRIX_INVITATION, settings, house))
    return chats


@asynccontextmanager
async def _chat(
    open_service: Callable[[Backing], Served], invitation: str, settings: Settings, house: House
) -> AsyncGenerator[Chat, None]:
    """A chat with a presenter of its own."""
    welcomed = asyncio.Event()

    def welcome(how: str) -> None:
        welcomed.set()
        sys.stdout.write(invitation.format(how))
        sys.stdout.flush()

    async with aclosing(Presenter(house.store, house.ledger, house.bus, house.gallery)) as presenter:
        house.bus.on_events(presenter.wake)
        backing = Backing(
            door=guarded(house.door, settings),
            peephole=house.door,
            rooms=house.store,
            clock=house.clock,
            presenter=presenter,
            welcome=welcome,
        )
        yield Chat(open_service(backing), welcomed)
