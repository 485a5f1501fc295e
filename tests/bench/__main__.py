"""All figures that matter, measured here and now: `python -m tests.bench [--quick] [starts store memory …]`."""

import argparse
import gc
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from storyforge_core.logs import configure
from tests.bench import (
    bench_card,
    bench_chat,
    bench_continuity,
    bench_memory,
    bench_models,
    bench_pictures,
    bench_starts,
    bench_store,
    bench_streams,
)
from tests.bench.figures import FULL, HEADLINE, QUICK, Figure, Scale

BENCHES: Mapping[str, Callable[[Scale], list[Figure]]] = MappingProxyType(
    {
        "starts": bench_starts.bench,
        "streams": bench_streams.bench,
        "store": bench_store.bench,
        "chat": bench_chat.bench,
        "memory": bench_memory.bench,
        "continuity": bench_continuity.bench,
        "pictures": bench_pictures.bench,
        "models": bench_models.bench,
        "card": bench_card.bench,
    }
)


def main() -> None:
    """Run what was picked, or all, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("benches", nargs="*", choices=[[], *BENCHES], help="which; else all", metavar="|".join(BENCHES))
    parser.add_argument(
        "--quick", action="store_const", const=QUICK, default=FULL, dest="scale", help="see that it runs"
    )
    options = parser.parse_args()
    configure("error", "text")
    gc.freeze()  # as the program does
    say(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}, Python {platform.python_version()}")
    say(HEADLINE)
    began = time.monotonic()
    for name in options.benches or BENCHES:
        say(f"{name} (load {os.getloadavg()[0]:.1f})")
        for figure in BENCHES[name](options.scale):
            for line in figure.lines():
                say(f"  {line}")
    say(f"took {time.monotonic() - began:.0f} s, load now {os.getloadavg()[0]:.1f}")


def machine() -> str:
    """What it was measured on."""
    named = (
        line.partition(": ")[2]
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        if "model name" in line
    )
    return f"{os.cpu_count()} cores of {next(named, platform.processor())}"


def say(line: str) -> None:
    """Show a line at once: a bench takes its time."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
