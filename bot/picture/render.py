"""The map of a story as a PNG with words for those who do not see it."""

import asyncio
from dataclasses import dataclass, replace

from resvg_py import svg_to_bytes

from bot.picture import style
from bot.picture.drawing import Captions, draw
from bot.picture.fold import ENDLESS, Detail, Plan, Tree, fold, index
from bot.picture.sheet import Sheet, arranged, asked
from bot.picture.typeface import REGULAR, STRONG
from bot.wording.markup import line
from bot.wording.voice import counted
from storyforge_core.domain.replies import MapShown

_FRAME = 480
"""Height kept for heading, legend and footnotes."""
_TITLE_MOST = 120
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
    """Draw the map: at most 1600 by 4000 pixels; takes 0.1 to 0.5 s, in a thread."""
    return Picture(await asyncio.to_thread(_rendered, shown), alt_text(shown))


def alt_text(shown: MapShown) -> str:
    """Say in two sentences what is to be seen."""
    scenes = len(shown.nodes) + shown.left_out
    first = f"The map of “{_title(shown)}”, a tree of {counted(scenes, 'scene')}."
    number = _head_number(shown)
    if number is None:
        return f"{first} Nobody has arrived at a scene yet."
    question = "no question is open" if shown.ballot is None else f"a question is open there: {asked(shown.ballot)}"
    return f"{first} You are at scene {number}, {counted(len(shown.path) - 1, 'step')} from its beginning; {question}."


def map_svg(shown: MapShown) -> str:
    """Write the map as SVG."""
    return draw(_sheet(shown), _captions(shown))


def _rendered(shown: MapShown) -> bytes:
    fonts = [str(REGULAR), str(STRONG)]
    return svg_to_bytes(svg_string=map_svg(shown), font_files=fonts, skip_system_fonts=True)


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
    for rows in _WAYS:
        detail = Detail(levels=0, brothers=_BROTHERS, rows=rows)
        sheet = _fitting(fold(tree, detail), shown, style.COMFORTABLE)
        if sheet is not None:
            return detail, sheet
    msg = "A column of a few cards is larger than a picture may be: the sizes in style.py contradict each other."
    raise AssertionError(msg)


def _fitting(plan: Plan, shown: MapShown, tallest: float) -> Sheet | None:
    """Arrange a plan with the widest cards that leave it within the picture."""
    for card in style.CARD_WIDTHS:
        sheet = arranged(plan, shown, card)
        if sheet is not None and sheet.height <= tallest - _FRAME:
            return sheet
    return None


def _captions(shown: MapShown) -> Captions:
    number = _head_number(shown)
    here = "" if number is None else f" · you are at scene {number}"
    scenes = len(shown.nodes) + shown.left_out
    footnotes = (f"{counted(shown.left_out, 'scene')} further away are not drawn.",) if shown.left_out else ()
    return Captions(_title(shown), f"{counted(scenes, 'scene')}{here}", footnotes)


def _title(shown: MapShown) -> str:
    return line(shown.story.title, _TITLE_MOST) or "Untitled"


def _head_number(shown: MapShown) -> int | None:
    return next((node.number for node in shown.nodes if node.id == shown.head), None)
