"""Which ComfyUI can paint what: the nodes and model files that a workflow needs, looked up on the server itself."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from storyforge_core.errors import ModelMissing, ServiceDown
from storyforge_core.providers.comfyui_graph import Model, Workflow
from storyforge_core.providers.comfyui_wire import ComfyWire

REMEMBERED = 60.0
"""Seconds for which it is believed what nodes and files a server has; somebody may be downloading some."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a server has of what a workflow needs."""

    lacking: tuple[str, ...]
    """A phrase for each thing that is missing."""
    files: Mapping[str, str]
    """For each `node.input` of a model: how the server names the file, which may lie in a subfolder."""


class Host:
    """One server and what is known of it."""

    def __init__(self, address: str, *, previews: bool = False) -> None:
        self.wire = ComfyWire(address, previews=previews)
        self._options: dict[str, Mapping[str, frozenset[str]] | None] = {}
        self._looked = float("-inf")
        self._memory: int | None = None

    async def memory(self) -> int:
        """How many bytes the server's card has; it is asked once. Raises `ServiceDown`."""
        if self._memory is None:
            self._memory = await self.wire.memory()
        return self._memory

    async def equipment(self, workflow: Workflow) -> Equipment:
        """Look whether the server can paint in one way.

        Raises:
            ServiceDown: it does not answer.
        """
        if time.monotonic() - self._looked > REMEMBERED:
            self._options.clear()
            self._looked = time.monotonic()
        unknown = sorted(workflow.classes - self._options.keys())
        found = await asyncio.gather(*map(self.wire.options, unknown))
        self._options.update(zip(unknown, found, strict=True))
        lacking = [self._node(workflow, name) for name in sorted(workflow.classes) if self._options.get(name) is None]
        files: dict[str, str] = {}
        for model in workflow.facts.models:
            file = workflow.value(model.at)
            listed = self._listed(workflow, model)
            if listed is None:
                continue  # the node is missing, or takes any name
            if (name := _found(file, listed)) is None:
                lacking.append(f"the file {file} in models/{model.folder} ({model.page})")
            else:
                files[model.at] = name
        return Equipment(tuple(lacking), files)

    def changed(self) -> None:
        """Look anew next time: the server refused what it was thought to have."""
        self._looked = float("-inf")

    def _node(self, workflow: Workflow, name: str) -> str:
        pack = next((pack for pack in workflow.facts.packs if name in pack.nodes), None)
        where = f"of {pack.name} ({pack.page})" if pack else "of a newer ComfyUI"
        return f"the node {name} {where}"

    def _listed(self, workflow: Workflow, model: Model) -> frozenset[str] | None:
        node, _, name = model.at.partition(".")
        options = self._options.get(workflow.graph[node]["class_type"])
        return None if options is None else options.get(name)


@dataclass(frozen=True, slots=True)
class Way:
    """A server and a workflow that it can execute."""

    host: Host
    workflow: Workflow
    files: Mapping[str, str]
    waiting: int
    """How many pictures are before a new one."""


async def ways(hosts: Sequence[Host], workflows: Sequence[Workflow]) -> tuple[Way, ...]:
    """Find the servers that can do the first workflow that any of them can; the shortest queue first.

    Raises:
        ServiceDown: no server answers.
        ModelMissing: none of those that answer can do any of the workflows.
    """
    down: ServiceDown | None = None
    lacking = ""
    for workflow in workflows:
        looked = await asyncio.gather(*(_look(host, workflow) for host in hosts))
        down = down or next((found for found in looked if isinstance(found, ServiceDown)), None)
        lacking = lacking or next((found for found in looked if isinstance(found, str)), "")
        if able := [found for found in looked if isinstance(found, Way)]:
            return tuple(sorted(able, key=lambda way: way.waiting))
    if not lacking and down is not None:
        raise down
    raise ModelMissing(lacking or "There is no workflow for this picture.")


async def _look(host: Host, workflow: Workflow) -> Way | ServiceDown | str:
    try:
        there, waiting = await asyncio.gather(host.equipment(workflow), host.wire.waiting())
    except ServiceDown as error:
        return error
    if there.lacking:
        return f"ComfyUI at {host.wire.shown} cannot paint with {workflow.name}: it lacks {there.lacking[0]}."
    return Way(host, workflow, there.files, waiting)


def _found(file: str, listed: frozenset[str]) -> str | None:
    """The name of a file as a server lists it: as it is, or in a subfolder."""
    if file in listed:
        return file
    wanted = PurePosixPath(file).name
    return next((name for name in sorted(listed) if PurePosixPath(name.replace("\\", "/")).name == wanted), None)
