"""Who paints: the owner's ComfyUI servers, the built-in cards where somebody wants to try pictures out, or nobody."""

import asyncio
from dataclasses import dataclass

from storyforge_core.domain.story import PictureMode
from storyforge_core.picture_ports import Illustrator
from storyforge_core.providers.cards import CardIllustrator
from storyforge_core.providers.comfyui import ComfyIllustrator
from storyforge_core.providers.comfyui_graph import load_library
from storyforge_core.settings import Settings
from storyforge_core.shipped import workflows_dir


@dataclass(frozen=True, slots=True)
class Studio:
    """An illustrator, and when it is asked."""

    illustrator: Illustrator
    mode: PictureMode
    """Which scenes get a picture where a story's settings do not say."""
    at_once: int
    """How many pictures are in hand at the same time: one for each server."""
    described: bool = True
    """A language model puts scenes into words for it, where there is one; cards show a scene's title and need none."""

    async def aclose(self) -> None:
        """Let go of connections."""
        await self.illustrator.aclose()


async def comfyui(settings: Settings) -> ComfyIllustrator:
    """The servers that the settings name, with the workflows that come along and the owner's own."""
    library = await asyncio.to_thread(lambda: load_library(workflows_dir(), settings.workflow_dir))
    return ComfyIllustrator(
        settings.picture_hosts, library, settings.picture_workflow, previews=settings.picture_previews == "on"
    )


async def studio(settings: Settings, *, cards: bool = False) -> Studio | None:
    """Whoever paints by the settings; None where nobody does.

    Args:
        settings: of the program.
        cards: where there is no server, cards are drawn, and each scene gets one.
    """
    if settings.picture_hosts and (cards or settings.pictures != "off"):
        mode: PictureMode = "every" if settings.pictures == "off" else settings.pictures
        return Studio(await comfyui(settings), mode, len(settings.picture_hosts))
    return Studio(CardIllustrator(), "every", 1, described=False) if cards else None
