"""The map of a story as a picture: what is on it, how large it gets, what is said about it."""

import asyncio
import random
import struct
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4
from xml.etree import ElementTree as ET

import pytest

from bot.picture import foreign, press, printer
from bot.picture.press import printed
from bot.picture.render import alt_text, map_picture, map_svg
from bot.picture.style import TALLEST, WIDEST
from storyforge_core.domain.ballot import Ballot, Vote
from storyforge_core.domain.replies import MapShown
from storyforge_core.domain.story import (
    BallotId,
    Choice,
    ChoiceId,
    PlayerId,
    PlaythroughId,
    SceneId,
    Story,
    StoryId,
    TreeNode,
)
from storyforge_core.errors import BrokenAnswer, ServiceSilent
from tests.fakes import NOON

FORK = [0, 1, 2, 1, 4]
SVG = "{http://www.w3.org/2000/svg}"


def scene(number: int) -> SceneId:
    return SceneId(UUID(int=number))


def shown(parents: Sequence[int], head: int, titles: str = "Scene") -> MapShown:
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
        for number, parent in enumerate(parents, 1)
    )
    path, place = [], head
    while place:
        path.append(scene(place))
        place = parents[place - 1]
    story = Story(
        id=StoryId(uuid4()), title="The door in the sea", premise="", genre="", tone="", seed=1, created_at=NOON
    )
    return MapShown(story, nodes, scene(head), tuple(reversed(path)), None, 0)


def with_question(tree: MapShown, choices: int, votes: int) -> MapShown:
    assert tree.head is not None
    offered = tuple(
        Choice(id=ChoiceId(uuid4()), scene=tree.head, position=place, text="Go") for place in range(1, choices + 1)
    )
    ballot = Ballot(
        id=BallotId(uuid4()),
        playthrough=PlaythroughId(uuid4()),
        scene=tree.head,
        choices=offered,
        votes=tuple(Vote(PlayerId(uuid4()), offered[0].id, NOON) for _ in range(votes)),
        opened_at=NOON,
    )
    return replace(tree, ballot=ballot)


def grown(size: int, forks: float, back: int, seed: int = 5) -> MapShown:
    dice = random.Random(seed)
    parents = [0, *(n if dice.random() > forks else dice.randint(max(1, n - back), n) for n in range(1, size))]
    return shown(parents, size)


