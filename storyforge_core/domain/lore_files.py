"""Lore from elsewhere: SillyTavern's World Info, and the lorebooks in and beside character cards V2 and V3.

What is not understood is kept with the entry, and what makes no sense gets its usual value: books come from many
programs, and a field of the wrong kind is no reason to refuse a world.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from storyforge_core.domain.answers import one_line
from storyforge_core.domain.lore import SCENES_READ, Logic, Lore
from storyforge_core.domain.lore_keys import expression
from storyforge_core.domain.lore_settings import (
    DEEPEST,
    HIGHEST,
    KEY_CHARS,
    LORE_CHARS,
    LORE_TITLE_CHARS,
    MOST_KEYS,
    MOST_LEVELS,
    MOST_SCENES,
)
from storyforge_core.errors import Invalid

FILE_CHARS = 2_000_000
MOST_ENTRIES = 1000
"""Of a story."""
MOST_KEYS_TOGETHER = 10_000
"""Of a story: all of them are looked for before every scene."""
EXTRA_CHARS = 20_000
"""Of the fields of one entry that are not understood; more is no setting, but somebody's baggage."""
LOGICS: Final[Sequence[Logic]] = ("and_any", "not_all", "not_any", "and_all")
"""By SillyTavern's numbers."""
NO_BOOK = (
    "That is no lorebook. Give me World Info of SillyTavern, a lorebook, or a character card with one, as JSON: "
    '{"entries": …}'
)

Fields = Mapping[str, object]
_DECORATOR = re.compile(r"@@@?[a-z_]+[^\n]*(?:\n+|\Z)")
_KNOWN: Final = frozenset(
    re.findall(
        r"\w+",
        "comment name content key keys keysecondary secondary_keys selective selectiveLogic constant disable enabled "
        "order insertion_order scanDepth scan_depth matchWholeWords match_whole_words caseSensitive case_sensitive "
        "use_regex useProbability probability sticky cooldown delay group groupWeight group_weight groupOverride "
        "group_override preventRecursion prevent_recursion excludeRecursion exclude_recursion delayUntilRecursion "
        "delay_until_recursion extensions uid id",
    )
)


@dataclass(frozen=True, slots=True)
class Book:
    """What is in a file."""

    entries: tuple[Lore, ...]
    left_out: tuple[str, ...]
    """For each entry that cannot be taken its name and why, as a phrase."""


def read_book(text: str) -> Book:
    """Read a file.

    Raises:
        Invalid: it holds no lorebook, or too much; the text says what would do.
    """
    if len(text) > FILE_CHARS:
        raise Invalid(f"The file has {len(text):,} characters; {FILE_CHARS:,} are the most.")
    try:
        whole = json.loads(text.removeprefix("\ufeff"))
        book, name = _found(whole)
        raw = _entries(book)
        if len(raw) > MOST_ENTRIES:
            raise Invalid(f"The book has {len(raw):,} entries; {MOST_ENTRIES:,} are the most.")
        return _book(raw, book, name)
    except (ValueError, RecursionError) as error:  # RecursionError: thousands of brackets in each other
        raise Invalid(NO_BOOK) from error


def _found(whole: object) -> tuple[Fields, str]:
    """The book in a file, and the name of the character whose card it is in."""
    fields = _mapping(whole)
    data = _mapping(fields.get("data"))
    for place in (_mapping(data.get("character_book")), _mapping(fields.get("character_book")), data, fields):
        if isinstance(place.get("entries"), list | dict):
            return place, _string(data.get("nickname")) or _string(data.get("name")) or _string(fields.get("name"))
    raise Invalid(NO_BOOK)


def _entries(book: Fields) -> list[Fields]:
    entries = book["entries"]
    listed = list(entries.values()) if isinstance(entries, dict) else entries
    assert isinstance(listed, list)  # noqa: S101 - looked at when the book was found
    return [_mapping(entry) for entry in listed]


def _book(raw: Sequence[Fields], book: Fields, name: str) -> Book:
    taken: list[Lore] = []
    left_out: list[str] = []
    for entry in raw:
        lore = _lore(_Source(entry), book, name)
        if not lore.text.strip():
            left_out.append(f"“{lore.title}” says nothing")
        elif len(lore.text) > LORE_CHARS:
            left_out.append(f"“{lore.title}” has {len(lore.text):,} characters, and {LORE_CHARS:,} are the most")
        else:
            taken.append(lore)
    return Book(tuple(taken), tuple(left_out))


