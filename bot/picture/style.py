"""Colours and sizes of the picture, in pixels; dark and neutral, to sit well in a dark chat and in a light one.

Nothing is told by colour alone: the way to the head is also thicker, the head says so, folds and counts are words.
"""

WIDEST = 1600
TALLEST = 4000
COMFORTABLE = 2400
"""Up to this height nothing is folded."""
LONGEST_WAY = 3000
"""Of a larger tree so much of the way to the head is drawn."""
NARROWEST = 760
CARD_WIDTHS = (300, 260, 220)
"""The widest that leaves everything within the picture is taken."""

BACKGROUND = "#23262f"
CARD = "#2e323e"
CARD_EDGE = "#4d5466"
CARD_ON_PATH = "#3a3f4e"
PATH = "#e6b35a"
HEAD = "#f2c26b"
INK = "#f3f1ea"
INK_SOFT = "#b9c0cf"
INK_ON_HEAD = "#26221a"
LINE = "#667086"

MARGIN = 48
CORNER = 28
GAP = 26
"""Between neighbours."""
DROP = 54
"""From a card down to what is after it, without the words of a choice."""

CARD_CORNER = 16
CARD_PADDING = 18
CARD_LINE = 3
CARD_LINE_SOFT = 2
STACK_STEP = 7
STACK_MOST = 2
NOTE_OVERLAP = 11
"""How far the first note reaches up over the edge of its card."""

PATH_LINE = 7
SIDE_LINE = 3

PILL_HEIGHT = 40
PILL_PADDING = 18
DOT = 12

HEADING_SIZE, HEADING_LINE = 42, 52
TEXT_SIZE, TEXT_LINE = 25, 32
SMALL_SIZE, SMALL_LINE = 22, 29
TITLE_LINES = 2
CHOICE_LINES = 2
ELLIPSIS = "…"
