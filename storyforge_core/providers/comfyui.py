"""The illustrator that is one ComfyUI server, or several.

A picture has an id of ours on every server. Whoever paints it asks all servers for it first, so that after a crash it
is waited for and not painted twice. A server that restarts forgets all; then it is sent again.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4, uuid5

import structlog

from storyforge_core.domain.pictures import Commission, Painted, Progress, Reference, Size
from storyforge_core.domain.writing import Finding
from storyforge_core.errors import ModelMissing, PaintingFailed, ServiceDown
from storyforge_core.providers.comfyui_answers import Job, Rejected
from storyforge_core.providers.comfyui_graph import Filling, Library, Workflow, fill
from storyforge_core.providers.comfyui_hosts import Host, Way, ways

PREFERRED = ("flux2_klein", "z_image_turbo", "flux_basic", "flux_kontext", "qwen_edit")
"""Where nobody has chosen a workflow: the first of these that a server can do, then any other."""
BY_LOOKS = ("flux2_klein", "flux_kontext", "qwen_edit", "flux_redux")
"""Likewise where there are reference pictures; after them whatever else takes some, then what takes none."""
SMALLER = 0.7
"""Width and height of the second try after the memory ran out: half the pixels."""
SENT_AGAIN = 2
"""How often a picture is sent again that a server has forgotten."""
QUICK, EASY, WAITING = 0.005, 1.0, 3.0
"""Seconds between two looks: right after the socket has said that it is done, while it is painted, while others are."""
SOCKET_TELLS = 3
"""How many times longer one waits for a server whose socket tells what happens to the picture."""
UNHEARD = (0.2, 1.0, 2.0)
"""Seconds to wait before asking again a server that did not answer how a picture stands."""
ROOMY = 23 * 2**30
"""Bytes of a card, such as one that is sold with 24 GB: a model of 7 billion parameters and that of pictures fit."""
TOO_LONG = 1800.0
"""Seconds after which a picture that is being painted is given up."""

log = structlog.get_logger(__name__)


class _OutOfMemory(PaintingFailed):
    """The picture was too large for the card."""


class _Forgotten(ServiceDown):
    """The server knows nothing of a picture any more: it was restarted, or somebody took it out of the queue."""


class ComfyIllustrator:
    """Paints on the server that can and has the least to do.

    Args:
        addresses: of the servers, at least one.
        library: the workflows.
        workflow: the one to use where a commission names none; empty: the first that works.
        previews: servers are asked to show what they paint while they do.
    """

    def __init__(
        self, addresses: Sequence[str], library: Library, workflow: str = "", *, previews: bool = False
    ) -> None:
        self._hosts = [Host(address, previews=previews) for address in addresses]
        self._library = library
        self._workflow = workflow

    @property
    def label(self) -> str:
        """The servers."""
        return f"ComfyUI at {', '.join(host.wire.shown for host in self._hosts)}"

    async def paint(self, commission: Commission, hear: Callable[[Progress], None]) -> Painted:
        """Paint, once: smaller if the card's memory does not suffice; elsewhere if a server is lost."""
        less = replace(commission, id=uuid5(commission.id, "smaller"), size=_smaller(commission.size))
        smaller_begun = await self._holder(less.id)
        if smaller_begun is None:
            try:
                return await self._persist(commission, hear)
            except _OutOfMemory as error:
                log.warning("out of memory, once more and smaller", picture=str(commission.id), error=str(error))
        return await self._persist(less, hear)

    async def forget(self, picture: UUID) -> None:
        """Stop it wherever it is."""
        for name in (picture, uuid5(picture, "smaller")):
            await asyncio.gather(*(_forgotten(host, name) for host in self._hosts))

    async def rest(self) -> None:
        """Have the servers let go of the memory of their cards. Raises `ServiceDown`."""
        for host in self._hosts:
            await host.wire.free()

    async def roomy(self) -> bool:
        """Tell whether every server's card has memory enough for a language model beside a picture's."""
        return all([await host.memory() >= ROOMY for host in self._hosts])

    async def check(self) -> Sequence[Finding]:
        """Look at every server, and at what can be painted there."""
        faults = [Finding(f"workflow {name}", "warn", fault) for name, fault in self._library.faults.items()]
        found = await asyncio.gather(*map(self._checked, self._hosts))
        return [*faults, *(finding for findings in found for finding in findings)]

    async def examine(self) -> Sequence[Finding]:
        """Say for every workflow and every server what is missing, all of it."""
        faults = [Finding(name, "fail", fault) for name, fault in self._library.faults.items()]
        lines = [
            await self._examined(workflow, host)
            for workflow in self._library.workflows.values()
            for host in self._hosts
        ]
        return [*faults, *lines]

    async def aclose(self) -> None:
        """Let go of connections."""
        for host in self._hosts:
            await host.wire.aclose()

    async def _persist(self, commission: Commission, hear: Callable[[Progress], None]) -> Painted:
        """Paint, and send it again as often as a server forgets it."""
        for _ in range(SENT_AGAIN):
            try:
                return await self._painted(commission, hear)
            except _Forgotten as error:
                log.warning("a picture was forgotten, sending it again", picture=str(commission.id), error=str(error))
        try:
            return await self._painted(commission, hear)
        except _Forgotten as error:
            raise PaintingFailed(f"{error} It was sent {SENT_AGAIN + 1} times.") from error

    async def _painted(self, commission: Commission, hear: Callable[[Progress], None]) -> Painted:
        client = uuid4().hex
        holder = await self._holder(commission.id)
        if holder is not None:
            return await self._awaited(holder, commission, _Ear(commission.id, hear), "")
        first, *others = await ways(self._hosts, self._candidates(commission))
        for way in (first, *others):
            ear = _Ear(commission.id, hear)
            try:
                async with way.host.wire.hearing(client, ear.hear):
                    await self._send(way, commission, client)
                    return await self._awaited(way.host, commission, ear, way.workflow.name)
            except _Forgotten:
                raise
            except (ServiceDown, ModelMissing) as error:
                if way is (first, *others)[-1]:
                    raise
                log.warning("painting elsewhere", host=way.host.wire.shown, error=str(error))
        raise ServiceDown(f"{self.label} does not answer.")

    async def _holder(self, picture: UUID) -> Host | None:
        """Find the server that has a picture already; those that do not answer, or were told to stop, have it not."""
        jobs = await asyncio.gather(*(_job(host, picture) for host in self._hosts))
        found = zip(self._hosts, jobs, strict=True)
        return next((host for host, job in found if job is not None and job.status != "cancelled"), None)

    def _candidates(self, commission: Commission) -> Sequence[Workflow]:
        """The workflows that may be tried, best first: the one that is named, if it paints without more references.

        Raises:
            ModelMissing: the one that is named does not exist, or is broken.
        """
        known = self._library.workflows
        wanted = (commission.workflow or self._workflow).casefold()
        broken = next((fault for name, fault in self._library.faults.items() if name.casefold() == wanted), None)
        if broken is not None:
            raise ModelMissing(broken)
        named = next((workflow for name, workflow in known.items() if name.casefold() == wanted), None)
        if wanted and named is None:
            raise ModelMissing(f"There is no workflow “{wanted}”. There are: {', '.join(known)}.")
        references = len(commission.references)
        if named is not None and named.paints_with(references):
            return [named]
        able = [workflow for workflow in known.values() if workflow.paints_with(references)]
        return sorted(able, key=lambda workflow: _rank(workflow, references))

    async def _send(self, way: Way, commission: Commission, client: str) -> None:
        wire = way.host.wire
        used = commission.references[: len(way.workflow.facts.references)]
        uploads = [await wire.upload(one.name, one.data) for one in used]
        filling = Filling(
            prompt=_with_references(commission.prompt, used),
            negative=commission.avoid,
            seed=commission.seed,
            size=commission.size,
            references=uploads,
            files=way.files,
        )
        try:
            await wire.post(commission.id, fill(way.workflow, filling), client)
        except Rejected as error:
            way.host.changed()
            sentence = f"ComfyUI at {wire.shown} does not take the workflow {way.workflow.name}: {error}."
            raise (ModelMissing if error.lacking else PaintingFailed)(sentence) from error

    async def _awaited(self, host: Host, commission: Commission, ear: "_Ear", workflow: str) -> Painted:
        """Wait until a picture is painted, and fetch it."""
        begun: float | None = None
        clock = asyncio.get_running_loop().time
        while True:
            job = await _patiently(host, commission.id)
            match job:
                case None:
                    raise _Forgotten(f"ComfyUI at {host.wire.shown} knows nothing of the picture any more.")
                case Job("pending"):
                    ear.tell(Progress(await host.wire.before(commission.id)))
                case Job("in_progress"):
                    begun = clock() if begun is None else begun
                    if clock() - begun > TOO_LONG:
                        await host.wire.forget(commission.id)
                        raise PaintingFailed(f"The picture was not done after {TOO_LONG / 60:g} minutes.")
                case _:
                    return await self._result(host, job, commission, workflow)
            await ear.next(EASY if job.status == "in_progress" else WAITING)

    async def _result(self, host: Host, job: Job, commission: Commission, workflow: str) -> Painted:
        if job.status == "cancelled":
            raise PaintingFailed("The picture was stopped in ComfyUI.")
        if job.fault is not None and job.fault.out_of_memory:
            await host.wire.free()
            size = f"{commission.size.width} by {commission.size.height}"
            raise _OutOfMemory(f"ComfyUI at {host.wire.shown} has too little memory for a picture of {size}.")
        if job.status == "failed":
            why = f"{job.fault.node}: {job.fault.message or job.fault.kind}" if job.fault else "it gave no reason"
            raise PaintingFailed(f"ComfyUI at {host.wire.shown} could not paint the picture ({why}).")
        if not job.files:
            raise PaintingFailed(f"The workflow {workflow} ended without a picture: it needs a SaveImage node.")
        return Painted(await host.wire.fetch(job.files[0]), workflow)

    async def _checked(self, host: Host) -> Sequence[Finding]:
        name = f"ComfyUI {host.wire.shown}"
        try:
            version = await host.wire.version()
            chosen = [self._library.workflows[self._workflow]] if self._workflow in self._library.workflows else []
            able = [
                workflow.name
                for workflow in chosen or self._library.workflows.values()
                if workflow.facts.kind == "picture" and not (await host.equipment(workflow)).lacking
            ]
        except ServiceDown as error:
            return [Finding(name, "warn", str(error))]
        server = Finding(name, "ok", f"version {version} answers")
        if able:
            return [server, Finding("pictures", "ok", f"can be painted with {', '.join(able)}")]
        todo = "no workflow has all its files: ./storyforge workflows check says what to download"
        return [server, Finding("pictures", "warn", todo)]

    async def _examined(self, workflow: Workflow, host: Host) -> Finding:
        name = workflow.name if len(self._hosts) == 1 else f"{workflow.name} at {host.wire.shown}"
        try:
            lacking = (await host.equipment(workflow)).lacking
        except ServiceDown as error:
            return Finding(name, "fail", str(error))
        facts = workflow.facts
        notes = "".join(f"\n  note: {pack.name}: {pack.state}" for pack in facts.packs)
        if not lacking:
            return Finding(name, "ok", f"{facts.title}: everything is there{notes}")
        missing = "".join(f"\n  missing: {thing}" for thing in lacking)
        return Finding(name, "warn", f"{facts.title} ({facts.memory}; {facts.licence}){missing}{notes}")


