"""Pictures from the command line: the report on workflows, what doctor says, and cards to try it all out."""

import re
import subprocess
from pathlib import Path

from tests.e2e.test_play import storyforge
from tests.program import Comfy, Home, environment


def checked(home: Home, **settings: str) -> subprocess.CompletedProcess[str]:
    return storyforge("workflows", "check", env=environment(home.directory, **{**home.settings, **settings}))


def test_without_a_server_the_owner_is_told_how_to_get_one(guest: Home) -> None:
    done = checked(guest)
    assert done.returncode == 78
    assert "COMFYUI_HOST=127.0.0.1:8188" in done.stderr


def test_the_report_tells_what_is_there_what_is_missing_and_what_is_broken(guest: Home) -> None:
    own = guest.directory / "own"
    own.mkdir()
    (own / "mine.json").write_text('{"nodes": [], "links": []}')
    (own / "mine.toml").write_text("")
    with Comfy() as comfy:
        comfy.plays(files={"checkpoints": ["flux1-dev-fp8.safetensors"]})
        address = comfy.url.removeprefix("http://")
        done = checked(guest, COMFYUI_HOST=address, WORKFLOW_DIR=str(own))
        lines = done.stdout.splitlines()
    assert done.returncode == 0, "one way to paint is enough"
    assert any(re.match(r"ok +flux_basic +FLUX.1 dev: everything is there", line) for line in lines)
    assert any("missing: the file flux-2-klein-4b-fp8.safetensors in models/diffusion_models" in line for line in lines)
    assert any(re.match(r"fail +mine .*Export \(API\)", line) for line in lines)


def test_doctor_looks_at_the_server_and_is_content_without(guest: Home) -> None:
    env = environment(guest.directory, **{**guest.settings, "STORYTELLER": "offline"})
    with Comfy() as comfy:
        there = storyforge("doctor", env={**env, "COMFYUI_HOST": comfy.url})
    away = storyforge("doctor", env={**env, "COMFYUI_HOST": comfy.url})
    assert "can be painted with flux2_klein" in there.stdout
    assert re.search(r"warn +ComfyUI .*No ComfyUI answers", away.stdout)
    assert there.returncode == away.returncode == 0


def test_cards_show_the_whole_way_without_a_server(guest: Home) -> None:
    env = environment(guest.directory, **{**guest.settings, "STORYTELLER": "offline"})
    lines = "/story new A lighthouse keeper finds a door in the sea\n1\n"
    done = storyforge("play", "--as", "Ann", "--pictures", env=env, lines=lines)
    shown = [Path(path) for path in re.findall(r"^(/\S+\.png)\]$", done.stdout, re.MULTILINE)]
    assert len(shown) == 2
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in shown)
    assert "[The Door in the Sea: " in done.stdout
    kept = storyforge("backup", str(guest.directory / "all.dump"), env=env)
    assert f"copy {guest.data / 'pictures'} as well" in kept.stdout, "the owner is told what the file does not hold"
