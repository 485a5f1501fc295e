"""Have a picture painted, look through it and put its file away."""

from dataclasses import replace

from storyforge_core.domain.pictures import Commission, PictureDraft, Size
from storyforge_core.engine.kit import Easel
from storyforge_core.errors import BrokenAnswer, PaintingFailed

SIZE = Size(1152, 768)
"""Three to two: as people hold neither phone nor screen, and as every chat shows it whole."""
ALWAYS_AVOIDED = "text, watermark, signature"


async def paint(draft: PictureDraft, easel: Easel) -> PictureDraft:
    """Fill in the picture. By the run's id the illustrator knows it again, whoever comes to ask for it."""
    sight, vision = draft.sight, draft.vision
    assert sight is not None  # noqa: S101 - the recipe's `needs` say so
    assert vision is not None  # noqa: S101
    commission = Commission(
        id=easel.run.id,
        prompt=vision.prompt,
        avoid=", ".join(filter(None, (sight.avoid, ALWAYS_AVOIDED))),
        seed=draft.order.seed,
        size=SIZE,
        title=sight.title,
        workflow=sight.workflow,
    )
    if easel.sharing is None:
        painted = await easel.illustrator.paint(commission, easel.hear)
    else:
        painted = await easel.sharing.painted(easel.illustrator, commission, easel.hear)
    try:
        kept = await easel.gallery.keep(painted.data)
    except BrokenAnswer as error:  # it would be the same again
        raise PaintingFailed(f"What came back from the illustrator cannot be shown. {error}") from error
    return replace(draft, kept=kept, workflow=painted.workflow, done=1.0)
