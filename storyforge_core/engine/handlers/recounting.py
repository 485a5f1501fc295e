"""Chapters and recaps: made of what is stored, without a model."""

from typing import assert_never

from storyforge_core.domain.answers import one_line
from storyforge_core.domain.book import EndChapter, ShowChapters, ShowRecap
from storyforge_core.domain.chapters import CHAPTER_TITLE_CHARS
from storyforge_core.domain.events import Noted
from storyforge_core.domain.recap import READ, recap
from storyforge_core.domain.replies import Accepted, ChaptersShown, RecapShown, Reply
from storyforge_core.engine.chapters import ending
from storyforge_core.engine.table import Table, quoted
from storyforge_core.errors import Refused

Recounting = ShowChapters | EndChapter | ShowRecap
"""The commands that are handled here."""
CHAPTERS = 30


async def handle(table: Table, command: Recounting) -> Reply:
    """Look back."""
    match command:
        case ShowChapters():
            return await chapters(table)
        case EndChapter():
            return await end(table, command)
        case ShowRecap():
            return await look_back(table, command)
        case _:
            assert_never(command)


async def chapters(table: Table) -> Reply:
    """See the chapters on the way here."""
    head = table.require_head()
    ended = await table.desk.chapters(head.id, CHAPTERS)
    past = await table.desk.past(head.id, 1)
    return ChaptersShown(ended, head.depth + 1 - past.opened)


async def end(table: Table, command: EndChapter) -> Reply:
    """Let the chapter end with the scene at the head."""
    table.require_quiet()
    head = table.require_head()
    ended = await table.desk.chapters(head.id, 1)
    if ended and ended[-1].last == head.number:
        raise Refused("A chapter ends here already. The next one begins with the next scene: /story continue")
    title = one_line(command.title, CHAPTER_TITLE_CHARS)
    await table.desk.apply((ending(table.here.story.id, head.id, title, table.clock),), "chapter")
    await table.desk.summarise(head.id)
    number = ended[-1].number + 1 if ended else 1
    named = f", {quoted(title)}," if title else ""
    sentence = f"{table.player.name} lets chapter {number}{named} end with scene {head.number}."
    await table.desk.tell(table.here.playthrough.id, Noted(sentence))
    return Accepted(sentence)


async def look_back(table: Table, command: ShowRecap) -> Reply:
    """Be told what happened up to where the story stands, and no further."""
    head = table.require_head()
    past = await table.desk.past(head.id, READ, fresh=True)
    known = await table.desk.left_at(head.id, table.at)
    match command.since:
        case "left":
            since = known or 0
        case "beginning":
            since = 0
        case "chapter":
            since = past.opened if past.opened <= head.depth else past.recent
        case _:
            assert_never(command.since)
    await table.desk.read_until(head.id, table.at)
    return RecapShown(command.since, known, recap(past, since), head)
