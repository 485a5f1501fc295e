"""The map of a story, drawn in letters."""

import random
from collections.abc import Sequence
from itertools import count
from uuid import UUID, uuid4

import pytest

from bot.wording.columns import fitted, wide
from bot.wording.treemap import ASCII, Canvas, draw
from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.replies import MapShown
from storyforge_core.domain.story import (
    BallotId,
    PlaythroughId,
    SceneId,
    Story,
    StoryId,
    TreeNode,
)
from tests.fakes import NOON


def scene(number: int) -> SceneId:
    return SceneId(UUID(int=number))


def shown(parents: Sequence[int], head: int, titles: str = "Scene", ballot_at: int = 0, left_out: int = 0) -> MapShown:
    """A tree given by the number of each scene's parent, 0 for an opening; scene numbers count from 1."""
    nodes = tuple(
        TreeNode(
            id=scene(number),
            number=number,
            parent=scene(parent) if parent else None,
            choice=None,
            choice_text=f"Choice {number}" if parent else "",
            take=1,
            depth=0,
            title=f"{titles} {number}",
        )
        for number, parent in zip(count(1), parents, strict=False)
    )
    path, place = [], head
    while place:
        path.append(scene(place))
        place = parents[place - 1]
    story = Story(
        id=StoryId(uuid4()), title="The door in the sea", premise="", genre="", tone="", seed=1, created_at=NOON
    )
    ballot = Ballot(
        id=BallotId(uuid4()),
        playthrough=PlaythroughId(uuid4()),
        scene=scene(ballot_at),
        choices=(),
        opened_at=NOON,
    )
    return MapShown(story, nodes, scene(head), tuple(reversed(path)), ballot if ballot_at else None, left_out)


def random_tree(size: int, forks: float, seed: int = 5) -> MapShown:
    dice = random.Random(seed)
    parents = [0, *(n if dice.random() > forks else dice.randint(1, n) for n in range(1, size))]
    return shown(parents, size)


def test_a_small_tree_in_full() -> None:
    drawn = draw(shown([0, 1, 2, 1, 4], 5, ballot_at=5), Canvas())
    assert drawn.splitlines()[:6] == [
        "The door in the sea",
        "● 1 · Scene 1",
        "├─○ 2 · Scene 2 “Choice 2”",
        "│ ○ 3 · Scene 3 “Choice 3”",
        "● 4 · Scene 4 “Choice 4”",
        "◉ 5 · Scene 5 “Choice 5”  ← you are here, no votes yet",
    ]


def test_letters_alone_are_enough() -> None:
    drawn = draw(shown([0, 1, 2, 1, 4], 5), Canvas(glyphs=ASCII))
    assert drawn.isascii()
    assert "|-o 2" in drawn


def test_branches_below_the_head_go_on_in_its_column() -> None:
    assert draw(shown([0, 1, 2], 2), Canvas()).splitlines()[3] == "○ 3 · Scene 3 “Choice 3”"


def test_takes_of_the_opening_stand_beside_each_other() -> None:
    lines = draw(shown([0, 0], 2), Canvas()).splitlines()
    assert lines[1:3] == ["├─○ 1 · Scene 1", "◉ 2 · Scene 2  ← you are here"]


def test_many_scenes_in_a_row_are_folded() -> None:
    lines = draw(shown([0, *range(1, 20)], 20), Canvas()).splitlines()
    assert lines[3] == "⋮ 16 scenes on the way here, 3 to 18"
    assert len(lines) == 8


@pytest.mark.parametrize("width", [20, 40, 80])
@pytest.mark.parametrize("titles", ["Scene", "海の扉", "הדלת הקרה", "What the tide left behind"])
def test_no_line_is_wider_than_the_canvas(width: int, titles: str) -> None:
    tree = random_tree(60, 0.3)
    named = shown([0, *(n for n in range(1, 60))], 60, titles)
    for drawn in (draw(tree, Canvas(width)), draw(named, Canvas(width))):
        assert max(wide(line) for line in drawn.splitlines()[:-1] if "here" not in line) <= width


@pytest.mark.parametrize("forks", [0.0, 0.02, 0.1, 0.5, 1.0])
def test_six_hundred_scenes_stay_readable(forks: float) -> None:
    lines = draw(random_tree(600, forks), Canvas(80, 60)).splitlines()
    assert len(lines) <= 66
    assert any("you are here" in line for line in lines)


def test_the_head_is_on_the_map_even_when_most_of_it_is_left_out() -> None:
    parents = [0]
    for _ in range(300):
        parents += [len(parents), len(parents)]
    head = 201
    drawn = draw(shown(parents, head), Canvas(80, 30))
    assert "you are here" in drawn
    assert "lines left out" in drawn


def test_every_scene_of_a_tree_that_fits_is_on_the_map() -> None:
    tree = random_tree(40, 0.9)
    drawn = draw(tree, Canvas(80, 200))
    assert all(f" {node.number} · " in drawn or "scenes" in drawn for node in tree.nodes)


def test_what_is_too_far_away_is_counted() -> None:
    assert "1,200 scenes further away are not drawn." in draw(shown([0], 1, left_out=1200), Canvas())


def test_a_story_without_scenes_has_a_map_that_says_so() -> None:
    story = shown([0], 1)
    assert "no scenes yet" in draw(MapShown(story.story, (), None, (), None, 0), Canvas())


def test_wide_letters_take_two_columns() -> None:
    assert wide("海a") == 3
    assert fitted("海の扉", 5, "…") == "海の…"
    assert fitted("short", 5, "…") == "short"
