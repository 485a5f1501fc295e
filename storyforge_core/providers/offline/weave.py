"""Players' own words in the prose: the chosen branch, the hint, the director's note."""

from dataclasses import dataclass

from storyforge_core.providers.offline.banks import bank
from storyforge_core.providers.offline.cast import Cast
from storyforge_core.providers.offline.deed import Deed, deed
from storyforge_core.providers.offline.dice import Dice
from storyforge_core.providers.offline.template import render


@dataclass(frozen=True, slots=True)
class Acted:
    """A choice as a sentence, and the verb it was about."""

    sentence: str
    verb: str


def chosen_deed(chosen: str, cast: Cast, dice: Dice) -> Acted:
    """The chosen branch as something that the protagonist really does."""
    done = deed(chosen, cast.slots["name"])
    return Acted(_framed("chosen", done, cast, dice), done.verb)


def hint_at(hint: str, cast: Cast, dice: Dice) -> str:
    """A hint as something that happens; empty without one."""
    return _framed("hint", deed(hint, cast.slots["name"]), cast, dice) if hint.strip() else ""


def direct(note: str, cast: Cast, dice: Dice) -> str:
    """The director's note, worked into the scene; empty without one."""
    return _framed("note", deed(note, cast.slots["name"]), cast, dice) if note.strip() else ""


def _framed(use: str, done: Deed, cast: Cast, dice: Dice) -> str:
    frames = bank("frames").beats[f"{use}_{done.kind}"]
    fresh = [frame for frame in frames if frame.mark not in cast.told] or list(frames)
    words = render(done.text, cast.slots, dice)
    return render(dice.pick(use, fresh).text, {**cast.slots, "words": words}, dice)
