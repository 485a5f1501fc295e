"""What holds in a whole space, such as a Discord server: where stories begin, by whom, and how they are told. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from storyforge_core.domain.commands import ChangeSpace, Speaker, Surroundings
from storyforge_core.domain.rules import OFF, ON, SETTINGS, change_rule
from storyforge_core.domain.story import Rules
from storyforge_core.errors import Invalid, NotAllowed

MOST_CHANNELS = 50
MOST_BLOCKED = 500
OWNERS = "owner"
"""Typed as a value: what the program's owner has set counts again."""

Starters = Literal["everyone", "managers", "role"]
"""Who may begin stories; managers always may."""
STARTERS: Mapping[str, Starters] = {"everyone": "everyone", "managers": "managers"}
Manner = Literal["live", "paragraphs", "off"]
"""How scenes are told: as they are written, by whole paragraphs, or when they are finished. Later is quieter."""
MANNERS: Mapping[str, Manner] = {"live": "live", "paragraphs": "paragraphs", "off": "off"}
APPEAR: Mapping[Manner, str] = {
    "live": "word by word",
    "paragraphs": "paragraph by paragraph",
    "off": "when they are finished",
}
"""The same in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """What those who manage a space have decided. People and places are named as the platform names them."""

    channels: tuple[str, ...] = ()
    """Where stories begin; empty: everywhere."""
    starters: Starters = "everyone"
    role: str = ""
    """Who may begin stories where `starters` is `role`."""
    adults: bool = False
    """Stories begin only where the platform lets nobody in who is not of age."""
    defaults: tuple[tuple[str, str], ...] = ()
    """Settings of new stories by name, as they were typed; the rest is the program owner's."""
    blocked: tuple[str, ...] = ()
    """Who may not play."""
    stream: Manner = "live"
    mature: bool = False
    """Pictures for adults may hang here although the platform has no mark for rooms of adults."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Why no story begins."""

    why: Literal["elsewhere", "adults", "managers", "role"]
    places: tuple[str, ...] = ()
    """Where stories begin instead."""
    role: str = ""
    """Who may begin one."""


def objection_to_place(space: Space, around: Surroundings) -> Objection | None:
    """Say why no story may be told at a place; None when one may."""
    if space.channels and around.channel not in space.channels:
        return Objection("elsewhere", places=space.channels)
    if space.adults and not around.adults:
        return Objection("adults")
    return None


def objection_to_start(space: Space, speaker: Speaker, around: Surroundings) -> Objection | None:
    """Say why somebody may not begin a story at a place; None when they may."""
    elsewhere = objection_to_place(space, around)
    if elsewhere is not None or speaker.manager or space.starters == "everyone":
        return elsewhere
    if space.starters == "managers":
        return Objection("managers")
    return None if space.role in speaker.roles else Objection("role", role=space.role)


def require_unblocked(space: Space, speaker: Speaker) -> None:
    """Refuse somebody who is blocked.

    Raises:
        NotAllowed: they are. Whoever manages the space cannot be.
    """
    if speaker.user in space.blocked and not speaker.manager:
        msg = "You cannot play here: those who manage this place have blocked you from its stories."
        raise NotAllowed(msg)


def begin_with(space: Space, rules: Rules) -> Rules:
    """Take the space's own settings for a new story; one that no longer makes sense is passed over."""
    for name, value in space.defaults:
        try:
            rules, _ = change_rule(rules, name, value)
        except Invalid:  # the setting or its limits have changed since it was typed
            continue
    return rules


def change_space(space: Space, change: ChangeSpace) -> tuple[Space, str]:
    """Change one thing; answers the new decisions and a sentence about it that names nobody.

    Raises:
        Invalid: that cannot be; the text says what can.
    """
    return _CHANGES[change.what](space, replace(change, value=change.value.strip()))


def _channel(space: Space, change: ChangeSpace) -> tuple[Space, str]:
    channels = _listed(space.channels, change, MOST_CHANNELS)
    said = "Stories begin in the listed channels only." if channels else "Stories begin in every channel."
    return replace(space, channels=channels), said


def _starters(space: Space, change: ChangeSpace) -> tuple[Space, str]:
    value = change.value.casefold()
    if not value:
        raise Invalid(
            "Who begins stories: everyone, managers, or one role? For example: /story setup starters managers"
        )
    if value in STARTERS:
        return replace(space, starters=STARTERS[value], role=""), f"Stories are begun by {value}."
    changed = replace(space, starters="role", role=change.value)
    return changed, "Stories are begun by those with that role, and by managers."


def _adults(space: Space, change: ChangeSpace) -> tuple[Space, str]:
    if change.value.casefold() not in ON | OFF:
        raise Invalid("That is on or off. For example: /story setup adults on")
    adults = change.value.casefold() in ON
    where = "in age-restricted channels only" if adults else "in channels for every age"
    return replace(space, adults=adults), f"Stories begin {where}."


def _default(space: Space, change: ChangeSpace) -> tuple[Space, str]:
    name, _, wanted = (part.strip() for part in change.value.partition(" "))
    key = name.casefold().replace("_", "-")
    others = tuple(pair for pair in space.defaults if pair[0] != key)
    if key in SETTINGS and wanted.casefold() in {"", OWNERS}:
        return replace(space, defaults=others), f"For {key}, what the owner of the program has set counts again."
    _, said = change_rule(Rules(), key, wanted)
    return replace(space, defaults=(*others, (key, wanted))), f"New stories begin with {said}."


def _block(space: Space, change: ChangeSpace) -> tuple[Space, str]:
    blocked = _listed(space.blocked, change, MOST_BLOCKED)
    said = "They may play here again." if change.lift else "They may not play here any more."
    return replace(space, blocked=blocked), said


def _stream(space: Space, change: ChangeSpace) -> tuple[Space, str]:
    manner = MANNERS.get(change.value.casefold())
    if manner is None:
        raise Invalid("That is live, paragraphs or off. For example: /story setup stream paragraphs")
    return replace(space, stream=manner), f"Scenes appear {APPEAR[manner]}."


def _mature(space: Space, change: ChangeSpace) -> tuple[Space, str]:
    if change.value.casefold() not in ON | OFF:
        raise Invalid("That is on or off. For example: /story setup mature on")
    mature = change.value.casefold() in ON
    return replace(space, mature=mature), f"Pictures for adults are {'shown' if mature else 'not shown'} here."


def _listed(known: tuple[str, ...], change: ChangeSpace, most: int) -> tuple[str, ...]:
    """Put a name on a list, or take it off."""
    if not change.value:
        raise Invalid(f"Which {_NAMED[change.what]} do you mean? For example: /story setup {change.what} {_ID}")
    others = tuple(each for each in known if each != change.value)
    if change.lift:
        return others
    if len(others) >= most:
        raise Invalid(f"There are {most} on that list already. Take one off first: put “off” behind it.")
    return (*others, change.value)


_ID = "81384788765712384"
_NAMED: Mapping[str, str] = {"channel": "channel", "block": "person"}
_CHANGES: Mapping[str, Callable[[Space, ChangeSpace], tuple[Space, str]]] = {
    "channel": _channel,
    "starters": _starters,
    "adults": _adults,
    "default": _default,
    "block": _block,
    "stream": _stream,
    "mature": _mature,
}
