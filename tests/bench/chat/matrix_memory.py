"""The product on that homeserver: its whole surface and the unmodified nio client, over a network in memory."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import nio
from aiohttp import web

from bot.platforms.matrix.budget import Budget
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.places import Place
from bot.platforms.matrix.surface import MatrixSurface
from bot.platforms.matrix.wire import API
from bot.platforms.matrix.withdrawals import Withdrawals
from storyforge_core.domain.story import Choice, RoomKey
from tests.bench.chat.contest import PAUSE, Tell
from tests.bench.chat.matrix_ground import ONE_WAY, Homeserver, LimitExceeded
from tests.bench.chat.memory_wire import MemoryConnector
from tests.bench.chat.ours import Ours
from tests.bench.chat.speech import Scene, Speech, faithful
from tests.fakes import NOON

BOT = "@bot:example.org"
ROOM = API + "/rooms/{room}"
EXPOSED = web.AppKey("homeserver", Homeserver)
NOT_FOUND, TOO_MANY = 404, 429


class Unasked:
    """Nobody votes in this contest."""

    def shown(self, room: RoomKey, message: str, choices: tuple[Choice, ...]) -> None:
        """There is nothing to do."""


@asynccontextmanager
async def product(server: Homeserver) -> AsyncGenerator[Tell]:
    """Have the product tell scenes; what it shows is held to be faithful, too.

    It did not start just now. On a server without limits it knows that already; how it learns it is tested elsewhere.
    """
    async with _client(server) as client:
        budget = Budget()
        if server.bucket is None:
            budget.lift()
        link = Link(budget)
        link.connect(client)
        ours = Ours(MatrixSurface(link, budget, Unasked(), Withdrawals(link), lambda: NOON))
        await asyncio.sleep(PAUSE)

        async def tell(room: RoomKey, speech: Speech) -> Scene:
            client.rooms[room.realm] = nio.MatrixRoom(room.realm, BOT)
            await ours.tell(room, speech)
            faithful(speech, server.sights[room], markup="plain")
            return server.scene(room, speech)

        yield tell
        await ours.aclose()


@asynccontextmanager
async def _client(server: Homeserver) -> AsyncGenerator[nio.AsyncClient]:
    app = web.Application()
    app[EXPOSED] = server
    app.router.add_put(ROOM + "/send/m.room.message/{tx}", _sent)
    app.router.add_put(ROOM + "/typing/{user}", _typing)
    app.router.add_get(ROOM + "/event/{event}", _event)
    app.router.add_get(ROOM + "/state/{tail:.*}", _nothing)
    runner = web.AppRunner(app)
    await runner.setup()
    assert runner.server is not None
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        client = nio.AsyncClient("http://matrix.example", BOT)
        client.access_token = "none"  # noqa: S105
        connector = MemoryConnector(runner.server, ONE_WAY)
        client.client_session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        yield client


async def _sent(request: web.Request) -> web.Response:
    content: dict[str, Any] = await request.json()
    edited = content.get("m.relates_to", {}).get("event_id")
    shown = content.get("m.new_content", content)["body"]
    room = Place(request.match_info["room"]).key
    try:
        return web.json_response({"event_id": await request.app[EXPOSED].take(room, edited, shown)})
    except LimitExceeded as refused:
        wait = {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": int(refused.retry_after * 1000)}
        return web.json_response(wait, status=TOO_MANY)


async def _typing(_: web.Request) -> web.Response:
    return web.json_response({})


async def _event(_: web.Request) -> web.Response:
    return web.json_response({"unsigned": {"age": 0}})


async def _nothing(_: web.Request) -> web.Response:
    return web.json_response({"errcode": "M_NOT_FOUND"}, status=NOT_FOUND)
