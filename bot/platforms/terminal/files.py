"""Files that the person at the keyboard names. Whoever chats elsewhere never gets here: they send what is in them."""

import asyncio
import stat
from dataclasses import replace
from pathlib import Path

from bot.catalog.row import Parsed, Problem
from bot.platforms.terminal.line import Said
from storyforge_core.domain.book import EntityLook
from storyforge_core.domain.commands import ImportLore
from storyforge_core.domain.looks import MOST_LOOK_BYTES
from storyforge_core.domain.lore_files import FILE_CHARS

MOST_BYTES = 4 * FILE_CHARS
"""A character takes four bytes at the most."""
OR_ITS_TEXT = "Give the whole path, or the text itself."


async def opened(said: Said) -> Parsed:
    """Put what is in a file in the place of its name, where a command takes one."""
    asked = said.asked
    if isinstance(asked, ImportLore) and not asked.text.lstrip().startswith(("{", "[")):
        return await asyncio.to_thread(_book, asked.text)
    if isinstance(asked, EntityLook) and asked.file:
        return await asyncio.to_thread(_picture, asked)
    return asked


def _book(name: str) -> ImportLore | Problem:
    data = _read(name, MOST_BYTES, OR_ITS_TEXT)
    if isinstance(data, Problem):
        return data
    try:
        return ImportLore(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Problem(f"{name.strip()} is not text in UTF-8.")


def _picture(asked: EntityLook) -> EntityLook | Problem:
    data = _read(asked.file, MOST_LOOK_BYTES)
    if isinstance(data, bytes) and not data:
        return Problem(f"{asked.file} is empty.")
    return data if isinstance(data, Problem) else replace(asked, file="", picture=data)


def _read(name: str, most: int, otherwise: str = "Give the whole path.") -> bytes | Problem:
    """Read a file that the person at the keyboard may read; what is none, such as a pipe, might never end."""
    file = Path(name.strip().strip("\"'"))
    try:
        file = file.expanduser()
        about = file.stat()
        if not stat.S_ISREG(about.st_mode):
            return Problem(f"{file} is no file.")
        if about.st_size > most:
            return Problem(f"{file} has {about.st_size:,} bytes; {most:,} are the most.")
        return file.read_bytes()
    except OSError as error:
        return Problem(f"{file} cannot be read ({error.strerror}). {otherwise}")
    except (RuntimeError, ValueError):  # a home directory of nobody; a name that no file can have
        return Problem(f"{file} is no file.")
