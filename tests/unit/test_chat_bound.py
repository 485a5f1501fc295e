"""The least lag that a limit leaves, against trying out all ways to spend its edits."""

from itertools import combinations

import pytest

from tests.bench.chat.bound import Rule, waiting

RULE = Rule(burst=2, per=3.0)


def allowed(times: tuple[int, ...]) -> bool:
    """Tell whether a platform takes edits at these times."""
    began, edits = float("-inf"), 0
    for at in times:
        if at >= began + RULE.per:
            began, edits = at, 0
        edits += 1
        if edits > RULE.burst:
            return False
    return True


def tried_out(tokens: int) -> int:
    """The least waiting of a token a second, the first shown at once and each edit when a token comes."""
    end = tokens - 1
    every = (times for many in range(end) for times in combinations(range(1, end), many))
    shown = ((*times, end) for times in every if allowed((*times, end)))
    gaps = ([later - sooner for sooner, later in zip((0, *times), times, strict=False)] for times in shown)
    return min(sum(gap * (gap - 1) // 2 for gap in each) for each in gaps)


@pytest.mark.parametrize("tokens", range(2, 14))
def test_nobody_does_better_and_hardly_anybody_worse(tokens: int) -> None:
    least = waiting(RULE, tokens, 1.0)
    assert least <= tried_out(tokens) + 1e-9
    assert tried_out(tokens) <= least + tokens / 4
