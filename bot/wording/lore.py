"""The lore in words: the list, and one entry with how it stands on this branch."""

from collections.abc import Sequence
from typing import assert_never

from bot.wording.voice import TITLE_CHARS, Voice, counted, lines, paragraphs
from storyforge_core.domain.lore import Lore, LoreEntry
from storyforge_core.domain.lore_settings import unusual
from storyforge_core.domain.replies import LoreExported, LoreImported, LoreListed, LoreShown

KEYS_CHARS = 100
VALUE_CHARS = 200
NAMED = 3
"""How many of the entries or keys that do not work are named one by one."""
UNFINDABLE = "Between slashes, but no regular expressions, so never found"
HOW_TO_ADD = "Add something that is true in it: /story lore add The bell rings only for the dead. keys=bell"


def lore_text(reply: LoreListed | LoreShown | LoreImported | LoreExported, voice: Voice) -> str:
    """Word what was asked of the lore."""
    match reply:
        case LoreListed():
            return lore_listed(reply, voice)
        case LoreShown():
            return lore_shown(reply, voice)
        case LoreImported():
            return lore_imported(reply, voice)
        case LoreExported():
            return paragraphs(lore_exported(reply), voice.flavour.literal(reply.text))
        case _:
            assert_never(reply)


def lore_listed(reply: LoreListed, voice: Voice) -> str:
    """List entries with what brings them up."""
    if not reply.entries and reply.words:
        return f"No lore has {voice.words(reply.words, TITLE_CHARS)} in its title or keys. /story lore list shows all."
    if not reply.entries:
        return f"This story has no lore yet. {HOW_TO_ADD}"
    rows = [_row(entry, voice) + (" ← told here" if entry.number in reply.told else "") for entry in reply.entries]
    first = reply.entries[0].number
    return lines(
        voice.flavour.strong(f"Lore: {_entries(len(rows)).lower()}"),
        *rows,
        f"Read one: /story lore show {first}",
    )


def lore_shown(reply: LoreShown, voice: Voice) -> str:
    """Show an entry whole."""
    lore, number = reply.entry.lore, reply.entry.number
    title = voice.flavour.strong(f"{number}. {voice.words(lore.title, TITLE_CHARS)}")
    settings = [f"{name} {voice.words(value, VALUE_CHARS)}" for name, value in unusual(lore)]
    about = lines(
        _capital(_when(lore, voice)),
        f"Settings: {' · '.join(settings)}" if settings else "",
        f"{UNFINDABLE}: {_named(reply.flawed, ', ', voice)}." if reply.flawed else "",
        _standing(reply),
    )
    change = f"Change it: /story lore edit {number} keys bell, tower"
    return paragraphs(title, voice.flavour.literal(lore.text), about, change)


def lore_imported(reply: LoreImported, voice: Voice) -> str:
    """Say what became of a book."""
    head = (
        f"{_entries(reply.new)} imported. /story lore list shows them." if reply.new else "Nothing in it is new here."
    )
    same = f"Already there: {reply.same:,}." if reply.same and reply.new else ""
    return lines(
        f"{head} {same}".strip(),
        f"Left out: {_named(reply.left_out, '; ', voice)}." if reply.left_out else "",
        f"{UNFINDABLE}: {_named(reply.flawed, ', ', voice)}." if reply.flawed else "",
    )


def lore_exported(reply: LoreExported) -> str:
    """Say what is in the file."""
    return f"{_entries(reply.entries)}, as World Info of SillyTavern. /story lore import takes it in elsewhere."


def _entries(number: int) -> str:
    return "One entry" if number == 1 else f"{number:,} entries"


def _named(phrases: Sequence[str], between: str, voice: Voice) -> str:
    more = [f"{len(phrases) - NAMED:,} more"] if len(phrases) > NAMED else []
    return between.join([*(voice.words(phrase, VALUE_CHARS) for phrase in phrases[:NAMED]), *more])


def _row(entry: LoreEntry, voice: Voice) -> str:
    title = f"{entry.number}. {voice.words(entry.lore.title, TITLE_CHARS)}"
    return f"{title} — {_when(entry.lore, voice)}"


def _when(lore: Lore, voice: Voice) -> str:
    if not lore.on:
        return "switched off"
    if lore.constant:
        return "for every scene"
    return f"when it is about: {voice.words(', '.join(lore.keys), KEYS_CHARS)}" if lore.keys else "it has no keys"


def _standing(reply: LoreShown) -> str:
    """How it stands on this branch."""
    lore = reply.entry.lore
    told = "The storyteller knew it for the scene here." if reply.told else "It was not needed for the scene here."
    match reply.phase:
        case "ready":
            later = ""
        case "early":
            later = f"It comes up after {counted(lore.delay, 'scene')} at the earliest."
        case "held":
            later = "It stays for the next scene, whatever that is about."
        case "resting":
            later = "It rests now, and is not told for the next scene."
        case _:
            assert_never(reply.phase)
    return f"{told} {later}".strip()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