class _Ear:
    """What the socket says about one picture: how far it is, and when it is worth a look."""

    def __init__(self, picture: UUID, hear: Callable[[Progress], None]) -> None:
        self._picture = str(picture)
        self._hear = hear
        self._over = asyncio.Event()
        self._looks = 0
        self._done = 0.0
        self._heard = False

    def hear(self, event: Mapping[str, Any]) -> None:
        """Take an event in."""
        data = event.get("data")
        if not isinstance(data, dict) or data.get("prompt_id") != self._picture:
            return
        self._heard = True
        match event.get("type"):
            case "progress" if isinstance(data.get("max"), int | float) and data["max"]:
                self._done = min(max(float(data.get("value", 0)) / data["max"], 0.0), 1.0)
                self.tell(Progress(0, self._done))
            case "preview" if isinstance(data.get("data"), bytes):
                self.tell(Progress(0, self._done, data["data"]))
            case "execution_success" | "execution_error" | "execution_interrupted":
                self._over.set()
            case _:
                pass

    def tell(self, progress: Progress) -> None:
        """Pass on how far it is."""
        self._hear(progress)

    async def next(self, seconds: float) -> None:
        """Wait for the next look. The server says that it is done a moment before its list does."""
        if self._over.is_set():
            self._looks += 1
            await asyncio.sleep(min(QUICK * 2**self._looks, seconds))
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds * SOCKET_TELLS if self._heard else seconds)


