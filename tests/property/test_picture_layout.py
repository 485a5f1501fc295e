"""The tidy layout and the folding of the tree picture, for any tree."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.picture.fold import ENDLESS, Card, Detail, Fold, Plan, fold, index, total
from bot.picture.layout import depths, tidy
from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.replies import MapShown
from storyforge_core.domain.story import BallotId, ChoiceId, PlaythroughId, SceneId, Story, StoryId, TreeNode

GAP = 10.0
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@st.composite
def trees(draw: st.DrawFn, most: int = 60) -> list[int]:
    """Parents before children; -1 for the first."""
    size = draw(st.integers(1, most))
    back = draw(st.sampled_from([1, 2, 5, most]))
    return [-1, *(draw(st.integers(max(0, at - back), at - 1)) for at in range(1, size))]


@st.composite
def sized(draw: st.DrawFn) -> tuple[list[int], list[float]]:
    parents = draw(trees())
    return parents, draw(st.lists(st.sampled_from([40.0, 100.0, 260.0]), min_size=len(parents), max_size=len(parents)))


def scene(at: int) -> SceneId:
    return SceneId(UUID(int=at + 1))


@st.composite
def maps(draw: st.DrawFn) -> MapShown:
    parents = draw(trees())
    openings = draw(st.booleans())
    parents = [-1 if openings and at % 17 == 0 else parent for at, parent in enumerate(parents)]
    choices = draw(st.lists(st.integers(0, 2), min_size=len(parents), max_size=len(parents)))
    nodes = [
        TreeNode(
            id=scene(at),
            number=at + 1,
            parent=scene(parent) if parent >= 0 else None,
            choice=ChoiceId(UUID(int=choice)) if parent >= 0 else None,
            choice_text=f"Choice {choice}",
            take=1,
            depth=0,
            title="",
        )
        for at, (parent, choice) in enumerate(zip(parents, choices, strict=True))
    ]
    head = draw(st.integers(0, len(parents) - 1))
    path, at = [], head
    while at >= 0:
        path.append(scene(at))
        at = parents[at]
    story = Story(id=StoryId(UUID(int=1)), title="", premise="", genre="", tone="", seed=1, created_at=NOON)
    ballot = Ballot(
        id=BallotId(UUID(int=2)),
        playthrough=PlaythroughId(UUID(int=3)),
        scene=scene(head),
        choices=(),
        opened_at=NOON,
    )
    asked = draw(st.sampled_from([None, ballot]))
    return MapShown(story, tuple(nodes), scene(head), tuple(reversed(path)), asked, 0)


details = st.builds(
    Detail,
    chain=st.sampled_from([2, 3, ENDLESS]),
    levels=st.sampled_from([0, 1, 2, 5, ENDLESS]),
    brothers=st.sampled_from([1, 2, 4, ENDLESS]),
    opened=st.dictionaries(st.integers(0, 59).map(scene), st.sampled_from([0, 1, 3]), max_size=5),
    rows=st.sampled_from([4, 8, ENDLESS]),
)


def rows_of(parents: Sequence[int]) -> list[list[int]]:
    rows: defaultdict[int, list[int]] = defaultdict(list)
    for item, row in enumerate(depths(parents)):
        rows[row].append(item)
    return list(rows.values())


def in_preorder(parents: Sequence[int]) -> list[int]:
    children: defaultdict[int, list[int]] = defaultdict(list)
    for item, parent in enumerate(parents):
        children[parent].append(item)
    order, todo = [], [0]
    while todo:
        order.append(todo.pop())
        todo += reversed(children[order[-1]])
    return order


def cards(plan: Plan) -> dict[SceneId, Card]:
    return {item.node.id: item for item in plan.items if isinstance(item, Card)}


@given(sized())
def test_nobody_in_a_row_overlaps_and_brothers_and_cousins_keep_their_order(
    tree: tuple[list[int], list[float]],
) -> None:
    parents, widths = tree
    centres, rank = tidy(parents, widths, GAP), {item: place for place, item in enumerate(in_preorder(parents))}
    for row in rows_of(parents):
        for left, right in pairwise(sorted(row, key=rank.__getitem__)):
            assert centres[right] - widths[right] / 2 >= centres[left] + widths[left] / 2 + GAP - 1e-6


@given(sized())
def test_parents_stand_centred_over_their_children(tree: tuple[list[int], list[float]]) -> None:
    parents, widths = tree
    centres = tidy(parents, widths, GAP)
    for parent in set(parents) - {-1}:
        children = [centres[item] for item, other in enumerate(parents) if other == parent]
        assert centres[parent] == pytest.approx((children[0] + children[-1]) / 2)


@given(trees())
def test_a_mirrored_tree_is_a_mirrored_picture(parents: list[int]) -> None:
    widths = [100.0] * len(parents)
    centres = tidy(parents, widths, GAP)
    order = in_preorder(parents)
    children: defaultdict[int, list[int]] = defaultdict(list)
    for item in order:
        children[parents[item]].append(item)
    mirrored, todo = [], [0]
    while todo:
        mirrored.append(todo.pop())
        todo += children[mirrored[-1]]
    place = {item: at for at, item in enumerate(mirrored)}
    other = tidy([place.get(parents[item], -1) for item in mirrored], widths, GAP)
    width = max(centre + 50 for centre in centres)
    assert [width - centres[item] for item in mirrored] == pytest.approx(other)


@given(sized())
def test_the_leftmost_edge_is_at_the_margin(tree: tuple[list[int], list[float]]) -> None:
    parents, widths = tree
    edges = [centre - width / 2 for centre, width in zip(tidy(parents, widths, GAP), widths, strict=True)]
    assert min(edges) == pytest.approx(0)


@given(maps(), details)
def test_every_scene_is_drawn_or_counted(shown: MapShown, detail: Detail) -> None:
    assert sum(map(total, fold(index(shown), detail).items)) == len(shown.nodes)


@given(maps(), details)
def test_the_head_the_opening_and_the_open_question_are_always_drawn(shown: MapShown, detail: Detail) -> None:
    drawn = cards(fold(index(shown), detail))
    assert shown.head in drawn
    assert shown.path[0] in drawn
    assert shown.ballot is None or shown.ballot.scene in drawn


@given(maps(), st.sampled_from([2, 3, 6]))
def test_folding_chains_keeps_whatever_branches_or_ends(shown: MapShown, chain: int) -> None:
    tree = index(shown)
    everything = cards(fold(tree, Detail()))
    folded = cards(fold(tree, Detail(chain=chain)))
    assert all(len(tree.children.get(scene, ())) == 1 for scene in everything.keys() - folded.keys())


@given(maps(), details)
def test_a_plan_has_parents_before_children_and_one_beginning(shown: MapShown, detail: Detail) -> None:
    plan = fold(index(shown), detail)
    assert all(parent < item for item, parent in enumerate(plan.parents))
    assert plan.parents.count(-1) == 1


@given(maps(), details)
def test_brothers_are_drawn_in_the_order_of_telling(shown: MapShown, detail: Detail) -> None:
    plan = fold(index(shown), detail)
    by_parent: defaultdict[int, list[int]] = defaultdict(list)
    for item, parent in zip(plan.items, plan.parents, strict=True):
        if isinstance(item, Card):
            by_parent[parent].append(item.node.number)
    assert all(numbers == sorted(numbers) for numbers in by_parent.values())


@given(maps(), details)
def test_a_fold_stands_for_at_least_two_scenes_and_leads_on_to_one(shown: MapShown, detail: Detail) -> None:
    plan = fold(index(shown), detail)
    for place, item in enumerate(plan.items):
        if isinstance(item, Fold):
            assert item.count >= 2 or detail.rows < ENDLESS
            assert plan.parents.count(place) == 1


@given(maps())
def test_in_full_detail_only_takes_that_end_there_are_not_cards_of_their_own(shown: MapShown) -> None:
    tree = index(shown)
    drawn = cards(fold(tree, Detail(chain=ENDLESS)))
    assert all(tree.sizes[node.id] == 1 for node in shown.nodes if node.id not in drawn)


@given(maps())
def test_without_a_head_everything_is_still_there(shown: MapShown) -> None:
    lost = replace(shown, head=None, path=(), ballot=None)
    assert sum(map(total, fold(index(lost), Detail(levels=2, rows=4)).items)) == len(shown.nodes)
