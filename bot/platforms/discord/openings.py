"""Scenes that are the answer to a click or a command: their first message, and the second way to edit it.

Whoever lets a scene begin by a button or a slash command waits for an answer. Mostly that is a sentence for them alone;
here it is the scene's own first message, so nothing is said twice, and everybody sees who went on. Discord counts
edits of such an answer against the interaction, apart from the channel's limit, for a quarter of an hour: a growing
scene has two limits then and is edited by the way that has more left.

**Why a crash makes no second message.** An ordinary message carries a nonce, by which Discord knows one that is sent
again; an answer cannot. So the answer carries the nonce itself, in the id of its Stop button, from the very request
that acknowledges the interaction until its first edit, which comes only after the ledger has written the message down.
A program that has posted nothing in a room since it began, or that lost Discord's reply to such a request, looks for
that button among the newest messages before it posts; what it finds it goes on with.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import discord
import structlog
from discord.http import Route

from bot.platforms.discord.buttons import under
from bot.platforms.discord.link import NO_PINGS, PACE, Interaction, Told
from bot.platforms.discord.troubles import understood
from bot.presenter.pacer import together
from bot.surface import Allowance, Frame, SurfaceDown
from storyforge_core.domain.replies import Accepted, Reply
from storyforge_core.domain.story import RoomKey, RunId

PROMPT = 1.2
"""Seconds that something asked for may take before it is acknowledged anyhow; Discord gives three for both."""
CLAIMED_WITHIN = 0.8
"""Seconds from there to the first message of the scene."""
REQUEST_SECONDS = 5.0
EARLIER = timedelta(seconds=30)
"""How long before its end an interaction is not relied on any more: clocks differ."""
OK = 200

log = structlog.stdlib.get_logger()


class Offer:
    """An interaction that waits for its answer, which may become the first message of the scene that it began."""

    def __init__(self, interaction: Interaction) -> None:
        loop = asyncio.get_running_loop()
        self.interaction = interaction
        self.run: asyncio.Future[RunId | None] = loop.create_future()
        """What it has begun, once that is known; None for nothing, or nothing that can be waited for."""
        self.claimed: asyncio.Future[bool] = loop.create_future()
        """Whether a scene's first message is the answer; known soon after `run`."""

    def close(self) -> None:
        """Wait no longer."""
        for open_end in (self.run, self.claimed):
            open_end.cancel()

    async def answer(self, frame: Frame, mark: str) -> "Hook":
        """Answer it with the first message of a scene.

        Raises:
            SurfaceError: it is not certain that this was done.
        """
        with understood():
            done = await self.interaction.response.send_message(
                frame.text,
                view=under(frame, mark),
                silent=frame.live,
                suppress_embeds=True,
                allowed_mentions=NO_PINGS,
            )
        if done.message_id is None:
            raise SurfaceDown("Discord does not say which message that is.")
        return Hook(self.interaction, str(done.message_id))


@dataclass(slots=True)
class Hook:
    """The second way to a message: by the interaction whose answer it is. After any trouble it is not used again."""

    interaction: Interaction
    message: str
    told: Told = field(default_factory=lambda: Told(PACE.burst, PACE.burst, float("-inf")))
    broken: bool = False

    def usable(self) -> bool:
        """Tell whether edits may go this way still."""
        return not self.broken and self.interaction.expires_at - discord.utils.utcnow() > EARLIER

    def better(self, channel: Allowance | None) -> bool:
        """Tell whether more is left of this way's limit than of the channel's."""
        own = self.told.left().remaining
        return self.usable() and own > 0 and (channel is None or own >= channel.remaining)

    async def edit(self, frame: Frame) -> bool:
        """Show another frame; False when it has to be shown the other way.

        discord.py would wait by itself until the limit has room again, and have the edit waited for that is done.
        """
        body = {
            "content": frame.text,
            "components": under(frame).to_components(),
            "allowed_mentions": NO_PINGS.to_dict(),
        }
        hook = self.interaction.followup
        address = f"{Route.BASE}/webhooks/{self.interaction.application_id}/{hook.token}/messages/@original"
        request = hook.session.patch(address, json=body, timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS))
        self.broken = True  # until it is known that it is not
        try:
            async with request as answer:
                self.broken = answer.status != OK
                self.told = Told.of(answer.headers) or self.told
        except (aiohttp.ClientError, OSError) as error:
            log.info("no edit by the interaction", message=self.message, reason=type(error).__name__)
        else:
            log.debug("edit by the interaction", message=self.message, status=answer.status)
        return not self.broken


