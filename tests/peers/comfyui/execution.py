"""What ComfyUI does with a graph: validates it, waits, executes one at a time, remembers results and forgets them."""

import asyncio
import hashlib
import io
import json
import struct
import time
import tomllib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from PIL import Image, PngImagePlugin

Graph = dict[str, dict[str, Any]]
Fault = Literal[
    "none",
    "error",  # a node fails
    "memory",  # it runs out of memory above `memory_pixels`
    "nothing",  # it succeeds without a picture
    "hostile",  # what it paints is no picture
    "bomb",  # what it paints is a picture of 60000 by 60000 points in a few bytes
]
SHIPPED = Path(__file__).parents[3] / "workflows"


@dataclass(slots=True)
class Script:
    """How the server behaves."""

    seconds: float = 0.0
    """That an execution takes."""
    fault: Fault = "none"
    memory_pixels: int = 0
    files: dict[str, list[str]] | None = None
    """Model files by folder; None: all that the shipped workflows want."""
    nodes: list[str] | None = None
    """Classes of nodes; None: all that the shipped workflows want."""
    silent_sockets: bool = False
    """Sockets open and say nothing, as after a reconnect."""
    old: bool = False
    """Before there was `/api/jobs`."""
    partial: bool = False
    """Each graph is found to be half valid."""


@dataclass(slots=True)
class Prompt:
    """One graph that was sent."""

    id: str
    number: float
    graph: Graph
    client: str
    created: float = field(default_factory=time.time)
    status: str = "pending"
    outputs: dict[str, Any] = field(default_factory=dict)
    messages: list[list[Any]] = field(default_factory=list)

    @property
    def row(self) -> list[Any]:
        extra = {"client_id": self.client, "create_time": int(self.created * 1000)}
        return [self.number, self.id, self.graph, extra, ["save"]]

    @property
    def error(self) -> dict[str, Any] | None:
        return next((data for name, data in self.messages if name == "execution_error"), None)


class Machine:
    """The queue and whoever works on it. All of it is in memory: a new one knows nothing.

    Args:
        script: how it behaves.
        send: passes an event to the sockets of a client.
    """

    def __init__(self, script: Script, send: Callable[[str, str, dict[str, Any]], None]) -> None:
        self.script = script
        self.pending: list[Prompt] = []
        self.running: Prompt | None = None
        self.history: dict[str, Prompt] = {}
        self.executed: list[Prompt] = []
        """All that were not cached."""
        self.files: dict[str, bytes] = {}
        self.inputs: dict[str, bytes] = {}
        self.frees = 0
        self.photo = b""
        """What each picture looks like; empty: one colour, by its graph."""
        self.ended: dict[str, float] = {}
        """When each was done, on the loop's clock."""
        self._send = send
        self._cached: dict[str, dict[str, Any]] = {}
        self._numbers = 0
        self._stir = asyncio.Event()
        self._interrupted = asyncio.Event()

    def known_nodes(self) -> set[str]:
        shipped = {node["class_type"] for graph, _ in shipped_graphs() for node in graph.values()}
        shipped |= {"EmptyImage", "PreviewImage"}
        return shipped if self.script.nodes is None else set(self.script.nodes)

    def models(self) -> dict[tuple[str, str], list[str]]:
        """The choices of model inputs, by class and input."""
        found: dict[tuple[str, str], list[str]] = {}
        for graph, facts in shipped_graphs():
            for model in facts.get("models", ()):
                node, name = model["at"].split(".")
                place = (graph[node]["class_type"], name)
                has = [graph[node]["inputs"][name]]
                if self.script.files is not None:
                    has = self.script.files.get(model["folder"], [])
                found[place] = sorted({*found.get(place, []), *has})
        return found

    def validate(self, graph: Graph) -> dict[str, Any]:
        """The body of a refusal; empty when the graph is good."""
        for name, node in graph.items():
            if node["class_type"] not in self.known_nodes():
                extra = {"node_id": name, "class_type": node["class_type"], "node_title": node["class_type"]}
                message = f"Node '{node['class_type']}' not found. The custom node may not be installed."
                return _refusal("missing_node_type", message, extra, {})
        if not any(node["class_type"] in {"SaveImage", "SaveVideo"} for node in graph.values()):
            return _refusal("prompt_no_outputs", "Prompt has no outputs", {}, {})
        errors = {name: _node_error(node, found) for name, node in graph.items() if (found := self._wrong(node))}
        if errors:
            return _refusal("prompt_outputs_failed_validation", "Prompt outputs failed validation", {}, errors)
        return {}

    def _wrong(self, node: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            _problem("value_not_in_list", name, node["inputs"][name], options)
            for (kind, name), options in self.models().items()
            if kind == node["class_type"] and node["inputs"].get(name) not in options
        ]

    def submit(self, id_: str, graph: Graph, client: str) -> Prompt:
        self._numbers += 1
        prompt = Prompt(id_, self._numbers, graph, client)
        self.pending.append(prompt)
        self._stir.set()
        return prompt

    def find(self, id_: str) -> Prompt | None:
        everywhere = [*([self.running] if self.running else []), *self.pending]
        return next((prompt for prompt in everywhere if prompt.id == id_), None) or self.history.get(id_)

    def delete(self, ids: list[str]) -> None:
        """Take them out of the queue without a word to anybody."""
        self.pending = [prompt for prompt in self.pending if prompt.id not in ids]

    def interrupt(self, id_: str | None) -> None:
        if self.running and id_ in {None, self.running.id}:
            self._interrupted.set()

    async def work(self) -> None:
        while True:
            while not self.pending:
                self._stir.clear()
                await self._stir.wait()
            self.running = self.pending.pop(0)
            self._interrupted.clear()
            await self._execute(self.running)
            self.history[self.running.id] = self.running
            self.running = None

    async def _execute(self, prompt: Prompt) -> None:
        prompt.status = "in_progress"
        self._tell(prompt, "execution_start")
        key = json.dumps(prompt.graph, sort_keys=True)
        cached = key in self._cached
        self._tell(prompt, "execution_cached", nodes=list(prompt.graph) if cached else [])
        if cached:
            self._end(prompt, "completed", self._cached[key])
            return
        self.executed.append(prompt)
        for step in range(1, 5):
            try:
                await asyncio.wait_for(self._interrupted.wait(), self.script.seconds / 4)
            except TimeoutError:
                self._tell(prompt, "progress", value=step, max=4, node="sample")
                continue
            self._tell(prompt, "execution_interrupted", node_id="sample", node_type="KSampler", executed=[])
            self._end(prompt, "cancelled", {})
            return
        if fault := self._fault(prompt):
            self._tell(prompt, "execution_error", **fault)
            self._end(prompt, "failed", {})
            return
        outputs = self._paint(prompt)
        self._cached[key] = outputs
        self._end(prompt, "completed", outputs)

    def _end(self, prompt: Prompt, status: str, outputs: dict[str, Any]) -> None:
        prompt.status, prompt.outputs = status, outputs
        if status == "completed":
            for node, output in outputs.items():
                self._tell(prompt, "executed", node=node, display_node=node, output=output)
            self._tell(prompt, "execution_success")
        self._tell(prompt, "executing", node=None)  # after failures too
        self.ended[prompt.id] = asyncio.get_running_loop().time()

    def _fault(self, prompt: Prompt) -> dict[str, Any]:
        wide, high = size_of(prompt.graph)
        if self.script.fault == "error":
            return _broke("VAEDecode", "RuntimeError", "Given groups=1, weight of size [4]", prompt)
        if self.script.fault == "memory" and wide * high > self.script.memory_pixels:
            return _broke(
                "KSampler", "torch.OutOfMemoryError", "Allocation on device 0 ran out of memory on your GPU.", prompt
            )
        return {}

    def _paint(self, prompt: Prompt) -> dict[str, Any]:
        if self.script.fault == "nothing":
            return {}
        name = f"scene_{len(self.files) + 1:05}_.png"
        self.files[name] = self._bytes(prompt)
        return {"save": {"images": [{"filename": name, "subfolder": "storyforge", "type": "output"}]}}

    def _bytes(self, prompt: Prompt) -> bytes:
        if self.script.fault == "hostile":
            return b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
        if self.script.fault == "bomb":
            return png((60_000, 60_000), "", {})
        if self.photo:
            return self.photo
        digest = hashlib.sha256(json.dumps(prompt.graph, sort_keys=True).encode()).hexdigest()
        return png(size_of(prompt.graph), f"#{digest[:6]}", {"prompt": json.dumps(prompt.graph)})

    def _tell(self, prompt: Prompt, kind: str, **data: Any) -> None:
        whole = {"prompt_id": prompt.id, "timestamp": int(time.time() * 1000), **data}
        prompt.messages.append([kind, whole])
        self._send(prompt.client, kind, whole)


