"""Show people what is kept about them, and forget them."""

from dataclasses import replace
from typing import assert_never

from storyforge_core.domain import policy
from storyforge_core.domain.changes import Change, MemberSet, Standing
from storyforge_core.domain.commands import ForgetMe, ShowMyData
from storyforge_core.domain.privacy import SOMEBODY
from storyforge_core.domain.replies import Accepted, MyDataShown, Reply
from storyforge_core.domain.runs import Situation
from storyforge_core.domain.story import Member, PlayerId, PlaythroughId
from storyforge_core.engine.handlers.playing import take_out
from storyforge_core.engine.portraits import Cleared
from storyforge_core.engine.table import Table, quoted
from storyforge_core.engine.turn import standing
from storyforge_core.errors import Busy, Invalid, NotAllowed

Personal = ShowMyData | ForgetMe
"""The commands that are handled here."""

KEPT = (
    "This deletes your name, your accounts, your votes and your place in every story; what you wrote stays, as "
    f"{SOMEBODY}'s. It cannot be taken back. To do so: /story mydata delete yes — or, to have your choices, hints, "
    "notes and lore deleted too where no scene came of them, and the pictures you sent: /story mydata delete "
    "everything yes"
)


async def handle(table: Table, command: Personal) -> Reply | Cleared:
    """Show what is kept, or forget it.

    Raises:
        NotAllowed: others would read the answer.
    """
    if not table.speaker.private:
        msg = "Others would read that here. Ask me in private, in a direct message."
        raise NotAllowed(msg)
    match command:
        case ShowMyData():
            return MyDataShown(await table.desk.my_data())
        case ForgetMe():
            return await forget_me(table, command)
        case _:
            assert_never(command)


async def forget_me(table: Table, command: ForgetMe) -> Cleared:
    """Forget who the asker is.

    Raises:
        Invalid: they have not said that they are sure.
        Busy: something is being written that they asked for.
    """
    if not command.sure:
        raise Invalid(KEPT)
    traces = [await table.desk.open_situation(playthrough) for playthrough in await table.desk.traces()]
    for here in traces:
        if here.run is not None and here.run.draft.order.asker == table.player.id:
            msg = (
                f"A scene of {quoted(here.story.title)} is being written for you just now. Wait for it, or /story stop."
            )
            raise Busy(msg)
    for here in traces:
        await _stop_painting(table, here.playthrough.id)
        await _take_leave(table, here)
    files = await table.desk.forget_player(PlayerId(table.clock.new_id()), everything=command.everything)
    return Cleared(Accepted("Done: who you were is forgotten here. What you say from now on is a stranger's."), files)


async def _stop_painting(table: Table, playthrough: PlaythroughId) -> None:
    """End the pictures that the asker waits for at once: whoever paints one finds that it is over."""
    for run in await table.desk.live_pictures(playthrough):
        if run.draft.order.asker == table.player.id:
            await table.desk.stop(run.id)
            await table.desk.finish(run.id, "stopped")


async def _take_leave(table: Table, here: Situation) -> None:
    """Withdraw the asker's vote and place from a story; the only host hands it on. Who is shut out stays so."""
    member = policy.member_of(here.members, table.player.id)
    if member is None or member.state == "banned":
        return
    heir = _heir(here, member)
    changes: list[Change] = [MemberSet(here.playthrough.id, member.player, standing(member), None)]
    if heir is not None:
        changes.append(MemberSet(here.playthrough.id, heir.player, standing(heir), Standing("joined", host=True)))
    others = tuple(
        replace(each, host=each.host or each == heir) for each in here.members if each.player != member.player
    )
    await take_out(table, here, member.player, tuple(changes), others)


def _heir(here: Situation, leaving: Member) -> Member | None:
    """Who has been there longest when the only host goes; ids tell who came first."""
    others = [each for each in here.members if each.player != leaving.player and each.state == "joined"]
    if not leaving.host or any(each.host for each in others):
        return None
    return min(others, key=lambda each: each.player, default=None)
