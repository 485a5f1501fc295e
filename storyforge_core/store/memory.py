"""What stories remember: passages of scenes, found by words and by meaning, on one path or over many stories.

On a path the search is exact: all of its passages are compared, in the few ranges that a path is. An approximate index
would have to throw away most of what it finds, since its neighbours lie on other branches; it is for many stories at
once, and what it finds there still has to lie on a path that somebody stands at the end of.
"""

from collections.abc import Sequence

from storyforge_core.domain.memory import WHOLE_WORD, Cue, Found, Passage, Progress, Unread, Vector, stem
from storyforge_core.domain.story import RoomKey, Scene, SceneId
from storyforge_core.store.codec import columns, storable
from storyforge_core.store.jobs_sql import MEMORY_QUEUE, READ_TASK, REMEMBER_TASK
from storyforge_core.store.statement import Db, Statement

CANDIDATES = 30
"""Passages taken from each of the two rankings before they are put together."""
COMMON = 400
"""Passages of a path from which a word is common: what is found by it are the newest that have it."""
MANY = 32
"""A path is short that is less than one part in so many of all stories: looking through it is quicker then."""

_SCENE = Statement("SELECT {scene} FROM scene WHERE scene.id = :scene")

_KEEP = Statement("""
    INSERT INTO passage (scene_id, part, story_id, branch_id, depth, start, length, words)
    SELECT scene.id, given.part, scene.story_id, scene.branch_id, scene.depth, given.start, length(given.text),
           to_tsvector('simple', given.text)
      FROM scene CROSS JOIN unnest(:parts::smallint[], :starts::integer[], :texts::text[]) AS given (part, start, text)
     WHERE scene.id = :scene
    ON CONFLICT DO NOTHING
""")

_UNCUT = Statement("""
    SELECT {scene} FROM scene WHERE NOT EXISTS (SELECT FROM passage WHERE passage.scene_id = scene.id) LIMIT :limit
""")

_UNREAD = Statement("""
    SELECT passage.scene_id AS scene, passage.part, substr(scene.prose, passage.start + 1, passage.length) AS text
      FROM passage JOIN scene ON scene.id = passage.scene_id
     WHERE passage.embedding_model IS DISTINCT FROM :model AND (:scene::uuid IS NULL OR passage.scene_id = :scene)
     ORDER BY passage.scene_id DESC, passage.part
     LIMIT :limit
""")

_READ = Statement("""
    UPDATE passage SET embedding = given.embedding::halfvec, embedding_model = :model
      FROM unnest(:scenes::uuid[], :parts::smallint[], :embeddings::text[]) AS given (scene, part, embedding)
     WHERE passage.scene_id = given.scene AND passage.part = given.part
""")

# Nobody waits for it, so no run does either: it has a queue of its own. What scenes say is found out in their order.
_REMEMBER = Statement("""
    SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
        :queue::text, :task::text, 0, NULL, NULL, jsonb_build_object('scene', :scene::uuid), NULL
    )::procrastinate_job_to_defer_v1, ROW(
        :queue::text, :read::text, -1, 'read:' || (SELECT story_id FROM scene WHERE id = :scene::uuid), NULL,
        jsonb_build_object('scene', :scene::uuid), NULL
    )::procrastinate_job_to_defer_v1])
""")

_PROGRESS = Statement("""
    SELECT (SELECT count(*) FROM passage WHERE embedding_model = :model) AS read,
           (SELECT count(*) FROM passage) AS passages
""")

