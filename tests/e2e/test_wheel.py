"""The program installed as a package, with no checkout in sight."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGED = ("bot", "storyforge_core", "migrations", "workflows")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of commands of an environment that has the wheel, and the dependencies of the one running this."""
    environment = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    commands = environment / ("Scripts" if sys.platform == "win32" else "bin")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(commands / "python"),
        "install",
        "-q",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*pip, str(wheel)], check=True)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run(
        [commands / "python", "-c", ask], capture_output=True, text=True, check=True
    ).stdout.strip()
    # A directory named in a .pth file is searched, its own .pth files are not: the checkout stays unseen.
    (Path(packages) / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return commands


def test_everything_that_is_no_code_travels_too(wheel: Path) -> None:
    files = [path for folder in PACKAGED for path in (ROOT / folder).rglob("*") if path.is_file()]
    wanted = {path.name for path in files if "__pycache__" not in path.parts and path.suffix != ".pyc"}
    assert {Path(name).name for name in zipfile.ZipFile(wheel).namelist()} >= wanted


def test_nothing_else_travels(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"bot", "storyforge_core"}


def test_the_command_is_there_and_helps(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed / "storyforge", "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "play" in done.stdout


def test_the_shipped_migrations_are_found_inside_the_package(installed: Path, tmp_path: Path) -> None:
    ask = "from storyforge_core.shipped import migrations_dir; print(migrations_dir())"
    done = subprocess.run([installed / "python", "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=True)
    found = Path(done.stdout.strip())
    assert (found / "env.py").is_file()
    assert list((found / "versions").glob("*.py"))
    assert found.is_relative_to(installed.parent)
