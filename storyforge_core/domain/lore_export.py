"""Lore for other programs, as SillyTavern's World Info. What was imported and means nothing here goes out again."""

import json
from collections.abc import Mapping, Sequence

from storyforge_core.domain.lore import LoreEntry
from storyforge_core.domain.lore_files import LOGICS


def write_book(entries: Sequence[LoreEntry]) -> str:
    """Write entries as one file."""
    book = {"entries": {str(entry.number): _fields(entry) for entry in entries}}
    return json.dumps(book, ensure_ascii=False, indent=1)


def _fields(entry: LoreEntry) -> Mapping[str, object]:
    lore = entry.lore
    kept = json.loads(lore.extra) if lore.extra else {}
    return {
        **kept,
        "uid": entry.number,
        "comment": lore.title,
        "content": lore.text,
        "key": lore.keys,
        "keysecondary": lore.also,
        "selective": bool(lore.also),
        "selectiveLogic": LOGICS.index(lore.logic),
        "constant": lore.constant,
        "disable": not lore.on,
        "order": lore.order,
        "scanDepth": lore.depth,
        "matchWholeWords": lore.whole_words,
        "caseSensitive": lore.match_case,
        "useProbability": True,
        "probability": lore.probability,
        "sticky": lore.sticky,
        "cooldown": lore.cooldown,
        "delay": lore.delay,
        "group": ", ".join(lore.groups),
        "groupWeight": lore.weight,
        "groupOverride": lore.preferred,
        "preventRecursion": not lore.wakes,
        "excludeRecursion": not lore.woken,
        "delayUntilRecursion": lore.level,
    }
