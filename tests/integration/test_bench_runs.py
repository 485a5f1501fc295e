import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


BENCHES = (
    ("store", "last 50 of a path"),
    ("streams", "listener of the feed"),
    ("chat", "Discord, 300 tokens"),
    ("memory", "scenes recalled"),
    ("models", "model calls in a turn"),
)


@pytest.mark.parametrize(("bench", "figure"), BENCHES)
def test_a_bench_runs_and_compares_what_it_measured_with_its_target(
    bench: str, figure: str, open_directory: Path
) -> None:
    command = [sys.executable, "-m", "tests.bench", "--quick", bench]
    env = {**os.environ, "TMPDIR": str(open_directory)}
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, encoding="utf-8", timeout=100, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    rows = [line for line in ran.stdout.splitlines() if figure in line]
    assert rows
    assert all("≤" in row and ("✓" in row or "✗" in row) for row in rows)