class Openings:
    """The interactions that wait for a scene's first message, and the messages that were posted as their answers.

    Args:
        used: the owner wants interactions to be answered so.
    """

    def __init__(self, *, used: bool) -> None:
        self._used = used
        self._offers: dict[str, list[Offer]] = {}
        self._hooks: dict[str, Hook] = {}
        """The newest of each room."""
        self._growing: dict[str, str] = {}
        """The message of each room that was posted last and grows."""
        self._doubtful: set[str] = set()

    async def answered(self, interaction: Interaction, room: RoomKey, asking: "asyncio.Future[Reply]") -> bool:
        """See whether what is being asked begins a scene whose first message answers the interaction.

        Returns:
            False: it has to be acknowledged otherwise, and soon.
        """
        if not self._used:
            return False
        offer = Offer(interaction)
        offers = self._offers.setdefault(room.address, [])
        offers.append(offer)
        try:
            await asyncio.wait({asking}, timeout=PROMPT)
            run = _begun(asking)
            offer.run.set_result(run)
            if run is None:
                return False
            await asyncio.wait({offer.claimed}, timeout=CLAIMED_WITHIN)
            return offer.claimed.done() and await offer.claimed
        finally:
            offers.remove(offer)
            offer.close()

    async def claim(self, room: RoomKey, run: RunId) -> Offer | None:
        """Take the interaction that has begun a run, if there is one that waits; its answer is due then."""
        for offer in tuple(self._offers.get(room.address, ())):
            await asyncio.wait({offer.run})
            if not offer.run.cancelled() and offer.run.result() == run and not offer.claimed.done():
                offer.claimed.set_result(True)
                return offer
        return None

    def in_doubt(self, room: RoomKey, mark: str) -> bool:
        """Tell whether a message may be there already that is about to be posted."""
        return self._used and (mark in self._doubtful or room.address not in self._growing)

    def doubt(self, mark: str) -> None:
        """Nobody knows whether a message is there."""
        self._doubtful.add(mark)

    def grows(self, room: RoomKey, message: str, mark: str, hook: Hook | None) -> None:
        """A message was posted that will grow; it has a second way, or none."""
        self._doubtful.discard(mark)
        self._growing[room.address] = message
        self._hooks.pop(room.address, None)
        if hook is not None:
            self._hooks[room.address] = hook

    def hook(self, room: RoomKey, message: str, channel: Allowance | None) -> Hook | None:
        """Find the second way to a message, if it is the better one just now."""
        hook = self._hooks.get(room.address)
        return hook if hook and hook.message == message and hook.better(channel) else None

    def allowance(self, room: RoomKey, channel: Allowance | None) -> Allowance | None:
        """Say how many edits the growing message of a room has left, both ways together."""
        hook = self._hooks.get(room.address)
        if hook is None or not hook.usable():
            return channel
        own = hook.told.left()
        return together(channel or Allowance(PACE.burst, PACE.per), own, PACE)


def _begun(asking: "asyncio.Future[Reply]") -> RunId | None:
    """Say which run an answer tells of, if it is there."""
    if not asking.done() or asking.cancelled() or asking.exception() is not None:
        return None
    reply = asking.result()
    return reply.run if isinstance(reply, Accepted) else None
