"""Where everything of a picture stands: rows from top to bottom, each as tall as its tallest item. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

from bot.picture import style
from bot.picture.fold import Card, Fold, Item, Plan, Start
from bot.picture.layout import depths, tidy
from bot.picture.typeface import REGULAR, STRONG, typeface
from bot.picture.words import wrapped
from bot.wording.markup import line
from bot.wording.voice import counted
from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.replies import MapShown
from storyforge_core.domain.story import SceneId

CARDS_MOST = 250
"""More than this never fit, whatever their shape."""
_WORDS_MOST = 160


Role = Literal["head", "way", "side"]


@dataclass(frozen=True, slots=True)
class Writing:
    """The words of an item, broken into lines."""

    choice: tuple[str, ...] = ()
    """Above it: the choice that leads to it."""
    title: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """Pills below it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """An item in its place."""

    item: Item
    writing: Writing
    parent: int
    role: Role
    centre: float
    top: float
    """Of its card, below the words of the choice."""
    width: float
    height: float
    """Of its card, without the notes below it."""
    bottom: float
    """Of its notes."""
    row_bottom: float
    """Of the lowest item beside it."""

    @property
    def on_path(self) -> bool:
        """Whether it is on the way from the opening to the head, both included."""
        return self.role != "side"


@dataclass(frozen=True, slots=True)
class Sheet:
    """All items in their places; the top left corner is at 0, 0."""

    spots: tuple[Spot, ...]
    width: float
    height: float


def arranged(plan: Plan, shown: MapShown, card: float) -> Sheet | None:
    """Put a plan's items in their places with cards of a width; None when that is wider than a picture may be."""
    if len(plan.items) > CARDS_MOST:
        return None
    widths = [_width(item, card) for item in plan.items]
    centres = tidy(plan.parents, widths, style.GAP)
    width = max((centre + own / 2 for centre, own in zip(centres, widths, strict=True)), default=0.0)
    if width > style.WIDEST - 2 * style.MARGIN:
        return None
    spots = _spots(plan, shown, card, centres, widths)
    return Sheet(spots, width, max((spot.row_bottom for spot in spots), default=0.0))


def _spots(
    plan: Plan, shown: MapShown, card: float, centres: Sequence[float], widths: Sequence[float]
) -> tuple[Spot, ...]:
    writings = [_writing(item, shown, card) for item in plan.items]
    path = frozenset(shown.path)
    rows = depths(plan.parents)
    bands = _bands(plan.items, writings, rows)
    spots = []
    for place, (item, writing) in enumerate(zip(plan.items, writings, strict=True)):
        band = bands[rows[place]]
        height = band.height if isinstance(item, Card) else _height(item, 0)
        top = band.top + (band.height - height) / 2
        spots.append(
            Spot(
                item=item,
                writing=writing,
                parent=plan.parents[place],
                role=_role(item, shown.head, path),
                centre=centres[place],
                top=top,
                width=widths[place],
                height=height,
                bottom=top + height + depth_below(item, writing.notes),
                row_bottom=band.bottom,
            )
        )
    return tuple(spots)


@dataclass(frozen=True, slots=True)
class _Band:
    """One row: where its cards begin, how tall they are, where its lowest note ends."""

    top: float
    height: float
    bottom: float


def _bands(items: Sequence[Item], writings: Sequence[Writing], rows: Sequence[int]) -> Sequence[_Band]:
    members: list[list[int]] = [[] for _ in range(max(rows, default=-1) + 1)]
    for place, row in enumerate(rows):
        members[row].append(place)
    bands: list[_Band] = []
    below = -float(style.DROP)
    for band in members:
        above = max(len(writings[place].choice) for place in band)
        top = below + style.DROP + above * style.SMALL_LINE
        lines = max(len(writings[place].title) for place in band)
        height = max(_height(items[place], lines) for place in band)
        below = top + height + max(depth_below(items[place], writings[place].notes) for place in band)
        bands.append(_Band(top, height, below))
    return bands


def _role(item: Item, head: SceneId | None, path: frozenset[SceneId]) -> Role:
    match item:
        case Card(node=node) if node.id == head:
            return "head"
        case Card(node=node):
            return "way" if node.id in path else "side"
        case Fold(on_path=on_path):
            return "way" if on_path else "side"
        case Start():
            return "way"
        case _:
            assert_never(item)


def _width(item: Item, card: float) -> float:
    match item:
        case Card():
            return card
        case Fold():
            return pill_width(fold_words(item))
        case Start():
            return 2.0 * style.DOT
        case _:
            assert_never(item)


def _height(item: Item, lines: int) -> float:
    match item:
        case Card():
            return card_height(lines)
        case Fold():
            return style.PILL_HEIGHT
        case Start():
            return 2.0 * style.DOT
        case _:
            assert_never(item)


def card_height(lines: int) -> float:
    """How tall a card is: a line for the number, and the title."""
    return style.SMALL_LINE + lines * style.TEXT_LINE + 2.0 * style.CARD_PADDING


def depth_below(item: Item, notes: Sequence[str]) -> float:
    """How far stacked takes and notes reach below a card; the first note sits on its edge."""
    behind = min(item.takes - 1, style.STACK_MOST) * style.STACK_STEP if isinstance(item, Card) else 0
    pitch = style.PILL_HEIGHT + style.STACK_STEP
    return max(behind, len(notes) * pitch - style.STACK_STEP - style.NOTE_OVERLAP if notes else 0.0)


def pill_width(text: str) -> float:
    """How wide a pill is around its words."""
    return typeface(STRONG).width(text, style.SMALL_SIZE) + 2 * style.PILL_PADDING


def fold_words(item: Fold) -> str:
    """What a fold says."""
    return f"… {counted(item.count, 'scene')} …"


def _writing(item: Item, shown: MapShown, card: float) -> Writing:
    match item:
        case Card(node=node):
            room = card - 2 * style.CARD_PADDING
            title, choice = line(node.title, _WORDS_MOST), line(node.choice_text, _WORDS_MOST)
            return Writing(
                wrapped(choice, typeface(REGULAR), style.SMALL_SIZE, card, style.CHOICE_LINES),
                wrapped(title, typeface(STRONG), style.TEXT_SIZE, room, style.TITLE_LINES),
                tuple(_notes(item, shown)),
            )
        case Fold():
            return Writing()
        case Start():
            return Writing(notes=(_more(item.hidden),) if item.hidden else ())
        case _:
            assert_never(item)


def _notes(card: Card, shown: MapShown) -> Iterable[str]:
    if card.node.id == shown.head:
        yield "You are here"
    if shown.ballot is not None and shown.ballot.scene == card.node.id:
        yield asked(shown.ballot)
    if card.hidden:
        yield _more(card.hidden)


def asked(ballot: Ballot) -> str:
    """How an open question stands: `3 choices · 2 votes`."""
    return f"{counted(len(ballot.choices), 'choice')} · {counted(len(ballot.votes), 'vote')}"


def _more(hidden: int) -> str:
    return f"+ {counted(hidden, 'scene')}"