@cache
def shipped_graphs() -> tuple[tuple[Graph, dict[str, Any]], ...]:
    pairs = [(path, path.with_suffix(".toml")) for path in sorted(SHIPPED.glob("*.json"))]
    return tuple((json.loads(one.read_text("utf-8")), tomllib.loads(other.read_text("utf-8"))) for one, other in pairs)


def size_of(graph: Graph) -> tuple[int, int]:
    latent = graph.get("latent", {"inputs": {}})["inputs"]
    return int(latent.get("width", 1024)), int(latent.get("height", 1024))


def png(size: tuple[int, int], colour: str, told: dict[str, str]) -> bytes:
    """A picture with what ComfyUI writes into one; of a bomb only the head is honest."""
    real = size if colour else (1, 1)
    chunks = PngImagePlugin.PngInfo()
    for name, text in told.items():
        chunks.add_text(name, text)
    out = io.BytesIO()
    Image.new("RGB", real, colour or "black").save(out, "PNG", pnginfo=chunks)
    data = out.getvalue()
    if colour:
        return data
    head = b"IHDR" + struct.pack(">II", *size) + data[24:29]
    return data[:8] + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head)) + data[33:]


def _broke(node: str, kind: str, message: str, prompt: Prompt) -> dict[str, Any]:
    return {
        "node_id": "sample",
        "node_type": node,
        "executed": [],
        "exception_type": kind,
        "exception_message": message,
        "traceback": ['  File "/home/somebody/ComfyUI/execution.py", line 1, in execute'],
        "current_inputs": {},
        "current_outputs": list(prompt.graph),
    }


def _refusal(kind: str, message: str, extra: dict[str, Any], errors: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"type": kind, "message": message, "details": "", "extra_info": extra}, "node_errors": errors}


def _node_error(node: dict[str, Any], errors: list[dict[str, Any]]) -> dict[str, Any]:
    return {"errors": errors, "dependent_outputs": ["save"], "class_type": node["class_type"]}


def _problem(kind: str, name: str, value: object, options: list[str]) -> dict[str, Any]:
    extra = {"input_name": name, "input_config": [options, {}], "received_value": value}
    return {"type": kind, "message": "Value not in list", "details": f"{name}: '{value}'", "extra_info": extra}
