"""A machine for whole programs: a database that is ready, and a language model that follows a script."""

import shutil
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.program import Home, Ollama, furnished, prepare


@pytest.fixture(scope="session")
def ready_home(open_directory: Path) -> Home:
    """A home to copy, since making a database takes longer than copying one."""
    directory = open_directory / "ready"
    directory.mkdir(mode=0o711)
    return prepare(directory)


@pytest.fixture
def new_home(ready_home: Home, open_directory: Path) -> Generator[Callable[..., Home]]:
    """Makes homes with settings."""
    made: list[Path] = []

    def make(**settings: str) -> Home:
        directory = Path(tempfile.mkdtemp(dir=open_directory))
        directory.chmod(0o711)
        made.append(directory)
        return furnished(ready_home, directory, **settings)

    yield make
    for directory in made:
        shutil.rmtree(directory)


@pytest.fixture
def ollama() -> Generator[Ollama]:
    with Ollama() as server:
        yield server


@pytest.fixture
def home(new_home: Callable[..., Home], ollama: Ollama) -> Home:
    """A home whose stories are told by the scripted model."""
    return new_home(**ollama.settings)


@pytest.fixture
def guest(data_directory: Path, database_url: str, ollama: Ollama) -> Home:
    """The same on a database of the test server, which nobody kills: it is there sooner."""
    return Home(data_directory, {**ollama.settings, "DATABASE_URL": database_url})
