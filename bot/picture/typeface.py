"""How wide words are in the fonts that come with the program: read from the font files themselves.

Only what measuring needs is read: the character map and the advance widths (OpenType 1.9: `cmap`, `hmtx`).
"""

import struct
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FONTS = Path(__file__).parent / "fonts"
REGULAR = FONTS / "Inter-Regular.otf"
STRONG = FONTS / "Inter-SemiBold.otf"

_LETTER = 0.72
"""Width in em taken for a letter of another font; on the safe side for Hebrew, Arabic, Thai, Devanagari."""
_NO_WIDTH = {"Mn", "Me", "Cf"}


@dataclass(frozen=True, slots=True)
class Typeface:
    """One font."""

    advances: Mapping[int, float]
    """Width in em of each character it has, by code point."""

    def has(self, char: str) -> bool:
        """Tell whether the font can draw the character, or need not."""
        return ord(char) in self.advances or unicodedata.category(char) in _NO_WIDTH

    def width(self, text: str, size: float) -> float:
        """Measure a text in pixels at a font size; kerning is left out."""
        return sum(map(self._advance, text)) * size

    def _advance(self, char: str) -> float:
        if unicodedata.category(char) in _NO_WIDTH:
            return 0.0
        foreign = 1.0 if unicodedata.east_asian_width(char) in {"W", "F"} else _LETTER
        return self.advances.get(ord(char), foreign)


@cache
def typeface(path: Path) -> Typeface:
    """Read a font file."""
    font = path.read_bytes()
    tables = dict(_tables(font))
    em = _number(font, "H", tables["head"] + 18)
    measured = _number(font, "H", tables["hhea"] + 34)
    widths = [width for width, _ in struct.iter_unpack(">Hh", font[tables["hmtx"] :][: measured * 4])]
    glyphs = _glyphs(font, tables["cmap"])
    return Typeface({code: widths[min(glyph, measured - 1)] / em for code, glyph in glyphs if glyph})


def _number(font: bytes, kind: str, offset: int) -> int:
    (value,) = struct.unpack_from(f">{kind}", font, offset)
    return int(value)


def _tables(font: bytes) -> Iterator[tuple[str, int]]:
    for at in range(12, 12 + 16 * _number(font, "H", 4), 16):
        tag, _, offset, _ = struct.unpack_from(">4sIII", font, at)
        yield tag.decode("ascii"), offset


def _glyphs(font: bytes, cmap: int) -> Iterator[tuple[int, int]]:
    """List code points with their glyphs, from the map of format 12: the one that holds all of Unicode."""
    for record in range(cmap + 4, cmap + 4 + 8 * _number(font, "H", cmap + 2), 8):
        start = cmap + _number(font, "I", record + 4)
        if _number(font, "H", start) == 12:  # noqa: PLR2004 - the number of the format
            for group in range(_number(font, "I", start + 12)):
                first, last, glyph = struct.unpack_from(">III", font, start + 16 + 12 * group)
                yield from ((code, glyph + code - first) for code in range(first, last + 1))
            return
