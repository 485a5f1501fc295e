"""Who and what there is in a story, and the facts of a path."""

from storyforge_core.domain.bible import Entity, Fact
from storyforge_core.domain.changes import EntitySet, FactSet
from storyforge_core.domain.story import SceneId, StoryId
from storyforge_core.store.codec import CARD, CLAIM, dump
from storyforge_core.store.statement import Db, Statement

_ENTITIES = Statement("SELECT id, card::text AS card FROM entity WHERE story_id = :story ORDER BY id")

_FACTS = Statement("""
    WITH RECURSIVE {whole_path}
    SELECT fact.id, fact.number, scene.number AS scene, fact.claim::text AS claim
      FROM fact
      JOIN scene ON scene.id = fact.scene_id
      JOIN segment ON segment.branch_id = scene.branch_id AND scene.depth BETWEEN segment.first AND segment.last
     WHERE fact.story_id = (SELECT story_id FROM scene WHERE id = :scene)
     ORDER BY fact.number
""")

_ADD_ENTITY = Statement("""
    INSERT INTO entity (id, story_id, card) VALUES (:id, :story, :after) ON CONFLICT DO NOTHING RETURNING id
""")

_SET_ENTITY = Statement("UPDATE entity SET card = :after WHERE id = :id AND card = :before::jsonb RETURNING id")

_FORGET_ENTITY = Statement("DELETE FROM entity WHERE id = :id AND card = :before::jsonb RETURNING id")

# What players write down and what is found by reading count together: whoever adds one holds the story.
HOLD_STORY = Statement("SELECT id FROM story WHERE id = :story FOR NO KEY UPDATE")

_ADD_FACT = Statement("""
    INSERT INTO fact (id, story_id, number, scene_id, claim)
    SELECT :id, :story, 1 + greatest((SELECT coalesce(max(number), 0) FROM fact WHERE story_id = :story),
                                     (SELECT coalesce(max(number), 0) FROM assertion WHERE story_id = :story)),
           :scene, :after
    ON CONFLICT (id) DO NOTHING RETURNING id
""")

_FORGET_FACT = Statement("DELETE FROM fact WHERE id = :id AND claim = :before::jsonb RETURNING id")


async def entities(db: Db, story: StoryId) -> tuple[Entity, ...]:
    """Read who and what there is in a story, in the order in which they were written down."""
    rows = await _ENTITIES.rows(db, story=story)
    return tuple(Entity(row["id"], CARD.validate_json(row["card"])) for row in rows)


async def facts(db: Db, end: SceneId) -> tuple[Fact, ...]:
    """Read the facts that hold at a scene, in the order in which they were written down."""
    rows = await _FACTS.rows(db, scene=end)
    return tuple(Fact(row["id"], row["number"], row["scene"], CLAIM.validate_json(row["claim"])) for row in rows)


async def set_entity(db: Db, change: EntitySet) -> object:
    """Write a card; answers nothing where it is no longer what it was."""
    before, after = (side and dump(CARD, side) for side in (change.before, change.after))
    if after is None:
        return await _FORGET_ENTITY.value(db, id=change.entity, before=before)
    if before is None:
        return await _ADD_ENTITY.value(db, id=change.entity, story=change.story, after=after)
    return await _SET_ENTITY.value(db, id=change.entity, before=before, after=after)


async def set_fact(db: Db, change: FactSet) -> object:
    """Write a fact or take it away; answers nothing where it is no longer what it was."""
    if change.after is None:
        before = None if change.before is None else dump(CLAIM, change.before)
        return await _FORGET_FACT.value(db, id=change.fact, before=before)
    await HOLD_STORY.run(db, story=change.story)
    after = dump(CLAIM, change.after)
    return await _ADD_FACT.value(db, id=change.fact, story=change.story, scene=change.scene, after=after)
