"""A sheet as SVG: heading, branches, cards, pills, and below them what the lines mean and what is missing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from bot.picture import style
from bot.picture.fold import Card, Fold, Start
from bot.picture.sheet import Role, Sheet, Spot, fold_words, pill_width
from bot.picture.svg import box, centred, curve, document, dot, edged, filled, stroked, words
from bot.picture.typeface import REGULAR, STRONG, typeface
from bot.picture.words import wrapped

_BASELINE = 0.36
"""How far below its middle a line of text stands, in em."""
_SAMPLE = 54
"""Length of the lines that the legend explains."""
_BOLD = 600
_DASHED = 'stroke-dasharray="3 9"'


@dataclass(frozen=True, slots=True)
class Captions:
    """The words around the tree."""

    title: str
    subtitle: str
    footnotes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Paragraph:
    lines: tuple[str, ...]
    size: float
    pitch: float
    look: str

    @property
    def height(self) -> float:
        return len(self.lines) * self.pitch


def draw(sheet: Sheet, captions: Captions) -> str:
    """Write the whole picture."""
    width = max(sheet.width + 2 * style.MARGIN, style.NARROWEST)
    heading, subtitle, *notes = _paragraphs(captions, width)
    tree_top = 1.6 * style.MARGIN + heading.height + subtitle.height
    legend_top = tree_top + sheet.height + style.MARGIN
    side = any(not spot.on_path for spot in sheet.spots)
    notes_top = legend_top + (style.SMALL_LINE + 6 if side else 0)
    bottom = notes_top + sum(note.height for note in notes)
    height = bottom + (style.MARGIN * 0.7 if side or notes else 0)
    pieces = [
        box(0, 0, width, height, filled(style.BACKGROUND), style.CORNER),
        *_column((heading, subtitle), width / 2, style.MARGIN * 0.8),
        f'<g transform="translate({(width - sheet.width) / 2:.1f} {tree_top:.1f})">',
        *_branches(sheet.spots),
        *(piece for spot in sheet.spots for piece in _item(spot)),
        "</g>",
        *(_legend(width, legend_top) if side else ()),
        *_column(notes, width / 2, notes_top),
    ]
    return document(width, height, pieces)


def _paragraphs(captions: Captions, width: float) -> Sequence[_Paragraph]:
    def set_in(text: str, font: Path, size: float, pitch: float, look: str, most: int) -> _Paragraph:
        return _Paragraph(wrapped(text, typeface(font), size, width - 2 * style.MARGIN, most), size, pitch, look)

    soft = centred(style.INK_SOFT)
    return [
        set_in(captions.title, STRONG, style.HEADING_SIZE, style.HEADING_LINE, centred(style.INK, weight=_BOLD), 2),
        set_in(captions.subtitle, REGULAR, style.TEXT_SIZE, style.TEXT_LINE, soft, 2),
        *(set_in(note, REGULAR, style.SMALL_SIZE, style.SMALL_LINE, soft, 2) for note in captions.footnotes),
    ]


def _column(paragraphs: Sequence[_Paragraph], x: float, top: float) -> Iterator[str]:
    for paragraph in paragraphs:
        yield from _lines(paragraph, x, top)
        top += paragraph.height


def _lines(paragraph: _Paragraph, x: float, top: float) -> Iterator[str]:
    for place, text in enumerate(paragraph.lines):
        middle = top + (place + 0.5) * paragraph.pitch
        yield words(x, middle + paragraph.size * _BASELINE, text, paragraph.size, paragraph.look)


def _branches(spots: Sequence[Spot]) -> Iterator[str]:
    """Draw the lines, those of the path last: on top."""
    below = [(spots[spot.parent], spot) for spot in spots if spot.parent >= 0]
    for on_path in (False, True):
        look = stroked(style.PATH, style.PATH_LINE) if on_path else stroked(style.LINE, style.SIDE_LINE)
        for parent, spot in below:
            if spot.on_path is on_path:
                end = spot.top - len(spot.writing.choice) * style.SMALL_LINE - style.CARD_LINE
                yield curve(parent.centre, parent.bottom, spot.centre, end, parent.row_bottom, look)


def _item(spot: Spot) -> Iterator[str]:
    match spot.item:
        case Card():
            yield from _choice(spot)
            yield from _card(spot, spot.item)
        case Fold():
            edge = style.PATH if spot.on_path else style.CARD_EDGE
            look = f"{edged(style.CARD, edge, style.CARD_LINE_SOFT)} {_DASHED}"
            yield from _pill(spot.centre, spot.top, fold_words(spot.item), look, style.INK_SOFT)
        case Start():
            yield dot(spot.centre, spot.top + style.DOT, style.DOT, filled(style.PATH))
        case _:
            assert_never(spot.item)
    yield from _notes(spot)


def _choice(spot: Spot) -> Iterator[str]:
    ink = style.INK if spot.on_path else style.INK_SOFT
    choice = _Paragraph(spot.writing.choice, style.SMALL_SIZE, style.SMALL_LINE, centred(ink))
    yield from _lines(choice, spot.centre, spot.top - choice.height - style.CARD_LINE)


def _card(spot: Spot, card: Card) -> Iterator[str]:
    look, ink, soft = _looks(spot.role)
    left = spot.centre - spot.width / 2
    for behind in range(min(card.takes - 1, style.STACK_MOST), 0, -1):
        step = behind * style.STACK_STEP
        yield box(left + step, spot.top + step, spot.width, spot.height, edged(style.CARD, style.CARD_EDGE, 2))
    yield box(left, spot.top, spot.width, spot.height, look)
    middle = spot.top + style.CARD_PADDING + style.SMALL_LINE / 2
    baseline = middle + style.SMALL_SIZE * _BASELINE
    near, far = left + style.CARD_PADDING, left + spot.width - style.CARD_PADDING
    strong = f'fill="{soft}" font-weight="{_BOLD}"'
    yield words(near, baseline, str(card.node.number), style.SMALL_SIZE, strong)
    yield words(far, baseline, _take(card), style.SMALL_SIZE, f'fill="{soft}" text-anchor="end"')
    title = _Paragraph(spot.writing.title, style.TEXT_SIZE, style.TEXT_LINE, centred(ink, weight=_BOLD))
    room = spot.height - 2 * style.CARD_PADDING - style.SMALL_LINE
    top = spot.top + style.CARD_PADDING + style.SMALL_LINE + (room - title.height) / 2
    yield from _lines(title, spot.centre, top)


def _looks(role: Role) -> tuple[str, str, str]:
    """The look of a card, the ink of its title, the ink of its number."""
    match role:
        case "head":
            return edged(style.HEAD, style.INK, style.CARD_LINE + 1), style.INK_ON_HEAD, style.INK_ON_HEAD
        case "way":
            return edged(style.CARD_ON_PATH, style.PATH, style.CARD_LINE), style.INK, style.PATH
        case "side":
            return edged(style.CARD, style.CARD_EDGE, style.CARD_LINE_SOFT), style.INK_SOFT, style.INK_SOFT
        case _:
            assert_never(role)


def _take(card: Card) -> str:
    if card.of > 1:
        return f"take {card.node.take} of {max(card.of, card.node.take)}"
    return f"take {card.node.take}" if card.node.take > 1 else ""


def _notes(spot: Spot) -> Iterator[str]:
    top = spot.top + spot.height - style.NOTE_OVERLAP
    for place, note in enumerate(spot.writing.notes):
        here = place == 0 and spot.role == "head"  # its first note says so
        look = edged(style.INK, style.HEAD, 3) if here else edged(style.BACKGROUND, style.LINE, 2)
        yield from _pill(spot.centre, top, note, look, style.INK_ON_HEAD if here else style.INK)
        top += style.PILL_HEIGHT + style.STACK_STEP


def _pill(centre: float, top: float, text: str, look: str, ink: str) -> Iterator[str]:
    width = pill_width(text)
    yield box(centre - width / 2, top, width, style.PILL_HEIGHT, look, style.PILL_HEIGHT / 2)
    baseline = top + style.PILL_HEIGHT / 2 + style.SMALL_SIZE * _BASELINE
    yield words(centre, baseline, text, style.SMALL_SIZE, centred(ink, weight=_BOLD))


def _legend(width: float, top: float) -> Iterator[str]:
    """Show the two sorts of lines with their meaning, in the middle."""
    face = typeface(REGULAR)
    entries = [
        ("the way here", stroked(style.PATH, style.PATH_LINE)),
        ("other branches", stroked(style.LINE, style.SIDE_LINE)),
    ]
    space = style.GAP / 2
    sizes = [_SAMPLE + space + face.width(text, style.SMALL_SIZE) for text, _ in entries]
    left = (width - sum(sizes) - 2 * style.GAP) / 2
    middle = top + style.SMALL_LINE / 2
    for (text, look), size in zip(entries, sizes, strict=True):
        yield f'<path d="M{left:.1f} {middle:.1f}h{_SAMPLE}" {look}/>'
        baseline = middle + style.SMALL_SIZE * _BASELINE
        yield words(left + _SAMPLE + space, baseline, text, style.SMALL_SIZE, f'fill="{style.INK_SOFT}"')
        left += size + 2 * style.GAP
