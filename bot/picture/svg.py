"""SVG, written piece by piece: shapes and words, every word escaped."""

import re
from collections.abc import Iterable
from html import escape

from bot.picture import style

FAMILY = "Inter"

_NOT_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(width: float, height: float, pieces: Iterable[str]) -> str:
    """A whole picture."""
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    body = "\n".join(pieces)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FAMILY}">\n{body}\n</svg>\n'


def box(x: float, y: float, width: float, height: float, look: str, corner: float = style.CARD_CORNER) -> str:
    """A rectangle with round corners."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{corner:.1f}" {look}/>'


def dot(x: float, y: float, radius: float, look: str) -> str:
    """A disc."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" {look}/>'


def curve(x0: float, y0: float, x1: float, y1: float, bend: float, look: str) -> str:
    """A line that leaves straight down as far as `bend`, then swings over and arrives from straight above."""
    middle = (bend + y1) / 2
    way = f"M{x0:.1f} {y0:.1f}V{bend:.1f}C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}"
    return f'<path d="{way}" fill="none" {look}/>'


def words(x: float, baseline: float, text: str, size: float, look: str) -> str:
    """One line of text."""
    place = f'x="{x:.1f}" y="{baseline:.1f}" font-size="{size:g}"'
    return f"<text {place} {look}>{escape(_NOT_XML.sub('', text))}</text>"


def filled(colour: str) -> str:
    """The look of a surface without an edge."""
    return f'fill="{colour}"'


def edged(colour: str, edge: str, width: float) -> str:
    """The look of a surface with an edge."""
    return f'fill="{colour}" stroke="{edge}" stroke-width="{width:g}"'


def stroked(colour: str, width: float) -> str:
    """The look of a line."""
    return f'stroke="{colour}" stroke-width="{width:g}" stroke-linecap="round"'


def centred(colour: str, *, weight: int = 400) -> str:
    """The look of words around their place."""
    return f'fill="{colour}" font-weight="{weight}" text-anchor="middle"'
