"""The statements of the case book. A path is a few ranges of branch and depth, as everywhere; see `statement`."""

from types import MappingProxyType

from storyforge_core.store.statement import Statement

_COLUMNS = """assertion.id, assertion.number, scene.number AS scene, assertion.depth, assertion.part,
           assertion.body::text AS body, assertion.standing, assertion.against, assertion.rival"""
_ON_PATH = "assertion.branch_id = segment.branch_id AND assertion.depth BETWEEN segment.first AND segment.last"
_COUNTS = "assertion.standing IN ('true', 'disputed')"

SIGHTED = Statement("""
    WITH RECURSIVE {whole_path}
    SELECT sighting.id, sighting.card::text AS card, scene.number, sighting.standing = 'struck' AS struck
      FROM segment
      JOIN sighting ON sighting.branch_id = segment.branch_id
                   AND sighting.depth BETWEEN segment.first AND segment.last
      JOIN scene ON scene.id = sighting.scene_id
     ORDER BY sighting.depth, sighting.part, sighting.id
""")

# Each subject and slot is a short walk down the index, however much was ever said of it: the newest branch first, and
# no further than the window. A limit inside makes the join go branch by branch, so that nothing has to be sorted. Where
# somebody is, and when, is one cell: its newest row says all.
NEWEST = Statement(
    f"""
    WITH RECURSIVE {{whole_path}}, recent AS (
        SELECT DISTINCT ON (near.subject, near.slot, near.which) near.*
          FROM unnest(:subjects::text[]) AS who (name)
          JOIN unnest(:slots::text[]) AS kind (slot) ON (kind.slot = 'time') = (who.name = '')
         CROSS JOIN LATERAL (
               SELECT found.* FROM (SELECT * FROM segment ORDER BY last DESC) AS segment CROSS JOIN LATERAL (
                      SELECT * FROM assertion
                       WHERE {_ON_PATH} AND subject = who.name AND slot = kind.slot AND {_COUNTS}
                       ORDER BY depth DESC, part DESC
                       LIMIT CASE WHEN kind.slot IN ('where', 'time') THEN 1 ELSE :window::int END
               ) AS found
               LIMIT CASE WHEN kind.slot IN ('where', 'time') THEN 1 ELSE :window::int END
         ) AS near
         ORDER BY near.subject, near.slot, near.which, near.depth DESC, near.part DESC
    )
    SELECT {_COLUMNS} FROM recent AS assertion JOIN scene ON scene.id = assertion.scene_id
"""  # noqa: S608 - put together from our own words
)

LATEST = Statement(
    f"""
    WITH RECURSIVE {{whole_path}}, recent AS (
        SELECT DISTINCT ON (near.subject, near.slot, near.which) near.*
          FROM (SELECT found.* FROM segment CROSS JOIN LATERAL (
                       SELECT * FROM assertion WHERE {_ON_PATH} AND {_COUNTS}
                        ORDER BY depth DESC, part DESC LIMIT :limit
                ) AS found
                ORDER BY found.depth DESC, found.part DESC LIMIT :limit
          ) AS near
         ORDER BY near.subject, near.slot, near.which, near.depth DESC, near.part DESC
    )
    SELECT {_COLUMNS} FROM recent AS assertion JOIN scene ON scene.id = assertion.scene_id
     ORDER BY assertion.depth DESC, assertion.part DESC
"""  # noqa: S608 - put together from our own words
)

DISPUTED = Statement(
    f"""
    WITH RECURSIVE {{whole_path}}
    SELECT {_COLUMNS}
      FROM segment JOIN assertion ON {_ON_PATH} JOIN scene ON scene.id = assertion.scene_id
     WHERE assertion.standing = 'disputed'
     ORDER BY assertion.depth DESC, assertion.part DESC
     LIMIT 200
"""  # noqa: S608 - put together from our own words
)

HISTORY = Statement(
    f"""
    WITH RECURSIVE {{whole_path}}
    SELECT {_COLUMNS}
      FROM segment JOIN assertion ON {_ON_PATH} JOIN scene ON scene.id = assertion.scene_id
     WHERE assertion.subject = :subject AND assertion.slot = :slot AND assertion.which = :which AND {_COUNTS}
     ORDER BY assertion.depth DESC, assertion.part DESC
     LIMIT :limit
"""  # noqa: S608 - put together from our own words
)

NUMBERED = Statement(
    f"""
    WITH RECURSIVE {{whole_path}}
    SELECT {_COLUMNS}
      FROM segment JOIN assertion ON {_ON_PATH} JOIN scene ON scene.id = assertion.scene_id
     WHERE assertion.story_id = (SELECT story_id FROM scene WHERE id = :scene) AND assertion.number = :number
       AND assertion.standing <> 'struck'
"""  # noqa: S608 - put together from our own words
)

RIVALS = Statement(
    f"""
    SELECT {_COLUMNS}
      FROM assertion JOIN scene ON scene.id = assertion.scene_id
     WHERE assertion.story_id = (SELECT story_id FROM assertion WHERE id = :id) AND assertion.rival = :number
       AND assertion.standing = 'disputed'
"""  # noqa: S608 - put together from our own words
)

