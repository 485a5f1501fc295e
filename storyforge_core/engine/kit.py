"""What a step of a recipe may use."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from storyforge_core.domain.runs import Draft, Run
from storyforge_core.engine.bus import Feed
from storyforge_core.engine.memory import Memory
from storyforge_core.ports import Store, Writer


@dataclass(frozen=True, slots=True)
class Kit:
    """What a step may use."""

    run: Run
    store: Store
    writer: Writer
    memory: Memory
    feed: Feed
    """The words that players see grow."""


Step = Callable[[Draft, Kit], Awaitable[Draft]]
"""Takes a frozen draft and returns a fuller one; a step that fails leaves no trace but the words it told."""
