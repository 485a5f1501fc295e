"""Stand at another scene: branch, go, undo, redo. Nothing is ever removed."""

from dataclasses import dataclass
from typing import Literal, assert_never

from storyforge_core.domain.changes import (
    UNDOABLE,
    Change,
    Entry,
    HeadMoved,
    Update,
    Verb,
    inverse,
    redo_target,
    undo_target,
)
from storyforge_core.domain.commands import BranchFrom, GoTo, Redo, Undo
from storyforge_core.domain.events import HeadSet, Noted
from storyforge_core.domain.replies import Accepted, Reply
from storyforge_core.domain.story import Scene
from storyforge_core.engine.table import Table, quoted
from storyforge_core.engine.turn import adding, ask, closing, question
from storyforge_core.errors import Invalid, NotFound

STEPS = 500
"""How far back undo reaches."""


Moving = BranchFrom | GoTo | Undo | Redo
"""The commands that are handled here."""


async def handle(table: Table, command: Moving) -> Reply:
    """Move the head."""
    match command:
        case BranchFrom():
            return await branch(table, command)
        case GoTo():
            return await go(table, command)
        case Undo():
            return await undo(table)
        case Redo():
            return await redo(table)
        case _:
            assert_never(command)


@dataclass(frozen=True, slots=True)
class Step:
    """What a move is in the audit log."""

    command: str
    verb: Verb = "do"
    of: int | None = None


async def move_head(table: Table, changes: tuple[Change, ...], scene: Scene, step: Step | str, told: HeadSet) -> None:
    """Write a move of the head with what follows from it: the old question is withdrawn, the new scene asks its own."""
    step = Step(step) if isinstance(step, str) else step
    here = table.here
    ballot = question(here, scene.id, await table.desk.choices(scene.id), table.clock)
    withdrawn = () if here.ballot is None else (closing(here.ballot, "withdrawn"),)
    asked = () if ballot is None else (adding(ballot),)
    await table.desk.apply((*withdrawn, *changes, *asked), step.command, step.verb, step.of)
    await table.desk.tell(here.playthrough.id, told)
    await ask(table.desk, here, ballot, again=True)


async def branch(table: Table, command: BranchFrom) -> Reply:
    """Go back to a scene and ask its question again: another choice grows a new branch."""
    table.require_quiet()
    head = table.require_head()
    if command.scene.strip():
        target = await named(table, command.scene)
    elif head.parent is None:
        msg = "This is the opening; there is no scene before it. /story take tells it anew."
        raise Invalid(msg)
    else:
        target = await table.desk.scene(head.parent)
    return await _go(table, target, "branch")


async def go(table: Table, command: GoTo) -> Reply:
    """Move the head to any scene of the tree."""
    table.require_quiet()
    table.require_head()
    return await _go(table, await named(table, command.scene), "go")


async def _go(table: Table, target: Scene, verb: Literal["branch", "go"]) -> Reply:
    head = table.require_head()
    if target.id == head.id:
        return Accepted(f"You are at scene {target.number} already; its question is open.")
    moved = HeadMoved(table.here.playthrough.id, head.id, target.id)
    await move_head(table, (moved,), target, verb, HeadSet(target, verb, table.player.name, head.id))
    return Accepted(f"Back at scene {target.number}, {quoted(target.title)}.")


async def named(table: Table, words: str) -> Scene:
    """Find the scene that a player means.

    Raises:
        NotFound: none, or several.
    """
    found = await table.desk.find_scenes(table.here.story.id, words.strip())
    if not found:
        msg = f"There is no scene {quoted(words.strip(), 40)}. /story map shows their numbers."
        raise NotFound(msg)
    if len(found) > 1:
        some = ", ".join(f"{scene.number} {quoted(scene.title, 40)}" for scene in found[:5])
        msg = f"Several scenes match: {some}. Name one by its number: /story go {found[0].number}"
        raise NotFound(msg)
    return found[0]


async def undo(table: Table) -> Reply:
    """Take back the last step."""
    table.require_quiet()
    entries = await table.desk.entries(table.here.playthrough.id, STEPS)
    target = undo_target(entries)
    if target is None:
        msg = "There is nothing to take back."
        raise Invalid(msg)
    changes = await _undoable(table, target)
    if any(isinstance(change, HeadMoved) and change.before is None for change in changes):
        msg = "This is the beginning; there is nothing before it. /story take tells the opening anew."
        raise Invalid(msg)
    return await _replay(table, inverse(changes), Step("undo", "undo", target))


async def redo(table: Table) -> Reply:
    """Do the step again that was taken back last."""
    table.require_quiet()
    entries: tuple[Entry, ...] = await table.desk.entries(table.here.playthrough.id, STEPS)
    target = redo_target(entries)
    if target is None:
        msg = "There is nothing to do again."
        raise Invalid(msg)
    return await _replay(table, await _undoable(table, target), Step("redo", "redo", target))


async def _undoable(table: Table, entry: int) -> tuple[Update, ...]:
    changes = await table.desk.entry_changes(entry)
    return tuple(change for change in changes if isinstance(change, UNDOABLE))


async def _replay(table: Table, changes: tuple[Update, ...], step: Step) -> Reply:
    moved = next((change for change in changes if isinstance(change, HeadMoved)), None)
    by = table.player.name
    if moved is None or moved.after is None:
        await table.desk.apply(changes, step.command, step.verb, step.of)
        sentence = _said(changes, by, step.verb)
        await table.desk.tell(table.here.playthrough.id, Noted(sentence))
        return Accepted(sentence)
    scene = await table.desk.scene(moved.after)
    verb: Literal["undo", "redo"] = "undo" if step.verb == "undo" else "redo"
    await move_head(table, changes, scene, step, HeadSet(scene, verb, by, moved.before))
    return Accepted(f"You are at scene {scene.number}, {quoted(scene.title)}.")


NAMES = {
    "head_moved": "the last move",
    "title_set": "the change of title",
    "note_set": "the change of the director's note",
    "rules_set": "the change of settings",
    "shelved_set": "the deletion",
    "lore_set": "the change of the lore",
    "entity_set": "what was written down last",
    "fact_set": "the last change of the facts",
    "chapter_set": "the end of the chapter",
}


def _said(changes: tuple[Update, ...], by: str, verb: Verb) -> str:
    what = " and ".join(dict.fromkeys(NAMES.get(change.kind, "a change") for change in changes))
    return f"{by} took back {what}." if verb == "undo" else f"{by} made {what} again."
