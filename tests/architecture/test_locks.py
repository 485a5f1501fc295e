"""The lock files: complete, pinned by digest, free of addresses, and in step with `pyproject.toml`."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.architecture.test_shape import BANNED

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCKS = ["requirements.lock", "requirements-dev.lock"]
ENTRY = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s\\]+)(?P<rest>(?:[^\\\n]|\\\n)*)", re.MULTILINE)

NEEDED = {
    "requirements.lock": PROJECT["project"]["dependencies"],
    "requirements-dev.lock": PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"],
}


def text_of(lock: str) -> str:
    return (ROOT / lock).read_text("utf-8")


def pinned(lock: str) -> set[tuple[str, str]]:
    return {(entry["name"], entry["version"]) for entry in ENTRY.finditer(text_of(lock))}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_no_address(lock: str) -> None:
    assert not re.search(r"https?:|://|--index|--find-links", text_of(lock))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_a_pinned_package_with_digests(lock: str) -> None:
    assert ENTRY.sub("", text_of(lock)).strip() == ""
    assert [entry["name"] for entry in ENTRY.finditer(text_of(lock)) if "--hash=sha256:" not in entry["rest"]] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_everything_the_project_asks_for_in_a_version_it_accepts(lock: str) -> None:
    versions = dict(pinned(lock))
    for requirement in map(Requirement, NEEDED[lock]):
        assert Version(versions[canonicalize_name(requirement.name)]) in requirement.specifier


def test_what_is_tested_is_what_is_shipped() -> None:
    assert pinned("requirements.lock") < pinned("requirements-dev.lock")


@pytest.mark.parametrize("lock", LOCKS)
def test_no_banned_library_is_locked(lock: str) -> None:
    assert {name for name, _ in pinned(lock) if name.partition("-")[0] in BANNED} == set()
