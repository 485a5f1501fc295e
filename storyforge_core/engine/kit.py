"""What a step of a recipe may use."""

from collections.abc import Callable
from dataclasses import dataclass

from storyforge_core.domain.pictures import PictureRun, Progress
from storyforge_core.domain.runs import Run
from storyforge_core.engine.bus import Feed
from storyforge_core.engine.memory import Memory
from storyforge_core.engine.sharing import Sharing
from storyforge_core.look_ports import Shelf
from storyforge_core.picture_ports import Gallery, Illustrator
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
    sharing: Sharing | None = None
    """Looks after a card that words and pictures share; None where each has its own."""


@dataclass(frozen=True, slots=True)
class Easel:
    """What a step of a picture may use."""

    run: PictureRun
    store: Store
    illustrator: Illustrator
    gallery: Gallery
    shelf: Shelf
    visualizer: Writer | None
    """Who puts scenes into the words of an illustrator; None where no language model does."""
    hear: Callable[[Progress], None]
    """Is told how far the picture is."""
    sharing: Sharing | None = None
    """Looks after a card that words and pictures share; None where each has its own."""
