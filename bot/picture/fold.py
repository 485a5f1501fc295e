"""What of a tree is drawn: takes in stacks, long chains as one pill, far branches as a number. Pure.

Nothing is lost without a count: every scene is a card, or counted in a stack, in a fold, or as hidden at a card.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from storyforge_core.domain.replies import MapShown
from storyforge_core.domain.story import SceneId, TreeNode
from storyforge_core.domain.tree import forest

ENDLESS = 1_000_000
FRESH = 3
"""Scenes before the head that are never folded away: what players just read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """How much of the tree to draw."""

    chain: int = 3
    """Scenes in a row, each the only one after the other, from which on they are folded."""
    levels: int = ENDLESS
    """How deep a branch off the way to the head is followed."""
    opened: Mapping[SceneId, int] = field(default_factory=dict)
    """The same for single scenes of the way."""
    brothers: int = ENDLESS
    """How many branches of one scene are drawn."""
    rows: int = ENDLESS
    """How many scenes before the head are drawn; of what is before these, only the opening."""


@dataclass(frozen=True, slots=True)
class Card:
    """One scene."""

    node: TreeNode
    takes: int = 1
    """As how many takes it is drawn: the others are stacked behind it."""
    of: int = 1
    """How many takes of the same choice there are, in stacks or as cards."""
    hidden: int = 0
    """Scenes after it that are not drawn."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Scenes that are not drawn between two that are."""

    count: int
    on_path: bool


@dataclass(frozen=True, slots=True)
class Start:
    """Where several openings begin."""

    hidden: int = 0


Item = Card | Fold | Start


@dataclass(frozen=True, slots=True)
class Plan:
    """What to draw."""

    items: tuple[Item, ...]
    parents: tuple[int, ...]
    """The place of each item's parent, before it; -1 for the first. Brothers are in order of telling."""


def total(item: Item) -> int:
    """How many scenes an item stands for."""
    match item:
        case Card():
            return item.takes + item.hidden
        case Fold():
            return item.count
        case Start():
            return item.hidden


@dataclass(frozen=True, slots=True)
class Tree:
    """A map, indexed."""

    roots: tuple[TreeNode, ...]
    children: Mapping[SceneId, Sequence[TreeNode]]
    sizes: Mapping[SceneId, int]
    """How many scenes hang from each, itself included."""
    path: tuple[SceneId, ...]
    to_head: Mapping[SceneId, int]
    """For the scenes of the path: how many steps before the head."""
    kept: frozenset[SceneId]
    """Never folded, never stacked away."""
    runs: Mapping[SceneId, int]
    """How many scenes from each one on may be folded into one pill; those with none are missing."""


def index(shown: MapShown) -> Tree:
    """Find who hangs from whom."""
    found = forest(shown.nodes)
    path = tuple(scene for scene in shown.path if scene in found.sizes)
    asked = () if shown.ballot is None else (shown.ballot.scene,)
    kept = frozenset([*asked, *path[:1], *path[-FRESH:], *([shown.head] if shown.head else [])])
    to_head = {scene: steps for steps, scene in enumerate(reversed(path))}
    runs = _runs(shown.nodes, found.children, kept)
    return Tree(found.roots, found.children, found.sizes, path, to_head, kept, runs)


def _runs(
    nodes: Sequence[TreeNode], children: Mapping[SceneId, Sequence[TreeNode]], kept: frozenset[SceneId]
) -> Mapping[SceneId, int]:
    """Count from the ends: a scene may be folded when it is the only one after another and has only one after it."""
    runs: dict[SceneId, int] = {}
    for node in reversed(nodes):
        before = children.get(node.parent, ()) if node.parent else ()
        after = children.get(node.id, ())
        if len(before) == len(after) == 1 and node.id not in kept:
            runs[node.id] = 1 + runs.get(after[0].id, 0)
    return runs


@dataclass(frozen=True, slots=True)
class _Brother:
    """A scene that is drawn beside others."""

    node: TreeNode
    takes: int = 1
    of: int = 1


@dataclass(frozen=True, slots=True)
class _After:
    """What is drawn after a scene, and what is not."""

    brothers: tuple[_Brother, ...]
    hidden: int
    levels: int
    """How much deeper the branches are followed."""


