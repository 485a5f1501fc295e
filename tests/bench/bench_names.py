"""What it costs to find known names in prose."""

import statistics
import time

from storyforge_core.domain.mentions import Names
from storyforge_core.providers.offline.dice import Dice
from tests.bench.figures import Figure

ALIASES = 5_000
PROSE_CHARS = 1_000_000
TIMES = 5
MOST_MS = 500.0
HEADS, TAILS = ("Mar", "Osk", "Ion", "Fen", "Tal", "Bri", "Ced", "Hal", "Wen", "Gor"), ("en", "a", "is", "or", "wick")
SENTENCE = "{} crossed the yard of the old mill before the rain came, and {} said nothing of it. "


def figures() -> list[Figure]:
    """Find names of two words each, all of which begin with one of fifty, in a long text that is full of them."""
    dice = Dice("names")
    firsts = [head + tail for head in HEADS for tail in TAILS]
    aliases = [f"{firsts[place % len(firsts)]} {place // len(firsts)}x" for place in range(ALIASES)]
    count = PROSE_CHARS // len(SENTENCE) + 1
    said = (SENTENCE.format(dice.pick(f"one {n}", aliases), dice.pick(f"other {n}", firsts)) for n in range(count))
    prose = "".join(said)[:PROSE_CHARS]
    took = []
    for _ in range(TIMES):
        began = time.process_time()
        Names(aliases).mentions(prose)
        took.append((time.process_time() - began) * 1000)
    return [Figure("known names in 1 MB of prose, 5,000 aliases", statistics.median(took), "ms", MOST_MS)]
