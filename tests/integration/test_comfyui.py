"""The illustrator on servers with all the traps of the real one: what is lost, what is refused, what is done twice."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from storyforge_core.domain.pictures import Commission, Progress, Reference, Size
from storyforge_core.domain.story import RunId
from storyforge_core.errors import ModelMissing, PaintingFailed, ServiceDown
from storyforge_core.providers import comfyui
from storyforge_core.providers.comfyui import ComfyIllustrator
from storyforge_core.providers.comfyui_graph import Library, load_library
from storyforge_core.shipped import workflows_dir
from storyforge_core.store.gallery import FileGallery
from tests.peers.comfyui.execution import Script
from tests.peers.comfyui.peer import ComfyPeer

KLEIN = {
    "diffusion_models": ["flux-2-klein-4b-fp8.safetensors"],
    "text_encoders": ["qwen_3_4b.safetensors"],
    "vae": ["flux2-vae.safetensors"],
}


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library(workflows_dir())


@pytest.fixture
async def peer() -> AsyncIterator[ComfyPeer]:
    async with ComfyPeer() as started:
        yield started


@pytest.fixture
async def painter(peer: ComfyPeer, library: Library) -> AsyncIterator[ComfyIllustrator]:
    made = ComfyIllustrator([peer.url], library)
    yield made
    await made.aclose()


@pytest.fixture(autouse=True)
def _quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EASY", "WAITING"):
        monkeypatch.setattr(comfyui, name, 0.05)
    monkeypatch.setattr(comfyui, "UNHEARD", (0.05, 0.05))


SMALL = Size(96, 64)


def commission(seed: int = 7, size: Size = SMALL, **more: object) -> Commission:
    plain = Commission(id=uuid4(), prompt="a green door in the sea", avoid="text", seed=seed, size=size)
    return replace(plain, **more)  # type: ignore[arg-type]  # fields of the value


def deaf(_: Progress) -> None:
    """Nobody wants to know how far it is."""


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - the peer sets no event of ours
            await asyncio.sleep(0.01)


async def test_prompt_seed_and_size_are_where_the_workflow_takes_them(
    peer: ComfyPeer, painter: ComfyIllustrator
) -> None:
    made = await painter.paint(commission(seed=77, size=Size(100, 60)), deaf)
    graph = peer.machine.executed[0].graph
    assert made.workflow == "flux2_klein"
    assert graph["prompt"]["inputs"]["text"] == "a green door in the sea"
    assert graph["noise"]["inputs"]["noise_seed"] == 77
    assert (graph["latent"]["inputs"]["width"], graph["steps"]["inputs"]["height"]) == (96, 64)
    assert "image1" not in graph, "nothing is left of the reference pictures that are not there"


async def test_how_far_it_is_comes_over_the_socket(peer: ComfyPeer, painter: ComfyIllustrator) -> None:
    peer.script.seconds = 0.2
    heard: list[Progress] = []
    await painter.paint(commission(), heard.append)
    assert 1.0 in {progress.done for progress in heard}


async def test_a_preview_is_passed_on_where_it_is_wanted_and_kept_without_what_is_written_in_it(
    peer: ComfyPeer, painter: ComfyIllustrator, library: Library, tmp_path: Path
) -> None:
    peer.script.seconds = 0.2
    heard: list[Progress] = []
    await painter.paint(commission(1), heard.append)
    assert not any(progress.preview for progress in heard)
    curious = ComfyIllustrator([peer.url], library, previews=True)
    await curious.paint(commission(2), heard.append)
    await curious.aclose()
    seen = next(progress.preview for progress in heard if progress.preview)
    assert b"a secret prompt" in seen
    gallery, run = FileGallery(tmp_path), RunId(uuid4())
    await gallery.keep_preview(run, seen)
    kept = await gallery.preview(run)
    assert kept is not None
    assert b"a secret prompt" not in kept
    with Image.open(io.BytesIO(kept)) as small:
        assert max(small.size) == 384
    await gallery.keep_preview(run, b"no picture")
    assert await gallery.preview(run) == kept, "what cannot be shown is left out"
    await gallery.keep_preview(run, b"")
    assert await gallery.preview(run) is None


async def test_a_picture_that_was_told_to_stop_can_be_painted_again_under_its_name(
    peer: ComfyPeer, painter: ComfyIllustrator
) -> None:
    peer.script.seconds = 30
    wanted = commission()
    painting = asyncio.create_task(painter.paint(wanted, deaf))
    await until(lambda: peer.machine.running)
    painting.cancel()
    await asyncio.wait({painting})
    await painter.forget(wanted.id)
    peer.script.seconds = 0
    assert (await painter.paint(wanted, deaf)).data
    assert peer.machine.history[str(wanted.id)].status == "completed"
    await painter.rest()
    assert peer.machine.frees == 1
    assert not await painter.roomy(), "a server that does not say how large its card is"


@pytest.mark.parametrize("way", ["silent", "broken"])
async def test_a_picture_comes_without_a_word_from_the_socket(
    peer: ComfyPeer, painter: ComfyIllustrator, way: str
) -> None:
    peer.script.seconds = 0.3
    peer.script.silent_sockets = way == "silent"
    painting = asyncio.create_task(painter.paint(commission(), deaf))
    await until(lambda: peer.machine.running)
    await peer.breaks_sockets()
    assert (await painting).data


async def test_whoever_comes_back_waits_for_what_is_being_painted(peer: ComfyPeer, library: Library) -> None:
    peer.script.seconds = 0.4
    wanted = commission()
    first, second = (ComfyIllustrator([peer.url], library) for _ in range(2))
    painting = asyncio.create_task(first.paint(wanted, deaf))
    await until(lambda: peer.machine.running)
    painting.cancel()
    await asyncio.wait({painting})
    assert (await second.paint(wanted, deaf)).data
    assert peer.posted == [str(wanted.id)], "it was sent once"
    await first.aclose()
    await second.aclose()


async def test_a_server_that_restarts_is_sent_the_picture_again(peer: ComfyPeer, painter: ComfyIllustrator) -> None:
    peer.script.seconds = 0.3
    wanted = commission()
    painting = asyncio.create_task(painter.paint(wanted, deaf))
    await until(lambda: peer.machine.running)
    await peer.restart()
    assert (await painting).data
    assert peer.posted == [str(wanted.id)] * 2


async def test_what_somebody_deletes_without_a_word_again_and_again_is_given_up(
    peer: ComfyPeer, painter: ComfyIllustrator
) -> None:
    peer.script.seconds = 30
    busy = asyncio.create_task(painter.paint(commission(seed=1), deaf))
    await until(lambda: peer.machine.running)
    wanted = commission(seed=2)
    painting = asyncio.create_task(painter.paint(wanted, deaf))
    for _ in range(3):
        await until(lambda: peer.machine.pending)
        peer.machine.delete([str(wanted.id)])
        await until(lambda: not peer.machine.pending or painting.done())
    with pytest.raises(PaintingFailed, match="knows nothing of the picture"):
        await painting
    busy.cancel()
    await asyncio.wait({busy})


async def test_the_same_graph_again_is_the_old_file_and_costs_nothing(
    peer: ComfyPeer, painter: ComfyIllustrator
) -> None:
    one, other = await painter.paint(commission(), deaf), await painter.paint(commission(), deaf)
    assert one.data == other.data
    assert len(peer.machine.executed) == 1


async def test_out_of_memory_once_it_is_painted_smaller(peer: ComfyPeer, painter: ComfyIllustrator) -> None:
    peer.script.fault, peer.script.memory_pixels = "memory", 800 * 600
    await painter.paint(commission(size=Size(1152, 768)), deaf)
    sizes = [prompt.graph["latent"]["inputs"]["width"] for prompt in peer.machine.executed]
    assert sizes == [1152, 800]
    assert peer.machine.frees == 1


async def test_after_a_crash_between_the_two_sizes_the_large_one_is_not_tried_again(
    peer: ComfyPeer, painter: ComfyIllustrator
) -> None:
    peer.script.fault, peer.script.memory_pixels = "memory", 800 * 600
    wanted = commission(size=Size(1152, 768))
    await painter.paint(wanted, deaf)
    await painter.paint(wanted, deaf)
    assert len(peer.posted) == 2


async def test_too_little_memory_for_both_sizes_is_said(peer: ComfyPeer, painter: ComfyIllustrator) -> None:
    peer.script.fault = "memory"
    with pytest.raises(PaintingFailed, match="too little memory for a picture of 806 by 538"):
        await painter.paint(commission(size=Size(1152, 768)), deaf)


async def test_a_node_that_fails_is_named_without_the_servers_paths(peer: ComfyPeer, painter: ComfyIllustrator) -> None:
    peer.script.fault = "error"
    with pytest.raises(PaintingFailed, match="VAEDecode: Given groups=1") as caught:
        await painter.paint(commission(), deaf)
    assert "/home" not in str(caught.value)


async def test_a_graph_that_is_half_valid_is_not_left_to_run(peer: ComfyPeer, painter: ComfyIllustrator) -> None:
    peer.script.partial, peer.script.seconds = True, 30
    with pytest.raises(PaintingFailed, match=r"PreviewImage\.images: required input missing"):
        await painter.paint(commission(), deaf)
    await until(lambda: not peer.machine.running and not peer.machine.pending)


async def test_success_without_a_picture_is_a_failure(peer: ComfyPeer, painter: ComfyIllustrator) -> None:
    peer.script.fault = "nothing"
    with pytest.raises(PaintingFailed, match="needs a SaveImage node"):
        await painter.paint(commission(), deaf)


async def test_a_missing_file_is_named_with_folder_and_page(peer: ComfyPeer, painter: ComfyIllustrator) -> None:
    peer.script.files = KLEIN | {"vae": []}
    with pytest.raises(ModelMissing, match=r"flux2-vae\.safetensors in models/vae \(https://"):
        await painter.paint(commission(workflow="flux2_klein"), deaf)
    assert not peer.posted


async def test_without_a_choice_the_first_workflow_that_has_its_files_is_taken(
    peer: ComfyPeer, painter: ComfyIllustrator
) -> None:
    peer.script.files = {"checkpoints": ["sub/flux1-dev-fp8.safetensors"]}
    assert (await painter.paint(commission(), deaf)).workflow == "flux_basic"
    used = peer.machine.executed[0].graph["checkpoint"]["inputs"]["ckpt_name"]
    assert used == "sub/flux1-dev-fp8.safetensors", "it may lie in a subfolder"


@pytest.mark.parametrize(
    ("lacks", "workflow"),
    [
        ([], "flux2_klein"),
        (["flux2_klein"], "flux_kontext"),
        (["flux2_klein", "flux_kontext", "qwen_edit"], "flux_redux"),
        (["flux2_klein", "flux_kontext", "qwen_edit", "flux_redux", "flux_ipadapter", "flux_pulid"], "z_image_turbo"),
    ],
)
async def test_with_looks_a_workflow_that_takes_some_goes_before_one_that_takes_none(
    peer: ComfyPeer, library: Library, lacks: list[str], workflow: str
) -> None:
    left = {name: each for name, each in library.workflows.items() if name not in lacks}
    painter = ComfyIllustrator([peer.url], Library(left, {}))
    looks = tuple(Reference(f"{name}.png", name.encode(), name) for name in ("Maren", "Osk"))
    made = await painter.paint(commission(references=looks), deaf)
    assert made.workflow == workflow
    used = len(left[workflow].facts.references[:2])
    assert len(peer.machine.inputs) == used, "no more than the workflow takes"
    text = peer.machine.executed[0].graph["prompt"]["inputs"]["text"]
    assert text.endswith(["the sea", "is Maren.", "2 is Osk."][used])
    await painter.aclose()


async def test_a_workflow_that_does_not_exist_is_answered_with_those_that_do(painter: ComfyIllustrator) -> None:
    with pytest.raises(ModelMissing, match=r"no workflow “flx”\. There are: flux2_klein, flux_basic"):
        await painter.paint(commission(workflow="flx"), deaf)


async def test_a_broken_workflow_is_answered_with_what_is_wrong_with_it(peer: ComfyPeer) -> None:
    painter = ComfyIllustrator([peer.url], Library({}, {"Mine": "mine.json is in the editor's format."}), "mine")
    with pytest.raises(ModelMissing, match="in the editor's format"):
        await painter.paint(commission(), deaf)
    await painter.aclose()


async def test_one_that_needs_a_reference_gives_way_where_there_is_none(painter: ComfyIllustrator) -> None:
    assert (await painter.paint(commission(workflow="FLUX_kontext"), deaf)).workflow == "flux2_klein"


async def test_a_missing_node_is_named(peer: ComfyPeer, painter: ComfyIllustrator) -> None:
    peer.script.nodes = ["SaveImage"]
    with pytest.raises(ModelMissing, match="it lacks the node"):
        await painter.paint(commission(), deaf)


async def test_what_is_removed_after_it_was_looked_for_is_said_too(peer: ComfyPeer, painter: ComfyIllustrator) -> None:
    peer.script.files = KLEIN
    await painter.paint(commission(seed=1), deaf)
    peer.script.files = KLEIN | {"vae": []}
    with pytest.raises(ModelMissing, match=r"VAELoader does not find flux2-vae\.safetensors"):
        await painter.paint(commission(seed=2), deaf)


async def test_references_are_uploaded_and_used_by_the_name_they_got(
    peer: ComfyPeer, painter: ComfyIllustrator
) -> None:
    peer.machine.inputs["maren.png"] = b"somebody else's"
    looks = (Reference("maren.png", b"maren"), Reference("door.png", b"door"))
    await painter.paint(commission(references=looks), deaf)
    graph = peer.machine.executed[0].graph
    names = [graph[f"image{place}"]["inputs"]["image"] for place in (1, 2)]
    assert names == ["storyforge/maren (1).png", "storyforge/door.png"]
    assert graph["guider"]["inputs"]["positive"] == ["with2", 0]
    assert "image3" not in graph


async def test_a_server_that_is_away_is_down_not_broken(library: Library) -> None:
    painter = ComfyIllustrator(["http://127.0.0.1:9"], library)
    with pytest.raises(ServiceDown, match=r"No ComfyUI answers at http://127\.0\.0\.1:9"):
        await painter.paint(commission(), deaf)
    await painter.aclose()


async def test_the_server_with_the_shorter_queue_paints(library: Library) -> None:
    async with ComfyPeer(Script(seconds=30)) as busy, ComfyPeer() as idle:
        painter = ComfyIllustrator([busy.url, idle.url], library)
        busy.machine.submit(str(uuid4()), {}, "")
        await until(lambda: busy.machine.running)
        await painter.paint(commission(), deaf)
        assert idle.posted
        await painter.aclose()


async def test_the_only_server_with_the_files_paints_however_long_its_queue(library: Library) -> None:
    async with ComfyPeer(Script(files={})) as bare, ComfyPeer() as able:
        painter = ComfyIllustrator([bare.url, able.url], library)
        able.machine.submit(str(uuid4()), {}, "")
        await painter.paint(commission(), deaf)
        assert able.posted
        assert not bare.posted
        await painter.aclose()


async def test_when_a_server_dies_another_paints_with_the_references_uploaded_anew(library: Library) -> None:
    async with ComfyPeer(Script(seconds=30)) as first, ComfyPeer() as second:
        painter = ComfyIllustrator([first.url, second.url], library)
        wanted = commission(references=(Reference("maren.png", b"maren"),))
        painting = asyncio.create_task(painter.paint(wanted, deaf))
        await until(lambda: first.machine.running)
        await first.stop()
        assert (await painting).data
        assert second.machine.inputs["maren.png"] == b"maren"
        await painter.aclose()


async def test_fifty_wait_in_the_servers_queue_forty_are_forgotten_and_the_others_come_in_another_order(
    peer: ComfyPeer, painter: ComfyIllustrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comfyui, "WAITING", 5.0)
    await painter.paint(commission(seed=99), deaf)
    peer.script.seconds = 30
    wanted = [commission(seed=seed) for seed in range(50)]
    places: dict[int, int] = {}

    def hear(seed: int) -> Callable[[Progress], None]:
        return lambda progress: places.__setitem__(seed, progress.before)

    painting = [asyncio.create_task(painter.paint(one, hear(one.seed))) for one in wanted]
    await until(lambda: len(peer.posted) == 51 and len(places) >= 49 and max(places.values()) == 49)
    assert peer.machine.running
    first = peer.machine.running.id
    pairs = sorted(zip(wanted, painting, strict=True), key=lambda pair: str(pair[0].id) != first)
    for _, task in pairs[:40]:
        task.cancel()
    await asyncio.wait([task for _, task in pairs[:40]])
    await asyncio.gather(*(painter.forget(one.id) for one, _ in pairs[1:40]))
    peer.script.seconds = 0
    peer.machine.pending.reverse()  # as somebody does in ComfyUI's own window
    newest_first = [prompt.id for prompt in peer.machine.pending]
    await painter.forget(pairs[0][0].id)
    assert len(await asyncio.gather(*(task for _, task in pairs[40:]))) == 10
    assert [prompt.id for prompt in peer.machine.executed[-10:]] == newest_first
    assert sorted(newest_first) == sorted(str(one.id) for one, _ in pairs[40:])
    assert peer.machine.history[first].status == "cancelled", "also what was being painted already"
    assert len(peer.machine.executed) == 12


async def test_the_report_names_what_is_missing_for_each_workflow(peer: ComfyPeer, painter: ComfyIllustrator) -> None:
    peer.script.files = KLEIN
    peer.script.nodes = sorted(peer.machine.known_nodes() - {"ApplyPulidFlux"})
    found = {finding.name: finding for finding in await painter.examine()}
    assert found["flux2_klein"].status == "ok"
    assert (
        "missing: the file z_image_turbo_bf16.safetensors in models/diffusion_models" in found["z_image_turbo"].detail
    )
    assert "missing: the node ApplyPulidFlux of ComfyUI_PuLID_Flux_ll (https://" in found["flux_pulid"].detail
    assert "pull requests 95 and 97" in found["flux_pulid"].detail


async def test_a_server_without_any_model_is_sent_to_the_report(peer: ComfyPeer, painter: ComfyIllustrator) -> None:
    peer.script.files = {}
    server, pictures = await painter.check()
    assert (server.status, pictures.status) == ("ok", "warn")
    assert "./storyforge workflows check" in pictures.detail


async def test_with_all_files_every_shipped_workflow_is_accepted(peer: ComfyPeer, painter: ComfyIllustrator) -> None:
    assert {finding.status for finding in await painter.examine()} == {"ok"}
    looks = tuple(Reference(f"{name}.png", name.encode()) for name in "abc")
    pictures = [name for name, workflow in painter._library.workflows.items() if workflow.facts.kind == "picture"]
    for name in pictures:
        made = await painter.paint(commission(workflow=name, references=looks), deaf)
        assert made.workflow == name
    assert len(peer.posted) == len(pictures) == 8
