"""How long the tokens of each model are, learned from what servers count; older prompts count less and less."""

from storyforge_core.domain.manifest import Measure
from storyforge_core.store.statement import Db, Statement

_MEASURE = Statement("""
    SELECT prompts, (read / estimated)::float8 AS ratio FROM measure WHERE model = :model AND estimated > 0
""")

_LEARN = Statement("""
    INSERT INTO measure (model, prompts, estimated, read) VALUES (:model, 1, :estimated, :read)
    ON CONFLICT (model) DO UPDATE
       SET prompts = measure.prompts + 1, estimated = measure.estimated * 0.9 + excluded.estimated,
           read = measure.read * 0.9 + excluded.read
""")


async def measure(db: Db, model: str) -> Measure:
    """Read what is known of a model."""
    row = await _MEASURE.row(db, model=model)
    return Measure(**row) if row else Measure()


async def learn(db: Db, model: str, estimated: int, read: int) -> None:
    """Take in how many tokens a prompt had that was estimated at so many."""
    await _LEARN.run(db, model=model, estimated=float(estimated), read=float(read))