# Two rankings, put together by place: the sum of 1 / (60 + place). The rarer a word is on the path, the more it weighs;
# a passage that has all that was looked for gets as much again as two first places give.
_RANKED = """
    worded AS (
        SELECT hit.scene_id, hit.part, sum(weight.worth) AS worth,
               sum(weight.worth) FILTER (WHERE weight.single) AS covered,
               row_number() OVER (ORDER BY sum(weight.worth) DESC, max(hit.depth) DESC) AS place
          FROM hit JOIN weight ON weight.word = hit.word
         GROUP BY hit.scene_id, hit.part
         ORDER BY place
         LIMIT :candidates
    ), asked AS (
        SELECT sum(coalesce(weight.worth, ln(1 + size.passages))) AS worth,
               sum(coalesce(weight.worth, ln(1 + size.passages))) FILTER (WHERE term.single) AS covered
          FROM size CROSS JOIN term LEFT JOIN weight ON weight.word = term.word
    )
    SELECT scene.id AS scene, scene.number, scene.title, passage.part,
           substr(scene.prose, passage.start + 1, passage.length) AS text,
           coalesce(worded.covered / nullif(asked.covered, 0), 0)::float8 AS covers,
           coalesce(worded.worth / nullif(asked.worth, 0), 0)::float8 AS fits{more}
      FROM meant
      FULL JOIN worded ON worded.scene_id = meant.scene_id AND worded.part = meant.part
      JOIN passage ON passage.scene_id = coalesce(meant.scene_id, worded.scene_id)
                  AND passage.part = coalesce(meant.part, worded.part)
      JOIN scene ON scene.id = passage.scene_id
      CROSS JOIN asked{home}
     ORDER BY coalesce(1.0 / (60 + meant.place), 0) + coalesce(1.0 / (60 + worded.place), 0)
                  + coalesce(worded.worth / nullif(asked.worth, 0), 0) / 30 DESC, passage.depth DESC
     LIMIT :limit
"""

# + 0 and OFFSET 0 keep the planner to the ranges of the path, whatever it thinks of the index over everything. The
# vector is in a SELECT of its own, or it would be read from its text for each passage. On a long path words are looked
# up in their index, each by itself; on a short one its passages are looked through, for the index is that of all
# stories. A word that is found too often is taken from the newest passages instead, where reading stops soon; how
# common it is shows in how soon.
_RECALL = Statement(
    """
    WITH RECURSIVE {whole_path}, meant AS (
        SELECT near.scene_id, near.part, row_number() OVER (ORDER BY near.distance) AS place
          FROM (SELECT passage.scene_id, passage.part,
                       (passage.embedding <=> (SELECT :vector::text::halfvec)) + 0 AS distance
                  FROM segment CROSS JOIN LATERAL (
                       SELECT * FROM passage
                        WHERE passage.branch_id = segment.branch_id
                          AND passage.depth BETWEEN segment.first AND least(segment.last, segment.whole - :skip::int)
                       OFFSET 0
                  ) AS passage
                 WHERE passage.embedding_model = :model AND passage.embedding IS NOT NULL
                 ORDER BY distance
                 LIMIT :candidates
          ) AS near
    ), size AS MATERIALIZED (
        SELECT max(segment.whole)::float8 + 1 AS passages,
               max(segment.whole) >= greatest(:common::int, max(pg_class.reltuples) / :many::int) AS long
          FROM segment JOIN pg_class ON pg_class.oid = 'passage'::regclass
    ), tale AS MATERIALIZED (
        SELECT scene.story_id FROM scene WHERE scene.id = :scene
    ), term AS MATERIALIZED (
        SELECT given.word, given.place <= :words::int AS single, to_tsquery('simple', given.word) AS query
          FROM unnest(:terms::text[]) WITH ORDINALITY AS given (word, place)
    ), indexed AS MATERIALIZED (
        SELECT passage.scene_id, passage.part, passage.depth, term.word, term.single
          FROM term CROSS JOIN LATERAL (
               SELECT passage.scene_id, passage.part, passage.depth FROM passage
                WHERE passage.story_id = (SELECT story_id FROM tale) AND passage.words @@ term.query
                  AND EXISTS (SELECT FROM segment
                               WHERE passage.branch_id = segment.branch_id AND passage.depth
                                     BETWEEN segment.first AND least(segment.last, segment.whole - :skip::int))
                LIMIT :common
          ) AS passage
         WHERE (SELECT long FROM size)
        UNION ALL
        SELECT passage.scene_id, passage.part, passage.depth, term.word, term.single
          FROM segment CROSS JOIN LATERAL (
               SELECT * FROM passage
                WHERE passage.branch_id = segment.branch_id
                  AND passage.depth BETWEEN segment.first AND least(segment.last, segment.whole - :skip::int)
               OFFSET 0
          ) AS passage
          CROSS JOIN LATERAL (SELECT * FROM term WHERE passage.words @@ term.query OFFSET 0) AS term
         WHERE NOT (SELECT long FROM size)
    ), common AS MATERIALIZED (
        SELECT term.* FROM term
         WHERE :common::int <= (SELECT count(*) FROM indexed WHERE indexed.word = term.word)
    ), hit AS MATERIALIZED (
        SELECT indexed.* FROM indexed WHERE indexed.word NOT IN (SELECT word FROM common)
        UNION ALL
        SELECT passage.scene_id, passage.part, passage.depth, common.word, common.single
          FROM common CROSS JOIN LATERAL (
               SELECT passage.* FROM (SELECT * FROM segment ORDER BY last DESC) AS segment CROSS JOIN LATERAL (
                      SELECT passage.scene_id, passage.part, passage.depth FROM passage
                       WHERE passage.branch_id = segment.branch_id
                         AND passage.depth BETWEEN segment.first AND least(segment.last, segment.whole - :skip::int)
                         AND (passage.words @@ common.query) IS TRUE
                       ORDER BY passage.depth DESC
                       LIMIT :common
               ) AS passage
                LIMIT :common
          ) AS passage
    ), weight AS (
        SELECT hit.word, hit.single,
               ln(1 + CASE WHEN count(*) < :common::int THEN size.passages
                           ELSE size.passages - min(hit.depth) END / count(*)) AS worth
          FROM hit CROSS JOIN size GROUP BY hit.word, hit.single, size.passages
    ), {ranked}
""".replace("{ranked}", _RANKED.replace("{more}", "").replace("{home}", ""))
)

