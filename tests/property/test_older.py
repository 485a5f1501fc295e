"""What a prompt begins with: the same bytes for as long as a chapter is told, and all of the path in some form."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storyforge_core.domain.chapters import full
from storyforge_core.domain.context import BATCH, estimate
from storyforge_core.domain.writing import Brief, Synopsis, ToldScene
from storyforge_core.engine.older import chapter_tokens, older
from storyforge_core.engine.prompting import SMALLEST_WINDOW, pieces, room_for_chapter, scene_messages, telling_tokens

WORDS = 120
sentences = st.sampled_from(
    ["The sea rose. ", "“Who knocks?” ", "潮が満ちた。", "Ночь темна. ", "🌊 ", "<scene> [INST] ", "Ye\u0301s! "]
)
proses = st.tuples(sentences, st.integers(3, 38)).map(lambda drawn: drawn[0] * drawn[1])
titles = st.sampled_from(["", "Low Water", "朝", "A <title>"])
stories = st.lists(st.tuples(titles, titles, proses), min_size=12, max_size=48)
windows = st.sampled_from([8192, 9500, 12_000])


@dataclass
class World:
    """A story that is told scene by scene, its chapters ending by the rule and summarised while the next is told."""

    window: int
    told: tuple[ToldScene, ...] = ()
    opened: int = 0
    recent: int = 0
    synopses: tuple[Synopsis, ...] = ()

    def brief(self, chosen: str, hint: str) -> Brief:
        covered = sum(synopsis.scenes for synopsis in self.synopses)
        whole = max(min(self.recent, len(self.told) - 24), 0)
        return Brief(
            "A door in the sea", "The Door", "", "", self.told[whole:], chosen, hint, "", WORDS, 3, 7,
            older=whole, synopses=self.synopses, opened=self.opened, recent=self.recent,
            lines=tuple(replace(scene, prose="") for scene in self.told[covered:whole]),
        )  # fmt: skip

    def on(self, scene: ToldScene) -> bool:
        """Tell on; whether that ends the chapter."""
        tokens = telling_tokens(WORDS, self.window)
        brief = self.brief("", "")
        room = room_for_chapter(brief, self.window, tokens, 0)
        ends = full(chapter_tokens(brief, scene), room)
        self.told = (*self.told, scene)
        if ends:
            self._end()
        return ends

    def _end(self) -> None:
        if self.opened:  # that of the chapter before is there by now
            first, count = self.recent, self.opened - self.recent
            gist = "Somebody opened the door and went through it. " * 3
            numbers = self.told[first].number, self.told[first + count - 1].number
            self.synopses = (*self.synopses, Synopsis(1, *numbers, count, "Through", gist))
        self.recent, self.opened = self.opened, len(self.told)


@settings(max_examples=12)
@given(stories, windows, st.sampled_from(["", "more fog"]))
def test_the_beginning_stays_byte_for_byte_while_a_chapter_is_told(
    story: list[tuple[str, str, str]], window: int, hint: str
) -> None:
    world = World(window)
    tokens = telling_tokens(WORDS, window)
    before = ("", "")
    for number, (title, choice, prose) in enumerate(story, 1):
        ended = world.on(ToldScene(number, title, choice, prose))
        system, user = scene_messages(world.brief(choice, hint if number % 2 else ""), window, tokens)
        told = user.content.partition(f"<scene>\n{number}. ")[0]
        if number > 1 and not ended:
            assert system.content == before[0]
            assert told.startswith(before[1])
        before = (system.content, told)


@settings(max_examples=12)
@given(stories, windows)
def test_every_scene_of_the_path_is_there_in_some_form(story: list[tuple[str, str, str]], window: int) -> None:
    world = World(window)
    for number, (title, choice, prose) in enumerate(story, 1):
        world.on(ToldScene(number, title, choice, prose))
    listed = pieces(world.brief("", ""), window, telling_tokens(WORDS, window))
    whole = sum(piece.name in {"scene", "newest"} for piece in listed)
    assert whole + sum(piece.scenes for piece in listed) >= len(story)


def long_path(count: int, words: int = 60) -> tuple[ToldScene, ...]:
    return tuple(ToldScene(n, f"Title {n}", "", "The sea rose. " * words) for n in range(1, count + 1))


def test_a_chapter_larger_than_the_window_gives_way_in_batches() -> None:
    path = long_path(100)
    firsts = set()
    for end in range(60, 101):
        brief = Brief("", "", "", "", path[:end], "", "", "", 220, 3, 7)
        firsts.add(older(brief, 3000, 3000).scenes[0][0].number)
    assert all(first % BATCH == 0 for first in firsts)
    assert len(firsts) < 15


@given(st.integers(0, 8000), st.integers(-50, 8000), st.integers(0, 60), st.integers(0, 40), st.integers(1, 60))
def test_older_scenes_are_never_over_their_room(planned: int, left: int, opened: int, recent: int, count: int) -> None:
    synopses = (Synopsis(2, 1, 10, 10, "Then", "The tide came and went. " * 40),)
    brief = Brief(
        "",
        "",
        "",
        "",
        long_path(count, 20),
        "",
        "",
        "",
        220,
        3,
        7,
        older=10,
        synopses=synopses,
        opened=opened,
        recent=recent,
    )
    laid = older(brief, planned, left)
    assert estimate(laid.text) <= max(left, 0)
    numbers = [scene.number for scene, _ in laid.scenes]
    assert numbers == list(range(count - len(numbers), count))


@pytest.mark.parametrize("window", [SMALLEST_WINDOW, 8192])
def test_all_scenes_are_whole_while_they_fit(window: int) -> None:
    path = long_path(3, 10)
    brief = Brief("", "", "", "", path, "", "", "", 220, 3, 7)
    listed = pieces(brief, window, telling_tokens(220, window))
    assert [piece.scene for piece in listed if piece.name in {"scene", "newest"}] == [1, 2, 3]


def test_summaries_stand_before_lines_and_those_before_scenes() -> None:
    path = tuple(replace(scene, number=scene.number + 40) for scene in long_path(12, 20))
    synopses = (Synopsis(2, 1, 24, 24, "Low", "They came."), Synopsis(1, 25, 36, 12, "High", "They stayed."))
    lines = tuple(ToldScene(n, f"Title {n}", "Go", "", "It rained.") for n in range(37, 41))
    brief = Brief(
        "", "", "", "", path, "", "", "", 220, 3, 7, older=40, synopses=synopses, lines=lines, opened=46, recent=36
    )
    text = scene_messages(brief, 8192, 500)[1].content
    parts = (
        "<so_far>\n1\u201324 · Low: They came.",
        "<chapters>\n25\u201336 · High: They stayed.",
        "<earlier>\n37. Title 37 (after: Go) — It rained.",
    )
    places = [text.index(part) for part in (*parts, "<scene>\n")]
    assert places == sorted(places)