def said(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - our own


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_a_small_tree_shows_every_scene_and_every_choice() -> None:
    texts = said(map_svg(shown(FORK, 5)))
    assert {f"Scene {number}" for number in range(1, 6)} <= set(texts)
    assert {f"Choice {number}" for number in range(2, 6)} <= set(texts)


def test_the_heading_names_the_story_its_size_and_where_the_head_is() -> None:
    assert said(map_svg(shown(FORK, 5)))[:2] == ["The door in the sea", "5 scenes · you are at scene 5"]


def test_the_head_says_so_in_words() -> None:
    assert said(map_svg(shown(FORK, 4))).count("You are here") == 1


def test_an_open_question_stands_at_its_scene() -> None:
    assert "3 choices · 1 vote" in said(map_svg(with_question(shown(FORK, 5), 3, 1)))


def test_the_way_here_is_thicker_than_other_branches() -> None:
    widths = [float(line.attrib["stroke-width"]) for line in ET.fromstring(map_svg(shown(FORK, 5))).iter(f"{SVG}path")]  # noqa: S314 - our own
    assert sorted(set(widths)) == [3, 7]


def test_lines_are_only_explained_where_there_are_two_sorts() -> None:
    assert "other branches" in said(map_svg(shown(FORK, 5)))
    assert "other branches" not in said(map_svg(shown([0, 1], 2)))


def test_takes_are_stacked_behind_the_one_that_was_gone_on_from() -> None:
    tree = shown([0, 1, 1, 1, 3], 5)
    takes = {2: 1, 3: 2, 4: 3}
    nodes = [
        replace(node, take=takes[node.number], choice_text="Knock") if node.number in takes else node
        for node in tree.nodes
    ]
    texts = said(map_svg(replace(tree, nodes=tuple(nodes))))
    assert "take 2 of 3" in texts
    assert "Scene 2" not in texts


def test_takes_that_were_both_gone_on_from_are_cards_that_say_which_they_are() -> None:
    tree = shown([0, 1, 1, 2, 3], 5)
    nodes = [
        replace(node, take=node.number - 1, choice_text="Knock") if node.number in {2, 3} else node
        for node in tree.nodes
    ]
    assert {"take 1 of 2", "take 2 of 2"} <= set(said(map_svg(replace(tree, nodes=tuple(nodes)))))


def test_a_long_chain_becomes_a_pill_but_what_was_just_read_does_not() -> None:
    texts = said(map_svg(shown(range(60), 60)))
    assert "… 56 scenes …" in texts
    assert [text for text in texts if text.startswith("Scene ")] == ["Scene 1", "Scene 58", "Scene 59", "Scene 60"]


def test_branches_that_are_not_drawn_are_counted_where_they_begin() -> None:
    assert "+ 35 scenes" in said(map_svg(shown([0, *[1] * 40], 20)))


def test_what_was_left_out_before_is_said_below_the_tree() -> None:
    tree = replace(shown(FORK, 5), left_out=1200)
    assert said(map_svg(tree))[-1] == "1,200 scenes further away: not drawn."
    assert "1,205 scenes" in alt_text(tree)


def test_openings_beside_each_other_begin_at_one_dot() -> None:
    svg = map_svg(shown([0, 1, 0, 3], 4))  # two takes of the opening, each gone on from
    assert {"Scene 1", "Scene 3"} <= set(said(svg))
    assert svg.count("<circle") == 1


def test_words_of_others_cannot_leave_their_place() -> None:
    nasty = "</text><script>&amp;\x00\x1b\ufffe\ud800 \u202egnp"
    svg = map_svg(shown(FORK, 5, nasty))
    assert "<script" not in svg
    assert not {"\x00", "\x1b", "\ufffe", "\ud800", "\u202e"} & set(svg)
    assert len(said(svg)) > 5


def test_a_scene_without_a_title_is_a_card_with_its_number() -> None:
    tree = shown([0], 1)
    bare = replace(tree, nodes=(replace(tree.nodes[0], title=""),))
    assert "1" in said(map_svg(bare))


def test_a_story_without_scenes_has_a_picture_that_says_so() -> None:
    empty = replace(shown([0], 1), nodes=(), head=None, path=())
    assert "0 scenes" in said(map_svg(empty))
    assert "Nobody has arrived" in alt_text(empty)


def test_the_words_for_those_who_do_not_see_it_are_two_sentences() -> None:
    assert alt_text(with_question(shown(FORK, 5), 3, 2)) == (
        "The map of “The door in the sea”, 5 scenes in all. "
        "You are at scene 5, “Scene 5”; the question there is open, 3 choices · 2 votes."
    )


@pytest.mark.parametrize("size", [1, 5, 60, 600])
@pytest.mark.parametrize(("forks", "back"), [(0.0, 1), (0.1, 600), (0.5, 8), (1.0, 600), (1.0, 3)])
def test_no_picture_is_larger_than_a_chat_can_show(size: int, forks: float, back: int) -> None:
    root = ET.fromstring(map_svg(with_question(grown(size, forks, back), 4, 3)))  # noqa: S314 - our own
    assert int(root.attrib["width"]) <= WIDEST
    assert int(root.attrib["height"]) <= TALLEST
    assert "You are here" in [element.text for element in root.iter(f"{SVG}text")]


async def test_a_picture_of_six_hundred_scenes_is_a_png_below_a_megabyte() -> None:
    picture = await map_picture(grown(600, 0.3, 40))
    width, height = size_of(picture.png)
    assert width <= WIDEST
    assert height <= TALLEST
    assert len(picture.png) < 1_000_000
    assert "600 scenes" in picture.alt


async def test_others_go_on_while_a_picture_is_drawn() -> None:
    drawing = asyncio.create_task(map_picture(grown(600, 0.3, 40)))
    began = before = time.perf_counter()
    longest = 0.0
    while not drawing.done():
        await asyncio.sleep(0.001)
        longest, before = max(longest, time.perf_counter() - before), time.perf_counter()
    assert longest < (before - began) / 2


async def test_letters_that_no_font_has_are_left_out_and_missed() -> None:
    gone = await foreign.undrawable({"\U0010fffe", "\U000f0000"})
    assert gone == {"\U0010fffe", "\U000f0000"}
    tree = shown(FORK, 5, "\U000f0000\U0010fff0 Tide")
    assert "Tide" in " ".join(said(map_svg(foreign.without(tree, foreign.foreign(tree)))))
    assert size_of((await map_picture(tree)).png)[1] > size_of((await map_picture(shown(FORK, 5, "Tide"))).png)[1]


async def test_letters_of_our_own_fonts_need_no_others() -> None:
    assert foreign.foreign(shown(FORK, 5, "Дверь в море, η θάλασσα, cửa")) == frozenset()
    assert await foreign.undrawable(()) == frozenset()


async def test_a_picture_that_cannot_be_rendered_is_said_in_a_sentence() -> None:
    with pytest.raises(BrokenAnswer, match="could not be drawn"):
        await printed(["<svg"], "ours")


async def test_a_renderer_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper = tmp_path / "sleeper.py"
    sleeper.write_text("import time; time.sleep(600)", "utf-8")
    monkeypatch.setattr(printer, "__file__", str(sleeper))
    monkeypatch.setattr(press, "_SECONDS", 0.3)
    with pytest.raises(ServiceSilent, match="took too long"):
        await printed(["<svg/>"], "ours")


def test_the_fonts_come_with_their_licence() -> None:
    licence = Path(press.__file__).parent / "fonts" / "OFL.txt"
    assert "SIL OPEN FONT LICENSE" in licence.read_text("utf-8")
