"""What a run does, as data: stages in order, with their limits and what each needs and gives."""

from dataclasses import dataclass

from storyforge_core.engine.kit import Step
from storyforge_core.engine.steps.choose import choose
from storyforge_core.engine.steps.plan import plan
from storyforge_core.engine.steps.recall import recall
from storyforge_core.engine.steps.write import write


@dataclass(frozen=True, slots=True)
class Stage:
    """One step with its limits."""

    name: str
    step: Step
    needs: tuple[str, ...]
    """Fields of the draft that have to be there."""
    gives: tuple[str, ...]
    """Fields of the draft that it fills."""
    seconds: float
    """Time limit of one attempt."""
    pauses: tuple[float, ...] = ()
    """Seconds to wait before each further attempt after a service failed."""


Recipe = tuple[Stage, ...]

SCENE: Recipe = (
    Stage("plan", plan, needs=("order",), gives=("brief",), seconds=30, pauses=(1, 3)),
    Stage("recall", recall, needs=("brief",), gives=("brief", "manifest"), seconds=60, pauses=(1, 3)),
    Stage("write", write, needs=("brief", "manifest"), gives=("prose", "writer"), seconds=1800, pauses=(1, 3)),
    Stage("choose", choose, needs=("brief", "manifest", "prose"), gives=("title", "choices"), seconds=300),
)
"""An opening, the next scene, another take or a longer one: they differ in their order, not in their stages."""
