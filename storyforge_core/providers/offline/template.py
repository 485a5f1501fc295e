"""Templates: `{slot}` takes a value, `[this|that]` takes one of several wordings."""

import re
from collections.abc import Mapping

from storyforge_core.providers.offline.dice import Dice

_PART = re.compile(r"\{(\w+)\}|\[([^\[\]]*)\]")


def render(template: str, slots: Mapping[str, str], dice: Dice) -> str:
    """Fill a template. What is filled in is never read as a template again."""

    def fill(match: re.Match[str]) -> str:
        slot, wordings = match.groups()
        if slot is None:
            wording = dice.pick(f"{template}/{match.start()}", wordings.split("|"))
            return _PART.sub(fill, wording)
        return _capital(slots[slot.lower()]) if slot[0].isupper() else slots[slot]

    return _PART.sub(fill, template)


def mark(template: str) -> str:
    """The longest stretch that every filling has in common: by it a template is known again in told prose."""
    return max(_PART.sub("\0", template).split("\0"), key=len).strip()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
