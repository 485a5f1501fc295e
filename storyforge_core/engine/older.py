"""What a prompt holds of the story before its newest scene: summaries, a line for each scene, whole scenes.

It begins a prompt, so it has to stay byte for byte what it was for as long as it can: a server reads only what comes
behind anew. Within a chapter it does. The chapter that is being told is there whole, behind as much of the end of the
one before as there is room for; everything older is in summaries that were there when the chapter began. None of that
depends on what changes with each scene. Only where that does not fit, since somebody's chapters are larger than the
window or the newest scene is very long, older scenes give way in batches.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from storyforge_core.domain.chapters import NEVER, SHORTEST
from storyforge_core.domain.context import BATCH, Part, as_data, estimate, squeeze, tagged
from storyforge_core.domain.writing import Brief, Synopsis, ToldScene

CHAPTER_SHARE = 3 / 5
"""Of the room for older scenes, what a chapter may take; what it leaves is for the end of the one before."""
FRONT_SHARE = 5
"""Of the room for older scenes one part in so many goes to summaries and lines."""
FRAME = 12
"""Tokens that tags and blank lines take around each of them."""
ALIGNED = 16
"""Scenes; where not all of a chapter was read, its first ones come and go so many at a time."""
FEWEST, MOST = 64, 600
"""Scenes that are read whole at the most, in the smallest and in the largest window."""
TOKENS_PER_SCENE = 128
"""Fewer than a scene of the usual length has."""


@dataclass(frozen=True, slots=True)
class Older:
    """The story before its newest scene, in the order of the prompt."""

    so_far: tuple[tuple[Synopsis, str], ...] = ()
    """Several chapters each."""
    chapters: tuple[tuple[Synopsis, str], ...] = ()
    lines: tuple[str, ...] = ()
    scenes: tuple[tuple[ToldScene, str], ...] = ()

    @property
    def text(self) -> str:
        """All of it."""
        shorter = synopses_block("so_far", self.so_far) + synopses_block("chapters", self.chapters)
        return shorter + earlier(self.lines) + "".join(text for _, text in self.scenes)


def scenes_read(window: int) -> int:
    """How many scenes are read whole at the most: as many as could be in a prompt of this window."""
    return min(max(window // TOKENS_PER_SCENE, FEWEST), MOST)


def chapter_room(planned: int, wanted: int) -> int:
    """Tokens that a chapter has room for.

    Args:
        planned: the room for all older scenes.
        wanted: what the story's settings say; 0 where they leave it to the window.
    """
    return wanted if wanted == NEVER else max(wanted or int(planned * CHAPTER_SHARE), SHORTEST)


def chapter_tokens(brief: Brief, new: ToldScene) -> int:
    """Tokens of the chapter with a new scene; what was not read of it is taken to be as long as what was."""
    read = brief.path[max(brief.opened - brief.older, 0) :]
    scenes = brief.older + len(brief.path) - brief.opened
    told = _cost(read) * scenes // len(read) if read else 0
    return told + estimate(as_scene(new))


def older(brief: Brief, planned: int, left: int) -> Older:
    """Lay out the story before its newest scene within `left` tokens.

    Args:
        brief: what may be known.
        planned: the room there is if nothing is unusually long; the same from scene to scene.
        left: the room there is.
    """
    for first, front in _layouts(brief, planned, left):
        whole = brief.path[first:-1]
        if len(_fitting(reversed(whole), left)) < len(whole):
            continue
        laid = _laid(brief, first, front)
        if estimate(laid.text) <= left:
            return laid
    return Older()


def synopses_block(tag: str, synopses: Sequence[tuple[Synopsis, str]]) -> str:
    """Summaries as they stand in a prompt."""
    return tagged(tag, "\n".join(text for _, text in synopses))


def earlier(lines: Sequence[str]) -> str:
    """Lines as they stand in a prompt."""
    return tagged("earlier", "".join(lines).rstrip())


def as_scene(scene: ToldScene) -> str:
    """A scene, whole, as it stands in a prompt."""
    chosen, told = as_data(scene.choice), f"{scene.number}. {as_data(scene.title)}\n{as_data(scene.prose)}"
    return tagged("chosen", chosen) + tagged("scene", told)


def _layouts(brief: Brief, planned: int, left: int) -> Iterator[tuple[int, int]]:
    """Ways to lay it out, the stablest first: the first scene of the path that is whole, and tokens before it."""
    yield _stable(brief, planned), max(planned // FRONT_SHARE, 0)
    for room in (min(planned, left), left):
        front = max(room // FRONT_SHARE, 0)
        yield _batched(brief.path[:-1], room - front), front
    yield len(brief.path[:-1]), max(left, 0)


def _stable(brief: Brief, planned: int) -> int:
    """The first whole scene for as long as a chapter is told: it depends on nothing but the chapters before it."""
    opened = max(brief.opened - brief.older, 0)
    nearest = max(brief.recent - brief.older, 0)
    room = planned - int(planned * CHAPTER_SHARE)
    before = brief.path[nearest:opened]
    if brief.older or nearest or _cost(before) > room:
        room -= planned // FRONT_SHARE
    first = opened - len(_fitting(reversed(before), room))
    cut_off = first == nearest and brief.older > brief.recent
    while cut_off and first < opened and (brief.older + first) % ALIGNED:
        first += 1
    return min(first, max(len(brief.path) - 1, 0))


def _batched(scenes: Sequence[ToldScene], room: int) -> int:
    """The first whole scene where the newest that fit are kept, in batches."""
    fitting = len(_fitting(reversed(scenes), room))
    first = len(scenes) - fitting
    if not first:
        return 0
    starts = (i for i in range(first, len(scenes) - fitting // 2) if scenes[i].number % BATCH == 0)
    return next(starts, first)


def _fitting(scenes: Iterator[ToldScene], room: int) -> list[ToldScene]:
    kept: list[ToldScene] = []
    for scene in scenes:
        room -= estimate(as_scene(scene))
        if room < 0:
            break
        kept.append(scene)
    return kept


def _cost(scenes: Sequence[ToldScene]) -> int:
    """Tokens of scenes, each by itself: together they take no more."""
    return sum(estimate(as_scene(scene)) for scene in scenes)


def _laid(brief: Brief, first: int, front: int) -> Older:
    scenes = brief.path[:-1]
    whole = tuple((scene, as_scene(scene)) for scene in scenes[first:])
    told = sum(synopsis.scenes for synopsis in brief.synopses)
    listed = (*brief.lines, *scenes[max(told - brief.older, 0) : first])
    room = front - 3 * FRAME
    lines = _lines(listed, room // 2 if brief.synopses else room)
    texts = _synopses(brief.synopses, room - sum(map(estimate, lines)))
    so_far = tuple(pair for pair in texts if pair[0].layer > 1)
    return Older(so_far, tuple(pair for pair in texts if pair[0].layer == 1), lines, whole)


def _lines(scenes: Sequence[ToldScene], room: int) -> tuple[str, ...]:
    """A line for each scene: with what happened if there is room for that, else with its title; at least the newest."""
    forms: tuple[Callable[[ToldScene], str], ...] = (_full_line, _short_line)
    kept: list[str] = []
    for form in forms:
        left = room
        kept.clear()
        for line in map(form, reversed(scenes)):
            left -= estimate(line)
            if left < 0:
                break
            kept.append(line)
        if len(kept) == len(scenes):
            break
    return tuple(reversed(kept))


def _synopses(synopses: Sequence[Synopsis], room: int) -> tuple[tuple[Synopsis, str], ...]:
    """Summaries, the longest shortened so far that all of them fit."""
    if not synopses:
        return ()
    heads = [as_data(f"{_span(each)}{f' · {each.title}' if each.title else ''}: ") for each in synopses]
    taken = sum(estimate(head) + 1 for head in heads)
    texts = squeeze([Part(as_data(each.text)) for each in synopses], room - taken)
    return tuple(
        (each, head + text) for each, head, text in zip(synopses, heads, texts, strict=True) if text and room > taken
    )


def _span(synopsis: Synopsis) -> str:
    return f"{synopsis.first}" if synopsis.first == synopsis.last else f"{synopsis.first}\u2013{synopsis.last}"


def _full_line(scene: ToldScene) -> str:
    """An older scene in one line: how it came about, and what happened."""
    return as_data(f"{_short_line(scene).rstrip()} \u2014 {scene.gist}\n") if scene.gist else _short_line(scene)


def _short_line(scene: ToldScene) -> str:
    """An older scene in one line."""
    chosen = f" (after: {scene.choice})" if scene.choice else ""
    return as_data(f"{scene.number}. {scene.title}{chosen}\n")
