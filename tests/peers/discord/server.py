"""What happens to every request: it is let in, limited, judged, carried out, answered and remembered."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from tests.peers.discord.calls import Call, Handler, Reply, Routes
from tests.peers.discord.faults import Fault, Faults
from tests.peers.discord.limits import Limits, Verdict
from tests.peers.discord.rules import Refused, unauthorized
from tests.peers.discord.spec import Spec
from tests.peers.discord.state import Attachment, Json
from tests.peers.discord.world import World

_FORM_CODES = {50035, 50006, 40005}
_VIA = {"Via": "1.1 google"}  # the client takes a 429 without it for a ban
_OPEN = ("/interactions/", "/webhooks/")
_FILE = "files["


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came in, and how it was answered."""

    method: str
    path: str
    """Behind `/api/v10`."""
    template: str
    """The same as the specification writes it."""
    json: Any
    status: int
    """0: it was cut off."""
    answer: Any
    at: float
    files: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class _Cut(Exception):
    """The connection ends here."""


@dataclass(frozen=True, slots=True)
class _Wall(Exception):
    """What stands before Discord lets nothing through."""

    seconds: float


@dataclass(slots=True)
class Api:
    """The REST side."""

    world: World
    token: str
    limits: Limits
    faults: Faults
    spec: Spec | None
    requests: list[Request] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def mount(self, app: web.Application, prefix: str, routes: Routes) -> None:
        for (method, template), handler in routes.items():
            app.router.add_route(method, prefix + template, self._handled(method, template, handler))

    def mount_nothing(self, app: web.Application, prefix: str) -> None:
        """Answer every other path as Discord does, and remember that somebody asked."""
        app.router.add_route("*", prefix + "/{path:.*}", self._unknown)

    async def _unknown(self, request: web.Request) -> web.Response:
        self.violations.append(f"{request.method} {request.path} is no route of this peer")
        return _response(Reply(404, {"code": 0, "message": "404: Not Found"}), {})

    def _handled(
        self, method: str, template: str, handler: Handler
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            call = await self._read(request, method, template)
            path = request.path.partition("/v10")[2]
            try:
                reply, headers = await self._carry_out(call, path, handler, request)
            except _Cut:
                self._remember(call, path, Reply(0))
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=502)
            except _Wall as wall:
                self._remember(call, path, Reply(429))
                body, headers = "error code: 1015", {"Retry-After": str(wall.seconds)}
                return web.Response(status=429, text=body, headers=headers)
            self._remember(call, path, reply)
            return _response(reply, headers)

        return handle

    async def _carry_out(
        self, call: Call, path: str, handler: Handler, request: web.Request
    ) -> tuple[Reply, dict[str, str]]:
        verdict = Verdict(0.0, of_all=False, headers={})
        fault = self.faults.next(call.method, path)
        try:
            self._let_in(request, call)
            verdict = self.limits.take(call.method, call.template, _major(call), self.world.clock())
            if verdict.retry_after:
                raise _limited(verdict.retry_after)
            if fault is not None:
                await _go_wrong(fault)
            reply = self._judged(call, handler)
        except Refused as refusal:
            self._note(call, refusal)
            of_all = verdict.of_all or (fault is not None and fault.trouble == "flood")
            body = refusal.body | ({"global": True} if of_all else {})
            return Reply(refusal.status, body), dict(verdict.headers) | _global(of_all=of_all) | _VIA | _retry(refusal)
        if fault is not None and fault.trouble == "lost":
            raise _Cut
        return reply, dict(verdict.headers) | _VIA

    def _let_in(self, request: web.Request, call: Call) -> None:
        """A token is asked for everywhere but where the path carries one."""
        if call.template.startswith(_OPEN):
            return
        if request.headers.get("Authorization") != f"Bot {self.token}":
            raise unauthorized()

    def _judged(self, call: Call, handler: Handler) -> Reply:
        """Carry it out; request and answer both are held against the specification."""
        if self.spec is not None:
            self._complain(call, "request", self.spec.request(call.method, call.template, call.body))
        reply = handler(call)
        if self.spec is not None:
            complaints = self.spec.answer(call.method, call.template, reply.status, reply.body)
            self._complain(call, "answer", complaints)
        return reply

    def _complain(self, call: Call, about: str, complaints: list[str]) -> None:
        self.violations += [f"{call.method} {call.template} ({about}): {complaint}" for complaint in complaints]

    def _note(self, call: Call, refusal: Refused) -> None:
        if refusal.code in _FORM_CODES:
            self._complain(call, "form", [f"{refusal.code} {refusal.message} {json.dumps(refusal.errors)}"])

    def _remember(self, call: Call, path: str, reply: Reply) -> None:
        now = self.world.clock()
        seen = Request(call.method, path, call.template, call.body, reply.status, reply.body, now, call.files)
        self.requests.append(seen)
        self.world.stir()

    async def _read(self, request: web.Request, method: str, template: str) -> Call:
        body: Any = None
        files: tuple[Attachment, ...] = ()
        if request.content_type.startswith("multipart/"):
            body, files = await self._parts(request)
        elif request.can_read_body:
            body = json.loads(await request.read())
        return Call(method, template, dict(request.match_info), dict(request.query), body, files)

    async def _parts(self, request: web.Request) -> tuple[Any, tuple[Attachment, ...]]:
        body: Any = {}
        uploads: dict[int, tuple[str, str, bytes]] = {}
        reader = await request.multipart()
        while isinstance(part := await reader.next(), BodyPartReader):
            data, name = bytes(await part.read()), part.name or ""
            if name == "payload_json":
                body = json.loads(data)
            elif name.startswith(_FILE):
                kind = part.headers.get("Content-Type", "application/octet-stream")
                uploads[int(name[len(_FILE) : -1])] = (part.filename or "", kind, data)
        described = _described(body)
        return body, tuple(
            Attachment(self.world.new_id(), name, described.get(index, ""), data, kind)
            for index, (name, kind, data) in sorted(uploads.items())
        )


def _described(body: Json) -> dict[int, str]:
    """The alternative text of each upload, by its index."""
    message = body.get("data") or body.get("message") or body
    entries = message.get("attachments") or ()
    return {int(entry["id"]): entry.get("description") or "" for entry in entries}


def _major(call: Call) -> str:
    return call.params.get("channel_id") or call.params.get("webhook_token") or call.params.get("guild_id") or ""


def _limited(seconds: float) -> Refused:
    return Refused(429, 0, "You are being rate limited.", retry_after=seconds)


async def _go_wrong(fault: Fault) -> None:
    match fault.trouble:
        case "error":
            raise Refused(fault.status, fault.code, f"{fault.status}: out of order")
        case "storm" | "flood":
            raise _limited(fault.seconds)
        case "slow":
            await asyncio.sleep(fault.seconds)
        case "wall":
            raise _Wall(fault.seconds)
        case "cut":
            raise _Cut
        case "lost":
            pass


def _global(*, of_all: bool) -> dict[str, str]:
    return {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"} if of_all else {}


def _retry(refusal: Refused) -> dict[str, str]:
    return {} if refusal.retry_after is None else {"Retry-After": f"{refusal.retry_after:.3f}"}


def _response(reply: Reply, headers: dict[str, str]) -> web.Response:
    if reply.body is None:
        return web.Response(status=reply.status, headers=headers)
    data = json.dumps(reply.body).encode()  # the client parses only a type without a charset
    return web.Response(status=reply.status, body=data, headers=headers | {"Content-Type": "application/json"})
