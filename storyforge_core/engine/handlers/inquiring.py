"""Ask the story, search all of them, look into prompts: answered when the story is let go of, for it takes a while."""

from typing import assert_never

from storyforge_core.domain.book import Ask, Search, ShowContext, ShowWhy
from storyforge_core.domain.memory import Question
from storyforge_core.engine.handlers.moving import named
from storyforge_core.engine.lore import open_book
from storyforge_core.engine.oracle import Errand, Hindsight, Lookup, Outlook
from storyforge_core.engine.steps.plan import known_at, with_bible
from storyforge_core.engine.table import Table

Inquiring = Ask | Search | ShowWhy | ShowContext
"""The commands that are handled here."""


async def handle(table: Table, command: Inquiring) -> Errand:
    """Say what has to be looked up."""
    match command:
        case Ask():
            head = table.require_head()
            return Question(command.question, table.here.story, head, busy=table.here.run is not None)
        case Search():
            return Lookup(command.words, table.room.key)
        case ShowWhy():
            scene = await named(table, command.scene) if command.scene.strip() else table.require_head()
            return Hindsight(scene, await table.desk.draft_of(scene.id))
        case ShowContext():
            head = table.require_head()
            brief = await known_at(table.desk, table.here, head.id, table.window)
            known = await with_bible(brief, table.desk, table.here, head.id)
            return Outlook(known, await open_book(table.desk, head.id))
        case _:
            assert_never(command)
