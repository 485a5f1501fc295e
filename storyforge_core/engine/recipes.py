"""What a run does, as data: stages in order, with their limits and what each needs and gives."""

from itertools import repeat

from storyforge_core.domain.pictures import PictureDraft
from storyforge_core.domain.runs import Draft
from storyforge_core.engine.kit import Easel, Kit
from storyforge_core.engine.stages import Stage
from storyforge_core.engine.steps.choose import choose
from storyforge_core.engine.steps.outline import outline
from storyforge_core.engine.steps.paint import paint
from storyforge_core.engine.steps.plan import plan
from storyforge_core.engine.steps.recall import recall
from storyforge_core.engine.steps.see import see
from storyforge_core.engine.steps.write import write

Recipe = tuple[Stage[Draft, Kit], ...]
PictureRecipe = tuple[Stage[PictureDraft, Easel], ...]

A_DAY_OF_MINUTES = (2.0, 5.0, 10.0, 20.0, 40.0, *repeat(60.0, 24 * 60))
"""A picture server may be switched off overnight: its pictures wait for it, and nobody waits for them."""

SCENE: Recipe = (
    Stage("plan", plan, needs=("order",), gives=("brief",), seconds=30, pauses=(1, 3)),
    Stage("recall", recall, needs=("brief",), gives=("brief", "manifest"), seconds=60, pauses=(1, 3)),
    Stage("outline", outline, needs=("brief", "manifest"), gives=("brief", "manifest"), seconds=120),
    Stage("write", write, needs=("brief", "manifest"), gives=("prose", "writer"), seconds=1800, pauses=(1, 3)),
    Stage("choose", choose, needs=("brief", "manifest", "prose"), gives=("title", "choices"), seconds=300),
)
"""An opening, the next scene, another take or a longer one: they differ in their order, not in their stages."""

PICTURE: PictureRecipe = (
    Stage("see", see, needs=("order",), gives=("sight", "vision"), seconds=300, pauses=(1, 3, 10, 30, 60)),
    Stage("paint", paint, needs=("sight", "vision"), gives=("kept", "workflow"), seconds=7200, pauses=A_DAY_OF_MINUTES),
)
"""A picture of a scene, by itself, on demand or anew."""
