"""A tidy tree: nobody overlaps, parents stand centred over their children, brothers keep their order. Pure, O(n).

Subtrees are put beside each other as close as their outlines allow. Packed from the left a small one clings to its
left neighbour, packed from the right to its right one; the middle of the two is even, and keeps what both promise.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class _Outline:
    """How far a subtree reaches to each side, from its deepest row up; all of it moves with `shift`."""

    left: list[float]
    right: list[float]
    shift: float = 0.0


def depths(parents: Sequence[int]) -> tuple[int, ...]:
    """The row of each item, from the place of its parent before it; -1 for the first, which has none."""
    rows: list[int] = []
    for parent in parents:
        rows.append(0 if parent < 0 else rows[parent] + 1)
    return tuple(rows)


def tidy(parents: Sequence[int], widths: Sequence[float], gap: float) -> tuple[float, ...]:
    """Find the centre of each item, so that the leftmost edge is at 0.

    Parents come before their children, brothers in their order; only the first item has no parent (-1).
    """
    children: list[list[int]] = [[] for _ in parents]
    for item, parent in enumerate(parents):
        if parent >= 0:
            children[parent].append(item)
    from_left = _packed(parents, children, widths, gap)
    mirrored = [brothers[::-1] for brothers in children]
    from_right = _packed(parents, mirrored, widths, gap)
    centres = [(left - right) / 2 for left, right in zip(from_left, from_right, strict=True)]
    edge = min((centre - width / 2 for centre, width in zip(centres, widths, strict=True)), default=0.0)
    return tuple(centre - edge for centre in centres)


def _packed(
    parents: Sequence[int], children: Sequence[Sequence[int]], widths: Sequence[float], gap: float
) -> Sequence[float]:
    """Pack from left to right; the first item is at 0."""
    outlines: list[_Outline | None] = [None] * len(parents)
    beside = [0.0] * len(parents)
    """How far each item stands to the right of its parent."""
    for item in reversed(range(len(parents))):
        half = widths[item] / 2
        outline = _Outline([], [])
        for child in children[item]:
            below = outlines[child] or _Outline([], [])
            beside[child] = _distance(outline, below, gap)
            outline = _joined(outline, below, beside[child])
            outlines[child] = None
        if children[item]:
            middle = (beside[children[item][0]] + beside[children[item][-1]]) / 2
            outline.shift -= middle
            for child in children[item]:
                beside[child] -= middle
        outline.left.append(-half - outline.shift)
        outline.right.append(half - outline.shift)
        outlines[item] = outline
    places = [0.0] * len(parents)
    for item, parent in enumerate(parents):
        places[item] = beside[item] + (places[parent] if parent >= 0 else 0.0)
    return places


def _distance(left: _Outline, right: _Outline, gap: float) -> float:
    """How far to the right the second has to stand to be clear of the first; 0 for the first of brothers."""
    rows = range(1, min(len(left.right), len(right.left)) + 1)
    return max((left.right[-row] + left.shift - right.left[-row] - right.shift + gap for row in rows), default=0.0)


def _joined(left: _Outline, right: _Outline, distance: float) -> _Outline:
    """See two brothers as one; costs as many steps as the flatter one has rows."""
    right.shift += distance
    if len(left.left) >= len(right.left):
        for row in range(1, len(right.right) + 1):
            left.right[-row] = right.right[-row] + right.shift - left.shift
        return left
    for row in range(1, len(left.left) + 1):
        right.left[-row] = left.left[-row] + left.shift - right.shift
    return right
