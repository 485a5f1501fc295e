"""What the writer costs between a model's token and the words it yields.

`python -m tests.bench.bench_stream` prints a table. The peer runs in a process of its own and says the monotonic time
of each token as its prose, so that both sides read the same clock.
"""

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace

from storyforge_core.domain.writing import Brief, Message, Telling, Words
from storyforge_core.providers.ollama import OllamaOptions, OllamaWriter

TOKENS = 300
RATE = 50
"""Tokens a second, as the peer's script `clock` has it."""
BRIEF = Brief("A keeper finds a door", "", "", "", (), "", "", "", 220, 3, seed=7)
TELLING = Telling(BRIEF, (Message("user", "Tell."),), told="", max_tokens=TOKENS)


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: streams at once, delays in milliseconds, share of one core of this process."""

    streams: int
    tokens: int
    median: float
    p95: float
    p99: float
    core: float


@contextlib.contextmanager
def clock_peer() -> Iterator[str]:
    """Run the peer in its own process; gives its address."""
    command = [sys.executable, "-m", "tests.peers.ollama", "--script", "clock"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as peer:
        assert peer.stdout is not None
        try:
            yield peer.stdout.readline().strip()
        finally:
            peer.terminate()


async def delays(writer: OllamaWriter, telling: Telling = TELLING) -> list[float]:
    """Seconds from each token at the peer to its words here."""
    measured = []
    async with aclosing(writer.tell(telling)) as events:
        async for event in events:
            now = time.monotonic()
            if isinstance(event, Words):
                measured += [now - float(stamp) for stamp in event.text.split()]
    return measured


async def measure(url: str, streams: int) -> Measured:
    """Listen to so many tellings at once."""
    writer = OllamaWriter(OllamaOptions(url, "storyteller", 8192, TOKENS, "30m", 0.8, 30, 30))
    await delays(writer, replace(TELLING, max_tokens=2))  # the first call also imports and looks the model up
    wall, cpu = time.monotonic(), time.process_time()
    heard = sorted(
        delay * 1000 for one in await asyncio.gather(*(delays(writer) for _ in range(streams))) for delay in one
    )
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    await writer.aclose()
    cuts = statistics.quantiles(heard, n=100)
    return Measured(streams, len(heard), cuts[49], cuts[94], cuts[98], cpu / wall)


def main() -> None:
    """Print the table."""
    with clock_peer() as url:
        rows = [asyncio.run(measure(url, streams)) for streams in (1, 10, 50)]
    lines = [f"token of the model -> words of the writer, {RATE} tokens a second each, load {os.getloadavg()[0]:.1f}"]
    lines.append(f"{'streams':>8}{'tokens':>9}{'median':>11}{'p95':>11}{'p99':>11}{'core':>8}")
    for row in rows:
        delay = "".join(f"{value:>8.2f} ms" for value in (row.median, row.p95, row.p99))
        lines.append(f"{row.streams:>8}{row.tokens:>9}{delay}{row.core:>8.1%}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
