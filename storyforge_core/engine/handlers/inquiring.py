"""Ask the story, or search all of them: answered when the story is let go of, since a model may be asked."""

from typing import assert_never

from storyforge_core.domain.commands import Ask, Search
from storyforge_core.domain.memory import Question
from storyforge_core.engine.oracle import Errand, Lookup
from storyforge_core.engine.table import Table

Inquiring = Ask | Search
"""The commands that are handled here."""


def handle(table: Table, command: Inquiring) -> Errand:
    """Say what has to be looked up."""
    match command:
        case Ask():
            head = table.require_head()
            return Question(command.question, table.here.story, head, busy=table.here.run is not None)
        case Search():
            return Lookup(command.words, table.room.key)
        case _:
            assert_never(command)
