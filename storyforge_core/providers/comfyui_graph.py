"""Workflows: a graph in ComfyUI's API format (`x.json`) and what is to be known of it (`x.toml`), read and filled in.

A graph that is not understood is refused with a sentence that says how to export it right. What of a workflow is for
reference pictures falls away with the pictures that are not there.
"""

import copy
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from storyforge_core.domain.pictures import Size
from storyforge_core.errors import SetupError

Graph = dict[str, dict[str, Any]]
EXPORT = (
    "In ComfyUI open the workflow, choose Workflow → Export (API) and save that file under the same name; the plain "
    "“Export” and “Save” make a format that only the editor reads."
)
GRAPH_BYTES = 1_000_000
"""The largest graph that people share has a tenth of it."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Takes(_Part):
    """Where a graph takes what differs from picture to picture: `node.input`."""

    prompt: tuple[str, ...]
    negative: tuple[str, ...] = ()
    seed: tuple[str, ...] = ()
    width: tuple[str, ...] = ()
    height: tuple[str, ...] = ()


class Slot(_Part):
    """A place for one reference picture."""

    image: str
    """`node.input` that takes the name of the uploaded file."""
    nodes: tuple[str, ...]
    """What falls away when there is no picture for it."""
    instead: Mapping[str, str] = Field(default_factory=dict)
    """For nodes that fall away: the input whose source takes their place; where there is none, the link goes."""


class Model(_Part):
    """A file that has to lie in a model folder of ComfyUI."""

    at: str
    """`node.input` that names it."""
    folder: str
    page: str
    """Where it is to be had."""


class Pack(_Part):
    """Nodes that do not come with ComfyUI."""

    name: str
    page: str
    nodes: tuple[str, ...]
    state: str
    """What works today."""


class Facts(_Part):
    """What `x.toml` says."""

    title: str
    about: str
    licence: str
    memory: str
    kind: Literal["picture", "video", "training"] = "picture"
    least_references: int = Field(default=0, ge=0)
    step: int = Field(default=16, ge=1)
    """Width and height are multiples of it."""
    takes: Takes
    references: tuple[Slot, ...] = ()
    models: tuple[Model, ...] = ()
    packs: tuple[Pack, ...] = ()


@dataclass(frozen=True, slots=True)
class Workflow:
    """One way to paint."""

    name: str
    graph: Graph
    facts: Facts

    @property
    def classes(self) -> frozenset[str]:
        """The nodes that a server needs for it."""
        return frozenset(node["class_type"] for node in self.graph.values())

    def paints_with(self, references: int) -> bool:
        """Tell whether it makes pictures, and of so many reference pictures or none."""
        enough = self.facts.least_references <= references
        return self.facts.kind == "picture" and enough

    def value(self, place: str) -> str:
        """What stands at a `node.input`."""
        node, _, name = place.partition(".")
        return str(self.graph[node]["inputs"][name])


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """What goes into a graph."""

    prompt: str
    negative: str
    seed: int
    size: Size
    references: Sequence[str]
    """Names of uploaded files."""
    files: Mapping[str, str]
    """For model files that lie in a subfolder: how the server names them."""


@dataclass(frozen=True, slots=True)
class Library:
    """All workflows that can be read, and sentences about those that cannot."""

    workflows: Mapping[str, Workflow]
    faults: Mapping[str, str]


def load_library(*directories: Path) -> Library:
    """Read all pairs of files; a later directory's go before an earlier one's of the same name. Reads from disk."""
    workflows: dict[str, Workflow] = {}
    faults: dict[str, str] = {}
    for path in (path for directory in directories for path in sorted(directory.glob("*.json"))):
        try:
            workflows[path.stem] = read_workflow(path)
            faults.pop(path.stem, None)
        except SetupError as error:
            faults[path.stem] = str(error)
    return Library(workflows, faults)


def read_workflow(path: Path) -> Workflow:
    """Read a graph and the facts beside it.

    Raises:
        SetupError: one of them is missing or wrong; the sentence says what to do.
    """
    beside = path.with_suffix(".toml")
    try:
        if path.stat().st_size > GRAPH_BYTES:
            raise SetupError(f"{path} is too large for a workflow. {EXPORT}")
        graph = require_api_format(json.loads(path.read_text("utf-8")), path)
        facts = Facts.model_validate(tomllib.loads(beside.read_text("utf-8")))
    except FileNotFoundError:
        example = "copy that of the workflow that comes closest from StoryForge's directory workflows/"
        raise SetupError(f"{path.name} needs a file {beside.name} beside it: {example}.") from None
    except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} cannot be read ({error}). {EXPORT}") from error
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"{beside} is no TOML: {error}.") from error
    except ValidationError as error:
        raise SetupError(f"{beside}: {_first(error)}.") from error
    workflow = Workflow(path.stem, graph, facts)
    wrong = next(mistakes(workflow), "")
    if wrong:
        raise SetupError(f"{beside}: {wrong}.")
    return workflow


def require_api_format(drawn: object, path: Path) -> Graph:
    """Check that something read is a graph.

    Raises:
        SetupError: it is the editor's format, or something else.
    """
    if isinstance(drawn, dict) and "nodes" in drawn and "links" in drawn:
        raise SetupError(f"{path} is in the format of ComfyUI's editor, which its server does not read. {EXPORT}")
    good = isinstance(drawn, dict) and drawn and all(_is_node(node) for node in drawn.values())
    if not good:
        raise SetupError(f"{path} is no ComfyUI workflow in API format. {EXPORT}")
    graph: Graph = {str(name): node for name, node in drawn.items()}  # type: ignore[attr-defined]  # looked at above
    for name, node in graph.items():
        for link in filter(_is_link, node["inputs"].values()):
            if link[0] not in graph:
                raise SetupError(f"{path}: node {name} reads from node {link[0]}, which is not there. {EXPORT}")
    return graph


def mistakes(workflow: Workflow) -> Iterator[str]:
    """Say what in the facts does not fit the graph."""
    graph, facts = workflow.graph, workflow.facts
    takes = facts.takes
    places = [*takes.prompt, *takes.negative, *takes.seed, *takes.width, *takes.height]
    places += [slot.image for slot in facts.references] + [model.at for model in facts.models]
    for place in places:
        node, _, name = place.partition(".")
        if name not in graph.get(node, {"inputs": {}})["inputs"]:
            yield f"there is no input {place} in the graph"
    if facts.least_references > len(facts.references):
        yield f"least_references is {facts.least_references}, but there are {len(facts.references)} [[references]]"
    for slot in facts.references:
        for node in {*slot.nodes, *slot.instead} - graph.keys():
            yield f"there is no node {node} in the graph"
    if facts.kind == "picture" and not takes.seed:
        yield "takes.seed is missing: without another seed ComfyUI gives the old picture again"


def fill(workflow: Workflow, filling: Filling) -> Graph:
    """Make the graph for one picture."""
    facts = workflow.facts
    graph = copy.deepcopy(workflow.graph)
    size = rounded(filling.size, facts.step)
    values: list[tuple[Sequence[str], object]] = [
        (facts.takes.prompt, filling.prompt),
        (facts.takes.negative, filling.negative),
        (facts.takes.seed, filling.seed),
        (facts.takes.width, size.width),
        (facts.takes.height, size.height),
        *(((model.at,), filling.files.get(model.at, workflow.value(model.at))) for model in facts.models),
    ]
    used = facts.references[: len(filling.references)]
    values += [((slot.image,), name) for slot, name in zip(used, filling.references, strict=False)]
    for places, value in values:
        for place in places:
            node, _, name = place.partition(".")
            graph[node]["inputs"][name] = value
    for slot in reversed(facts.references[len(used) :]):
        _drop(graph, slot)
    return graph


def rounded(size: Size, step: int) -> Size:
    """The nearest size in whole steps, at least one."""
    return Size(max(round(size.width / step), 1) * step, max(round(size.height / step), 1) * step)


def _drop(graph: Graph, slot: Slot) -> None:
    """Take the nodes of a reference picture out, and lead the links around them."""
    gone = {name: graph.pop(name) for name in slot.nodes}
    for node in graph.values():
        for name, link in list(node["inputs"].items()):
            source = link
            while _is_link(source) and source[0] in gone:
                way = slot.instead.get(source[0])
                source = gone[source[0]]["inputs"][way] if way else None
            if source is None:
                del node["inputs"][name]
            else:
                node["inputs"][name] = source


def _is_node(node: object) -> bool:
    return isinstance(node, dict) and isinstance(node.get("class_type"), str) and isinstance(node.get("inputs"), dict)


def _is_link(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int)  # noqa: PLR2004


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg'].lower()}"
