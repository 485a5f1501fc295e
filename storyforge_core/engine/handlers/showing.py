"""Show things to the asker: path, map, stories, status."""

from typing import assert_never

from storyforge_core.domain.changes import RoomSet
from storyforge_core.domain.commands import ShowMap, ShowPath, ShowStatus, ShowStories
from storyforge_core.domain.events import StoryOpened
from storyforge_core.domain.pictures import PictureRun
from storyforge_core.domain.replies import (
    Accepted,
    MapShown,
    NotHere,
    PathShown,
    PictureLine,
    Reply,
    RunLine,
    StatusShown,
    StoriesShown,
    StoryLine,
)
from storyforge_core.domain.runs import Run, Situation
from storyforge_core.domain.space import objection_to_place
from storyforge_core.domain.story import PlaythroughId
from storyforge_core.engine.table import Table, quoted
from storyforge_core.engine.turn import remind
from storyforge_core.errors import NotFound

PATH_SCENES = 200
MAP_SCENES = 2000
STORIES = 50


Showing = ShowPath | ShowMap | ShowStories | ShowStatus
"""The commands that are handled here."""


async def handle(table: Table, command: Showing) -> Reply:
    """Show something."""
    match command:
        case ShowPath():
            return await path(table)
        case ShowMap():
            return await story_map(table)
        case ShowStories():
            return await stories(table, command)
        case ShowStatus():
            return await status(table)
        case _:
            assert_never(command)


async def path(table: Table) -> Reply:
    """Read the story so far."""
    head = table.require_head()
    scenes = await table.desk.path(head.id, PATH_SCENES)
    chosen = await table.desk.choice_texts(scenes)
    return PathShown(table.here.story, scenes, chosen, head.depth + 1 - len(scenes))


async def story_map(table: Table) -> Reply:
    """See the tree."""
    head = table.require_head()
    nodes, left_out = await table.desk.tree(table.here.story.id, head.id, MAP_SCENES)
    parents = {node.id: node.parent for node in nodes}
    on_path = [head.id]
    while (parent := parents.get(on_path[-1])) is not None and parent in parents:
        on_path.append(parent)
    return MapShown(table.here.story, nodes, head.id, tuple(reversed(on_path)), table.here.ballot, left_out)


async def stories(table: Table, command: ShowStories) -> Reply:
    """List the stories of this place, or open one here."""
    found = await table.desk.stories(table.room, STORIES)
    if not command.story.strip():
        return StoriesShown(tuple(line for _, line in found))
    playthrough, line = _named(found, command.story.strip())
    if line.here:
        return Accepted(f"{quoted(line.title)} is the story you are reading.")
    if (objection := objection_to_place(table.desk.space, table.around)) is not None:
        return NotHere(objection)
    if table.desk.situation is not None:
        table.require_quiet()
    here = await table.desk.open_situation(playthrough)
    await open_here(table, here, "stories")
    return Accepted(f"{quoted(line.title)} is open here.")


async def open_here(table: Table, here: Situation, command: str) -> None:
    """Have the room show a story from now on."""
    room = table.room
    await table.desk.apply((RoomSet(room.id, room.playthrough, here.playthrough.id),), command)
    await table.desk.tell(here.playthrough.id, StoryOpened(here.story.title, here.head, room.id, room.key.platform))
    await remind(table.desk, here, here.ballot, room.id)


def _named(found: tuple[tuple[PlaythroughId, StoryLine], ...], words: str) -> tuple[PlaythroughId, StoryLine]:
    """Find the story that a player means, by number or by words of its title."""
    number = words.removeprefix("#")
    matches = [pair for pair in found if number == str(pair[1].number)]
    matches = matches or [pair for pair in found if words.casefold() == pair[1].title.casefold()]
    matches = matches or [pair for pair in found if words.casefold() in pair[1].title.casefold()]
    if len(matches) == 1:
        return matches[0]
    why = f"There is no story {quoted(words, 40)}" if not matches else f"Several stories match {quoted(words, 40)}"
    msg = f"{why}. /story stories lists them; open one by its number: /story stories 1"
    raise NotFound(msg)


async def status(table: Table) -> Reply:
    """See where the story stands."""
    here = table.here
    return StatusShown(
        story=here.story,
        playthrough=here.playthrough,
        head=here.head,
        ballot=here.ballot,
        members=here.members,
        run=None if here.run is None else await _line(table, here.run),
        scenes=await table.desk.count_scenes(here.story.id),
        pictures=tuple(map(_picture_line, await table.desk.live_pictures(here.playthrough.id))),
    )


def _picture_line(run: PictureRun) -> PictureLine:
    return PictureLine(run.draft.order.number, run.status != "queued", run.draft.done)


async def _line(table: Table, run: Run) -> RunLine:
    running = run.status != "queued"
    place = 0 if running else await table.desk.runs_before(run.id)
    words = len((await table.desk.words_told(run.id)).split()) if running else 0
    return RunLine(run.draft.order.task, running, place, words)
