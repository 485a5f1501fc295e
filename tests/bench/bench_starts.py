"""How soon the program is there and how much memory it needs, through the launcher, at a real terminal."""

import os
import statistics
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.bench.figures import Figure, Scale
from tests.bench.ground import scratch
from tests.peers.person import Person, person

LAUNCHER = (str(Path(__file__).parents[2] / "storyforge"),)
HELP_S, PROMPT_S, MEMORY_MB = 0.15, 3.0, 150.0
SETTLED = 2.0
"""Seconds after which a program that has nothing to do is idle."""


def bench(scale: Scale) -> list[Figure]:
    """Start everything a few times."""
    subprocess.run([*LAUNCHER, "--version"], check=True, capture_output=True)  # prepares the environment, if it must
    helped = statistics.median(_help() for _ in range(3 * scale.starts))
    with scratch() as directory:
        env = _environment(directory)
        with _prompt(env):
            pass  # sets the database up
        played = statistics.median(_play(env) for _ in range(scale.starts))
        return [
            Figure("./storyforge --help", helped, "s", HELP_S),
            Figure("play: to the first prompt, database initialised", played, "s", PROMPT_S),
            Figure("play: idle, resident without PostgreSQL", _idle("play", "> ", env), "MB", MEMORY_MB),
            Figure("worker: idle, resident without PostgreSQL", _idle("worker", "storyteller", env), "MB", MEMORY_MB),
        ]


def _help() -> float:
    began = time.perf_counter()
    subprocess.run([*LAUNCHER, "--help"], check=True, capture_output=True)
    return time.perf_counter() - began


def _play(env: Mapping[str, str]) -> float:
    began = time.perf_counter()
    with _prompt(env):
        return time.perf_counter() - began


@contextmanager
def _prompt(env: Mapping[str, str]) -> Iterator[Person]:
    """Play until one may type."""
    with person(["play"], env, program=LAUNCHER) as somebody:
        somebody.waits_for("\r\n> ")
        yield somebody
        somebody.types("\x04")
        somebody.leaves()


def _idle(program: str, ready: str, env: Mapping[str, str]) -> float:
    """Megabytes of a program and of what it has started, when it has nothing to do."""
    with person([program], env, program=LAUNCHER) as somebody:
        somebody.waits_for(ready)
        time.sleep(SETTLED)
        started = psutil.Process(somebody.program.pid)
        everything = [started, *started.children(recursive=True)]
        resident = sum(each.memory_info().rss for each in everything if each.name() != "postgres")
        somebody.program.terminate()
        somebody.leaves()
    return resident / 1_000_000


def _environment(directory: Path) -> dict[str, str]:
    """What a new user has, with a data directory of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "DATA_DIR": str(directory / "data"), "TERM": "xterm"}