async def _patiently(host: Host, picture: UUID) -> Job | None:
    """Ask how a picture stands; a connection that breaks once does not mean that the server is lost."""
    for pause in UNHEARD:
        try:
            return await host.wire.job(picture)
        except ServiceDown:
            await asyncio.sleep(pause)
    return await host.wire.job(picture)


async def _job(host: Host, picture: UUID) -> Job | None:
    try:
        return await host.wire.job(picture)
    except ServiceDown:
        return None


async def _forgotten(host: Host, picture: UUID) -> None:
    try:
        if await host.wire.job(picture) is not None:
            await host.wire.forget(picture)
    except ServiceDown as error:
        log.warning("not told to stop", host=host.wire.shown, error=str(error))


def _rank(workflow: Workflow, references: int) -> tuple[bool, int]:
    """How late a workflow is tried where nobody has chosen one."""
    takes_some = bool(references and workflow.facts.references)
    order = BY_LOOKS if takes_some else PREFERRED
    return bool(references) and not takes_some, order.index(workflow.name) if workflow.name in order else len(order)


def _with_references(prompt: str, used: Sequence[Reference]) -> str:
    """Say what the reference pictures are of: a prompt names nobody whom a model knows."""
    told = [f"Reference picture {number} is {one.shows}." for number, one in enumerate(used, 1) if one.shows]
    return " ".join([prompt, *told])


def _smaller(size: Size) -> Size:
    return Size(round(size.width * SMALLER), round(size.height * SMALLER))