_MORE = ", home.title AS story, home.number AS story_number"
_HOME = """
      CROSS JOIN LATERAL (
           SELECT segment.number, segment.title FROM segment
            WHERE segment.branch_id = passage.branch_id AND passage.depth BETWEEN segment.first AND segment.last
            ORDER BY segment.number LIMIT 1
      ) AS home"""

# Every path that is read somewhere in the realm, or in the room where there is no realm; a story that is read twice
# counts by its first number.
_SEARCH = Statement(
    """
    WITH RECURSIVE reading AS (
        SELECT playthrough.number, playthrough.head_id, story.title
          FROM playthrough JOIN story ON story.id = playthrough.story_id AND NOT story.shelved
         WHERE EXISTS (SELECT FROM room_cursor JOIN room ON room.id = room_cursor.room_id
                        WHERE room_cursor.playthrough_id = playthrough.id
                          AND room.platform = :platform AND room.realm = :realm
                          AND (room.realm <> '' OR room.address = :address))
    ), segment (number, title, branch_id, parent_id, first, last) AS (
        SELECT reading.number, reading.title, branch.id, branch.parent_id, branch.fork_depth + 1, scene.depth
          FROM reading JOIN scene ON scene.id = reading.head_id JOIN branch ON branch.id = scene.branch_id
        UNION ALL
        SELECT segment.number, segment.title, branch.id, branch.parent_id, branch.fork_depth + 1, segment.first - 1
          FROM segment JOIN branch ON branch.id = segment.parent_id
    ), meant AS (
        SELECT near.scene_id, near.part, row_number() OVER (ORDER BY near.distance) AS place
          FROM (SELECT passage.scene_id, passage.part, passage.embedding <=> (SELECT :vector::text::halfvec) AS distance
                  FROM passage
                 WHERE passage.embedding_model = :model
                   AND EXISTS (SELECT FROM segment
                                WHERE segment.branch_id = passage.branch_id
                                  AND passage.depth BETWEEN segment.first AND segment.last)
                 ORDER BY passage.embedding <=> (SELECT :vector::text::halfvec)
                 LIMIT :candidates
          ) AS near
    ), term AS MATERIALIZED (
        SELECT given.word, given.place <= :words::int AS single, to_tsquery('simple', given.word) AS query
          FROM unnest(:terms::text[]) WITH ORDINALITY AS given (word, place)
    ), hit AS MATERIALIZED (
        SELECT passage.scene_id, passage.part, passage.depth, term.word, term.single
          FROM passage
          CROSS JOIN LATERAL (SELECT * FROM term WHERE passage.words @@ term.query OFFSET 0) AS term
         WHERE passage.words @@ (SELECT to_tsquery('simple', :any))
           AND EXISTS (SELECT FROM segment
                        WHERE segment.branch_id = passage.branch_id
                          AND passage.depth BETWEEN segment.first AND segment.last)
    ), size AS (
        SELECT coalesce(sum(last - first + 1), 0)::float8 + 1 AS passages FROM segment
    ), weight AS (
        SELECT hit.word, hit.single, ln(1 + size.passages / count(*)) AS worth
          FROM hit CROSS JOIN size GROUP BY hit.word, hit.single, size.passages
    ), {ranked}
""".replace("{ranked}", _RANKED.replace("{more}", _MORE).replace("{home}", _HOME))
)

