"""Ask the story, search all of them, look into prompts: answered when the story is let go of, for it takes a while."""

from typing import assert_never

from storyforge_core.domain.book import Ask, Search, ShowContext, ShowWhy
from storyforge_core.domain.memory import Question, Quote, sought
from storyforge_core.domain.states import bearing_on
from storyforge_core.domain.story import SceneId
from storyforge_core.engine.handlers.found import STATE_ROWS
from storyforge_core.engine.handlers.moving import named
from storyforge_core.engine.lore import open_book
from storyforge_core.engine.oracle import Errand, Hindsight, Lookup, Outlook
from storyforge_core.engine.steps.plan import known_at, with_bible
from storyforge_core.engine.table import Table

PROOFS = 3
"""Assertions at most that a question is answered from, beside what was told."""
Inquiring = Ask | Search | ShowWhy | ShowContext
"""The commands that are handled here."""


async def handle(table: Table, command: Inquiring) -> Errand:
    """Say what has to be looked up."""
    match command:
        case Ask():
            head = table.require_head()
            known = await proofs(table, head.id, command.question)
            return Question(command.question, table.here.story, head, table.here.run is not None, known)
        case Search():
            return Lookup(command.words, table.room.key)
        case ShowWhy():
            scene = await named(table, command.scene) if command.scene.strip() else table.require_head()
            return Hindsight(scene, await table.desk.draft_of(scene.id))
        case ShowContext():
            head = table.require_head()
            brief = await known_at(table.desk, table.here, head.id, table.window)
            brief = await with_bible(brief, table.desk, table.here, head.id)
            return Outlook(brief, await open_book(table.desk, head.id))
        case _:
            assert_never(command)


async def proofs(table: Table, head: SceneId, question: str) -> tuple[Quote, ...]:
    """Find what proves how things stand now that somebody asks about, the newest first."""
    wanted = sought(question)
    held = bearing_on(await table.desk.casebook.latest(head, STATE_ROWS), wanted)[:PROOFS]
    quotes = []
    for each in held:
        scenes = await table.desk.find_scenes(table.here.story.id, str(each.scene))
        quotes += [Quote(each.scene, scene.title, each.said.quote) for scene in scenes if scene.number == each.scene]
    return tuple(quotes)
