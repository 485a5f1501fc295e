"""A clone on a machine that never saw the project, as far as one machine can play two."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only a checkout can be cloned")


def run(clone: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(clone / "storyforge"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An empty home, but this machine's way to packages, and what pip has fetched before."""
    ask = [sys.executable, "-m", "pip", "cache", "dir"]
    cache = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    pip = {"PIP_CACHE_DIR": cache, "PIP_COMPILE": "0"}  # compiling what nobody imports here takes half of the time
    own = Path.home() / ".config" / "pip" / "pip.conf"
    if own.exists():
        pip |= {"PIP_CONFIG_FILE": str(own)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STORYFORGE_", "VIRTUAL_ENV"))}
    return kept | pip | {"HOME": str(tmp_path_factory.mktemp("home"))}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("machine") / "storyforge"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    return folder


@pytest.mark.timeout(300)
def test_a_fresh_clone_sets_itself_up_once(clone: Path, environment: dict[str, str]) -> None:
    first = run(clone, environment, "--help")
    assert first.returncode == 0, first.stderr
    assert "play" in first.stdout
    assert "is ready" in first.stderr

    second = run(clone, environment, "--help")
    assert second.stdout == first.stdout
    assert second.stderr == ""


@pytest.mark.timeout(300)
def test_help_imports_nothing_that_takes_time(clone: Path, environment: dict[str, str]) -> None:
    assert run(clone, environment, "--help").returncode == 0
    imports = run(clone, environment | {"PYTHONPROFILEIMPORTTIME": "1"}, "--help").stderr
    assert "argparse" in imports
    assert not re.search(r"\b(asyncio|pydantic|sqlalchemy|structlog|ollama|storyforge_core)\b", imports)
