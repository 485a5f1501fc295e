"""Hooks: how a scene ends, which choices belong to it, and where they lead."""

from collections.abc import Iterable

from storyforge_core.domain.writing import Brief
from storyforge_core.providers.offline.banks import Hook, Option
from storyforge_core.providers.offline.cast import Cast
from storyforge_core.providers.offline.dice import Dice
from storyforge_core.providers.offline.template import render

_FORGOTTEN = 3
"""When a path has met every hook: one of so many that it met longest ago."""
_PLAIN = Dice("options have one wording")


def wording(option: Option, cast: Cast) -> str:
    """An option as players read it."""
    return render(option.do, cast.slots, _PLAIN)


def hook_in(prose: str, cast: Cast) -> Hook | None:
    """The hook that ends a scene, known again by its words."""
    found = [(prose.rfind(hook.beat.mark), at, hook) for at, hook in enumerate(_every(cast)) if hook.beat.mark in prose]
    return max(found, key=lambda entry: entry[:2])[2] if found else None


def taken_option(brief: Brief, cast: Cast) -> Option | None:
    """The option behind the choice that leads here, when the storyteller itself had offered it."""
    if not brief.path or not brief.chosen.strip():
        return None
    hook = hook_in(brief.path[-1].prose, cast)  # a player may have written the scene anew, and its choices stayed
    options = hook.options if hook else tuple(option for each in _every(cast) for option in each.options)
    chosen = _plain(brief.chosen)
    return next((option for option in options if _plain(wording(option, cast)) == chosen), None)


def next_hook(brief: Brief, cast: Cast, dice: Dice) -> Hook:
    """The hook for the end of a new scene: where the choice leads, else one that this path has not met."""
    option = taken_option(brief, cast)
    leads = option.leads if option else ()
    met = _met(brief, cast)
    led = [hook for hook in _every(cast) if hook.name in leads and hook.beat.mark not in met]
    if led:
        return dice.pick("led", led)
    opening = not brief.path and not brief.extend
    for bank in cast.banks:
        fitting = [hook for hook in bank.hooks if (hook.first if opening else not hook.name)]
        free = [hook for hook in fitting if hook.beat.mark not in met]
        if free and (bank is cast.banks[-1] or opening or dice.roll(f"near/{bank.names}", 4)):
            return dice.pick("hook", free)
    rest = [hook for hook in _every(cast) if not hook.name]
    longest_ago = sorted(rest, key=lambda hook: cast.told.rfind(hook.beat.mark))[:_FORGOTTEN]
    return dice.pick("again", [hook for hook in rest if hook.beat.mark not in met] or longest_ago)


def _met(brief: Brief, cast: Cast) -> frozenset[str]:
    """The marks of the hooks that this path has told, or of which it has taken an option."""
    taken = {_plain(choice) for choice in (brief.chosen, *(scene.choice for scene in brief.path)) if choice}
    return frozenset(
        hook.beat.mark
        for hook in _every(cast)
        if hook.beat.mark in cast.told or any(_plain(wording(option, cast)) in taken for option in hook.options)
    )


def _plain(words: str) -> str:
    return words.strip().rstrip(".").lower()


def _every(cast: Cast) -> Iterable[Hook]:
    return [hook for bank in cast.banks for hook in bank.hooks]
