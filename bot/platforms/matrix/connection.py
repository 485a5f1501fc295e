"""One session with the homeserver, from logging in to being cut off; what comes in is stored, then handed over."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

import nio
import structlog

from bot.platforms.matrix.cabinet import Cabinet
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.login import Entrance, find, leave
from bot.platforms.matrix.options import Options
from bot.platforms.matrix.places import PLATFORM
from bot.platforms.matrix.postman import Postman, Recipient
from bot.platforms.matrix.sealing import opened
from bot.platforms.matrix.signing import vouch
from bot.platforms.matrix.sync import Collector, keep_keys
from bot.platforms.matrix.troubles import LoggedOut
from bot.surface import SlowDown, SurfaceDown, SurfaceError
from storyforge_core.errors import ServiceDown
from storyforge_core.mailbox import Account, Mailbox
from storyforge_core.ports import Clock

SHORTEST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds until the homeserver, or our own store, is asked again after it did not answer."""

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What is needed to be connected."""

    options: Options
    link: Link
    """Is given the client once its rooms are known."""
    mailbox: Mailbox
    clock: Clock
    recipient: Recipient
    ready: Callable[[], Awaitable[None]]
    """Called then, before any letter is handed over."""

    async def hold(self) -> NoReturn:
        """Be connected, until that ends.

        Raises:
            SetupError: the owner has to change something.
            SurfaceError: the session is over, or never began.
            ServiceDown: the store is away.
        """
        entrance = await find(self.options)
        async with _inside(entrance) as (client, cabinet):
            account = Account(PLATFORM, str(client.user_id))
            collector = Collector(client, self.mailbox, account)
            postman = Postman(self.mailbox, account, partial(opened, client), self.recipient, self.clock)
            try:
                await collector.collect()
                await keep_keys(client)
                await self._vouch(client, cabinet)
                self.link.connect(client)
                await self.ready()
                await postman.look()
                await _follow(client, collector, postman)
            finally:
                await postman.aclose()
                self.link.connect(None)

    async def _vouch(self, client: nio.AsyncClient, cabinet: Cabinet) -> None:
        """Have the session vouched for; the bot can do without."""
        if client.olm is None:
            return
        try:
            lack = await vouch(client, cabinet, self.options.password, self.options.recovery_key)
        except SurfaceError as error:
            log.warning("the session is not vouched for", reason=str(error))
            return
        if lack:
            log.warning(lack)


@asynccontextmanager
async def _inside(entrance: Entrance) -> AsyncGenerator[tuple[nio.AsyncClient, Cabinet], None]:
    """A client that is logged in, whose files nobody else uses."""
    cabinet = Cabinet.of(entrance.user, entrance.options.directory)
    async with AsyncExitStack() as stack:
        await asyncio.to_thread(stack.enter_context, cabinet.held(entrance.user))
        client = await entrance.enter(cabinet)
        stack.push_async_callback(leave, client)
        yield client, cabinet


async def _follow(client: nio.AsyncClient, collector: Collector, postman: Postman) -> NoReturn:
    """Collect and hand over for as long as the homeserver knows the session, however often it is away meanwhile."""
    wait, with_keys = SHORTEST_WAIT, False
    while True:
        try:
            with_keys |= await collector.collect()
            await postman.look(sealed_too=with_keys)
            with_keys = False
            await keep_keys(client)
        except LoggedOut:
            raise
        except (SurfaceDown, SlowDown, ServiceDown) as down:
            log.warning("Matrix is away", reason=str(down))
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)
        else:
            wait = SHORTEST_WAIT
