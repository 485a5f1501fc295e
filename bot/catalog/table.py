"""THE table of commands, put together from its groups.

Slash commands, typed lines (`bot/catalog/typed.py`), `/story help` and the table in the README are derived from it.
"""

import unicodedata
from collections.abc import Mapping
from typing import Final

from bot.catalog.row import Group, Problem, Row, meant, shortened
from bot.catalog.rows.bible import BIBLE_ROWS
from bot.catalog.rows.book import BOOK_ROWS
from bot.catalog.rows.host import HOST_ROWS
from bot.catalog.rows.look import LOOK
from bot.catalog.rows.lore import LORE
from bot.catalog.rows.move import MOVE
from bot.catalog.rows.people import PEOPLE
from bot.catalog.rows.play import PLAY
from bot.catalog.rows.server import SERVER

GROUPS: Final[tuple[Group, ...]] = (PLAY, MOVE, LOOK, BOOK_ROWS, BIBLE_ROWS, LORE, PEOPLE, HOST_ROWS, SERVER)
ROWS: Final = tuple(row for group in GROUPS for row in group.rows)
FAMILIES: Final[Mapping[str, str]] = {
    "character": "Who is in the story",
    "place": "Where the story is",
    "prop": "What is in the story",
    "look": "How people and things look",
    "fact": "What is true in the story",
    "promise": "What the story has promised",
    "lore": "What is true in the story's world",
    "setup": "Decide things for the whole server",
}
"""What commands of two words have in common, by their first word."""
ROOTS: Final = tuple(dict.fromkeys(group.root for group in GROUPS))


def find(name: str) -> Row | Problem:
    """Find a command by its name or an alias; otherwise say which one may be meant."""
    wanted = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    by_name = {known: row for row in ROWS for known in (row.name, *row.aliases)}
    if wanted in by_name:
        return by_name[wanted]
    if family := [known for known in by_name if known.startswith(f"{wanted} ")]:
        return Problem(f"“{shortened(name)}” wants one more word: {', '.join(family)}.")
    return Problem(f"There is no command “{shortened(name)}”.{meant(wanted, by_name)} /story help lists them all.")


def begins(line: str) -> tuple[str, str]:
    """Split a line into the name of a command, of two words where there is such a one, and the rest."""
    first, second, rest = (*line.split(maxsplit=2), "", "", "")[:3]
    pair = f"{first} {second}"
    if second and isinstance(find(pair), Row):
        return pair, rest
    return first, line.strip()[len(first) :]
