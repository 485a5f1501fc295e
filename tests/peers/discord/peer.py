"""A Discord for tests: REST v10 and the gateway on one port, for the unmodified client.

In a test:

    async with DiscordPeer() as peer:
        friends = peer.guild("Friends")
        general, ann = friends.text("general"), friends.member("Ann")
        ...                     # point a client at peer.api_base and peer.gateway_url, with peer.token
        seen = await ann.slash(general, "story new", premise="A lighthouse")
        assert peer.violations == []

As a process: `python -m tests.peers.discord --port 8081` prints its two addresses and the token; what it obeys is told
in `control.py`.

The client is pointed here by its two class attributes: `discord.http.Route.BASE = peer.api_base` and
`discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(peer.gateway_url)`.
"""

from collections.abc import Callable
from typing import Self

from aiohttp import web

from tests.peers.discord.answers import Answers
from tests.peers.discord.control import Control
from tests.peers.discord.faults import Fault, Faults, Trouble
from tests.peers.discord.gateway import Gateway
from tests.peers.discord.limits import Limits
from tests.peers.discord.people import Server
from tests.peers.discord.places import Places
from tests.peers.discord.rest import Messages
from tests.peers.discord.server import Api, Request
from tests.peers.discord.spec import Spec, specification
from tests.peers.discord.world import Clock, World

TOKEN = "MTA.wire.peer"  # noqa: S105 -- opens nothing but this peer
PREFIX = "/api/v10"


class DiscordPeer:
    """A whole Discord on a port of this machine."""

    def __init__(self, *, window: float = 5.0, heartbeat: float = 41.25, port: int = 0) -> None:
        """Make one that isn't started.

        Args:
            window: Seconds in which a channel takes five messages; the other limits keep proportion. 0: no limits.
            heartbeat: Seconds between a client's heartbeats.
            port: Where to listen; 0: anywhere.
        """
        self.token = TOKEN
        self.world = World()
        self.faults = Faults()
        self.gateway = Gateway(self.world, self.token, heartbeat=heartbeat)
        self.world.tell = self.gateway.tell
        self.limits = Limits(window)
        self._port = port
        self._servers: dict[str, Server] = {}
        self._api: Api | None = None
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        path = specification()
        spec = Spec.load(path) if path else None
        self._api = Api(self.world, self.token, self.limits, self.faults, spec)
        app = web.Application(client_max_size=26 * 1024 * 1024)
        app.router.add_get("/", self.gateway.serve)
        app.router.add_get("/attachments/{id}/{name}", self._uploaded)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        for part in (Messages(self.world), Places(self.world, self.gateway), Answers(self.world)):
            self._api.mount(app, PREFIX, part.routes())
        self._api.mount_nothing(app, PREFIX)
        Control(self.world, self.gateway, self.faults, self._api).mount(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = site.port
        self.gateway.url = self.gateway_url
        self.world.cdn = f"http://127.0.0.1:{self._port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        self.gateway.drop()
        await self._runner.cleanup()

    @property
    def api_base(self) -> str:
        return f"http://127.0.0.1:{self._port}{PREFIX}"

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self._port}"

    @property
    def clock(self) -> Clock:
        """Time here; `peer.clock.forward(3600)` makes everything an hour older."""
        return self.world.clock

    @property
    def requests(self) -> list[Request]:
        """Every request so far, with its status."""
        assert self._api is not None, "the peer hasn't been started"
        return self._api.requests

    @property
    def violations(self) -> list[str]:
        """Every breach of the specification or of a form's rules so far."""
        assert self._api is not None, "the peer hasn't been started"
        return self._api.violations

    def guild(self, name: str) -> Server:
        """The server of this name, made when it is first asked for."""
        if name not in self._servers:
            self._servers[name] = Server(self.world, self.world.add_guild(name))
        return self._servers[name]

    def trouble(
        self,
        requests: str,
        trouble: Trouble,
        *,
        status: int = 502,
        code: int = 0,
        seconds: float = 0.05,
        times: int = 1,
    ) -> Fault:
        """Let some of the next requests go wrong, like `("PATCH /channels/*/messages/*", "error", status=502)`."""
        fault = Fault(requests, trouble, status=status, code=code, seconds=seconds, times=times)
        self.faults.orders.append(fault)
        return fault

    def asked(self, method: str, template: str) -> list[Request]:
        """The requests of one route, like `("PATCH", "/channels/{channel_id}/messages/{message_id}")`."""
        return [request for request in self.requests if (request.method, request.template) == (method, template)]

    async def until(self, it_is_so: Callable[[], bool], within: float = 5.0) -> None:
        """Wait until something here is so.

        Raises:
            TimeoutError: it never was.
        """
        await self.world.until(it_is_so, within)

    async def _uploaded(self, request: web.Request) -> web.Response:
        file = self.world.uploads.get(int(request.match_info["id"]))
        return web.Response(status=404) if file is None else web.Response(body=file.data)

    async def connected(self, within: float = 5.0) -> None:
        """Wait until a client has been told it is READY."""
        await self.until(lambda: any(session.line for session in self.gateway.sessions.values()), within)
