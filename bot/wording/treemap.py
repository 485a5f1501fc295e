"""The tree of a story as lines of text: the way to the head runs straight down, other branches stand off to its right.

A lone child stays in its parent's column, so that depth costs lines and only forks cost width. Off the way, the fullest
branch goes straight on, which keeps even a tree of a million scenes within twenty columns of lanes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.wording.columns import fitted, wide
from bot.wording.markup import isolated, line
from bot.wording.voice import counted
from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.replies import MapShown
from storyforge_core.domain.story import SceneId, TreeNode
from storyforge_core.domain.tree import forest

FOLD_FROM = 7
"""Scenes in a row without a fork that are folded into one line, but for their ends."""
KEPT_AT_ENDS = 2
DEEPEST = 20
BEGINNING = 3
"""Lines of the first scenes that even the most shortened map keeps."""
TITLE_COLUMNS = 40
CHOICE_COLUMNS = 48
LEAST_COLUMNS = 10
"""Less of a choice than this is not worth showing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """The signs that a screen can show."""

    head: str
    path: str
    other: str
    lane: str
    fork: str
    fold: str
    here: str
    quotes: tuple[str, str]
    dot: str
    more: str


LINES = Glyphs(
    head="◉", path="●", other="○", lane="│ ", fork="├─", fold="⋮", here="←", quotes=("“", "”"), dot="·", more="…"
)
ASCII = Glyphs(
    head="@", path="*", other="o", lane="| ", fork="|-", fold=":", here="<-", quotes=('"', '"'), dot="-", more="~"
)


@dataclass(frozen=True, slots=True)
class Canvas:
    """What a map is drawn on; the height is wished for, the width is kept."""

    width: int = 80
    height: int = 60
    glyphs: Glyphs = LINES


@dataclass(frozen=True, slots=True)
class _Row:
    lanes: str
    node: TreeNode | None
    note: str
    """What stands behind the node, or instead of it."""


@dataclass(frozen=True, slots=True)
class _Tree:
    roots: tuple[TreeNode, ...]
    children: Mapping[SceneId, Sequence[TreeNode]]
    sizes: Mapping[SceneId, int]
    """How many scenes hang from each, itself included."""
    path: frozenset[SceneId]


def draw(shown: MapShown, canvas: Canvas) -> str:
    """Draw the tree, folding as much as needed to come near the canvas's height."""
    glyphs = canvas.glyphs
    title = fitted(line(shown.story.title, 80) or "Untitled", canvas.width, glyphs.more)
    if not shown.nodes:
        return f"{title}\n{glyphs.fold} no scenes yet"
    rows = _rows(_index(shown), shown.head, canvas)
    return "\n".join([title, *(_drawn(row, shown, canvas) for row in rows), *_legend(shown, canvas)])


def _index(shown: MapShown) -> _Tree:
    found = forest(shown.nodes)
    return _Tree(found.roots, found.children, found.sizes, frozenset(shown.path))


def _rows(tree: _Tree, head: SceneId | None, canvas: Canvas) -> Sequence[_Row]:
    """Draw as many levels of side branches as fit; when not even none do, leave out what is far from the head."""
    rows: Sequence[_Row] = ()
    for levels in range(DEEPEST, -1, -1):
        rows = tuple(_lane(tree, tree.roots, "", levels, canvas.glyphs))
        if len(rows) <= canvas.height:
            return rows
    return _around(rows, head, canvas.height)


