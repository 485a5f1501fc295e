"""Whose picture a file is, by its name. The same names give the same answer; what is not clear is nobody's. Pure."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from storyforge_core.domain.bible import Entity
from storyforge_core.domain.looks import KINDS
from storyforge_core.domain.pictures import LookKind

ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp"})
MOST_FILES = 500
"""More in one directory are no pictures of a cast."""
_WORDS: Final[Mapping[LookKind, Collection[str]]] = {
    "character": ("character", "characters", "char", "person", "people"),
    "location": ("location", "locations", "place", "places"),
    "prop": ("prop", "props", "thing", "things", "item", "items"),
    "scene": ("scene", "scenes"),
}
_KIND_OF: Final = {word: kind for kind, words in _WORDS.items() for word in words}
_OURS = re.compile(r"(character|location|prop)_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_.*")
_COUNTED = re.compile(r"v?\d+|[0-9a-f]{8,}|\d{8}t\d+z?")


@dataclass(frozen=True, slots=True)
class Sitter:
    """Who or what a file may be of."""

    kind: LookKind
    name: str
    entity: Entity | None
    """None: a scene."""
    number: int = 0
    """Of the scene."""


@dataclass(frozen=True, slots=True)
class Match:
    """A file that is of one of them."""

    file: str
    sitter: Sitter


@dataclass(frozen=True, slots=True)
class Sorting:
    """What became of the files of a directory."""

    matches: tuple[Match, ...]
    unclear: tuple[tuple[tuple[str, ...], tuple[Sitter, ...]], ...]
    """Files with those whom they may be of: one file of several, or several files of one."""
    strangers: tuple[str, ...]
    """Pictures of nobody whom the story knows."""


def sort_out(files: Sequence[str], entities: Sequence[Entity], scenes: Collection[int]) -> Sorting:
    """Say whose picture each file is: paths below the directory, with slashes."""
    unclear: list[tuple[tuple[str, ...], tuple[Sitter, ...]]] = []
    strangers: list[str] = []
    by_sitter: defaultdict[Sitter, list[str]] = defaultdict(list)
    for file in sorted(files):
        found = _sitters(PurePosixPath(file), entities, scenes)
        if len(found) == 1:
            by_sitter[found[0]].append(file)
        elif found:
            unclear.append(((file,), found))
        else:
            strangers.append(file)
    unclear += [(tuple(several), (sitter,)) for sitter, several in by_sitter.items() if len(several) > 1]
    matches = (Match(one[0], sitter) for sitter, one in by_sitter.items() if len(one) == 1)
    return Sorting(
        tuple(sorted(matches, key=lambda match: match.file)),
        tuple(sorted(unclear, key=lambda each: each[0])),
        tuple(strangers),
    )


def _sitters(file: PurePosixPath, entities: Sequence[Entity], scenes: Collection[int]) -> tuple[Sitter, ...]:
    if (ours := _OURS.fullmatch(file.stem.lower())) is not None:
        return tuple(_of(entity) for entity in entities if str(entity.id) == ours[2])
    folders = [_KIND_OF[word] for part in file.parts[:-1] for word in _plain(part) if word in _KIND_OF]
    for kind, words in _readings(_plain(file.stem), folders[-1] if folders else None):
        if kind == "scene":
            number = int(words[0]) if len(words) == 1 and words[0].isascii() and words[0].isdecimal() else 0
            if number in scenes:
                return (Sitter("scene", f"scene {number}", None, number),)
            continue
        found = [each for each in entities if kind in {None, KINDS[each.card.sort]} and _is_called(each, words)]
        if found:
            return tuple(map(_of, found))
    return ()


def _readings(words: tuple[str, ...], kind: LookKind | None) -> Iterator[tuple[LookKind | None, tuple[str, ...]]]:
    """Read a name in all its ways, the fullest first: whole, without what it says it is, without numbers at its end."""
    ways = [(kind, words)]
    if len(words) > 1 and words[0] in _KIND_OF and kind in {None, _KIND_OF[words[0]]}:
        ways.append((_KIND_OF[words[0]], words[1:]))
    yield from ways
    for said, rest in ways:
        shorter = rest
        while len(shorter) > 1 and _COUNTED.fullmatch(shorter[-1]):
            shorter = shorter[:-1]
            yield said, shorter


def _is_called(entity: Entity, words: tuple[str, ...]) -> bool:
    return bool(words) and _named(words) in {_named(_plain(name)) for name in entity.card.names}


def _named(words: tuple[str, ...]) -> tuple[str, ...]:
    return words[1:] if len(words) > 1 and words[0] == "the" else words


def _plain(text: str) -> tuple[str, ...]:
    """The words of a name, without capitals, accents as they are, and whatever stands between them."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return tuple(re.findall(r"[^\W_]+", re.sub(r"['\u2019]", "", folded)))


def _of(entity: Entity) -> Sitter:
    return Sitter(KINDS[entity.card.sort], entity.card.name, entity)
