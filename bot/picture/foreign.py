"""Letters that our fonts do not have: drawn with the computer's own fonts or left out, never as boxes."""

import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from bot.picture.press import printed
from bot.picture.svg import document, words
from bot.picture.typeface import REGULAR, typeface
from bot.wording.markup import clean
from storyforge_core.domain.replies import MapShown

_NOBODY_HAS = "\U0010fffd"
"""A private character: fonts show the box that stands for a missing one."""


def foreign(shown: MapShown) -> frozenset[str]:
    """Find the characters of a map that our fonts do not have."""
    texts = (shown.story.title, *(text for node in shown.nodes for text in (node.title, node.choice_text)))
    face = typeface(REGULAR)
    return frozenset(char for char in set(clean("".join(texts))) if not face.has(char) and not char.isspace())


async def undrawable(chars: Iterable[str]) -> frozenset[str]:
    """Find those that no font of this computer has either; one character answers for its script."""
    scripts: dict[str, list[str]] = {}
    for char in sorted(chars):
        scripts.setdefault(_script(char), []).append(char)
    if not scripts:
        return frozenset()
    missing, *drawn = await printed([_sample(char) for char in (_NOBODY_HAS, *(s[0] for s in scripts.values()))], "all")
    return frozenset(
        char for members, png in zip(scripts.values(), drawn, strict=True) if png == missing for char in members
    )


def without(shown: MapShown, chars: frozenset[str]) -> MapShown:
    """Leave characters out of every text of a map."""
    gone = dict.fromkeys(map(ord, chars))
    nodes = tuple(
        replace(node, title=node.title.translate(gone), choice_text=node.choice_text.translate(gone))
        for node in shown.nodes
    )
    return replace(shown, nodes=nodes, story=replace(shown.story, title=shown.story.title.translate(gone)))


def _script(char: str) -> str:
    """Name a script as the names of its letters begin: `HEBREW`, `CJK`; signs count as one."""
    letter = unicodedata.category(char)[0] in "LMN"
    return unicodedata.name(char, "?").split()[0] if letter else "SIGN"


def _sample(char: str) -> str:
    return document(48, 48, [words(4, 36, char, 32, 'fill="black"')])
