"""Look after the lore of a story: what is true in its world, told to the storyteller where it matters."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import assert_never

from storyforge_core.domain.changes import LoreSet
from storyforge_core.domain.commands import (
    AddLore,
    EditLore,
    ExportLore,
    ForgetLore,
    ImportLore,
    ListLore,
    ShowLore,
)
from storyforge_core.domain.events import Noted
from storyforge_core.domain.lore import Lore, LoreEntry, LoreId, Reading, StoryLore, phase, timed
from storyforge_core.domain.lore_export import write_book
from storyforge_core.domain.lore_files import MOST_ENTRIES, MOST_KEYS_TOGETHER, read_book, title_for
from storyforge_core.domain.lore_keys import expression
from storyforge_core.domain.lore_settings import LORE_TITLE_CHARS, change_lore
from storyforge_core.domain.replies import Accepted, LoreExported, LoreImported, LoreListed, LoreShown, Reply
from storyforge_core.engine.patterns import flawed
from storyforge_core.engine.table import Table, quoted
from storyforge_core.errors import Invalid, NotFound

Lorekeeping = AddLore | EditLore | ForgetLore | ShowLore | ListLore | ImportLore | ExportLore
"""The commands that are handled here."""


async def handle(table: Table, command: Lorekeeping) -> Reply:  # noqa: PLR0911 - a line a command
    """Look after the lore."""
    match command:
        case AddLore():
            return await add(table, command)
        case EditLore():
            return await edit(table, command)
        case ForgetLore():
            return await forget(table, command)
        case ShowLore():
            return await show(table, command)
        case ListLore():
            return await list_all(table, command)
        case ImportLore():
            return await take_in(table, command)
        case ExportLore():
            entries = (await table.desk.lore()).entries
            return LoreExported(len(entries), write_book(entries))
        case _:
            assert_never(command)


async def add(table: Table, command: AddLore) -> Reply:
    """Add an entry; without keys it is told for every scene."""
    text = command.text.strip()
    if not text:
        msg = "What is true in this story? For example: /story lore add The bell rings only for the dead. keys=bell"
        raise Invalid(msg)
    lore = change_lore(Lore(title="", text=text), "keys", command.keys)
    _require_sense(lore)
    lore = replace(lore, constant=not lore.keys)
    lore = change_lore(lore, "title", command.title.strip() or title_for(text, lore.keys))
    known = await table.desk.lore()
    if any(entry.lore == lore for entry in known.entries):
        return Accepted(f"{quoted(lore.title)} is there already.")
    _require_room(known, (lore,))
    await _write(table, known, (lore,), "lore add")
    when = "for every scene" if lore.constant else "where it matters"
    return await _note(table, f"{table.player.name} adds {_named(known.numbers + 1, lore)} to the lore, told {when}.")


async def edit(table: Table, command: EditLore) -> Reply:
    """Change one thing about an entry; one that gets its first keys, or loses its last, is told accordingly."""
    entry = await _meant(table, command.entry)
    lore = change_lore(entry.lore, command.setting, command.value)
    if lore == entry.lore:
        return Accepted("It is so already.")
    if (lore.keys, lore.also) != (entry.lore.keys, entry.lore.also):
        _require_sense(lore)
    if bool(lore.keys) != bool(entry.lore.keys):
        lore = replace(lore, constant=not lore.keys)
    await table.desk.apply((_changing(entry, lore),), "lore edit")
    return await _note(table, f"{table.player.name} changes {_named(entry.number, lore)} in the lore.")


async def forget(table: Table, command: ForgetLore) -> Reply:
    """Take an entry out."""
    entry = await _meant(table, command.entry)
    await table.desk.apply((_changing(entry, None),), "lore forget")
    said = f"{table.player.name} takes {_named(entry.number, entry.lore)} out of the lore."
    return await _note(table, f"{said} /story undo brings it back.")


async def show(table: Table, command: ShowLore) -> Reply:
    """Show an entry, and how it stands where the group is."""
    entry = await _meant(table, command.entry)
    told = await _told(table)
    return LoreShown(entry, entry.id in told, phase(entry, await _standing(table, entry)), _flawed_keys((entry.lore,)))


async def list_all(table: Table, command: ListLore) -> Reply:
    """List the entries."""
    entries = (await table.desk.lore()).entries
    told = await _told(table)
    wanted = command.words.strip().casefold()
    found = tuple(
        entry
        for entry in entries
        if wanted in entry.lore.title.casefold() or any(wanted in key.casefold() for key in entry.lore.keys)
    )
    return LoreListed(found, tuple(entry.number for entry in found if entry.id in told), command.words.strip())


async def take_in(table: Table, command: ImportLore) -> Reply:
    """Take in a book from elsewhere; what is there already stays as it is."""
    table.require_host("import lore")
    book = await asyncio.to_thread(read_book, command.text)
    known = await table.desk.lore()
    there = {entry.lore for entry in known.entries}
    new = tuple(lore for lore in dict.fromkeys(book.entries) if lore not in there)
    _require_room(known, new)
    imported = LoreImported(
        new=len(new),
        same=len(book.entries) - len(new),
        left_out=book.left_out,
        flawed=await asyncio.to_thread(_flawed_keys, new),
    )
    if new:
        await _write(table, known, new, "lore import")
        entries = "one entry" if len(new) == 1 else f"{len(new):,} entries"
        await _note(table, f"{table.player.name} imports {entries} of lore.")
    return imported


def _require_room(known: StoryLore, new: Sequence[Lore]) -> None:
    """Refuse what would be too much.

    Raises:
        Invalid: too many entries, or keys, which are looked for before every scene.
    """
    lore = (*(entry.lore for entry in known.entries), *new)
    keys = sum(len(each.keys) + len(each.also) for each in lore)
    if len(lore) > MOST_ENTRIES or keys > MOST_KEYS_TOGETHER:
        there = f"A story holds {MOST_ENTRIES:,} entries with {MOST_KEYS_TOGETHER:,} keys"
        msg = f"{there}; that would be {len(lore):,} with {keys:,}. Take some out with /story lore forget."
        raise Invalid(msg)


async def _write(table: Table, known: StoryLore, new: Iterable[Lore], command: str) -> None:
    """Add entries under the next numbers."""
    story = table.here.story.id
    changes = tuple(
        LoreSet(story, LoreId(table.clock.new_id()), number, None, lore)
        for number, lore in enumerate(new, known.numbers + 1)
    )
    await table.desk.apply(changes, command)


def _changing(entry: LoreEntry, after: Lore | None) -> LoreSet:
    return LoreSet(entry.story, entry.id, entry.number, entry.lore, after)


async def _meant(table: Table, words: str) -> LoreEntry:
    """Find the entry that a player means, by number or by words of its title.

    Raises:
        NotFound: none, or several.
    """
    entries = (await table.desk.lore()).entries
    wanted = words.strip().removeprefix("#").casefold()
    found = [entry for entry in entries if wanted == str(entry.number)]
    found = found or [entry for entry in entries if wanted == entry.lore.title.casefold()]
    found = found or [entry for entry in entries if wanted and wanted in entry.lore.title.casefold()]
    if len(found) == 1:
        return found[0]
    if not found:
        msg = f"There is no lore {quoted(words.strip(), 40)}. /story lore list shows what there is."
        raise NotFound(msg)
    some = ", ".join(f"{entry.number} {quoted(entry.lore.title, 40)}" for entry in found[:5])
    msg = f"Several entries match: {some}. Name one by its number: /story lore show {found[0].number}"
    raise NotFound(msg)


async def _told(table: Table) -> frozenset[LoreId]:
    """What was told for the scene at the head."""
    head = table.here.head
    return frozenset() if head is None else frozenset(fired.entry for fired in await table.desk.lore_told(head.id))


async def _standing(table: Table, entry: LoreEntry) -> Reading:
    """What an entry's timers go by, for the scene after the head."""
    head = table.here.head
    scenes, ids = timed((entry,))
    found = await table.desk.lore_found(head.id, ids, scenes) if head and ids else {}
    return Reading((), (), 0 if head is None else head.depth + 1, found, 0)


def _require_sense(lore: Lore) -> None:
    """Refuse keys that can never be found.

    Raises:
        Invalid: one makes no sense as a regular expression.
    """
    for key in _flawed_keys((lore,)):
        msg = f"{quoted(key)} stands between slashes, but is no regular expression: it would never be found."
        raise Invalid(msg)


def _flawed_keys(lore: Iterable[Lore]) -> tuple[str, ...]:
    keys = (key for each in lore for key in (*each.keys, *each.also))
    return tuple(key for key in keys if (wanted := expression(key)) and flawed(wanted))


def _named(number: int, lore: Lore) -> str:
    return f"{quoted(lore.title, LORE_TITLE_CHARS)} ({number})"


async def _note(table: Table, sentence: str) -> Reply:
    await table.desk.tell(table.here.playthrough.id, Noted(sentence))
    return Accepted(sentence)