class _Source:
    """One entry as it stands in a file; SillyTavern's own fields are extensions in a card."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.extensions = _mapping(fields.get("extensions"))

    def get(self, *names: str) -> object:
        """Read a field by any of its names; None where it is nowhere."""
        for place in (self.fields, self.extensions):
            for name in names:
                if place.get(name) is not None:
                    return place[name]
        return None

    def text(self, *names: str) -> str:
        return _string(self.get(*names))

    def switch(self, *names: str, usual: bool) -> bool:
        value = self.get(*names)
        return usual if value is None else bool(value)

    def number(self, *names: str, usual: int, within: tuple[int, int]) -> int:
        return _number(self.get(*names), usual, within)

    def keys(self, *names: str) -> tuple[str, ...]:
        value = self.get(*names)
        listed = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
        keys = (key.strip() for key in listed if isinstance(key, str))
        return tuple(dict.fromkeys(key for key in keys if key and len(key) <= KEY_CHARS))[:MOST_KEYS]

    def rest(self) -> str:
        """What is not understood, as JSON; empty where there is nothing."""
        extensions = {name: value for name, value in self.extensions.items() if name not in _KNOWN}
        rest = {name: value for name, value in self.fields.items() if name not in _KNOWN}
        kept = rest | ({"extensions": extensions} if extensions else {})
        written = json.dumps(kept, ensure_ascii=False) if kept else ""
        return written if len(written) <= EXTRA_CHARS else ""


def _lore(source: _Source, book: Fields, name: str) -> Lore:
    named = _naming(_line(name, LORE_TITLE_CHARS))
    keys = tuple(map(named, source.keys("key", "keys")))
    if source.switch("use_regex", usual=False):
        keys = tuple(key if expression(key) else _between_slashes(key) for key in keys)
    text = named(source.text("content")).strip()
    scan_depth = _number(book.get("scan_depth"), SCENES_READ, (0, DEEPEST))
    title = _line(source.text("comment", "name"), LORE_TITLE_CHARS)
    return _decorated(
        Lore(
            title=title or title_for(text, keys),
            text=text,
            keys=keys,
            also=source.keys("keysecondary", "secondary_keys") if source.switch("selective", usual=False) else (),
            logic=LOGICS[source.number("selectiveLogic", usual=0, within=(0, 3))],
            constant=source.switch("constant", usual=False),
            on=source.switch("enabled", usual=True) and not source.switch("disable", usual=False),
            order=source.number("order", "insertion_order", usual=100, within=(-HIGHEST, HIGHEST)),
            depth=source.number("scanDepth", "scan_depth", usual=scan_depth, within=(0, DEEPEST)),
            whole_words=source.switch("matchWholeWords", "match_whole_words", usual=True),
            match_case=source.switch("caseSensitive", "case_sensitive", usual=False),
            probability=_probability(source),
            sticky=source.number("sticky", usual=0, within=(0, MOST_SCENES)),
            cooldown=source.number("cooldown", usual=0, within=(0, MOST_SCENES)),
            delay=source.number("delay", usual=0, within=(0, MOST_SCENES)),
            groups=source.keys("group"),
            weight=source.number("groupWeight", "group_weight", usual=100, within=(0, HIGHEST)),
            preferred=source.switch("groupOverride", "group_override", usual=False),
            wakes=not source.switch("preventRecursion", "prevent_recursion", usual=False),
            woken=book.get("recursive_scanning") is not False
            and not source.switch("excludeRecursion", "exclude_recursion", usual=False),
            level=source.number("delayUntilRecursion", "delay_until_recursion", usual=0, within=(0, MOST_LEVELS)),
            extra=source.rest(),
        )
    )


def _between_slashes(key: str) -> str:
    slashes_escaped = re.sub(r"(?<!\\)/", r"\\/", key)
    return f"/{slashes_escaped}/"


def title_for(text: str, keys: Sequence[str]) -> str:
    """Name an entry that has no name: by its first key, else by its first words."""
    return _line(keys[0] if keys else text, LORE_TITLE_CHARS // 2) or "Untitled"


def _line(text: str, limit: int) -> str:
    """The beginning of a text on one line; the rest of it, which may be all of a file, is not looked at."""
    return one_line(text[: 10 * limit], limit)


def _probability(source: _Source) -> int:
    if not source.switch("useProbability", usual=True):
        return 100
    return source.number("probability", usual=100, within=(0, 100))


def _decorated(lore: Lore) -> Lore:
    """Do as the lines say that begin with @@ at the head of a text, as far as they are understood, and drop them."""
    text = lore.text
    if len(text) > 2 * LORE_CHARS:  # it is too long anyhow
        return lore
    while found := _DECORATOR.match(text):
        name, _, value = found[0].strip().lstrip("@").partition(" ")
        match name:
            case "activate_only_after":
                lore = replace(lore, delay=_number(value, lore.delay, (0, MOST_SCENES)))
            case "scan_depth":
                lore = replace(lore, depth=_number(value, lore.depth, (0, DEEPEST)))
            case "activate":
                lore = replace(lore, constant=True)
            case "dont_activate":
                lore = replace(lore, on=False)
            case _:
                pass
        text = text[found.end() :]
    return replace(lore, text=text.strip())


def _naming(name: str) -> Callable[[str], str]:
    """Put the character's name where a card's texts leave a place for it."""
    return (lambda text: re.sub(r"\{\{char\}\}", lambda _: name, text, flags=re.IGNORECASE)) if name else str


def _number(value: object, usual: int, within: tuple[int, int]) -> int:
    number = next(_numbers(value), usual)
    return min(max(number, within[0]), within[1])


def _numbers(value: object) -> Iterator[int]:
    """A number, if the value is one in any form."""
    if isinstance(value, str):
        yield from map(int, re.findall(r"\A\s*([+-]?[0-9]{1,9})\s*\Z", value))
    elif isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        yield int(value)


def _mapping(value: object) -> Fields:
    return value if isinstance(value, dict) else {}


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
