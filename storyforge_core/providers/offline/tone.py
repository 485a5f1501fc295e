"""The tone of a story."""

from collections.abc import Sequence

from storyforge_core.domain.writing import Brief
from storyforge_core.providers.offline.banks import Bank

_SIGNS = {
    "dark": (
        "dark",
        "grim",
        "bleak",
        "scary",
        "horror",
        "spooky",
        "eerie",
        "gothic",
        "sad",
        "noir",
        "creepy",
        "gloom",
        "düster",
    ),
    "tender": (
        "tender",
        "romantic",
        "warm",
        "gentle",
        "sweet",
        "love",
        "melanchol",
        "heart",
        "hopeful",
        "cozy",
        "cosy",
    ),
    "tense": ("tense", "suspens", "thrill", "danger", "urgent", "action", "fast", "spann", "epic", "serious"),
    "light": (
        "light",
        "fun",
        "comic",
        "comed",
        "silly",
        "happy",
        "humor",
        "humour",
        "absurd",
        "whims",
        "bright",
        "lustig",
        "cheer",
    ),
}


def tone_of(brief: Brief, banks: Sequence[Bank]) -> str:
    """`dark`, `tender`, `tense` or `light`: as the players ask for, else as the genre has it."""
    asked = f"{brief.note} {brief.tone} {brief.hint}".lower()
    named = [tone for tone, signs in _SIGNS.items() if any(sign in asked for sign in signs)]
    return named[0] if named else next((each.tone for each in banks if each.tone), "light")
