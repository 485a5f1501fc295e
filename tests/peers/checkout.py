"""A miniature checkout: the real starter, a program of a few lines, wheels made on the spot, no network."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

STARTER = Path(__file__).parents[2] / "storyforge"

PROGRAM = """
import os, sys
from inkwell import COLOUR
print("args", *sys.argv[1:])
print("colour", COLOUR)
print("here", os.getcwd())
print("home", os.environ["STORYFORGE_HOME"])
sys.exit(7 if "seven" in sys.argv else 0)
"""

CHECKER = """
import os, sys
name = __name__ if __name__ != "__main__" else os.path.basename(__file__).removesuffix(".py")
print(f"<{name}>", *sys.argv[1:], flush=True)
sys.exit(name in os.environ.get("FAILING", "").split())
"""
CHECKERS = {
    **{f"{tool}.py": CHECKER for tool in ("ruff", "mypy", "pytest")},
    "importlinter/cli.py": "def lint_imports_command():\n    print('<lint-imports>')\n",
}


def make_wheel(folder: Path, name: str, version: str, files: Mapping[str, str]) -> str:
    """Write a wheel; returns its line for a lock file."""
    about = f"{name}-{version}.dist-info"
    content = {
        **files,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    records = [f"{path},{_record(text)},{len(text.encode())}" for path, text in content.items()]
    content[f"{about}/RECORD"] = "\n".join([*records, f"{about}/RECORD,,", ""])
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in content.items():
            archive.writestr(zipfile.ZipInfo(path), text)  # its date is fixed: same content, same digest
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def _record(text: str) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


class Checkout:
    """A folder with the starter in it, and wheels in three colours of ink."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        self.folder, self.wheels = folder, wheels

    @classmethod
    def make(cls, folder: Path, wheels: Path) -> "Checkout":
        """Lay out everything but the environment."""
        wheels.mkdir()
        (folder / "bot").mkdir(parents=True)
        (folder / "bot" / "__init__.py").touch()
        (folder / "bot" / "__main__.py").write_text(PROGRAM)
        shutil.copy(STARTER, folder / "storyforge")
        checkout = cls(folder, wheels)
        checkout.lock("blue")
        return checkout

    def lock(self, colour: str) -> None:
        """Let the lock files ask for ink of this colour."""
        version = {"blue": "1.0", "red": "2.0", "green": "3.0"}[colour]
        ink = make_wheel(self.wheels, "inkwell", version, {"inkwell.py": f"COLOUR = {colour!r}\n"})
        checkers = make_wheel(self.wheels, "checkers", "1.0", CHECKERS)
        (self.folder / "requirements.lock").write_text(ink)
        (self.folder / "requirements-dev.lock").write_text(ink + checkers)

    def command(self, *arguments: str) -> list[str]:
        """How it is started by this interpreter."""
        return [sys.executable, str(self.folder / "storyforge"), *arguments]

    def environment(self, **changes: str) -> dict[str, str]:
        """Only the folder of wheels is there to install from."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "STORYFORGE_"))}
        # The wheels differ from test to test under the same name: pip must not remember them.
        offline = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
        return plain | offline | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels)} | changes

    def start(self, *arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the starter to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=cwd or self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def copy(self, folder: Path) -> "Checkout":
        """Make a second one that shares nothing with this one."""
        shutil.copytree(self.folder, folder, symlinks=True)
        wheels = folder.with_name(folder.name + "-wheels")
        shutil.copytree(self.wheels, wheels)
        return Checkout(folder, wheels)

    @property
    def stamp(self) -> Path:
        """Where the starter notes what it has made."""
        return self.folder / ".venv" / "storyforge.stamp"
