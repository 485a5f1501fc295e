"""The gateway: HELLO, IDENTIFY, READY, heartbeats, RESUME with replay, intents, and every way it hangs up."""

import asyncio
import json
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from aiohttp import WSMsgType, web

from tests.peers.discord.shapes import can_see, guild_shape, user_shape
from tests.peers.discord.state import Json
from tests.peers.discord.world import Event, World

MEMBERS, PRESENCES, CONTENT = 1 << 1, 1 << 8, 1 << 15
PRIVILEGED = MEMBERS | PRESENCES | CONTENT
KNOWN_INTENTS = (1 << 22) - 1 | 1 << 24 | 1 << 25
_IN_GUILD = {
    "GUILD": 0,
    "GUILD_ROLE": 0,
    "CHANNEL": 0,
    "THREAD": 0,
    "GUILD_MEMBER": 1,
    "MESSAGE": 9,
    "MESSAGE_REACTION": 10,
}
_IN_DIRECT = {"CHANNEL": 12, "MESSAGE": 12, "MESSAGE_REACTION": 13}
_TEXTS = {"content": "", "embeds": [], "attachments": [], "components": []}
SENDS_A_MINUTE = 120


class Op(IntEnum):
    """Opcodes."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    RESUME = 6
    RECONNECT = 7
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class Close(IntEnum):
    """Close codes."""

    UNKNOWN_OPCODE = 4001
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    WRONG_TOKEN = 4004
    ALREADY_AUTHENTICATED = 4005
    INVALID_SEQUENCE = 4007
    RATE_LIMITED = 4008
    INVALID_INTENTS = 4013
    DISALLOWED_INTENTS = 4014


@dataclass(slots=True, eq=False)
class Session:
    """What the gateway remembers of a client between its connections."""

    id: str
    intents: int
    shard: tuple[int, int]
    sequence: int = 0
    told: deque[Json] = field(default_factory=lambda: deque(maxlen=2000))
    line: "Line | None" = None

    def tell(self, name: str, data: Json) -> None:
        """Say something now, or when the client has resumed."""
        self.sequence += 1
        self.told.append({"op": Op.DISPATCH, "t": name, "s": self.sequence, "d": data})
        if self.line is not None:
            self.line.say(self.told[-1])


@dataclass(slots=True, eq=False)
class Line:
    """One connection; what is said goes out in order."""

    socket: web.WebSocketResponse
    transport: asyncio.WriteTransport
    session: Session | None = None
    heard: deque[float] = field(default_factory=deque)
    hung_up: bool = False
    """Whether it was this side that ended it."""
    _out: "asyncio.Queue[Json | Close | int]" = field(default_factory=asyncio.Queue)

    def say(self, payload: Json) -> None:
        self._out.put_nowait(payload)

    def hang_up(self, code: int) -> None:
        self.hung_up = True
        self._out.put_nowait(code)

    async def write(self) -> None:
        """Send until the end; a number in the queue is the close code."""
        while isinstance(payload := await self._out.get(), dict):
            await self.socket.send_str(json.dumps(payload))
        await self.socket.close(code=payload)


@dataclass(slots=True)
class Gateway:
    """Tells clients what happens in a world."""

    world: World
    token: str
    url: str = ""
    heartbeat: float = 41.25  # seconds
    granted: int = 0
    """Privileged intents switched on in the developer portal."""
    acknowledges: bool = True
    """False: a zombie, which takes heartbeats and answers none."""
    resumes: bool = True
    """False: RESUME is answered with opcode 9."""
    sessions: dict[str, Session] = field(default_factory=dict)
    identified: int = 0
    resumed: int = 0
    lines: list[Line] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection of a client."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        assert isinstance(request.transport, asyncio.WriteTransport)
        line = Line(socket, request.transport)
        self.lines.append(line)
        writer = asyncio.create_task(line.write())
        line.say({"op": Op.HELLO, "d": {"heartbeat_interval": int(self.heartbeat * 1000)}})
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._hear(line, message.data)
        finally:
            self._over(line, socket.close_code)
            line.hang_up(1000)
            with suppress(ConnectionError):  # whoever cut the line hears nothing more
                await writer
        return socket

    def tell(self, event: Event) -> None:
        """Tell every session that has the intent and sees the place."""
        if event.channel is not None and not can_see(event.channel, self.world.bot):
            return
        for session in list(self.sessions.values()):
            if self._concerns(session, event):
                session.tell(event.name, self._censored(session, event.data))

    def drop(self) -> None:
        """Cut every connection without a word."""
        for line in list(self.lines):
            line.transport.abort()

    def close(self, code: int) -> None:
        """Close every connection with a code."""
        for line in list(self.lines):
            line.hang_up(code)

    def reconnect(self) -> None:
        """Opcode 7: ask every client to come back."""
        for line in list(self.lines):
            line.say({"op": Op.RECONNECT, "d": None})

    def invalidate(self, resumable: Literal["resumable", "over"] = "over") -> None:
        """Opcode 9: declare every session invalid."""
        for line in list(self.lines):
            if resumable == "over" and line.session is not None:
                self.sessions.pop(line.session.id, None)
            line.say({"op": Op.INVALID_SESSION, "d": resumable == "resumable"})

    # what a client says

    def _hear(self, line: Line, text: str) -> None:
        now = self.world.clock()
        line.heard.append(now)
        while line.heard and line.heard[0] < now - 60:
            line.heard.popleft()
        if len(line.heard) > SENDS_A_MINUTE:
            return line.hang_up(Close.RATE_LIMITED)
        try:
            said = json.loads(text)
            op = Op(said["op"])
        except (ValueError, KeyError, TypeError) as error:
            return line.hang_up(Close.UNKNOWN_OPCODE if type(error) is ValueError else Close.DECODE_ERROR)
        return self._obey(line, op, said.get("d"))

    def _obey(self, line: Line, op: Op, data: Json) -> None:
        match op:
            case Op.HEARTBEAT:
                if self.acknowledges:
                    line.say({"op": Op.HEARTBEAT_ACK, "d": None})
            case Op.IDENTIFY | Op.RESUME if line.session is not None:
                line.hang_up(Close.ALREADY_AUTHENTICATED)
            case Op.IDENTIFY | Op.RESUME if data.get("token") != self.token:
                line.hang_up(Close.WRONG_TOKEN)
            case Op.IDENTIFY:
                self._identify(line, data)
            case Op.RESUME:
                self._resume(line, data)
            case Op.PRESENCE if line.session is not None:
                pass
            case Op.PRESENCE:
                line.hang_up(Close.NOT_AUTHENTICATED)
            case _:
                line.hang_up(Close.UNKNOWN_OPCODE)

    def _identify(self, line: Line, data: Json) -> None:
        intents = data["intents"]
        if intents & ~KNOWN_INTENTS:
            return line.hang_up(Close.INVALID_INTENTS)
        if intents & PRIVILEGED & ~self.granted:
            return line.hang_up(Close.DISALLOWED_INTENTS)
        self.identified += 1
        shard, of = data.get("shard") or (0, 1)
        session = Session(f"session-{self.identified}", intents, (shard, of), line=line)
        self.sessions[session.id] = line.session = session
        session = line.session
        guilds = [guild for guild in self.world.joined if (guild.id >> 22) % of == shard]
        session.tell("READY", self._ready(session, [str(guild.id) for guild in guilds]))
        for guild in guilds if intents & 1 else ():
            session.tell("GUILD_CREATE", guild_shape(guild, self.world.bot))
        return self.world.stir()

    def _ready(self, session: Session, guilds: list[str]) -> Json:
        bot = self.world.bot
        return {
            "v": 10,
            "user": user_shape(bot) | {"verified": True, "mfa_enabled": False, "email": None},
            "guilds": [{"id": guild, "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": list(session.shard),
            "application": {"id": str(bot.id), "flags": 0},
            "private_channels": [],
        }

    def _resume(self, line: Line, data: Json) -> None:
        session = self.sessions.get(data["session_id"])
        if session is None or not self.resumes:
            self.sessions.pop(data["session_id"], None)
            return line.say({"op": Op.INVALID_SESSION, "d": False})
        if data["seq"] > session.sequence:
            return line.hang_up(Close.INVALID_SEQUENCE)
        self.resumed += 1
        line.session, session.line = session, line
        for payload in [told for told in session.told if told["s"] > data["seq"]]:
            line.say(payload)
        session.tell("RESUMED", {})
        return self.world.stir()

    def _over(self, line: Line, code: int | None) -> None:
        """A client that says goodbye with 1000 or 1001 ends its session; any other may come back."""
        self.lines.remove(line)
        session = line.session
        if session is None or session.line is not line:
            return
        session.line = None
        if code in {1000, 1001} and not line.hung_up:
            self.sessions.pop(session.id, None)
        self.world.stir()

    # who is told what

    def _concerns(self, session: Session, event: Event) -> bool:
        if event.name == "INTERACTION_CREATE":
            return self._mine(session, event.data.get("guild_id"))
        in_guild = "guild_id" in event.data or event.name.startswith("GUILD_")
        guild_id = event.data.get("guild_id") or (event.data["id"] if in_guild else None)
        topic = event.name.rpartition("_")[0]
        for tail in ("_REMOVE", "_MEMBERS", "_ADD"):
            topic = topic.removesuffix(tail)
        bit = (_IN_GUILD if in_guild else _IN_DIRECT)[topic]
        return bool(session.intents & 1 << bit) and self._mine(session, guild_id)

    def _mine(self, session: Session, guild_id: str | None) -> bool:
        """Whether a session's shard serves a server; direct messages are the first shard's."""
        shard, of = session.shard
        return (int(guild_id) >> 22) % of == shard if guild_id else shard == 0

    def _censored(self, session: Session, data: Json) -> Json:
        """A message without what only the Message Content intent shows."""
        bot = str(self.world.bot.id)
        if session.intents & CONTENT or "author" not in data or "guild_id" not in data:
            return data
        concerned = data["author"]["id"] == bot or any(user["id"] == bot for user in data["mentions"])
        return data if concerned else data | _TEXTS
