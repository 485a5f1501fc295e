"""The shape of the code: who may import whom, how long things may get, what must never come back."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [
    ROOT / "storyforge",
    *sorted(path for folder in ("bot", "storyforge_core") for path in (ROOT / folder).rglob("*.py")),
]
LONGEST_FUNCTION, LONGEST_FILE = 45, 400
BANNED = {"langchain", "crewai", "transformers", "torch", "redis", "aioredis", "openai"}


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), path.name)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines without the docstring, as the measurements of other projects count them."""
    first, last = function.lineno, function.end_lineno or function.lineno
    head = function.body[0]
    documented = ast.get_docstring(function) is not None
    return last - first + 1 - ((head.end_lineno or head.lineno) - head.lineno + 1 if documented else 0)


def imported(tree: ast.Module) -> set[str]:
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in names}


@pytest.fixture(params=SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def source(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_the_layers_hold() -> None:
    code = "from importlinter.cli import lint_imports_command as run; run()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_function_is_too_long_to_be_read_at_once(source: Path) -> None:
    assert [f.name for f in functions(parsed(source)) if length(f) > LONGEST_FUNCTION] == []


def test_no_file_is_too_long_to_be_held_in_mind(source: Path) -> None:
    assert len(source.read_text("utf-8").splitlines()) <= LONGEST_FILE


def test_no_banned_library_is_imported(source: Path) -> None:
    assert imported(parsed(source)) & BANNED == set()
