"""Files that the person at the keyboard names. Whoever chats elsewhere never gets here: they give the text itself."""

import asyncio
import stat
from pathlib import Path

from bot.catalog.row import Parsed, Problem
from bot.platforms.terminal.line import Said
from storyforge_core.domain.commands import ImportLore
from storyforge_core.domain.lore_files import FILE_CHARS

MOST_BYTES = 4 * FILE_CHARS
"""A character takes four bytes at the most."""


async def opened(said: Said) -> Parsed:
    """Put the text of a file in the place of its name, where a command takes one."""
    asked = said.asked
    if isinstance(asked, ImportLore) and not asked.text.lstrip().startswith(("{", "[")):
        return await asyncio.to_thread(_read, Path(asked.text.strip().strip("\"'")))
    return asked


def _read(file: Path) -> ImportLore | Problem:
    try:
        file = file.expanduser()
        about = file.stat()
        if not stat.S_ISREG(about.st_mode):
            return Problem(f"{file} is no file.")
        if about.st_size > MOST_BYTES:
            return Problem(f"{file} has {about.st_size:,} bytes; {MOST_BYTES:,} are the most.")
        return ImportLore(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        return Problem(f"{file} cannot be read ({error.strerror}). Give the whole path, or the text itself.")
    except (UnicodeDecodeError, RuntimeError):  # RuntimeError: a home directory of nobody
        return Problem(f"{file} is not text in UTF-8.")
