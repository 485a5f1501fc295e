"""A server with ComfyUI's routes and shapes, and with all of its traps.

In a test: `async with ComfyPeer(Script(seconds=0.2)) as peer: ... peer.url`. As a process: `python -m
tests.peers.comfyui`; it prints its address, takes another script from `POST /peer/script` and answers `/peer/calls`.
"""

import asyncio
import io
import json
import re
import struct
from collections import Counter, defaultdict
from dataclasses import asdict
from typing import Any, Self

from aiohttp import WSMsgType, web
from PIL import Image

from tests.peers.comfyui.execution import Machine, Prompt, Script

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
PLAIN_500 = "500 Internal Server Error\n\nServer got itself in trouble"
PREVIEW = struct.pack(">II", 1, 1) + b"\xff\xd8\xff\xd9"


class ComfyPeer:
    """The server."""

    def __init__(self, script: Script | None = None, port: int = 0) -> None:
        self.calls: Counter[str] = Counter()
        self.posted: list[str] = []
        """The ids of all prompts that were accepted."""
        self.machine = Machine(script or Script(), self._send)
        self._port = port
        self._sockets: defaultdict[str, list[web.WebSocketResponse]] = defaultdict(list)
        self._named: set[str] = set()
        """Clients that want previews to say which picture they are of."""
        self._sending: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self._work: asyncio.Task[None] | None = None
        self.url = ""

    @property
    def script(self) -> Script:
        return self.machine.script

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        app = web.Application(client_max_size=100 << 20)
        for prefix in ("", "/api"):
            app.add_routes(self._routes(prefix))
        app.add_routes([web.post("/peer/script", self._take_script), web.post("/peer/calls", self._tell_calls)])
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._work = asyncio.create_task(self.machine.work())

    async def stop(self) -> None:
        if self._work and self._runner:
            self._work.cancel()
            await asyncio.wait({self._work})
            await self.breaks_sockets()
            await self._runner.cleanup()

    async def restart(self) -> None:
        """Come back at the same address with an empty queue and an empty history."""
        await self.stop()
        self.machine = Machine(self.script, self._send)
        await self.start()

    async def breaks_sockets(self) -> None:
        for socket in [socket for sockets in self._sockets.values() for socket in sockets]:
            await socket.close()

    def _routes(self, prefix: str) -> list[web.RouteDef]:
        routes = [
            web.get(f"{prefix}/ws", self._socket),
            web.get(f"{prefix}/prompt", self._waiting),
            web.post(f"{prefix}/prompt", self._post),
            web.get(f"{prefix}/queue", self._queue),
            web.post(f"{prefix}/queue", self._edit_queue),
            web.post(f"{prefix}/interrupt", self._interrupt),
            web.get(f"{prefix}/history/{{id}}", self._history),
            web.get(f"{prefix}/object_info/{{node}}", self._info),
            web.get(f"{prefix}/system_stats", self._stats),
            web.get(f"{prefix}/view", self._view),
            web.post(f"{prefix}/upload/image", self._upload),
            web.post(f"{prefix}/free", self._free),
        ]
        if prefix:
            routes += [web.get("/api/jobs/{id}", self._job), web.post("/api/jobs/{id}/cancel", self._cancel)]
        return routes

    async def _post(self, request: web.Request) -> web.Response:
        self.calls["prompt"] += 1
        try:
            body = await request.json()
            graph, id_, client = body["prompt"], body["prompt_id"], body["client_id"]
            assert all(isinstance(node["inputs"], dict) for node in graph.values())
        except (ValueError, KeyError, TypeError, AttributeError, AssertionError):
            return web.Response(status=500, text=PLAIN_500)
        if not UUID.fullmatch(id_):
            return web.json_response({"error": {"type": "invalid_prompt_id"}, "node_errors": {}}, status=400)
        if refusal := self.machine.validate(graph):
            return web.json_response(refusal, status=400)
        self.posted.append(id_)
        prompt = self.machine.submit(id_, graph, client)
        errors = {"other": {"errors": [_half()], "dependent_outputs": ["other"], "class_type": "PreviewImage"}}
        node_errors = errors if self.script.partial else {}
        return web.json_response({"prompt_id": id_, "number": prompt.number, "node_errors": node_errors})

    async def _job(self, request: web.Request) -> web.Response:
        self.calls["jobs"] += 1
        prompt = self.machine.find(request.match_info["id"])
        if self.script.old:
            return web.Response(status=404, text="404: Not Found")
        if prompt is None:
            return web.json_response({"error": "Job not found"}, status=404)
        job = {
            "id": prompt.id,
            "status": prompt.status,
            "priority": prompt.number,
            "create_time": int(prompt.created * 1000),
            "outputs_count": len(prompt.outputs),
            "outputs": prompt.outputs,
            "execution_status": _status(prompt),
            "workflow": {"prompt": prompt.graph, "extra_data": prompt.row[3]},
        }
        if prompt.error:
            job["execution_error"] = prompt.error
        return web.json_response(job)

    async def _cancel(self, request: web.Request) -> web.Response:
        if self.script.old:
            return web.Response(status=404, text="404: Not Found")
        id_ = request.match_info["id"]
        found = self.machine.find(id_)
        live = found is not None and found.status in {"pending", "in_progress"}
        self.machine.delete([id_])
        self.machine.interrupt(id_)
        return web.json_response({"cancelled": live})

    async def _history(self, request: web.Request) -> web.Response:
        prompt = self.machine.history.get(request.match_info["id"])
        if prompt is None:
            return web.json_response({})
        entry = {"prompt": prompt.row, "outputs": prompt.outputs, "status": _status(prompt), "meta": {}}
        return web.json_response({prompt.id: entry})

    async def _queue(self, _: web.Request) -> web.Response:
        running = [self.machine.running.row] if self.machine.running else []
        pending = [prompt.row for prompt in self.machine.pending]
        return web.json_response({"queue_running": running, "queue_pending": pending})

    async def _edit_queue(self, request: web.Request) -> web.Response:
        self.machine.delete((await request.json()).get("delete", []))
        return web.Response()

    async def _interrupt(self, request: web.Request) -> web.Response:
        self.machine.interrupt((await request.json()).get("prompt_id"))
        return web.Response()

    async def _waiting(self, _: web.Request) -> web.Response:
        waiting = len(self.machine.pending) + bool(self.machine.running)
        return web.json_response({"exec_info": {"queue_remaining": waiting}})

    async def _info(self, request: web.Request) -> web.Response:
        node = request.match_info["node"]
        if node not in self.machine.known_nodes():
            return web.json_response({})
        required: dict[str, Any] = {"strength": ["FLOAT", {"default": 1.0}]}
        for place, (kind, name) in enumerate(self.machine.models()):
            if kind == node:
                options = self.machine.models()[kind, name]
                required[name] = ["COMBO", {"options": options}] if place % 2 else [options, {"tooltip": ""}]
        return web.json_response({node: {"input": {"required": required}, "output": ["IMAGE"], "name": node}})

    async def _stats(self, _: web.Request) -> web.Response:
        system = {"os": "posix", "comfyui_version": "0.33.0", "pytorch_version": "2.9", "argv": ["main.py"]}
        return web.json_response({"system": system, "devices": [{"name": "cpu", "type": "cpu", "vram_free": 1}]})

    async def _view(self, request: web.Request) -> web.Response:
        data = self.machine.files.get(request.query["filename"])
        if data is None or request.query["subfolder"] != "storyforge":
            return web.Response(status=404)
        return web.Response(body=data, content_type="image/png")

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        image = form["image"]
        assert isinstance(image, web.FileField)
        data, name = image.file.read(), image.filename
        if self.machine.inputs.get(name, data) != data:
            stem, _, ending = name.rpartition(".")
            name = f"{stem} (1).{ending}"
        self.machine.inputs[name] = data
        return web.json_response({"name": name, "subfolder": str(form.get("subfolder", "")), "type": "input"})

    async def _free(self, _: web.Request) -> web.Response:
        self.machine.frees += 1
        return web.Response()

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        client = request.query.get("clientId", "")
        self._sockets[client].append(socket)
        await socket.send_json({"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 0}}}})
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
            if message.type is WSMsgType.TEXT and json.loads(message.data).get("type") == "feature_flags":
                self._named.add(client)
        self._sockets.pop(client, None)  # also when another one has come under the same name since
        return socket

    def _send(self, client: str, kind: str, data: dict[str, Any]) -> None:
        if self.script.silent_sockets:
            return
        for socket in self._sockets.get(client, ()):
            preview = named_preview(data["prompt_id"]) if client in self._named else PREVIEW
            for message in (json.dumps({"type": kind, "data": data}), preview):
                task = asyncio.create_task(_sent(socket, message))
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)

    async def _take_script(self, request: web.Request) -> web.Response:
        self.machine.script = Script(**{**asdict(self.script), **await request.json()})
        return web.json_response({})

    async def _tell_calls(self, _: web.Request) -> web.Response:
        executed = [prompt.id for prompt in self.machine.executed]
        return web.json_response({"posted": self.posted, "executed": executed, "calls": dict(self.calls)})


def named_preview(picture: str) -> bytes:
    """A preview with its metadata, and with some in the picture itself."""
    told = json.dumps({"node_id": "sample", "prompt_id": picture, "image_type": "image/jpeg"}).encode()
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "a secret prompt"
    Image.new("RGB", (512, 341), "teal").save(out, "JPEG", exif=exif)
    return struct.pack(">II", 4, len(told)) + told + out.getvalue()


async def _sent(socket: web.WebSocketResponse, message: str | bytes) -> None:
    if socket.closed:
        return
    try:
        await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))
    except ConnectionError:
        return


def _status(prompt: Prompt) -> dict[str, Any]:
    good = prompt.status == "completed"
    return {"status_str": "success" if good else "error", "completed": good, "messages": prompt.messages}


def _half() -> dict[str, Any]:
    return {"type": "required_input_missing", "message": "", "details": "", "extra_info": {"input_name": "images"}}
