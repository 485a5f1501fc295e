"""What is kept about a person, read and taken out again. A rare thing to do: it may look through whole tables."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from storyforge_core.domain.privacy import REMOVED, SOMEBODY, Account, Erasure, MyData, Part, Said
from storyforge_core.domain.story import PlayerId, PlaythroughId
from storyforge_core.store import looks
from storyforge_core.store.statement import Db, Statement

BATCH = 200
"""Rows rewritten at a time: events have whole scenes in them."""

_PERSON = Statement("SELECT id, name FROM player WHERE id = :player OR same_as = :player ORDER BY id = :player DESC")

_ACCOUNTS = Statement("""
    SELECT platform, user_id AS user FROM identity WHERE player_id = ANY(:players::uuid[]) ORDER BY platform, user_id
""")

_PARTS = Statement("""
    SELECT story.title AS story, member.state, member.host
      FROM member
      JOIN playthrough ON playthrough.id = member.playthrough_id
      JOIN story ON story.id = playthrough.story_id
     WHERE member.player_id = ANY(:players::uuid[]) ORDER BY playthrough.number
""")

_VOTES = Statement("""
    SELECT vote.at, story.title AS story, choice.text
      FROM vote
      JOIN choice ON choice.id = vote.choice_id
      JOIN scene ON scene.id = choice.scene_id
      JOIN story ON story.id = scene.story_id
     WHERE vote.player_id = ANY(:players::uuid[]) ORDER BY vote.at
""")

_CHOICES = Statement("""
    SELECT choice.id, story.title AS story, choice.text
      FROM choice
      JOIN scene ON scene.id = choice.scene_id
      JOIN story ON story.id = scene.story_id
     WHERE choice.author_id = ANY(:players::uuid[]) ORDER BY choice.id
""")

_HINTS = Statement("""
    SELECT run.created_at AS at, story.title AS story, run.draft->'order'->>'hint' AS text
      FROM run
      JOIN playthrough ON playthrough.id = run.playthrough_id
      JOIN story ON story.id = playthrough.story_id
     WHERE (run.draft->'order'->>'asker')::uuid = ANY(:players::uuid[]) AND run.draft->'order'->>'hint' <> ''
    UNION ALL
    SELECT event.at, story.title, event.body->>'why'
      FROM event
      JOIN playthrough ON playthrough.id = event.playthrough_id
      JOIN story ON story.id = playthrough.story_id
     WHERE event.body->>'kind' = 'picture_reported' AND event.body->>'why' <> ''
       AND (event.body->>'asker')::uuid = ANY(:players::uuid[])
     ORDER BY 1
""")

_STEPS = Statement("""
    SELECT change.at, story.title AS story,
           coalesce(part->'scene'->>'title', part->'after'->>'text', part->>'after') AS text
      FROM change
      JOIN playthrough ON playthrough.id = change.playthrough_id
      JOIN story ON story.id = playthrough.story_id
     CROSS JOIN LATERAL jsonb_array_elements(change.changes) AS part
     WHERE change.actor_id = ANY(:players::uuid[]) AND change.verb = 'do' AND part->>'kind' = :kind
       AND CASE :kind::text WHEN 'scene_added' THEN part->'scene'->>'origin' = 'edited' ELSE part->>'after' <> '' END
     ORDER BY change.id
""")

_WRITTEN = Statement("""
    SELECT change.at, story.title AS story,
           concat_ws(': ', part->'after'->>'name', nullif(part->'after'->>'description', ''),
                     nullif(part->'after'->>'secret', ''), part->'after'->>'text', part->'after'->>'title') AS text
      FROM change
      JOIN playthrough ON playthrough.id = change.playthrough_id
      JOIN story ON story.id = playthrough.story_id
     CROSS JOIN LATERAL jsonb_array_elements(change.changes) AS part
     WHERE change.actor_id = ANY(:players::uuid[]) AND change.verb = 'do'
       AND part->>'kind' IN ('entity_set', 'fact_set', 'chapter_set') AND jsonb_typeof(part->'after') = 'object'
       AND part->'after'->>'title' IS DISTINCT FROM ''
     ORDER BY change.id
""")

_LOOKS = Statement("""
    SELECT look.id, story.title AS story, coalesce(entity.card->>'name', look.kind) AS text
      FROM look
      JOIN story ON story.id = look.story_id
      LEFT JOIN entity ON entity.id = look.entity_id
     WHERE look.by_id = ANY(:players::uuid[]) ORDER BY look.id