# The setting came with pgvector 0.8, and is nobody's before the extension's library is loaded: reading a vector does
# that. Without it the index gives up after its first neighbours, wherever they lie.
_KEEP_LOOKING = Statement("""
    SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', '100', true)
      FROM pg_extension
     WHERE extname = 'vector' AND '[1]'::vector IS NOT NULL
       AND string_to_array(extversion, '.')::integer[] >= ARRAY[0, 8]
""")


async def remember_soon(db: Db, wanted: SceneId) -> None:
    """Have a scene read in the background: by the embedder, and for what it says."""
    await _REMEMBER.run(db, queue=MEMORY_QUEUE, task=REMEMBER_TASK, read=READ_TASK, scene=wanted)


async def scene(db: Db, wanted: SceneId) -> Scene | None:
    """Read a scene; None when there is none of this id any more."""
    row = await _SCENE.row(db, scene=wanted)
    return Scene(**row) if row else None


async def keep_passages(db: Db, of: SceneId, cut: Sequence[Passage]) -> None:
    """Store the passages of a scene; again it changes nothing."""
    parts, starts = [passage.part for passage in cut], [passage.start for passage in cut]
    await _KEEP.run(db, scene=of, parts=parts, starts=starts, texts=[passage.text for passage in cut])


async def uncut(db: Db, limit: int) -> tuple[Scene, ...]:
    """Find scenes without passages."""
    return tuple(Scene(**row) for row in await _UNCUT.rows(db, limit=limit))


async def unread(db: Db, model: str, limit: int, of: SceneId | None) -> tuple[Unread, ...]:
    """Find passages, of one scene or of all, newest first, that this embedder has not read."""
    return tuple(Unread(**row) for row in await _UNREAD.rows(db, model=model, scene=of, limit=limit))


async def keep_reading(db: Db, model: str, read: Sequence[Unread], vectors: Sequence[Vector | None]) -> None:
    """Store what an embedder made of passages; None for those it could not read."""
    embeddings = [None if vector is None else _written(vector) for vector in vectors]
    scenes, parts = [each.scene for each in read], [each.part for each in read]
    await _READ.run(db, model=model, scenes=scenes, parts=parts, embeddings=embeddings)


async def progress(db: Db, model: str) -> Progress:
    """Count how much an embedder has read."""
    row = await _PROGRESS.row(db, model=model)
    return Progress(**row) if row else Progress(0, 0)


async def recall(db: Db, end: SceneId, skip: int, cue: Cue, limit: int) -> tuple[Found, ...]:
    """Find passages on the path that ends at a scene, without its newest `skip` scenes; best first."""
    rows = await _RECALL.rows(
        db, scene=end, skip=skip, limit=limit, candidates=CANDIDATES, common=COMMON, many=MANY, **_looked_for(cue)
    )
    return tuple(Found(**row) for row in rows)


async def search(db: Db, realm: RoomKey, cue: Cue, limit: int) -> tuple[Found, ...]:
    """Find passages on the paths that are read in a realm; best first. Needs a transaction."""
    await _KEEP_LOOKING.run(db)
    found_by = {**columns(realm), **_looked_for(cue)}
    rows = await _SEARCH.rows(db, limit=limit, candidates=CANDIDATES, **found_by)
    return tuple(Found(**row) for row in rows)


def _looked_for(cue: Cue) -> dict[str, object]:
    words = [_lexemes(storable(term)) for term in cue.sought.words]
    pairs = [f"({' <-> '.join(_lexemes(storable(word)) for word in pair)})" for pair in cue.sought.pairs]
    vector = None if cue.vector is None else _written(cue.vector)
    terms = [*words, *pairs]
    return {"terms": terms, "words": len(words), "any": " | ".join(words), "vector": vector, "model": cue.model}


def _lexemes(term: str) -> str:
    """A word as a query: with all its longer forms, or for a short one with its plural."""
    root = stem(term).replace("\\", "\\\\").replace("'", "''")
    return f"'{root}':*" if len(root) >= WHOLE_WORD else f"('{root}' | '{root}s')"


def _written(vector: Vector) -> str:
    return f"[{','.join(f'{number:.6g}' for number in vector)}]"
