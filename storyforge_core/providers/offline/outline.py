"""The plan of a scene: in a few lines what the storyteller tells for a brief anyway, since that is always the same."""

import re

from storyforge_core.domain.writing import Brief
from storyforge_core.providers.offline.cast import assemble
from storyforge_core.providers.offline.dice import Dice
from storyforge_core.providers.offline.hooks import hook_in, wording
from storyforge_core.providers.offline.scene import scene_of
from storyforge_core.providers.offline.text import lower_first

_FIRST_SENTENCE = re.compile(r".+?[.!?…](?=\W|$)", re.DOTALL)


def plan_of(brief: Brief) -> dict[str, object]:
    """Who acts, what happens, and what is left for the players to decide, as a model would answer it."""
    prose = scene_of(brief)
    cast = assemble(brief, Dice("a plan draws no lots"), prose)
    hook = hook_in(prose, cast)
    first = _FIRST_SENTENCE.match(prose.strip("… \n"))
    turns = [beat.title for each in cast.banks for plot in each.plots for beat in plot if beat.mark in prose]
    asked = [hook.beat.title] if hook and hook.beat.title else []
    left_open = hook.options if hook else ()
    return {
        "who": [name for name in (cast.slots["name"], cast.friend.name) if name in prose],
        "beats": [*([first.group()] if first else []), *turns, *asked],
        "avoid": [f"Anybody decides to {lower_first(wording(option, cast))}" for option in left_open],
        "promise": "",
    }
