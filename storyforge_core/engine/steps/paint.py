"""Have a picture painted, look through it and put its file away."""

from dataclasses import replace

from storyforge_core.domain.looks import upload_name, worn
from storyforge_core.domain.pictures import Commission, PictureDraft, Reference, Sight, Size, Vision
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
    references, lacking = await _references(sight, vision, easel)
    commission = Commission(
        id=easel.run.id,
        prompt=vision.prompt,
        avoid=", ".join(filter(None, (sight.avoid, ALWAYS_AVOIDED))),
        seed=draft.order.seed,
        size=SIZE,
        title=sight.title,
        workflow=sight.workflow,
        references=references,
    )
    if easel.sharing is None:
        painted = await easel.illustrator.paint(commission, easel.hear)
    else:
        painted = await easel.sharing.painted(easel.illustrator, commission, easel.hear)
    try:
        kept = await easel.gallery.keep(painted.data)
    except BrokenAnswer as error:  # it would be the same again
        raise PaintingFailed(f"What came back from the illustrator cannot be shown. {error}") from error
    return replace(draft, kept=kept, workflow=painted.workflow, done=1.0, lacking=lacking)


async def _references(sight: Sight, vision: Vision, easel: Easel) -> tuple[tuple[Reference, ...], tuple[str, ...]]:
    """Read the looks of those who can be seen; answers them, and the names of those whose file is not there."""
    found: list[Reference] = []
    lacking: list[str] = []
    for likeness in worn(sight.likenesses, vision.seen or ()):
        data = await easel.shelf.read(likeness.file, likeness.sha256)
        if data is None:
            lacking.append(likeness.name or sight.title)
        else:
            found.append(Reference(upload_name(likeness), data, likeness.shows))
    return tuple(found), tuple(lacking)
