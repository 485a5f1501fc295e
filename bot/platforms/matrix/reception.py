"""What people do on Matrix, passed on: commands to the story, signs to the board, invitations to whoever minds them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from bot.catalog.help import help_text
from bot.catalog.row import HelpAsked, Parsed, Problem
from bot.platforms.matrix.addressing import Hint, Me, meant
from bot.platforms.matrix.answers import Answers, Spot
from bot.platforms.matrix.askers import Askers
from bot.platforms.matrix.board import Board
from bot.platforms.matrix.content import Json, dated, inner, text, thread_of
from bot.platforms.matrix.direct import Direct
from bot.platforms.matrix.invites import OUT, Invites
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.picture_signs import PictureSigns
from bot.platforms.matrix.pictures import with_picture
from bot.platforms.matrix.places import Place
from bot.platforms.matrix.threads import Threads
from bot.platforms.matrix.troubles import NotTaken
from bot.platforms.matrix.wire import API, part
from bot.reception import Asker, Reception
from bot.surface import MessageGone, RoomGone
from storyforge_core.domain import commands as ask
from storyforge_core.domain.book import EntityLook
from storyforge_core.domain.replies import Accepted, Declined, Repeated, Reply
from storyforge_core.domain.space import STARTERS
from storyforge_core.mailbox import Letter

SEEN = (
    *(ask.Vote, ask.WriteIn, ask.BranchFrom, ask.GoTo, ask.Undo, ask.Redo, ask.Edit),
    *(ask.Join, ask.Leave, ask.SetTitle, ask.Direct, ask.ChangeRules, ask.Ban),
)
"""What shows in the story by itself: to say it as well would take one more event of a scarce budget."""
NOT_IN_THREADS = (
    "This thread is yours; stories have threads of their own. To begin one, or to ask for something of the newest one, "
    "write in the room itself, outside of threads."
)
TOLD_ALONE = "I have answered you alone: look at our direct room."
NOT_ALONE = "Others would read that here, and I cannot write to you alone. Start a direct chat with {me} and ask there."
NOT_HERE = {
    "channel": "On Matrix each room decides for itself, so there are no channels to choose from.",
    "adults": "Matrix knows no rooms that only adults can join. For pictures there is !story setup mature on",
    "starters": "Matrix knows no roles: stories are begun by everyone, or by managers, who may change permissions.",
}
READ_ON = "It is told in a thread of its own, in the room itself."

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """Gets all letters; what a person asks is answered by others, beside everything else.

    A letter that raises `ServiceDown`, `SurfaceDown` or `SlowDown` is to be handed over once more.
    """

    link: Link
    reception: Reception
    askers: Askers
    threads: Threads
    board: Board
    signs: PictureSigns
    answers: Answers
    invites: Invites
    direct: Direct
    withdrawn: Callable[[str, str], Awaitable[None]]
    """Told of each event of a room that somebody took back."""
    reopened: Callable[[str], Awaitable[None]]
    """Told of each room that the bot has been invited to: it may have told stories there before."""

    async def receive(self, letter: Letter) -> None:
        """Do what a letter asks for; the same one again has no further effect."""
        room, event = letter.room, letter.body
        match text(event, "type"):
            case "m.room.message":
                await self._message(room, event)
            case "m.reaction":
                await self.board.reacted(room, event)
                around = self.reception, self.askers, self.threads
                await self.signs.reacted(room, event, around, self.answers)
            case "org.matrix.msc3381.poll.response":
                await self.board.answered(room, event)
            case "m.room.redaction":
                await self._taken_back(room, event)
            case "m.room.member":
                await self._membership(room, event)
            case "m.room.encryption":
                await self.invites.sealed(room)
            case other:
                log.debug("nothing to be done", room=room, type=other)

    async def _message(self, room: str, event: Json) -> None:
        content = inner(event, "content")
        wanted = meant(content, Me(self.link.me, self.askers.own_name(room)))
        if wanted is None:
            return
        spot = Spot(Place(room, thread_of(content)), text(event, "sender"), text(event, "event_id"), dated(event))
        if isinstance(wanted, Hint):
            work = self._hint(spot, wanted)
        elif isinstance(wanted, EntityLook) and not self.invites.barred(room):
            work = self._look(spot, wanted, content)
        else:
            work = self._asked(spot, wanted)
        await self.answers.excused(spot, work)

    async def _look(self, spot: Spot, wanted: EntityLook, content: Json) -> None:
        """Give somebody the look of the picture that came with the command, or that it is a reply to."""
        await self._asked(spot, await with_picture(self.link, spot.place.room, wanted, content))

    async def _asked(self, spot: Spot, wanted: Parsed) -> None:
        self.answers.seen(spot)
        if barred := self.invites.barred(spot.place.room):
            self.answers.literal(spot, barred)
            return
        match wanted:
            case Problem(sentence):
                self.answers.literal(spot, sentence)
            case HelpAsked(command):
                self.answers.columns(spot, help_text(command))
            case ask.Link(code="me") | ask.ShowMyData() | ask.ForgetMe():
                await self._alone(spot, wanted)
            case ask.ChangeSpace() if sentence := _senseless(wanted):
                self.answers.literal(spot, sentence)
            case command if self.threads.needs_place(command):
                await self._begin(spot, command)
            case command:
                await self._command(spot, command)

    async def _command(self, spot: Spot, command: ask.Command) -> None:
        place = await self.threads.meant(spot.place)
        if place is None:
            self.answers.literal(spot, NOT_IN_THREADS)
            return
        if isinstance(command, ask.Vote | ask.WriteIn):
            command = replace(command, given=spot.at)
        reply = await self.reception.ask(await self._asker(spot, place), command, spot.event)
        if not _goes_without_saying(command, reply):
            self.answers.reply(spot, reply)

    async def _hint(self, spot: Spot, hint: Hint) -> None:
        """Have a scene go on as a reply to it says; a reply to something else is talk."""
        places = (spot.place,) if spot.place.thread else reversed(await self.threads.places(spot.place.room))
        for place in places:
            shown = await self.reception.scene_in(place.key, hint.message)
            if shown is not None and shown.here:
                self.answers.seen(spot)
                asker = await self._asker(spot, place)
                reply = await self.reception.ask(asker, ask.ContinueStory(hint.words), spot.event)
                if isinstance(reply, Declined):
                    self.answers.reply(spot, reply)
                return

    async def _begin(self, spot: Spot, command: ask.Command) -> None:
        """Have a story told in a place of its own, if one can begin here."""
        room = spot.place.room
        asker = await self._asker(spot, Place(room))
        if isinstance(command, ask.NewStory):
            objection = await self.reception.objection(asker, command)
            if objection is not None:
                self.answers.reply(spot, objection)
                return
        place = await self.threads.make(room, command, asker.speaker.name, spot.event)
        there = replace(asker, room=place.key)
        if isinstance(command, ask.NewStory):
            reply = await self.reception.begin(there, command, spot.event)
        else:
            reply = await self.reception.ask(there, command, spot.event)
        if not isinstance(reply, Accepted | Repeated):
            self.answers.reply(spot, reply)
            await self.threads.give_back(place)
        elif isinstance(reply, Accepted) and spot.place.thread:
            self.answers.literal(spot, READ_ON)

    async def _alone(self, spot: Spot, command: ask.Command) -> None:
        """Answer so that nobody else reads it: here, where nobody else is, or in a direct room."""
        speaker = replace(await self.askers.speaker(spot.place.room, spot.user), private=True)
        if await self.askers.alone_with(spot.place.room, spot.user):
            apart = spot
        else:
            try:
                apart = replace(spot, place=Place(await self.direct.room_with(spot.user)), quiet=True)
            except (RoomGone, MessageGone, NotTaken) as error:
                log.info("no direct room", user=spot.user, reason=str(error))
                self.answers.literal(spot, NOT_ALONE.format(me=self.link.me))
                return
        reply = await self.reception.ask(Asker(apart.place.key, speaker), command, spot.event)
        self.answers.reply(apart, reply)
        if apart is not spot and not isinstance(reply, Repeated):
            self.answers.literal(spot, TOLD_ALONE)

    async def _asker(self, spot: Spot, place: Place) -> Asker:
        speaker = await self.askers.speaker(spot.place.room, spot.user)
        return Asker(place.key, speaker, ask.Surroundings(place.room))

    async def _taken_back(self, room: str, event: Json) -> None:
        """Somebody took something back: a vote's sign, or a message of ours, or what is none of our business."""
        gone = text(event, "redacts") or text(inner(event, "content"), "redacts")
        if not gone:
            return
        await self.withdrawn(room, gone)
        by = text(event, "event_id")
        if not await self.board.lowered(room, gone, by):
            await self._lowered_unseen(room, gone, by)

    async def _lowered_unseen(self, room: str, gone: str, by: str) -> None:
        """Take back the vote of a reaction that an earlier program counted; its date tells which vote that is."""
        places = await self.threads.places(room)
        if not places:
            return
        try:
            sign = await self.link.call("GET", f"{API}/rooms/{part(room)}/event/{part(gone)}")
        except (RoomGone, MessageGone, NotTaken):
            return
        if text(sign, "type") != "m.reaction" or text(sign, "sender") == self.link.me:
            return
        speaker = await self.askers.voter(room, text(sign, "sender"))
        for place in places:
            if await self.reception.take_back(Asker(place.key, speaker), dated(sign), f"{by} {place.thread}"):
                self.board.look_again()  # an older one may stand there still

    async def _membership(self, room: str, event: Json) -> None:
        membership = text(inner(event, "content"), "membership")
        if text(event, "state_key") != self.link.me:
            await self.invites.moved(room, event)
        elif membership == "invite":
            await self.invites.invited(room, event)
            await self.reopened(room)
        elif membership in OUT:
            await self.invites.went(room)


def _goes_without_saying(command: ask.Command, reply: Reply) -> bool:
    """Tell whether everybody sees the effect of a command, and so the asker does, too."""
    if isinstance(command, ask.ChangeRules) and not command.name:
        return False
    return isinstance(reply, Accepted) and (reply.run is not None or isinstance(command, SEEN))


def _senseless(change: ask.ChangeSpace) -> str:
    """Say why something cannot be decided on Matrix; empty where it can."""
    if change.what == "starters" and change.value.casefold() in {*STARTERS, ""}:
        return ""
    return NOT_HERE.get(change.what, "")
