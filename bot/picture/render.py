"""The map of a story as a PNG with words for those who do not see it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.picture import style
from bot.picture.drawing import Captions, draw
from bot.picture.fold import ENDLESS, Detail, Plan, Tree, fold, index
from bot.picture.foreign import foreign, undrawable, without
from bot.picture.press import printed
from bot.picture.sheet import Sheet, arranged, asked
from bot.wording.markup import isolated, line
from bot.wording.voice import counted
from storyforge_core.domain.replies import MapShown

_FRAME = 480
"""Height kept for heading, legend and footnotes."""
_TITLE_MOST = 120
_LOST = "Some letters are left out: the computer that runs this bot has no font for them."
_WAYS = (64, 48, 32, 24, 20, 16, 12, 10, 8, 6, 4)
"""How many scenes of the way to the head are drawn: the first that fits."""
_DEPTHS = (8, 4, 2, 1)
"""How many levels of side branches are drawn at a scene of the way: the first that fits."""
_BROTHERS = 5


@dataclass(frozen=True, slots=True)
class Picture:
    """What is shown, and what is said to who does not see it."""

    png: bytes
    alt: str


async def map_picture(shown: MapShown) -> Picture:
    """Draw the map, at most 1600 by 4000 pixels.

    Raises:
        ServiceDown: the renderer failed or took too long; the map in letters is as good as ever.
    """
    strange = await asyncio.to_thread(foreign, shown)  # the first time, it reads the font
    lost = await undrawable(strange)
    drawable, remarks = (without(shown, lost), [_LOST]) if lost else (shown, [])
    svg = await asyncio.to_thread(map_svg, drawable, *remarks)
    (png,) = await printed([svg], "ours" if strange == lost else "all")
    return Picture(png, alt_text(shown))


def alt_text(shown: MapShown) -> str:
    """Say in two sentences what is to be seen."""
    scenes = counted(len(shown.nodes) + shown.left_out, "scene")
    head = next((node for node in shown.nodes if node.id == shown.head), None)
    first = f"The map of {_quoted(shown.story.title) or 'an untitled story'}, {scenes} in all."
    if head is None:
        return f"{first} Nobody has arrived at a scene yet."
    name = f"scene {head.number}, {_quoted(head.title)}" if head.title else f"scene {head.number}"
    question = "no question is open" if shown.ballot is None else f"the question there is open, {asked(shown.ballot)}"
    return f"{first} You are at {name}; {question}."


def _quoted(text: str) -> str:
    words = line(text, _TITLE_MOST)
    return f"“{isolated(words)}”" if words else ""


def map_svg(shown: MapShown, *remarks: str) -> str:
    """Write the map as SVG, with remarks below it."""
    return draw(_sheet(shown), _captions(shown, remarks))


def _sheet(shown: MapShown) -> Sheet:
    """Draw everything; or fold chains; or draw the way to the head and as many branches as find room beside it."""
    tree = index(shown)
    whole = _fitting(fold(tree, Detail(chain=ENDLESS)), shown, style.COMFORTABLE)
    return whole or _fitting(fold(tree, Detail()), shown, style.TALLEST) or _opened(tree, shown)


def _opened(tree: Tree, shown: MapShown) -> Sheet:
    """Start with the way alone, then open the branches at one scene after the other, those at the head first."""
    detail, sheet = _way(tree, shown)
    for scene in reversed(tree.path[-detail.rows - 1 :]):
        for depth in _DEPTHS:
            more = replace(detail, opened={**detail.opened, scene: depth})
            larger = _fitting(fold(tree, more), shown, style.TALLEST)
            if larger is not None:
                detail, sheet = more, larger
                break
    return sheet


def _way(tree: Tree, shown: MapShown) -> tuple[Detail, Sheet]:
    """Draw as much of the way to the head as is comfortable; the shortest always fits."""
    details = (Detail(levels=0, brothers=_BROTHERS, rows=rows) for rows in _WAYS)
    sheets = ((detail, _fitting(fold(tree, detail), shown, style.LONGEST_WAY)) for detail in details)
    return next((detail, sheet) for detail, sheet in sheets if sheet is not None)


def _fitting(plan: Plan, shown: MapShown, tallest: float) -> Sheet | None:
    """Arrange a plan with the widest cards that leave it within the picture."""
    for card in style.CARD_WIDTHS:
        sheet = arranged(plan, shown, card)
        if sheet is not None and sheet.height <= tallest - _FRAME:
            return sheet
    return None


def _captions(shown: MapShown, remarks: Iterable[str]) -> Captions:
    number = _head_number(shown)
    here = "" if number is None else f" · you are at scene {number}"
    scenes = len(shown.nodes) + shown.left_out
    further = [f"{counted(shown.left_out, 'scene')} further away: not drawn."] if shown.left_out else []
    return Captions(_title(shown), f"{counted(scenes, 'scene')}{here}", (*further, *remarks))


def _title(shown: MapShown) -> str:
    return line(shown.story.title, _TITLE_MOST) or "The map of the story"


def _head_number(shown: MapShown) -> int | None:
    return next((node.number for node in shown.nodes if node.id == shown.head), None)