""")

_NO_LOOKS = Statement("""
    DELETE FROM look WHERE by_id = ANY(:players::uuid[]) AND source = 'given' RETURNING id, file
""")

_MARKS = Statement("""
    SELECT bookmark.at, story.title AS story, scene.title AS text
      FROM bookmark
      JOIN scene ON scene.id = bookmark.scene_id
      JOIN story ON story.id = scene.story_id
     WHERE bookmark.player_id = ANY(:players::uuid[]) ORDER BY bookmark.at
""")

_COUNT_STEPS = Statement("SELECT count(*) FROM change WHERE actor_id = ANY(:players::uuid[])")

# In one order, so that two of these cannot wait for each other.
_LOCK = Statement("""
    SELECT id FROM playthrough
     WHERE id IN (SELECT playthrough_id FROM member WHERE player_id = ANY(:players::uuid[])
                  UNION SELECT playthrough_id FROM change WHERE actor_id = ANY(:players::uuid[])
                  UNION SELECT playthrough_id FROM run
                         WHERE (run.draft->'order'->>'asker')::uuid = ANY(:players::uuid[]))
     ORDER BY id FOR UPDATE
""")

_NAMES = Statement("""
    SELECT DISTINCT part->>'name'
      FROM event CROSS JOIN LATERAL jsonb_array_elements(event.body->'members') AS part
     WHERE event.playthrough_id = ANY(:playthroughs::uuid[]) AND part->>'player' = ANY(:known::text[])
""")

_UNTOLD = Statement("""
    UPDATE choice SET text = :removed
     WHERE author_id = ANY(:players::uuid[])
       AND NOT EXISTS (SELECT FROM scene WHERE scene.choice_id = choice.id)
       AND NOT EXISTS (SELECT FROM run WHERE {live} AND (run.draft->'order'->>'choice')::uuid = choice.id)
    RETURNING id
""")

_OWN_NOTES = Statement("""
    SELECT DISTINCT part->>'after'
      FROM change CROSS JOIN LATERAL jsonb_array_elements(change.changes) AS part
     WHERE change.actor_id = ANY(:players::uuid[]) AND change.verb = 'do'
       AND part->>'kind' = 'note_set' AND part->>'after' <> ''
""")

# What a storyteller was told of for a scene, or others have had a hand in, is no longer theirs alone.
_OWN_LORE = Statement("""
    SELECT DISTINCT part->>'entry' AS entry, part->'after'->>'title' AS title
      FROM change CROSS JOIN LATERAL jsonb_array_elements(change.changes) AS part
     WHERE change.actor_id = ANY(:players::uuid[]) AND part->>'kind' = 'lore_set' AND part->>'after' IS NOT NULL
       AND NOT EXISTS (SELECT FROM lore_fired WHERE lore_fired.entry_id = (part->>'entry')::uuid)
       AND NOT EXISTS (
           SELECT FROM change AS other CROSS JOIN LATERAL jsonb_array_elements(other.changes) AS theirs
            WHERE other.playthrough_id = change.playthrough_id AND other.verb = 'do'
              AND other.actor_id <> ALL(:players::uuid[]) AND theirs->>'entry' = part->>'entry')
""")

_NO_LORE = Statement("UPDATE lore_entry SET body = NULL WHERE id = ANY(:entries::uuid[])")

_OWN_CHAPTERS = Statement("""
    SELECT DISTINCT part->>'chapter' AS chapter, part->'after'->>'title' AS title
      FROM change CROSS JOIN LATERAL jsonb_array_elements(change.changes) AS part
     WHERE change.actor_id = ANY(:players::uuid[]) AND change.verb = 'do' AND part->>'kind' = 'chapter_set'
       AND part->'after'->>'title' <> ''
""")

_NO_TITLES = Statement("UPDATE chapter SET title = '' WHERE id = ANY(:chapters::uuid[])")

_NO_PROMPTS = Statement("UPDATE asset SET prompt = '' WHERE asker_id = ANY(:players::uuid[])")

_NO_NOTES = Statement("""
    UPDATE playthrough SET note = '' WHERE id = ANY(:playthroughs::uuid[]) AND note = ANY(:notes::text[])
""")

_EDITS = Statement("""
    UPDATE scene SET writer = :somebody
     WHERE id IN (SELECT (part->'scene'->>'id')::uuid
                    FROM change CROSS JOIN LATERAL jsonb_array_elements(change.changes) AS part
                   WHERE change.actor_id = ANY(:players::uuid[]) AND part->>'kind' = 'scene_added'
                     AND part->'scene'->>'origin' = 'edited')
