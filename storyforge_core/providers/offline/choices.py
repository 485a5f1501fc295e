"""Title and choices for a scene that has been told."""

import re

from storyforge_core.domain.writing import Brief
from storyforge_core.providers.offline.banks import bank
from storyforge_core.providers.offline.cast import Cast, assemble
from storyforge_core.providers.offline.dice import Dice
from storyforge_core.providers.offline.hooks import hook_in, wording
from storyforge_core.providers.offline.lexicon import lexicon
from storyforge_core.providers.offline.template import render
from storyforge_core.providers.offline.text import title_case

_TITLE_LIMIT = 60
_CHOICE_LIMIT = 90
_NOUN = re.compile(r"\b[Tt]he ([a-z]{4,})\b(?! (?:of|that|who)\b)")


def choices_of(brief: Brief, prose: str) -> list[str]:
    """Distinct things to do next, about what the scene is about."""
    cast, dice = _reader(brief, prose)
    hook = hook_in(prose, cast)
    own = [wording(option, cast) for option in hook.options] if hook else _from_nouns(prose, cast)
    fillers = [render(beat.text, cast.slots, dice) for beat in bank("general").beats["fillers"]]
    spare = [filler for filler in dice.shuffled("fillers", fillers) if filler not in cast.told]
    distinct = dict.fromkeys(choice for choice in [*own, *spare] if len(choice) <= _CHOICE_LIMIT)
    return list(distinct)[: max(brief.choices, 1)]


def title_of(brief: Brief, prose: str) -> str:
    """A title that this path has not used."""
    cast, dice = _reader(brief, prose)
    used = {scene.title.lower() for scene in brief.path}
    spare = [beat.text for beat in dice.shuffled("titles", bank("general").beats["titles"])]
    titles = [render(title, cast.slots, dice) for title in [*_named(brief, cast, prose), *spare]]
    fitting = [title for title in map(title_case, titles) if len(title) <= _TITLE_LIMIT and title.lower() not in used]
    return fitting[0] if fitting else f"Scene {len(brief.path) + 1}"


def _reader(brief: Brief, prose: str) -> tuple[Cast, Dice]:
    dice = Dice(f"{brief.seed}\x1f{brief.premise}\x1f{prose}")
    return assemble(brief, dice, prose), dice


def _named(brief: Brief, cast: Cast, prose: str) -> list[str]:
    """Titles that belong to what the scene tells."""
    found = cast.premise.found
    opening = ["{matter}"] if not brief.path and found else []
    plots = [beat.title for each in cast.banks for plot in each.plots for beat in plot if beat.mark in prose]
    hook = hook_in(prose, cast)
    return [*opening, *plots, *([hook.beat.title] if hook else [])]


def _from_nouns(prose: str, cast: Cast) -> list[str]:
    """Choices about things that prose of another hand names near its end."""
    nouns = [noun for noun in dict.fromkeys(_NOUN.findall(prose[-900:])) if noun not in lexicon("no_nouns")]
    patterns = ("Look closer at the {}", f"Ask {cast.friend.name} about the {{}}", "Leave the {} alone and go on")
    return [pattern.format(noun) for pattern, noun in zip(patterns, reversed(nouns), strict=False)]
