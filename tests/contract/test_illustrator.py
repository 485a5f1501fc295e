"""What every illustrator has to do, whoever it is."""

import asyncio
import io
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from storyforge_core.domain.pictures import Commission, Progress, Size
from storyforge_core.picture_ports import Illustrator
from storyforge_core.providers.cards import CardIllustrator
from storyforge_core.providers.comfyui import ComfyIllustrator
from storyforge_core.providers.comfyui_graph import Library, load_library
from tests.peers.comfyui.peer import ComfyPeer

REAL = os.environ.get("COMFYUI_TEST_HOST", "")
"""A ComfyUI without any model suffices: the graph is a picture of one colour."""
GRAPH = {
    "latent": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
    "save": {"class_type": "SaveImage", "inputs": {"images": ["latent", 0], "filename_prefix": "storyforge/test"}},
}
FACTS = """
title = "one colour"
about = "needs no model"
licence = "none"
memory = "none"
step = 1
[takes]
prompt = []
seed = ["latent.color"]
width = ["latent.width"]
height = ["latent.height"]
"""


@dataclass
class Subject:
    """An illustrator, and how long it may take."""

    illustrator: Illustrator
    patience: float = 20.0


def commission(seed: int = 7) -> Commission:
    return Commission(
        id=uuid4(), prompt="a green door in the sea", avoid="text", seed=seed, size=Size(96, 64), title="The green door"
    )


@pytest.fixture
def library(tmp_path: Path) -> Library:
    (tmp_path / "plain.json").write_text(json.dumps(GRAPH), "utf-8")
    (tmp_path / "plain.toml").write_text(FACTS, "utf-8")
    return load_library(tmp_path)


@pytest.fixture(
    params=[
        "cards",
        "comfyui on a peer",
        "comfyui on an old peer",
        pytest.param("comfyui", marks=pytest.mark.skipif(not REAL, reason="COMFYUI_TEST_HOST names no server")),
    ]
)
async def subject(request: pytest.FixtureRequest, library: Library) -> AsyncIterator[Subject]:
    match request.param:
        case "cards":
            yield Subject(CardIllustrator())
        case "comfyui":
            made = ComfyIllustrator([REAL], library)
            yield Subject(made, 60.0)
            await made.aclose()
        case kind:
            async with ComfyPeer() as peer:
                peer.script.old = "old" in kind
                made = ComfyIllustrator([peer.url], library)
                yield Subject(made)
                await made.aclose()


async def painted(subject: Subject, wanted: Commission) -> bytes:
    heard: list[Progress] = []
    async with asyncio.timeout(subject.patience):
        made = await subject.illustrator.paint(wanted, heard.append)
    assert all(0 <= progress.done <= 1 and progress.before >= 0 for progress in heard)
    return made.data


def pixels(data: bytes) -> bytes:
    return Image.open(io.BytesIO(data)).convert("RGB").tobytes()


async def test_it_paints_a_picture_of_the_size_that_was_asked_for(subject: Subject) -> None:
    picture = Image.open(io.BytesIO(await painted(subject, commission())))
    assert (picture.format, picture.size) == ("PNG", (96, 64))


async def test_another_seed_is_another_picture(subject: Subject) -> None:
    first, second = commission(seed=3), commission(seed=0x33AA55)
    assert pixels(await painted(subject, first)) != pixels(await painted(subject, second))


async def test_asked_again_with_the_same_id_it_gives_the_same_picture(subject: Subject) -> None:
    wanted = commission()
    assert await painted(subject, wanted) == await painted(subject, wanted)


async def test_what_was_let_go_of_is_there_for_whoever_asks_next(subject: Subject) -> None:
    wanted = commission(seed=11)
    attempt = asyncio.create_task(painted(subject, wanted))
    await asyncio.sleep(0.05)
    attempt.cancel()
    await asyncio.wait({attempt})
    assert await painted(subject, wanted)


async def test_forgetting_what_nobody_knows_is_no_trouble(subject: Subject) -> None:
    await subject.illustrator.forget(uuid4())
    await subject.illustrator.forget(replace(commission()).id)


async def test_it_says_whether_it_is_ready(subject: Subject) -> None:
    assert {finding.status for finding in await subject.illustrator.check()} == {"ok"}
