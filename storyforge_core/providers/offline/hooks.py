"""Hooks: how a scene ends, which choices belong to it, and where they lead."""

from collections.abc import Iterable

from storyforge_core.domain.writing import Brief
from storyforge_core.providers.offline.banks import Hook, Option
from storyforge_core.providers.offline.cast import Cast
from storyforge_core.providers.offline.dice import Dice
from storyforge_core.providers.offline.template import render

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
    hook = hook_in(brief.path[-1].prose, cast) if brief.path else None
    chosen = brief.chosen.strip().rstrip(".").lower()
    return next((o for o in hook.options if wording(o, cast).lower() == chosen), None) if hook else None


def next_hook(brief: Brief, cast: Cast, dice: Dice) -> Hook:
    """The hook for the end of a new scene: where the choice leads, else one that this path has not met."""
    option = taken_option(brief, cast)
    leads = option.leads if option else ()
    led = [hook for hook in _every(cast) if hook.name in leads and not _met(hook, cast)]
    if led:
        return dice.pick("led", led)
    opening = not brief.path and not brief.extend
    for bank in cast.banks:
        fitting = [hook for hook in bank.hooks if (hook.first if opening else not hook.name)]
        free = [hook for hook in fitting if not _met(hook, cast)]
        if free and (bank is cast.banks[-1] or opening or dice.roll(f"near/{bank.names}", 4)):
            return dice.pick("hook", free)
    rest = [hook for hook in _every(cast) if not hook.name]
    return dice.pick("again", [hook for hook in rest if not _met(hook, cast)] or rest)


def _met(hook: Hook, cast: Cast) -> bool:
    return hook.beat.mark in cast.told


def _every(cast: Cast) -> Iterable[Hook]:
    return [hook for bank in cast.banks for hook in bank.hooks]