def _around(rows: Sequence[_Row], head: SceneId | None, height: int) -> Sequence[_Row]:
    """Keep the beginning and what is near the head, most of it from before."""
    place = next((at for at, row in enumerate(rows) if row.node and row.node.id == head), len(rows) - 1)
    size = max(height - BEGINNING, 1)
    start = min(max(place - size * 3 // 4, BEGINNING), len(rows) - size)
    gaps = (rows[BEGINNING:start], rows[start + size :])
    before, after = ([_Row("", None, counted(len(gap), "line") + " left out")] if gap else [] for gap in gaps)
    return [*rows[:BEGINNING], *before, *rows[start : start + size], *after]


def _lane(tree: _Tree, starts: Sequence[TreeNode], lanes: str, levels: int, glyphs: Glyphs) -> Iterator[_Row]:
    """Draw one column downwards: at each fork first the branches to the side, then straight on."""
    straight: list[TreeNode] = []
    while starts:
        on = _onward(tree, starts)
        if len(starts) > 1:
            yield from _folded(straight, lanes, tree)
            straight = []
            for side in starts:
                if side is not on:
                    yield from _side(tree, side, lanes, levels, glyphs)
        straight.append(on)
        starts = tree.children.get(on.id, ())
    yield from _folded(straight, lanes, tree)


def _onward(tree: _Tree, siblings: Sequence[TreeNode]) -> TreeNode:
    """Choose who stays in the column: the way to the head, or else the fullest branch."""
    return max(siblings, key=lambda node: (node.id in tree.path, tree.sizes[node.id]))


def _side(tree: _Tree, node: TreeNode, lanes: str, levels: int, glyphs: Glyphs) -> Iterator[_Row]:
    below = tree.sizes[node.id] - 1
    if levels == 0:
        yield _Row(lanes + glyphs.fork, node, f"(+{counted(below, 'scene')})" if below else "")
        return
    first, *rest = _lane(tree, (node,), lanes + glyphs.lane, levels - 1, glyphs)
    yield _Row(lanes + glyphs.fork, first.node, first.note)
    yield from rest


def _folded(straight: Sequence[TreeNode], lanes: str, tree: _Tree) -> Iterator[_Row]:
    """Draw scenes in a row; the middle of a long row becomes one line."""
    middle = straight[KEPT_AT_ENDS:-KEPT_AT_ENDS] if len(straight) >= FOLD_FROM else ()
    ends = straight[:KEPT_AT_ENDS], straight[-KEPT_AT_ENDS:]
    if not middle:
        yield from (_Row(lanes, node, "") for node in straight)
        return
    yield from (_Row(lanes, node, "") for node in ends[0])
    way = " on the way here" if middle[0].id in tree.path else ""
    numbers = f"{middle[0].number} to {middle[-1].number}"
    yield _Row(lanes, None, f"{counted(len(middle), 'scene')}{way}, {numbers}")
    yield from (_Row(lanes, node, "") for node in ends[1])


def _drawn(row: _Row, shown: MapShown, canvas: Canvas) -> str:
    glyphs = canvas.glyphs
    if row.node is None:
        return fitted(f"{row.lanes}{glyphs.fold} {row.note}", canvas.width, glyphs.more)
    sign = _sign(row.node, shown, glyphs)
    end = "".join(f"  {part}" for part in (row.note, _marks(row.node, shown, glyphs)) if part)
    start = f"{row.lanes}{sign} {row.node.number}"
    room = canvas.width - wide(start) - wide(end)
    return start + _label(row.node, room, glyphs) + end


def _sign(node: TreeNode, shown: MapShown, glyphs: Glyphs) -> str:
    if node.id == shown.head:
        return glyphs.head
    return glyphs.path if node.id in shown.path else glyphs.other


def _marks(node: TreeNode, shown: MapShown, glyphs: Glyphs) -> str:
    here = [f"{glyphs.here} you are here"] if node.id == shown.head else []
    return ", ".join([*here, *_question(node, shown.ballot)])


def _question(node: TreeNode, ballot: Ballot | None) -> Sequence[str]:
    if ballot is None or ballot.scene != node.id:
        return []
    return [f"{counted(len(ballot.votes), 'vote')} so far" if ballot.votes else "no votes yet"]


def _label(node: TreeNode, room: int, glyphs: Glyphs) -> str:
    """Title, take and the choice that led there, as much of each as there is room for."""
    take = f" (take {node.take})" if node.take > 1 else ""
    title = fitted(line(node.title, 200), min(TITLE_COLUMNS, max(room - wide(take) - 3, 0)), glyphs.more)
    label = f" {glyphs.dot} {isolated(title)}{take}" if title else take
    left = min(room - wide(label) - 3, CHOICE_COLUMNS)
    if not node.choice_text or left < LEAST_COLUMNS:
        return label
    choice = fitted(line(node.choice_text, 200), left, glyphs.more)
    return f"{label} {glyphs.quotes[0]}{isolated(choice)}{glyphs.quotes[1]}"


def _legend(shown: MapShown, canvas: Canvas) -> Sequence[str]:
    glyphs = canvas.glyphs
    left_out = [f"{counted(shown.left_out, 'scene')} further away are not drawn."] if shown.left_out else []
    number = shown.nodes[-1].number
    signs = f"{glyphs.path} the way here  {glyphs.other} other branches  /story go {number} leads to scene {number}"
    return [fitted(text, canvas.width, glyphs.more) for text in ("", *left_out, signs)]
