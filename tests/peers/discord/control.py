"""The peer from outside: people, trouble and all there is to see, over HTTP, for tests of whole programs.

`POST /peer/human` `{"who": "Ann", "do": "slash", "channel": "general", "command": "story new", "options": {…}}`
answers what Ann sees; `do` may also be click, react, unreact, message, reply, submit, autocomplete, delete, archive,
lock, unarchive, with `message` (an id), `which`, `emoji`, `text`, `answer` and `values`, `option` and `typed`.
`GET /peer/answer/{token}` shows an answer again, `GET /peer/state` everything.
`POST /peer/trouble` takes the fields of `Fault`, `/peer/gateway` `{"do": "drop" | "reconnect" | "invalidate"}` or
`{"do": "close", "code": 4000}`, `/peer/clock` `{"forward": seconds}`, `/peer/rights` `{"channel": …, "forbid": […],
"permit": […]}` with names of permissions.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.peers.discord.faults import Fault, Faults
from tests.peers.discord.gateway import Gateway
from tests.peers.discord.people import Human, Seen, Server
from tests.peers.discord.rules import Refused
from tests.peers.discord.server import Api
from tests.peers.discord.state import Channel, Json, Message, Permission
from tests.peers.discord.world import World

GUILD = "Friends"


@dataclass(frozen=True, slots=True)
class Control:
    """Lets another process act here."""

    world: World
    gateway: Gateway
    faults: Faults
    api: Api

    def mount(self, app: web.Application) -> None:
        app.router.add_post("/peer/human", self.human)
        app.router.add_get("/peer/answer/{token}", self.answer)
        app.router.add_get("/peer/state", self.state)
        orders = {"trouble": self._trouble, "gateway": self._gateway, "clock": self._clock, "rights": self._rights}
        for name, order in orders.items():
            app.router.add_post(f"/peer/{name}", _obeyed(order))

    async def human(self, request: web.Request) -> web.Response:
        said = await request.json()
        server = self._server(said)
        try:
            done = await self._do(server.member(said["who"]), server, said)
        except (AssertionError, LookupError, Refused) as error:
            return web.json_response({"error": str(error) or repr(error)}, status=400)
        return web.json_response(done)

    async def answer(self, request: web.Request) -> web.Response:
        return web.json_response(_seen(Seen(self.world, self.world.interactions[request.match_info["token"]])))

    async def state(self, _: web.Request) -> web.Response:
        guilds = {guild.name: Server(self.world, guild).channels() for guild in self.world.guilds.values()}
        shown = {name: [_channel(channel) for channel in channels] for name, channels in guilds.items()}
        requests = [
            {"method": each.method, "path": each.path, "status": each.status, "json": each.json, "at": each.at}
            for each in self.api.requests
        ]
        connected = any(session.line for session in self.gateway.sessions.values())
        facts = {"connected": connected, "identified": self.gateway.identified, "resumed": self.gateway.resumed}
        commands = sum(map(len, self.world.commands.values()))
        told = facts | {"commands": commands, "violations": self.api.violations, "requests": requests}
        return web.json_response({"guilds": shown, **told})

    async def _do(self, human: Human, server: Server, said: Json) -> Json | list[Json]:
        """What waits for an answer of the bot's; all else is quiet."""
        match said["do"]:
            case "slash":
                options = said.get("options", {})
                return _seen(await human.slash(self._channel(human, server, said), said["command"], **options))
            case "autocomplete":
                place = self._channel(human, server, said)
                return await human.autocomplete(place, said["command"], said["option"], said["typed"])
            case "click":
                return _seen(await human.click(self._message(said), said["which"]))
            case "submit":
                opened = Seen(self.world, self.world.interactions[said["answer"]])
                return _seen(await human.modal_submit(opened, **said["values"]))
            case _:
                return self._quietly(human, server, said)

    def _quietly(self, human: Human, server: Server, said: Json) -> Json:
        """What nobody answers; answers what was written."""
        match said["do"]:
            case "message":
                return _message(human.message(self._channel(human, server, said), said["text"]))
            case "reply":
                return _message(human.reply(self._message(said), said["text"]))
            case "react":
                human.react(self._message(said), said["emoji"])
            case "unreact":
                human.unreact(self._message(said), said["emoji"])
            case "delete":
                human.delete(self._message(said))
            case "archive":
                human.archive(self._channel(human, server, said))
            case "lock":
                human.lock(self._channel(human, server, said))
            case "unarchive":
                human.unarchive(self._channel(human, server, said))
            case other:
                raise LookupError(f"nobody can {other}")
        return {}

    def _server(self, said: Json) -> Server:
        name = said.get("guild", GUILD)
        found = next((guild for guild in self.world.guilds.values() if guild.name == name), None)
        return Server(self.world, found or self.world.add_guild(name))

    def _channel(self, human: Human, server: Server, said: Json) -> Channel:
        """A channel or thread by name, newest first; `direct` is their direct messages."""
        name = said.get("channel", "general")
        if name == "direct":
            return human.direct
        found = (channel for channel in reversed(server.channels()) if name in {channel.name, str(channel.id)})
        return next(found, None) or server.text(name)

    def _message(self, said: Json) -> Message:
        places = [*self.world.direct.values()]
        for guild in self.world.guilds.values():
            places += [*guild.channels.values(), *guild.threads.values()]
        number = int(said["message"])
        return next(channel.log[number] for channel in places if number in channel.log)

    def _trouble(self, said: Json) -> None:
        self.faults.orders.append(Fault(**said))

    def _gateway(self, said: Json) -> None:
        match said["do"]:
            case "drop":
                self.gateway.drop()
            case "reconnect":
                self.gateway.reconnect()
            case "invalidate":
                self.gateway.invalidate()
            case _:
                self.gateway.close(said["code"])

    def _clock(self, said: Json) -> None:
        self.world.clock.forward(said["forward"])

    def _rights(self, said: Json) -> None:
        server = self._server(said)
        channel = server.text(said.get("channel", "general"))
        for change, name in (("forbid", server.forbid), ("permit", server.permit)):
            for permission in said.get(change, ()):
                name(channel, Permission[permission])


def _obeyed(order: Callable[[Json], None]) -> Callable[[web.Request], Any]:
    async def obey(request: web.Request) -> web.Response:
        order(json.loads(await request.read()))
        return web.json_response({})

    return obey


def _seen(seen: Seen) -> Json:
    return {
        "answer": seen.asked.token,
        "text": seen.text,
        "failed": seen.failed,
        "thinking": seen.thinking,
        "private": seen.private,
        "modal": seen.modal,
        "message": str(seen.message.id) if seen.message else None,
        "followups": [_message(message) for message in seen.followups],
    }


def _channel(channel: Channel) -> Json:
    messages = [_message(message) for message in channel.messages]
    facts = {"id": str(channel.id), "name": channel.name, "archived": channel.archived}
    return facts | {"is_thread": channel.thread is not None, "messages": messages}


def _message(message: Message) -> Json:
    return {
        "id": str(message.id),
        "author": message.author.name,
        "content": message.content,
        "shown": message.shown,
        "buttons": [{"custom_id": each.get("custom_id"), "label": each.get("label")} for each in message.buttons],
        "reactions": {emoji: [user.name for user in users.values()] for emoji, users in message.reactions.items()},
        "attachments": [{"name": file.name, "description": file.description} for file in message.attachments],
        "pinged": sorted(message.pinged),
        "history": [{"at": version.at, "content": version.content} for version in message.history],
    }