PROMISES = Statement("""
    WITH RECURSIVE {whole_path}, opened AS (
        SELECT found.* FROM segment CROSS JOIN LATERAL (
               SELECT * FROM promise
                WHERE promise.branch_id = segment.branch_id AND promise.depth BETWEEN segment.first AND segment.last
                  AND promise.promise_id IS NULL AND promise.standing = 'true'
                ORDER BY promise.depth DESC LIMIT :limit
        ) AS found
        ORDER BY found.depth DESC, found.part DESC LIMIT :limit
    )
    SELECT opened.id, opened.number, scene.number AS scene, opened.text, opened.quote,
           coalesce(done.outcome, 'open') AS outcome, coalesce(done.number, 0) AS ended,
           coalesce(done.quote, '') AS proof
      FROM opened JOIN scene ON scene.id = opened.scene_id
      LEFT JOIN LATERAL (
           SELECT promise.outcome, promise.quote, scene.number
             FROM promise JOIN segment ON promise.branch_id = segment.branch_id
                                      AND promise.depth BETWEEN segment.first AND segment.last
             JOIN scene ON scene.id = promise.scene_id
            WHERE promise.promise_id = opened.id AND promise.standing = 'true'
            ORDER BY promise.depth DESC, promise.part DESC LIMIT 1
      ) AS done ON true
     ORDER BY opened.depth DESC, opened.part DESC
""")

UNREAD = Statement("""
    SELECT scene.id AS scene_id, scene.story_id AS scene_story, scene.number AS scene_number,
           scene.parent_id AS scene_parent, scene.choice_id AS scene_choice, scene.branch_id AS scene_branch,
           scene.depth AS scene_depth, scene.take AS scene_take, scene.title AS scene_title,
           scene.prose AS scene_prose, scene.origin AS scene_origin, scene.writer AS scene_writer,
           scene.created_at AS scene_created_at,
           story.id AS story_id, story.title AS story_title, story.premise AS story_premise,
           story.genre AS story_genre, story.tone AS story_tone, story.seed AS story_seed,
           story.created_at AS story_created_at, story.shelved AS story_shelved
      FROM scene JOIN story ON story.id = scene.story_id
     WHERE scene.id = :scene AND NOT EXISTS (SELECT FROM reading WHERE reading.scene_id = scene.id)
""")

KEEP_READING = Statement("""
    INSERT INTO reading (scene_id, model, template, vocabulary, read_at)
    VALUES (:scene, :model, :template, :vocabulary, :at)
    ON CONFLICT (scene_id) DO UPDATE SET model = excluded.model, template = excluded.template,
                                         vocabulary = excluded.vocabulary, read_at = excluded.read_at
""")

LAST_NUMBERS = Statement("""
    SELECT greatest((SELECT coalesce(max(number), 0) FROM fact WHERE story_id = :story),
                    (SELECT coalesce(max(number), 0) FROM assertion WHERE story_id = :story)) AS facts,
           (SELECT coalesce(max(number), 0) FROM promise WHERE story_id = :story) AS promises
""")

# Whatever players decided about it: what they struck is there, and so does not come back.
OF_SCENE = Statement("""
    SELECT (SELECT coalesce(array_agg(card->>'name'), '{{}}') FROM sighting WHERE scene_id = :scene) AS names,
           (SELECT coalesce(array_agg(outcome || ' ' || text), '{{}}')
              FROM promise WHERE scene_id = :scene) AS promises,
           coalesce(array_agg(subject ORDER BY part), '{{}}') AS subjects,
           coalesce(array_agg(slot ORDER BY part), '{{}}') AS slots,
           coalesce(array_agg(body->>'value' ORDER BY part), '{{}}') AS values,
           coalesce(max(part), 0) AS last
      FROM assertion WHERE scene_id = :scene
""")

ADD_SIGHTINGS = Statement("""
    INSERT INTO sighting (id, story_id, scene_id, branch_id, depth, part, card, standing)
    SELECT given.id, scene.story_id, scene.id, scene.branch_id, scene.depth, given.part, given.card, 'true'
      FROM scene CROSS JOIN unnest(:ids::uuid[], :cards::jsonb[]) WITH ORDINALITY AS given (id, card, part)
     WHERE scene.id = :scene
""")

ADD_ASSERTIONS = Statement("""
    INSERT INTO assertion (id, story_id, number, scene_id, branch_id, depth, part, subject, slot, which, body, standing,
                           against, rival)
    SELECT given.id, scene.story_id, given.number, scene.id, scene.branch_id, scene.depth, given.part,
           given.subject, given.slot, given.which, given.body, given.standing, given.against, given.rival
      FROM scene
     CROSS JOIN unnest(:ids::uuid[], :numbers::integer[], :parts::smallint[], :subjects::text[], :slots::text[],
                       :which::text[], :bodies::jsonb[], :standings::text[], :against::text[], :rivals::integer[])
                AS given (id, number, part, subject, slot, which, body, standing, against, rival)
     WHERE scene.id = :scene
""")

ADD_PROMISES = Statement("""
    INSERT INTO promise (id, story_id, number, scene_id, branch_id, depth, part, promise_id, outcome, text, quote,
                         standing)
    SELECT given.id, scene.story_id, given.number, scene.id, scene.branch_id, scene.depth, given.part, given.of,
           given.outcome, given.text, given.quote, 'true'
      FROM scene
     CROSS JOIN unnest(:ids::uuid[], :numbers::integer[], :of::uuid[], :outcomes::text[], :texts::text[],
                       :quotes::text[]) WITH ORDINALITY AS given (id, number, of, outcome, text, quote, part)
     WHERE scene.id = :scene
""")

SET_STANDING = MappingProxyType(
    {
        table: Statement(
            f"UPDATE {table} SET standing = :after WHERE id = :id AND standing = :before RETURNING id"  # noqa: S608 - ours
        )
        for table in ("assertion", "sighting", "promise")
    }
)
