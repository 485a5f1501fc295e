"""Who does which job of a turn."""

from dataclasses import dataclass
from typing import Self

from storyforge_core.ports import Writer


@dataclass(frozen=True, slots=True)
class Cast:
    """A writer for each job; one model that does several of them is the same writer each time.

    A server may hold one model at a time, so what follows a scene is asked of whoever told it.
    """

    writer: Writer
    """Tells the scenes, names them and finds their choices."""
    planner: Writer
    """Thinks about a scene before it is told."""
    visualizer: Writer | None
    """Puts scenes into the words of an illustrator; None where no language model does."""

    @classmethod
    def alone(cls, writer: Writer) -> Self:
        """One writer for all jobs."""
        return cls(writer, writer, writer)

    @property
    def reader(self) -> Writer:
        """Who is asked about what was told, by players and in the background: the model that is loaded already."""
        return self.writer

    async def aclose(self) -> None:
        """Let go of connections."""
        for each in dict.fromkeys(filter(None, (self.planner, self.visualizer, self.writer))):
            await each.aclose()
