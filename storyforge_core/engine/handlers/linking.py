"""One story in several rooms, and one person with several accounts."""

from typing import assert_never

from storyforge_core.domain import policy, tickets
from storyforge_core.domain.commands import JoinRoom, Link
from storyforge_core.domain.events import BallotChanged
from storyforge_core.domain.replies import Accepted, NotHere, Reply
from storyforge_core.domain.space import objection_to_place
from storyforge_core.domain.story import PlayerId, PlaythroughId
from storyforge_core.domain.tickets import LIFETIME, Ticket, TicketKind
from storyforge_core.engine.handlers.showing import open_here
from storyforge_core.engine.table import Table, quoted
from storyforge_core.errors import Invalid, NotAllowed, NotFound

ONCE = f"It works once, within {int(LIFETIME.total_seconds() // 60)} minutes."

Linking = Link | JoinRoom
"""The commands that are handled here."""


async def handle(table: Table, command: Linking) -> Reply:
    """Bring rooms or accounts together."""
    match command:
        case Link(code=""):
            return await let_a_room_in(table)
        case Link(code="me"):
            return await offer_account(table)
        case Link(code="off"):
            return await part(table)
        case Link(code=code):
            return await link_account(table, code)
        case JoinRoom(code=code):
            return await join_room(table, code)
        case _:
            assert_never(command)


async def let_a_room_in(table: Table) -> Reply:
    """Give a code with which another room can show this story."""
    table.require_host("let another room in")
    code = await _issue(table, "room", table.here.playthrough.id)
    return Accepted(f"In the other room, on any platform, type: /story join-room {code} · {ONCE}")


async def offer_account(table: Table) -> Reply:
    """Give a code with which another account becomes the same person.

    Raises:
        NotAllowed: others would read it.
    """
    if not table.speaker.private:
        msg = "Others would read that code. Ask for it where I answer you alone, such as in a direct message."
        raise NotAllowed(msg)
    code = await _issue(table, "person", None)
    return Accepted(f"With your other account type: /story link {code} · Tell it nobody. {ONCE}")


async def link_account(table: Table, text: str) -> Reply:
    """Let the asker be the person who has got a code."""
    ticket = await _redeem(table, text, "person")
    if ticket.player == table.player.id:
        return Accepted("That is you already.")
    shared = await table.desk.same_person(ticket.player, table.player.id)
    for playthrough in shared:
        await _recount(table, playthrough)
    return Accepted("Linked: on both platforms you are one player now, with one vote. /story link off parts them.")


async def part(table: Table) -> Reply:
    """Let this account be a person of its own again."""
    if await table.desk.on_their_own(table.player.id, PlayerId(table.clock.new_id()), table.speaker):
        return Accepted("This account is a player of its own again.")
    return Accepted("This account is linked to no other.")


async def join_room(table: Table, text: str) -> Reply:
    """Show here what another room shows.

    Raises:
        NotAllowed: the asker is shut out of that story.
        Busy: the story that is shown here is being written just now.
    """
    ticket = await _redeem(table, text, "room")
    if ticket.playthrough is None or ticket.playthrough == table.room.playthrough:
        return Accepted("This room shows that story already.")
    if (objection := objection_to_place(table.desk.space, table.around)) is not None:
        return NotHere(objection)
    if table.desk.situation is not None:
        table.require_host("show another story here")
        table.require_quiet()
    here = await table.desk.open_situation(ticket.playthrough)
    policy.require_welcome(here.members, table.player.id, table.speaker)
    await open_here(table, here, "join-room")
    return Accepted(f"{quoted(here.story.title)} is told here too, from now on. Votes count together.")


async def _issue(table: Table, kind: TicketKind, playthrough: PlaythroughId | None) -> str:
    code = tickets.code_of(table.clock.new_id())
    now = table.clock.now()
    await table.desk.issue(
        Ticket(code=code, kind=kind, player=table.player.id, playthrough=playthrough, expires_at=now + LIFETIME), now
    )
    return tickets.written(code)


async def _redeem(table: Table, text: str, kind: TicketKind) -> Ticket:
    """Take a code in.

    Raises:
        Invalid: it is for something else.
        NotFound: it never was one, or is none any more.
    """
    code = tickets.read(text)
    ticket = await table.desk.redeem(code, table.clock.now()) if code else None
    if ticket is None:
        msg = f"There is no code {quoted(text, 20)}, or it is used up. /story link in the other room gives a new one."
        raise NotFound(msg)
    if ticket.kind != kind:
        right = "/story join-room" if ticket.kind == "room" else "/story link"
        msg = f"That code is for something else: {right} {tickets.written(ticket.code)}"
        raise Invalid(msg)
    return ticket


async def _recount(table: Table, playthrough: PlaythroughId) -> None:
    """Show the open question anew: two votes may have become one."""
    here = await table.desk.open_situation(playthrough)
    if here.ballot is not None:
        changed = BallotChanged(here.ballot, here.playthrough.rules, here.members, table.player.name)
        await table.desk.tell(playthrough, changed)