""")

# The trigger of the audit log lets this transaction, and no other, change what is written there.
_PERMIT = Statement("SELECT set_config('storyforge.forgetting', 'on', true)")

_OLD_VOTES = Statement("""
    DELETE FROM vote USING ballot
     WHERE ballot.id = vote.ballot_id AND ballot.status <> 'open' AND vote.player_id = ANY(:players::uuid[])
""")

_NO_BOOKMARKS = Statement("DELETE FROM bookmark WHERE player_id = ANY(:players::uuid[])")

_NO_TICKETS = Statement("DELETE FROM ticket WHERE player_id = ANY(:players::uuid[])")

_BANNED = Statement("""
    SELECT EXISTS (SELECT FROM member WHERE player_id = ANY(:players::uuid[]) AND state = 'banned')
""")

_STRANGER = Statement("INSERT INTO player (id, name) VALUES (:stranger, :somebody)")

_STILL_BANNED = Statement("""
    WITH moved AS (
        DELETE FROM member WHERE player_id = ANY(:players::uuid[]) AND state = 'banned' RETURNING playthrough_id
    )
    INSERT INTO member (playthrough_id, player_id, state, host)
    SELECT DISTINCT playthrough_id, :stranger::uuid, 'banned', false FROM moved
""")

_TO_STRANGER = Statement("UPDATE identity SET player_id = :stranger WHERE player_id = ANY(:players::uuid[])")

_NO_ACCOUNTS = Statement("DELETE FROM identity WHERE player_id = ANY(:players::uuid[])")

_NO_NAME = Statement("UPDATE player SET name = :somebody WHERE id = ANY(:players::uuid[])")


@dataclass(frozen=True, slots=True)
class _Pile:
    """A table with JSON in which somebody may be named."""

    first: object
    """Comes before every key."""
    read: Statement
    write: Statement


_PILES = (
    _Pile(
        0,
        Statement("""
            SELECT id, body::text AS body FROM event
             WHERE playthrough_id = ANY(:playthroughs::uuid[]) AND id > :after ORDER BY id LIMIT :batch
        """),
        Statement("UPDATE event SET body = :body WHERE id = :id"),
    ),
    _Pile(
        0,
        Statement("""
            SELECT id, changes::text AS body FROM change
             WHERE playthrough_id = ANY(:playthroughs::uuid[]) AND id > :after ORDER BY id LIMIT :batch
        """),
        Statement("UPDATE change SET changes = :body WHERE id = :id"),
    ),
    _Pile(
        UUID(int=0),
        Statement("""
            SELECT id, draft::text AS body FROM run
             WHERE playthrough_id = ANY(:playthroughs::uuid[]) AND id > :after
               AND status NOT IN ('running', 'stopping')
             ORDER BY id LIMIT :batch
        """),
        Statement("UPDATE run SET draft = :body WHERE id = :id"),
    ),
)


async def my_data(db: Db, player: PlayerId) -> MyData:
    """Read everything that is kept about a person, whichever of their accounts it came from."""
    people = await _PERSON.rows(db, player=player)
    who = {"players": [row["id"] for row in people]}
    return MyData(
        name=people[0]["name"],
        accounts=tuple(Account(**row) for row in await _ACCOUNTS.rows(db, **who)),
        stories=tuple(Part(**row) for row in await _PARTS.rows(db, **who)),
        votes=tuple(Said(**row) for row in await _VOTES.rows(db, **who)),
        choices=tuple(Said(_when(row["id"]), row["story"], row["text"]) for row in await _CHOICES.rows(db, **who)),
        hints=tuple(Said(**row) for row in await _HINTS.rows(db, **who)),
        notes=tuple(Said(**row) for row in await _STEPS.rows(db, kind="note_set", **who)),
        lore=tuple(Said(**row) for row in await _STEPS.rows(db, kind="lore_set", **who)),
        scenes=tuple(Said(**row) for row in await _STEPS.rows(db, kind="scene_added", **who)),
        written=tuple(Said(**row) for row in await _WRITTEN.rows(db, **who)),
        looks=tuple(Said(_when(row["id"]), row["story"], row["text"]) for row in await _LOOKS.rows(db, **who)),
        marks=tuple(Said(**row) for row in await _MARKS.rows(db, **who)),
        steps=await _COUNT_STEPS.value(db, **who),
    )


def _when(made: UUID) -> datetime:
    """The time that is in an id."""
    return datetime.fromtimestamp((made.int >> 80) / 1000, UTC)


async def traces(db: Db, player: PlayerId) -> tuple[PlaythroughId, ...]:
    """Lock the playthroughs that somebody took part in or did something in."""
    players = [row["id"] for row in await _PERSON.rows(db, player=player)]
    return tuple(row["id"] for row in await _LOCK.rows(db, players=players))


async def forget(db: Db, player: PlayerId, stranger: PlayerId, *, everything: bool) -> tuple[str, ...]:
    """Forget who somebody is, wherever they left a trace; what they gave to stories stays, as somebody's.

    Where they were shut out, their accounts stay shut out, as those of a stranger. Their place in stories and their
    votes in open ballots are not touched: those have ways of their own. Answers the files of looks that go with it.

    Args:
        db: a transaction in which their playthroughs are locked.
        player: who.
        stranger: an id for whom they will be where they were shut out.
        everything: what they wrote goes as well, where no scene was made of it.
    """
    people = await _PERSON.rows(db, player=player)
    who = {"players": [row["id"] for row in people]}
    playthroughs = [row["id"] for row in await _LOCK.rows(db, **who)]
    known = [str(each) for each in who["players"]]
    earlier = await _NAMES.rows(db, playthroughs=playthroughs, known=known)
    names = {name for name in (*(row["name"] for row in people), *(row[0] for row in earlier)) if name}
    erasure = Erasure(frozenset(known), frozenset(names))
    gone = await _NO_LOOKS.rows(db, **who) if everything else []
    if everything:
        erasure = replace(erasure, looks=frozenset(str(row["id"]) for row in gone))
        erasure = await _with_words(db, erasure, who["players"], playthroughs)
    await _EDITS.run(db, somebody=SOMEBODY, **who)
    await _PERMIT.run(db)
    for pile in _PILES:
        await _rewrite(db, pile, erasure, playthroughs)
    for statement in (_OLD_VOTES, _NO_TICKETS, _NO_BOOKMARKS):
        await statement.run(db, **who)
    await _part_from_accounts(db, who["players"], stranger)
    await _NO_NAME.run(db, somebody=SOMEBODY, **who)
    return await looks.unused(db, tuple({row["file"] for row in gone}))


async def _with_words(
    db: Db, erasure: Erasure, players: Sequence[PlayerId], playthroughs: Sequence[PlaythroughId]
) -> Erasure:
    """Take somebody's words out of the tables; answers what has to go from the stored JSON besides."""
    untold = await _UNTOLD.rows(db, players=players, removed=REMOVED)
    notes = [row[0] for row in await _OWN_NOTES.rows(db, players=players)]
    await _NO_NOTES.run(db, playthroughs=playthroughs, notes=notes)
    lore = await _OWN_LORE.rows(db, players=players)
    entries = frozenset(row["entry"] for row in lore)
    await _NO_LORE.run(db, entries=list(entries))
    chapters = await _OWN_CHAPTERS.rows(db, players=players)
    named = frozenset(row["chapter"] for row in chapters)
    await _NO_TITLES.run(db, chapters=list(named))
    await _NO_PROMPTS.run(db, players=players)
    return replace(
        erasure,
        choices=frozenset(str(row["id"]) for row in untold),
        notes=frozenset(notes),
        lore=entries,
        titles=frozenset(row["title"] for row in (*lore, *chapters)),
        chapters=named,
        hints=True,
    )


async def _rewrite(db: Db, pile: _Pile, erasure: Erasure, playthroughs: Sequence[PlaythroughId]) -> None:
    async with aclosing(_batches(db, pile, playthroughs)) as batches:
        async for rows in batches:
            for key, stored in rows:
                body = json.loads(stored)
                erased = erasure.applied(body)
                if erased != body:
                    await pile.write.run(db, id=key, body=json.dumps(erased))


async def _batches(
    db: Db, pile: _Pile, playthroughs: Sequence[PlaythroughId]
) -> AsyncGenerator[list[tuple[object, str]], None]:
    after = pile.first
    while found := await pile.read.rows(db, playthroughs=playthroughs, after=after, batch=BATCH):
        yield [(row["id"], row["body"]) for row in found]
        after = found[-1]["id"]


async def _part_from_accounts(db: Db, players: Sequence[PlayerId], stranger: PlayerId) -> None:
    if not await _BANNED.value(db, players=players):
        await _NO_ACCOUNTS.run(db, players=players)
        return
    await _STRANGER.run(db, stranger=stranger, somebody=SOMEBODY)
    await _STILL_BANNED.run(db, players=players, stranger=stranger)
    await _TO_STRANGER.run(db, players=players, stranger=stranger)