@dataclass(frozen=True, slots=True)
class _Task:
    """A scene to be planned, where it hangs, and how many levels may be drawn after it."""

    brother: _Brother
    parent: int
    levels: int


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A plan as it grows."""

    items: list[Item] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)

    def put(self, item: Item, parent: int) -> int:
        """Add an item; returns its place."""
        self.items.append(item)
        self.parents.append(parent)
        return len(self.items) - 1


def fold(tree: Tree, detail: Detail) -> Plan:
    """Plan the picture at one level of detail."""
    sheet = _Sheet()
    openings = _brothers(tree, tree.roots, detail)
    hidden = _uncounted(tree, tree.roots, openings)
    start = sheet.put(Start(hidden), -1) if len(openings) > 1 or hidden else -1
    tasks = _tasks(_After(openings, hidden, detail.levels), start)
    while tasks:
        tasks += _planned(tree, tasks.pop(), detail, sheet)
    return Plan(tuple(sheet.items), tuple(sheet.parents))


def _planned(tree: Tree, task: _Task, detail: Detail, sheet: _Sheet) -> list[_Task]:
    """Put one scene down, and the pill before or after it; tells what comes next."""
    brother, parent, levels = task.brother, task.parent, task.levels
    run = tree.runs.get(brother.node.id, 0)
    if run >= detail.chain:
        parent = sheet.put(Fold(run, brother.node.id in tree.to_head), parent)
        brother, levels = _Brother(_end_of(tree, brother.node, run)), max(levels - 1, 0)
    node = brother.node
    resumed = _resumed(tree, node, detail)
    if resumed is None:
        after = _after(tree, node, levels, detail)
        return _tasks(after, sheet.put(Card(node, brother.takes, brother.of, after.hidden), parent))
    card = sheet.put(Card(node, brother.takes, brother.of), parent)
    pill = sheet.put(Fold(tree.sizes[node.id] - 1 - tree.sizes[resumed.id], on_path=True), card)
    return [_Task(_Brother(resumed), pill, detail.levels)]


def _tasks(after: _After, parent: int) -> list[_Task]:
    """Queue brothers so that the first one is taken first."""
    return [_Task(brother, parent, after.levels) for brother in reversed(after.brothers)]


def _end_of(tree: Tree, node: TreeNode, run: int) -> TreeNode:
    for _ in range(run):
        (node,) = tree.children[node.id]
    return node


def _resumed(tree: Tree, node: TreeNode, detail: Detail) -> TreeNode | None:
    """From the opening of a long story: the scene of the path with which the picture goes on, past any chain."""
    if tree.to_head.get(node.id, 0) <= detail.rows + 1 or node.id != tree.path[0]:
        return None
    before = tree.path[-detail.rows - 2]
    node = next(child for child in tree.children[before] if child.id == tree.path[-detail.rows - 1])
    return _end_of(tree, node, tree.runs.get(node.id, 0))


def _after(tree: Tree, node: TreeNode, levels: int, detail: Detail) -> _After:
    """Choose what is drawn after a scene: always the way to the head, side branches as far as the detail allows."""
    if node.id in tree.to_head:
        levels = detail.opened.get(node.id, detail.levels)
    siblings = tree.children.get(node.id, ())
    drawn = siblings if levels > 0 else [child for child in siblings if child.id in tree.to_head]
    brothers = _brothers(tree, drawn, detail)
    return _After(brothers, _uncounted(tree, siblings, brothers), max(levels - 1, 0))


def _uncounted(tree: Tree, siblings: Iterable[TreeNode], brothers: Iterable[_Brother]) -> int:
    """Count the scenes of the branches that are not drawn; a stacked take has none after it."""
    drawn = sum(tree.sizes[brother.node.id] + brother.takes - 1 for brother in brothers)
    return sum(tree.sizes[sibling.id] for sibling in siblings) - drawn


def _brothers(tree: Tree, siblings: Sequence[TreeNode], detail: Detail) -> tuple[_Brother, ...]:
    """Stack takes, then keep the way to the head and the fullest branches."""
    brothers = tuple(_stacked(tree, siblings))
    if len(brothers) <= detail.brothers:
        return brothers
    ranked = sorted(brothers, key=lambda brother: _weight(tree, brother.node), reverse=True)
    kept = {brother.node.id for brother in ranked[: detail.brothers]}
    return tuple(brother for brother in brothers if brother.node.id in kept)


def _weight(tree: Tree, node: TreeNode) -> tuple[bool, bool, int, int]:
    return node.id in tree.to_head, node.id in tree.kept, tree.sizes[node.id], node.take


def _stacked(tree: Tree, siblings: Sequence[TreeNode]) -> Iterator[_Brother]:
    """Put takes of the same choice behind the one that matters most; those that were gone on from stay beside it."""
    groups: defaultdict[tuple[object, str], list[TreeNode]] = defaultdict(list)
    for node in siblings:
        groups[node.choice, node.choice_text].append(node)
    fronts = {key: max(group, key=lambda node: _weight(tree, node)) for key, group in groups.items()}
    for node in siblings:
        group, front = groups[node.choice, node.choice_text], fronts[node.choice, node.choice_text]
        if node is front:
            behind = (other for other in group if other is not front and _lone(tree, other))
            yield _Brother(node, 1 + sum(1 for _ in behind), len(group))
        elif not _lone(tree, node):
            yield _Brother(node, 1, len(group))


def _lone(tree: Tree, node: TreeNode) -> bool:
    """Nothing comes after it and nothing happens there."""
    return tree.sizes[node.id] == 1 and node.id not in tree.kept
