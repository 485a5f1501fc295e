"""Look after a story: title, director's note, settings, who takes part, stop, delete."""

from typing import assert_never

from storyforge_core.domain import policy
from storyforge_core.domain.answers import one_line
from storyforge_core.domain.changes import MemberSet, NoteSet, RulesSet, ShelvedSet, Standing, TitleSet
from storyforge_core.domain.commands import Ban, ChangeRules, DeleteStory, Direct, Join, Leave, SetTitle, Stop
from storyforge_core.domain.events import Noted, WritingStopped
from storyforge_core.domain.replies import Accepted, Reply, RulesShown
from storyforge_core.domain.rules import change_rule
from storyforge_core.engine.handlers.playing import recount, with_member
from storyforge_core.engine.table import Table, quoted
from storyforge_core.engine.turn import joining, remind, reopen, standing
from storyforge_core.errors import Invalid, NotAllowed, NotFound

Hosting = SetTitle | Direct | ChangeRules | Join | Leave | Ban | Stop | DeleteStory
"""The commands that are handled here."""


async def handle(table: Table, command: Hosting) -> Reply:  # noqa: PLR0911 - a line a command
    """Look after the story."""
    match command:
        case SetTitle():
            return await set_title(table, command)
        case Direct():
            return await direct(table, command)
        case ChangeRules():
            return await change_rules(table, command)
        case Join():
            return await join(table)
        case Leave():
            return await leave(table)
        case Ban():
            return await ban(table, command)
        case Stop():
            return await stop(table, command)
        case DeleteStory():
            return await delete(table, command)
        case _:
            assert_never(command)


async def set_title(table: Table, command: SetTitle) -> Reply:
    """Give the story another title."""
    table.require_host("change the title")
    title = one_line(command.title, 80)
    if not title:
        msg = "What shall it be called? For example: /story title The Door in the Sea"
        raise Invalid(msg)
    story = table.here.story
    if title == story.title:
        return Accepted(f"It is called {quoted(title)} already.")
    await table.desk.apply((TitleSet(story.id, story.title, title),), "title")
    return await _note(table, f"{table.player.name} calls the story {quoted(title, 80)} now.")


async def direct(table: Table, command: Direct) -> Reply:
    """Leave a director's note, or clear it."""
    playthrough = table.here.playthrough
    note = " ".join(command.note.split())
    if note == playthrough.note:
        return Accepted(f"The director's note stays: {quoted(note, 200)}" if note else "There is no director's note.")
    await table.desk.apply((NoteSet(playthrough.id, playthrough.note, note),), "direct")
    said = f"leaves a director's note: {quoted(note, 500)}" if note else "clears the director's note."
    return await _note(table, f"{table.player.name} {said}")


async def change_rules(table: Table, command: ChangeRules) -> Reply:
    """Show the settings, or change one."""
    playthrough = table.here.playthrough
    if not command.name:
        return RulesShown(playthrough.rules, playthrough.note)
    table.require_host("change the settings")
    rules, said = change_rule(playthrough.rules, command.name, command.value)
    if rules == playthrough.rules:
        return Accepted(f"It is so already: {said}.")
    await table.desk.apply((RulesSet(playthrough.id, playthrough.rules, rules),), "settings")
    return await _note(table, f"{table.player.name} changes the settings: {said}.")


async def join(table: Table) -> Reply:
    """Take part."""
    changes = joining(table.here, table.player.id, table.member)
    if not changes:
        return Accepted("You take part already.")
    await table.desk.apply(changes, "join")
    reply = await _note(table, f"{table.player.name} joins the story.")
    await recount(table, with_member(table.here.members, changes, table.player.name))
    return reply


async def leave(table: Table) -> Reply:
    """Stop taking part; a vote already cast stays."""
    member = table.member
    if member is None or member.state != "joined":
        return Accepted("You do not take part.")
    change = MemberSet(table.here.playthrough.id, table.player.id, standing(member), Standing("left", host=member.host))
    await table.desk.apply((change,), "leave")
    reply = await _note(table, f"{table.player.name} leaves the story.")
    await recount(table, with_member(table.here.members, (change,), table.player.name))
    return reply


async def ban(table: Table, command: Ban) -> Reply:
    """Shut a player out, or let them in again."""
    table.require_host("shut players out")
    name = command.player.strip().removeprefix("@")
    found = await table.desk.members_named(table.here.playthrough.id, name)
    if len(found) != 1:
        why = f"Nobody called {quoted(name, 40)} takes part" if not found else f"Several are called {quoted(name, 40)}"
        msg = f"{why}. /story story lists the players."
        raise NotFound(msg)
    member = policy.member_of(table.here.members, found[0])
    if member is None or member.host or member.player == table.player.id:
        msg = "A host cannot be shut out."
        raise NotAllowed(msg)
    after = Standing("left" if command.lift else "banned", host=False)
    if after.state == member.state or (command.lift and member.state != "banned"):
        return Accepted(f"{member.name} is {'not ' if command.lift else ''}shut out already.")
    change = MemberSet(table.here.playthrough.id, member.player, standing(member), after)
    await table.desk.apply((change,), "ban")
    said = f"{member.name} may take part again." if command.lift else f"{member.name} is shut out of this story."
    reply = await _note(table, said)
    await recount(table, with_member(table.here.members, (change,), member.name))
    return reply


async def stop(table: Table, command: Stop) -> Reply:
    """Stop what is being written; what was told stays as a scene."""
    here = table.here
    run = here.run
    if run is None:
        return Accepted("Nothing is being written.")
    if command.run not in {None, run.id}:
        return Accepted("That is told already; something else is being written now.")
    if run.draft.order.asker != table.player.id:
        table.require_host("stop what somebody else asked for")
    if await table.desk.stop(run.id):
        return Accepted("Stopping. What was told stays.")
    ballot = await reopen(table.desk, here, run.draft.order.ballot)
    await table.desk.finish(run.id, "stopped")
    await table.desk.tell(here.playthrough.id, WritingStopped(run.id, table.player.name))
    await remind(table.desk, here, ballot)
    return Accepted("Stopped before it began.")


async def delete(table: Table, command: DeleteStory) -> Reply:
    """Take the story off the list."""
    table.require_host("delete the story")
    table.require_quiet()
    story = table.here.story
    if command.confirm.strip().casefold() != story.title.casefold():
        scenes = await table.desk.count_scenes(story.id)
        what = f"{quoted(story.title, 80)} ({scenes} scenes)"
        msg = f"This takes {what} off the list. To do so: /story delete {story.title}"
        raise Invalid(msg)
    await table.desk.apply((ShelvedSet(story.id, before=False, after=True),), "delete")
    return await _note(table, f"{table.player.name} deleted {quoted(story.title, 80)}. /story undo takes that back.")


async def _note(table: Table, sentence: str) -> Reply:
    await table.desk.tell(table.here.playthrough.id, Noted(sentence))
    return Accepted(sentence)
