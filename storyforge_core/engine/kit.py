"""What a step of a recipe may use."""

from collections.abc import Callable
from dataclasses import dataclass

from storyforge_core.domain.pictures import PictureRun, Progress
from storyforge_core.domain.runs import Run
from storyforge_core.engine.bus import Feed
from storyforge_core.engine.cast import Cast
from storyforge_core.engine.memory import Memory
from storyforge_core.picture_ports import Gallery, Illustrator
from storyforge_core.ports import Store, Writer


@dataclass(frozen=True, slots=True)
class Kit:
    """What a step may use."""

    run: Run
    store: Store
    cast: Cast
    memory: Memory
    feed: Feed
    """The words that players see grow."""

    @property
    def writer(self) -> Writer:
        """Who tells the scene."""
        return self.cast.writer


@dataclass(frozen=True, slots=True)
class Easel:
    """What a step of a picture may use."""

    run: PictureRun
    store: Store
    illustrator: Illustrator
    gallery: Gallery
    visualizer: Writer | None
    """Who puts scenes into the words of an illustrator; None where no language model does."""
    hear: Callable[[Progress], None]
    """Is told how far the picture is."""
