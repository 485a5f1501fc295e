"""Workflows: those that are shipped, those of one's own, and what is said about broken ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from storyforge_core.domain.pictures import Size
from storyforge_core.errors import SetupError
from storyforge_core.providers.comfyui import PREFERRED
from storyforge_core.providers.comfyui_graph import Filling, Graph, Workflow, fill, load_library, read_workflow
from storyforge_core.shipped import workflows_dir

SHIPPED = load_library(workflows_dir())
SAVES = ("SaveImage", "SaveVideo", "SaveLoRA")
WORKFLOWS = [pytest.param(workflow, id=name) for name, workflow in SHIPPED.workflows.items()]
FACTS = """
title = "Mine"
about = "mine"
licence = "mine"
memory = "mine"
[takes]
prompt = ["1.text"]
seed = ["2.seed"]
"""
GRAPH: Graph = {
    "1": {"class_type": "CLIPTextEncode", "inputs": {"text": "a door"}},
    "2": {"class_type": "KSampler", "inputs": {"seed": 1, "positive": ["1", 0]}},
}


def filled(workflow: Workflow, references: int) -> Graph:
    names = [f"ref{place}.png" for place in range(references)]
    return fill(
        workflow,
        Filling(prompt="a door", negative="text", seed=77, size=Size(1001, 770), references=names, files={}),
    )


def links(graph: Graph) -> list[str]:
    values = [value for node in graph.values() for value in node["inputs"].values()]
    return [value[0] for value in values if isinstance(value, list)]


def reached(graph: Graph) -> set[str]:
    """The nodes that the picture depends on."""
    found, left = set[str](), [name for name, node in graph.items() if node["class_type"] in SAVES]
    while left:
        name = left.pop()
        found.add(name)
        left += [value[0] for value in graph[name]["inputs"].values() if isinstance(value, list)]
    return found


def own(directory: Path, graph: object, facts: str | None = FACTS) -> Path:
    path = directory / "mine.json"
    path.write_text(graph if isinstance(graph, str) else json.dumps(graph), "utf-8")
    if facts is not None:
        path.with_suffix(".toml").write_text(facts, "utf-8")
    return path


def complaint(path: Path) -> str:
    with pytest.raises(SetupError) as caught:
        read_workflow(path)
    return str(caught.value)


def test_all_that_is_shipped_can_be_read() -> None:
    assert not SHIPPED.faults
    expected = (
        "flux2_klein flux_basic flux_ipadapter flux_kontext flux_pulid flux_redux img2video_wan lora_train qwen_edit "
        "z_image_turbo"
    )
    assert set(SHIPPED.workflows) == set(expected.split())
    assert set(PREFERRED) <= set(SHIPPED.workflows)


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_shipped_workflow_is_whole_with_any_number_of_references(workflow: Workflow) -> None:
    for references in range(workflow.facts.least_references, len(workflow.facts.references) + 1):
        graph = filled(workflow, references)
        assert set(links(graph)) <= set(graph), "no link leads to a node that fell away"
        assert set(graph) == reached(graph), "no node is left that nothing needs"
        loaded = [node["inputs"]["image"] for node in graph.values() if node["class_type"] == "LoadImage"]
        assert loaded == [f"ref{place}.png" for place in range(references)]


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_shipped_workflow_says_what_it_needs(workflow: Workflow) -> None:
    facts = workflow.facts
    assert all(model.page.startswith("https://") for model in facts.models)
    assert {workflow.value(model.at) for model in facts.models} == {
        value
        for node in workflow.graph.values()
        for value in node["inputs"].values()
        if isinstance(value, str) and value.endswith((".safetensors", ".bin"))
    }, "every model file is named with its folder and page"
    assert facts.licence
    assert facts.memory


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_shipped_workflow_takes_prompt_seed_and_whole_steps(workflow: Workflow) -> None:
    graph = filled(workflow, len(workflow.facts.references))
    takes = workflow.facts.takes

    def at(place: str) -> Any:
        node, _, name = place.partition(".")
        return graph[node]["inputs"][name]

    trains = workflow.facts.kind == "training"  # by the captions beside its pictures
    assert {at(place) for place in takes.prompt} == (set() if trains else {"a door"})
    assert {at(place) for place in takes.seed} == {77}
    assert {at(place) for place in takes.width} <= {round(1001 / workflow.facts.step) * workflow.facts.step}
    assert {at(place) for place in takes.height} <= {768}
    if trains:
        assert workflow.value("save.prefix") == "loras/storyforge", "where ComfyUI looks for LoRAs"
        return
    saves = [node["inputs"] for node in graph.values() if node["class_type"] in SAVES]
    assert [save["filename_prefix"] for save in saves] == ["storyforge/scene"], "inside ComfyUI's output folder"


def test_only_named_packs_bring_nodes_that_are_not_comfyuis_own() -> None:
    foreign = {
        name: {node for pack in flow.facts.packs for node in pack.nodes} for name, flow in SHIPPED.workflows.items()
    }
    assert {name for name, nodes in foreign.items() if nodes} == {"flux_ipadapter", "flux_pulid"}
    for name, nodes in foreign.items():
        assert nodes <= SHIPPED.workflows[name].classes


def test_ones_own_goes_before_the_shipped_one_of_the_same_name(tmp_path: Path) -> None:
    path = own(tmp_path, GRAPH)
    path.rename(tmp_path / "flux_basic.json")
    path.with_suffix(".toml").rename(tmp_path / "flux_basic.toml")
    library = load_library(workflows_dir(), tmp_path)
    assert library.workflows["flux_basic"].facts.title == "Mine"
    assert len(library.workflows) == len(SHIPPED.workflows)


def test_a_broken_one_of_ones_own_spoils_nothing_else(tmp_path: Path) -> None:
    own(tmp_path, "{")
    library = load_library(workflows_dir(), tmp_path, tmp_path / "nowhere")
    assert set(library.faults) == {"mine"}
    assert set(library.workflows) == set(SHIPPED.workflows)


@pytest.mark.parametrize("graph", [{"nodes": [], "links": [], "version": 0.4}, "{", [], {}, {"1": {"class_type": "X"}}])
def test_what_is_not_in_api_format_is_told_how_to_export_it(tmp_path: Path, graph: object) -> None:
    assert "Workflow → Export (API)" in complaint(own(tmp_path, graph))


def test_the_editors_format_is_called_by_its_name(tmp_path: Path) -> None:
    assert "in the format of ComfyUI's editor" in complaint(own(tmp_path, {"nodes": [], "links": []}))


def test_a_link_to_nowhere_is_named(tmp_path: Path) -> None:
    graph = {**GRAPH, "3": {"class_type": "SaveImage", "inputs": {"images": ["9", 0]}}}
    assert "node 3 reads from node 9" in complaint(own(tmp_path, graph))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (None, "needs a file mine.toml beside it"),
        ("title = ", "is no TOML"),
        ("title = 'Mine'", "field required"),
        (FACTS.replace("1.text", "1.txt"), "no input 1.txt in the graph"),
        (FACTS.replace('seed = ["2.seed"]', ""), "takes.seed is missing"),
        (f"least_references = 1\n{FACTS}", "there are 0 [[references]]"),
        (f"colour = 'red'\n{FACTS}", "colour: extra inputs are not permitted"),
        (f"{FACTS}[[references]]\nimage = '1.text'\nnodes = ['7']", "there is no node 7"),
    ],
)
def test_facts_that_do_not_fit_are_named(tmp_path: Path, facts: str | None, said: str) -> None:
    assert said in complaint(own(tmp_path, GRAPH, facts))


def test_a_file_that_is_no_workflow_by_its_size_is_not_read(tmp_path: Path) -> None:
    assert "too large" in complaint(own(tmp_path, " " * 1_000_001))
