"""How things stand: planted facts read as assertions and promises, and what it costs at the end of a long path."""

import json
import re
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from storyforge_core.domain.findings import Findings, read_findings
from storyforge_core.domain.promises import promise_lines
from storyforge_core.domain.states import holding, state_lines
from storyforge_core.domain.story import SceneId
from storyforge_core.engine.reading import known_before
from storyforge_core.state_ports import FOR_PROMPTS, Origin
from storyforge_core.store.database import Database, connect
from tests.bench.figures import Figure
from tests.bench.ground import DEEP, deep_scene, deep_story
from tests.bench.timing import measure
from tests.world import World, open_world

LATE_MS = 8.0
"""Of the 60 ms that a prompt may take at a depth of 20,000."""
HEROES = 12
ORIGIN = Origin("bench", "", "")

# Twelve heroes who move all the time, get something every other scene and change their looks now and then.
FILL = """
    INSERT INTO assertion (id, story_id, number, scene_id, branch_id, depth, part, subject, slot, which, body,
                           standing, against, rival)
    SELECT gen_random_uuid(), scene.story_id, scene.depth * 3 + given.part, scene.id, scene.branch_id, scene.depth,
           given.part, 'hero ' || scene.depth % 12, given.slot, given.which,
           jsonb_build_object('subject', 'Hero ' || scene.depth % 12, 'slot', given.slot, 'value',
                              'value ' || scene.depth, 'quote', 'The sea held its breath', 'aspect', '',
                              'manner', 'told', 'turn', 'begins'), 'true', '', 0
      FROM scene CROSS JOIN LATERAL (VALUES
           (1, 'where', ''), (2, CASE WHEN scene.depth % 2 = 0 THEN 'has' ELSE 'knows' END, 'thing ' || scene.depth),
           (3, 'look', 'part ' || scene.depth % 7)) AS given (part, slot, which)
     WHERE scene.story_id = $1;
"""
PROMISES = """
    INSERT INTO promise (id, story_id, number, scene_id, branch_id, depth, part, promise_id, outcome, text, quote,
                         standing)
    SELECT gen_random_uuid(), scene.story_id, scene.depth, scene.id, scene.branch_id, scene.depth, 1, NULL, 'open',
           'Somebody will come back in ' || scene.depth, 'The sea held its breath', 'true'
      FROM scene WHERE scene.story_id = $1 AND scene.depth % 10 = 1
"""
SIGHTINGS = """
    INSERT INTO sighting (id, story_id, scene_id, branch_id, depth, part, card, standing)
    SELECT gen_random_uuid(), scene.story_id, scene.id, scene.branch_id, scene.depth, 1,
           jsonb_build_object('sort', 'character', 'name', 'Hero ' || scene.depth, 'aliases', '[]'::jsonb,
                              'description', 'somebody', 'secret', '', 'voice', ''), 'true'
      FROM scene WHERE scene.story_id = $1 AND scene.depth % 50 = 0
"""


class Told(Protocol):
    """A fact of the path, and what a sibling branch says of the same thing."""

    @property
    def told(self) -> tuple[str, ...]:
        """Oldest first."""

    @property
    def lie(self) -> str:
        """On another branch."""


async def leaks(world: World, database: Database, end: SceneId, facts: Sequence[Told]) -> list[Figure]:
    """Read all that was planted, then look at the end of the path what is known of each thing."""
    db = await connect(database.url)
    for text in [*(text for fact in facts for text in fact.told), *(fact.lie for fact in facts)]:
        for row in await db.fetch("SELECT id FROM scene WHERE position($1 IN prose) > 0 ORDER BY depth", text):
            await _read(world, SceneId(row["id"]), text)
    await db.close()
    leaked, stale = 0, 0
    async with world.store.casebook() as book:
        promises = await book.promises(end)
        told = "\n".join([each.text for each in promises] + list(promise_lines(promises, "")))
        for fact in facts:
            thing, place = _thing(fact.told[-1])
            _, wrong = _thing(fact.lie)
            held = holding(await book.newest(end, (thing,)))
            stale += [each.said.value for each in held if each.said.slot == "where"] != [f"the {place}"]
            lines = "\n".join(state_lines((), held)) + "\n".join(each.said.quote for each in held)
            leaked += f"the {wrong}" in {each.said.value for each in held} or fact.lie in lines + told
    share = 100 / len(facts)
    return [
        Figure("    things whose newest place is not what is known of them", stale * share, "%", 0),
        Figure("    places and promises of sibling branches, known anywhere", leaked, "", 0),
    ]


def _thing(text: str) -> tuple[str, str]:
    """What a fact is about, and where it says that it is."""
    found = re.search(r"(?:hid the|The) (\w+ \w+) (?:in|lies under) the (\w+)", text)
    assert found
    return found[1], found[2]


async def _read(world: World, scene: SceneId, text: str) -> None:
    thing, place = _thing(text)
    said = {"subject": thing, "slot": "where", "value": f"the {place}", "quote": text, "change": "begins"}
    promise = {"number": 0, "outcome": "open", "text": f"Somebody seeks the {thing}: {text}", "quote": text}
    answer = {"entities": [{"name": thing, "sort": "prop"}], "assertions": [said], "promises": [promise]}
    async with world.store.casebook() as book:
        unread = await book.unread(scene)
        if unread is None:
            return
        found = read_findings(json.dumps(answer), unread.scene.prose, await known_before(book, unread.scene))
        assert isinstance(found, Findings)
        await book.keep(unread.scene, found, ORIGIN)


async def times(database: Database, count: int, longest: int) -> list[Figure]:
    """What a prompt asks of the case book, with a dozen heroes of whom every scene says something."""
    db = await connect(database.url)
    await db.execute("SET statement_timeout = 0")
    for statement in (FILL, PROMISES, SIGHTINGS):
        await db.execute(statement, deep_story())
    await db.execute("VACUUM ANALYZE assertion, promise, sighting")
    await db.close()
    store, subjects = open_world(database).store, ("", *(f"hero {number}" for number in range(HEROES)))

    async def known(end: SceneId) -> None:
        async with store.casebook() as book:
            await book.sighted(end)
            await book.newest(end, subjects, FOR_PROMPTS)
            await book.promises(end)

    figures = []
    for depth in (depth for depth in (2_000, DEEP - 1) if depth <= longest):
        found = await measure(count, partial(known, deep_scene(depth)))
        name = f"state and promises of {HEROES} heroes at scene {depth:,}, 95th percentile"
        figures.append(Figure(name, found.p95, "ms", LATE_MS))
    return figures
