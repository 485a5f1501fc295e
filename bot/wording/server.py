"""What was decided for a whole server, and what it means for those who ask for a story."""

from collections.abc import Sequence
from typing import assert_never

from bot.wording.voice import Voice, lines, listed
from storyforge_core.domain.replies import NotHere, SpaceShown
from storyforge_core.domain.space import APPEAR, Space

NAMED = 10
"""How many channels or people are named one by one."""


def not_here(reply: NotHere, voice: Voice) -> str:
    """Say where a story can begin instead, or who can begin one."""
    objection = reply.objection
    match objection.why:
        case "elsewhere":
            return f"On this server stories begin in {_named('channel', objection.places, voice)}."
        case "adults":
            return "On this server stories begin in age-restricted channels only. Ask for one there."
        case "managers":
            return "On this server those who manage it begin the stories. Ask one of them to begin one."
        case "role":
            return f"On this server those with the role {voice.mention('role', objection.role)} begin the stories."
        case _:
            assert_never(objection.why)


def space_shown(reply: SpaceShown, voice: Voice) -> str:
    """List what was decided; what was just changed comes first."""
    space = reply.space
    defaults = [f"{name} {voice.words(value, NAMED)}" for name, value in space.defaults]
    return lines(
        voice.flavour.literal(reply.changed),
        voice.flavour.strong("For this server"),
        f"Stories begin in: {_named('channel', space.channels, voice) or 'every channel'}",
        f"Age-restricted channels only: {'on' if space.adults else 'off'}",
        f"Stories are begun by: {_starters(space, voice)}",
        f"New stories begin with: {listed(defaults) or 'what the owner of the program has set'}",
        f"Blocked: {_named('person', space.blocked, voice) or 'nobody'}",
        f"Scenes appear: {APPEAR[space.stream]}",
        f"Pictures for adults: {'shown' if space.mature else 'only where the chat itself lets in nobody but adults'}",
    )


def _starters(space: Space, voice: Voice) -> str:
    match space.starters:
        case "everyone":
            return "everyone"
        case "managers":
            return "those who manage the server"
        case "role":
            return f"{voice.mention('role', space.role)}, and those who manage the server"
        case _:
            assert_never(space.starters)


def _named(kind: str, ids: Sequence[str], voice: Voice) -> str:
    named = [voice.mention(kind, each) for each in ids[:NAMED]]
    more = [f"{len(ids) - NAMED} more"] if len(ids) > NAMED else []
    return listed([*named, *more])
