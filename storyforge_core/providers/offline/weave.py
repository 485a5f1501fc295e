"""Players' own words in the prose: the chosen branch, the hint, the director's note."""

import re
from dataclasses import dataclass

from storyforge_core.providers.offline.banks import bank
from storyforge_core.providers.offline.cast import Cast
from storyforge_core.providers.offline.deed import Deed, deed
from storyforge_core.providers.offline.dice import Dice
from storyforge_core.providers.offline.template import render
from storyforge_core.providers.offline.text import as_sentence, tidy, without_slots


@dataclass(frozen=True, slots=True)
class Acted:
    """A choice as a sentence, and the verb it was about."""

    sentence: str
    verb: str


def chosen_deed(chosen: str, cast: Cast, dice: Dice) -> Acted:
    """The chosen branch as something that the protagonist really does."""
    done = deed(chosen, cast.slots["name"])
    return Acted(_framed("chosen", done, cast, dice), done.verb)


_PLAIN = 12
"""A frame with fewer letters of its own can come again and again without being noticed."""
_ABOUT_THE_TELLING = re.compile(
    r"(make|keep|let|end|write|describe|focus|stay|be|avoid|use|have|more|less|no|don.t|do not)\b", re.IGNORECASE
)


def _wish(words: str, cast: Cast) -> Deed:
    """A hint or note; one about how to tell rather than what is quoted as it is."""
    wish = deed(words, cast.slots["name"])
    aside = wish.kind == "did" and _ABOUT_THE_TELLING.match(words.strip())
    return Deed("speech", without_slots(tidy(words))) if aside else wish


def hint_at(hint: str, cast: Cast, dice: Dice) -> str:
    """A hint as something that happens; empty without one."""
    return _framed("hint", _wish(hint, cast), cast, dice) if hint.strip() else ""


def direct(note: str, cast: Cast, dice: Dice) -> str:
    """The director's note, worked into the scene; empty without one."""
    return _framed("note", _wish(note, cast), cast, dice) if note.strip() else ""


def _framed(use: str, done: Deed, cast: Cast, dice: Dice) -> str:
    frames = bank("frames").beats[f"{use}_{done.kind}"]
    fresh = [frame for frame in frames if len(frame.mark) < _PLAIN or frame.mark not in cast.told] or list(frames)
    words = render(done.text, cast.slots, dice)
    if done.kind == "speech":
        words = as_sentence(words[:1].upper() + words[1:])
    return render(dice.pick(use, fresh).text, {**cast.slots, "words": words}, dice)
