"""The built-in illustrator: a plain card with the scene's title, in colours that fit its mood. It says that it is one.

It is there so that everything around pictures can be tried without a graphics card.
"""

import asyncio
import colorsys
import io
import random
import textwrap
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

from PIL import Image, ImageDraw, ImageFont

from storyforge_core.domain.pictures import Commission, Painted, Progress, Size
from storyforge_core.domain.writing import Finding

LABEL = "placeholder card"
NOTE = "placeholder card: no picture server is set up"
Hues = tuple[float, float]
"""Of sky and ground, 0 to 1 round the colour wheel."""
MOODS: Mapping[str, Hues] = MappingProxyType(
    {
        "sea tide harbour harbor ship wave boat": (0.58, 0.52),
        "night moon dark midnight shadow": (0.68, 0.72),
        "fire flame lava ember burn": (0.04, 0.98),
        "forest tree garden moss meadow": (0.42, 0.33),
        "snow ice winter frost": (0.56, 0.58),
        "desert sand dune": (0.10, 0.08),
        "space star planet station ship": (0.72, 0.62),
        "blood horror scream grave": (0.97, 0.92),
    }
)
NIGHT = ("night", "moon", "dark", "midnight", "shadow", "space", "star", "grave")
LAST_LATIN = 0x24F
"""The font that Pillow brings has letters up to here."""


class CardIllustrator:
    """Draws cards."""

    label = LABEL

    async def paint(self, commission: Commission, hear: Callable[[Progress], None]) -> Painted:
        """Draw one; the same for the same commission."""
        hear(Progress(0))
        return Painted(await asyncio.to_thread(draw, commission), LABEL)

    async def forget(self, picture: UUID) -> None:
        """Nothing takes long enough to be stopped."""

    async def check(self) -> Sequence[Finding]:
        """It is always ready."""
        return (Finding("pictures", "ok", "placeholder cards"),)

    async def aclose(self) -> None:
        """Nothing to let go of."""


def draw(commission: Commission) -> bytes:
    """Draw a card as PNG."""
    dice = random.Random(commission.seed)  # noqa: S311 - colours, not secrets
    size = commission.size
    sky, ground = _hues(commission.prompt, dice)
    night = any(word in commission.prompt.lower() for word in NIGHT)
    card = _gradient(size, _colour(sky, 0.45, 0.22 if night else 0.78), _colour(sky, 0.35, 0.55 if night else 0.95))
    pen = ImageDraw.Draw(card)
    _light(pen, size, dice)
    _hills(pen, size, ground, dice, night=night)
    _words(pen, size, commission.title)
    out = io.BytesIO()
    card.save(out, "PNG")
    return out.getvalue()


def _hues(prompt: str, dice: random.Random) -> Hues:
    words = set(prompt.lower().replace(",", " ").replace(".", " ").split())
    counts = {hues: len(words & set(mood.split())) for mood, hues in MOODS.items()}
    best = max(counts, key=counts.__getitem__)
    return best if counts[best] else (dice.random(), dice.random())


def _colour(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _gradient(size: Size, above: tuple[int, int, int], below: tuple[int, int, int]) -> Image.Image:
    strip = Image.new("RGB", (1, 2))
    strip.putpixel((0, 0), above)
    strip.putpixel((0, 1), below)
    return strip.resize((size.width, size.height), Image.Resampling.BILINEAR)


def _light(pen: ImageDraw.ImageDraw, size: Size, dice: random.Random) -> None:
    """Sun or moon."""
    radius = size.height * dice.uniform(0.06, 0.1)
    x, y = size.width * dice.uniform(0.62, 0.88), size.height * dice.uniform(0.16, 0.3)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 248, 225))


def _hills(pen: ImageDraw.ImageDraw, size: Size, hue: float, dice: random.Random, *, night: bool) -> None:
    for layer in range(3):
        height = size.height * (0.52 + 0.13 * layer)
        peaks = [height + dice.uniform(-0.09, 0.09) * size.height for _ in range(7)]
        line = [(size.width * place / 6, peak) for place, peak in enumerate(peaks)]
        value = (0.42 - 0.1 * layer) if night else (0.7 - 0.14 * layer)
        pen.polygon([(0, size.height), *line, (size.width, size.height)], fill=_colour(hue, 0.5, value))


def _words(pen: ImageDraw.ImageDraw, size: Size, title: str) -> None:
    """The title, where the font has letters for it, and what this is."""
    large, small = size.height // 14, max(size.height // 36, 12)
    margin = size.width // 18
    note = ImageFont.load_default(small)
    pen.text((margin, size.height - margin), NOTE, font=note, fill="white", anchor="ls")
    if not all(ord(letter) <= LAST_LATIN or letter in "–—…’‘“”" for letter in title):  # noqa: RUF001 - marks of titles
        return
    font = ImageFont.load_default(large)
    lines = textwrap.wrap(title, width=max(int((size.width - 2 * margin) / (large * 0.55)), 8))[:3]
    bottom = size.height - margin - small * 2
    pen.multiline_text(
        (margin, bottom),
        "\n".join(lines),
        font=font,
        fill="white",
        anchor="ld",
        stroke_width=max(large // 16, 1),
        stroke_fill=(20, 24, 32),
    )
