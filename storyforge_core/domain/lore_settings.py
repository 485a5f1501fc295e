"""What people may change of a lore entry, as they type it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, get_args

from storyforge_core.domain.answers import one_line
from storyforge_core.domain.lore import Logic, Lore
from storyforge_core.domain.rules import OFF, ON
from storyforge_core.errors import Invalid

LORE_TITLE_CHARS = 80
LORE_CHARS = 8000
KEY_CHARS = 200
MOST_KEYS = 50
MOST_SCENES = 1000
"""The most that a timer counts."""
DEEPEST = 20
"""The most scenes in which keys are looked for."""
HIGHEST = 1_000_000
"""Of an order or a weight."""
MOST_LEVELS = 4
NOTHING = frozenset({"", "none", "off"})


@dataclass(frozen=True, slots=True)
class LoreSetting:
    """One field of an entry: what it takes, how it is read and how it is shown."""

    help: str
    example: str
    field: str
    read: Callable[[str], object]
    show: Callable[[Lore], str]


def change_lore(lore: Lore, name: str, value: str) -> Lore:
    """Change one field of an entry.

    Raises:
        Invalid: no such field, or not such a value; the text says what there is.
    """
    setting = LORE_SETTINGS.get(name)
    if setting is None:
        msg = f"There is no “{name[:40]}” of an entry. There are: {', '.join(LORE_SETTINGS)}."
        raise Invalid(msg)
    try:
        return replace(lore, **{setting.field: setting.read(value.strip())})  # type: ignore[arg-type] # a test reads all
    except ValueError as error:
        msg = f"“{name}” takes {setting.help}. For example: /story lore edit 1 {name} {setting.example}"
        raise Invalid(msg) from error


def unusual(lore: Lore) -> tuple[tuple[str, str], ...]:
    """Name the settings that are not as they are at first, with their values; title, text and keys aside."""
    plain = Lore(title="", text="")
    return tuple(
        (name, setting.show(lore))
        for name, setting in LORE_SETTINGS.items()
        if name not in {"title", "text", "keys"} and getattr(lore, setting.field) != getattr(plain, setting.field)
    )


def read_keys(text: str) -> tuple[str, ...]:
    """Read keys between commas; a regular expression between slashes may have commas in it.

    Raises:
        ValueError: too many, or one that is too long.
    """
    parts = re.findall(r"\s{0,9}/(?:[^/\\\n]|\\.)+/[a-z]*(?=\s*(?:[,;\u3001\uff0c]|$))|[^,;\u3001\uff0c]+", text)
    keys = tuple(dict.fromkeys(key for part in parts if (key := part.strip())))
    if len(keys) > MOST_KEYS or any(len(key) > KEY_CHARS for key in keys):
        raise ValueError(text)
    return keys


def _text(limit: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not text or len(text) > limit:
            raise ValueError(text)
        return text

    return read


def _title(text: str) -> str:
    return one_line(_text(LORE_TITLE_CHARS)(text), LORE_TITLE_CHARS)


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text.rstrip("%"))
        if not least <= number <= most:
            raise ValueError(text)
        return number

    return read


def _switch(text: str) -> bool:
    if (word := text.casefold()) in ON | OFF:
        return word in ON
    raise ValueError(text)


def _logic(text: str) -> str:
    word = "_".join(text.casefold().replace("_", " ").replace("-", " ").split())
    if word not in get_args(Logic):
        raise ValueError(text)
    return word


def _names(text: str) -> tuple[str, ...]:
    return () if text.casefold() in NOTHING else read_keys(text)


def _value(field: str) -> Callable[[Lore], str]:
    def show(lore: Lore) -> str:
        value = getattr(lore, field)
        if isinstance(value, bool):
            return "on" if value else "off"
        return (", ".join(value) or "none") if isinstance(value, tuple) else str(value).replace("_", " ")

    return show


def _setting(help_text: str, example: str, field: str, read: Callable[[str], object]) -> LoreSetting:
    return LoreSetting(help_text, example, field, read, _value(field))


_ORDER = _number(-HIGHEST, HIGHEST)
_SCENES = _number(0, MOST_SCENES)
_KEYS = f"words with commas between them, {MOST_KEYS} at the most and {KEY_CHARS} characters each, or none"

LORE_SETTINGS: Final[Mapping[str, LoreSetting]] = {
    "title": _setting(f"a name of at most {LORE_TITLE_CHARS} characters", "The bell", "title", _title),
    "text": _setting(
        f"what the storyteller is to know, in at most {LORE_CHARS:,} characters",
        "The bell rings only for the dead.",
        "text",
        _text(LORE_CHARS),
    ),
    "keys": _setting(_KEYS, "bell, bell tower", "keys", _names),
    "also": _setting(_KEYS, "tower, church", "also", _names),
    "logic": _setting("and any, and all, not any or not all, of “also”", "not any", "logic", _logic),
    "always": _setting("on or off: told whatever happens", "on", "constant", _switch),
    "on": _setting("on or off: off keeps the entry and never tells it", "off", "on", _switch),
    "order": _setting("a number: higher ones come later and are left out last", "50", "order", _ORDER),
    "depth": _setting(f"a number up to {DEEPEST}: the newest scenes that are read", "3", "depth", _number(0, DEEPEST)),
    "words": _setting("on or off: keys are whole words", "off", "whole_words", _switch),
    "case": _setting("on or off: capital letters matter", "on", "match_case", _switch),
    "chance": _setting("a number up to 100: in how many of 100 scenes it comes", "30", "probability", _number(0, 100)),
    "sticky": _setting(f"a number of scenes up to {MOST_SCENES} for which it stays", "3", "sticky", _SCENES),
    "cooldown": _setting(f"a number of scenes up to {MOST_SCENES} for which it rests", "5", "cooldown", _SCENES),
    "delay": _setting(f"a number of scenes up to {MOST_SCENES} before it can be told", "10", "delay", _SCENES),
    "groups": _setting("names with commas between them, or none", "weather", "groups", _names),
    "weight": _setting("a number: its share of its group's lot", "50", "weight", _number(0, HIGHEST)),
    "prefer": _setting("on or off: it wins in its group", "on", "preferred", _switch),
    "wakes": _setting("on or off: its text may wake others", "off", "wakes", _switch),
    "woken": _setting("on or off: texts of others may wake it", "off", "woken", _switch),
    "level": _setting(
        f"a number up to {MOST_LEVELS}: only texts of others wake it, in that round or later", "1", "level",
        _number(0, MOST_LEVELS),
    ),
}  # fmt: skip
"""All that can be changed, by the name people type."""
