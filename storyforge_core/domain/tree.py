"""A story's tree as those who draw it need it: who hangs from whom. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storyforge_core.domain.story import SceneId, TreeNode


@dataclass(frozen=True, slots=True)
class Forest:
    """Nodes by what they hang from; several roots where the opening has takes, or where nodes are left out."""

    roots: tuple[TreeNode, ...]
    children: Mapping[SceneId, Sequence[TreeNode]]
    """Brothers in order of telling; scenes without any are missing."""
    sizes: Mapping[SceneId, int]
    """How many scenes hang from each, itself included."""


def forest(nodes: Sequence[TreeNode]) -> Forest:
    """Find who hangs from whom; parents come before their children."""
    known = {node.id for node in nodes}
    children: defaultdict[SceneId, list[TreeNode]] = defaultdict(list)
    sizes: defaultdict[SceneId, int] = defaultdict(int)
    roots = []
    for node in reversed(nodes):
        sizes[node.id] += 1
        if node.parent is None or node.parent not in known:
            roots.append(node)
        else:
            sizes[node.parent] += sizes[node.id]
            children[node.parent].append(node)
    for siblings in children.values():
        siblings.reverse()
    return Forest(tuple(reversed(roots)), children, sizes)
