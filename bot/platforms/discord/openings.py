"""Scenes that are the answer to a click or a command: their messages, and the second way to edit these.

Whoever lets a scene begin by a button or a slash command waits for an answer. Mostly that is a sentence for them alone;
here it is the scene's own first message, so nothing is said twice, and everybody sees who went on. What does not fit
into it follows it by the same interaction. Discord counts edits of such messages against the interaction, apart from
the channel's limit, for a quarter of an hour: a growing scene has two limits then and is edited by the way that has
more left.

**Why a crash makes no second message.** An ordinary message carries a nonce, by which Discord knows one that is sent
again; these cannot. So each carries the nonce itself, in the id of its Stop button, from the very request that posts it
until its first edit, which comes only after the ledger has written the message down. A program that comes to know a
room, or that lost Discord's reply to such a request, looks for these buttons among the newest messages before it posts
there; what it finds it goes on with.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

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
_NONE: Mapping[str, str] = MappingProxyType({})

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

    async def post(self, frame: Frame, mark: str) -> "Hook":
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
        return Hook(self.interaction, frame.stop, str(done.message_id), {str(done.message_id): "@original"})


@dataclass(slots=True)
class Hook:
    """The second way to a scene: by the interaction that it answers. After any trouble it is not used again.

    discord.py would wait by itself until a limit has room again, and have what is done waited for.
    """

    interaction: Interaction
    run: RunId | None
    newest: str
    """The message that was posted last."""
    names: dict[str, str]
    """How the interaction calls its messages."""
    told: Told = field(default_factory=lambda: Told(PACE.burst, PACE.burst, float("-inf")))
    """Of all of them, as if they had one limit together: nobody has said that they have not."""
    broken: bool = False

    def usable(self) -> bool:
        """Tell whether requests may go this way still."""
        return not self.broken and self.interaction.expires_at - discord.utils.utcnow() > EARLIER

    def better(self, channel: Allowance | None) -> bool:
        """Tell whether more is left of this way's limit than of the channel's."""
        own = self.told.left().remaining
        return self.usable() and own > 0 and (channel is None or own >= channel.remaining)

    async def post(self, frame: Frame, mark: str) -> "Hook":
        """Let another message follow, in the channel of the interaction.

        Raises:
            SurfaceDown: it is not certain that this was done.
        """
        flags = discord.MessageFlags(suppress_embeds=True, suppress_notifications=frame.live)
        _, answer = await self._ask("POST", "?wait=true", {**_body(frame, mark), "flags": flags.value})
        try:
            self.newest = str(json.loads(answer)["id"])
        except (ValueError, LookupError, TypeError) as error:
            raise SurfaceDown("Discord does not say which message that is.") from error
        self.names[self.newest] = self.newest
        return self

    async def edit(self, message: str, frame: Frame) -> bool:
        """Show another frame; False when it has to be shown the other way."""
        try:
            headers, _ = await self._ask("PATCH", f"/messages/{self.names[message]}", _body(frame))
        except SurfaceDown as down:
            log.info("no edit by the interaction", message=message, reason=str(down))
            return False
        self.told = Told.of(headers) or self.told
        return True

    async def _ask(self, method: str, address: str, body: Mapping[str, object]) -> tuple[Mapping[str, str], bytes]:
        hook = self.interaction.followup
        url = f"{Route.BASE}/webhooks/{self.interaction.application_id}/{hook.token}{address}"
        request = hook.session.request(method, url, json=body, timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS))
        self.broken = True  # until it is known that it is not
        try:
            async with request as answer:
                read = await answer.read()
        except (aiohttp.ClientError, OSError) as error:
            raise SurfaceDown(f"Discord cannot be reached: {type(error).__name__}.") from error
        if answer.status != OK:
            raise SurfaceDown(f"Discord answers {answer.status}.")
        self.broken = False
        return answer.headers, read


def _body(frame: Frame, mark: str = "") -> dict[str, object]:
    return {
        "content": frame.text,
        "components": under(frame, mark).to_components(),
        "allowed_mentions": NO_PINGS.to_dict(),
    }


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
        self._marks: dict[str, Mapping[str, str]] = {}
        """The messages in each room that were marked when it was looked at."""
        self._doubtful: set[str] = set()
        """The marks of messages of which nobody knows whether they are there."""

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

    async def way(self, room: RoomKey, run: RunId) -> Offer | Hook | None:
        """Find the interaction by which the next message of a run can be posted.

        That is the one that its messages before were posted by, or one that has begun it and waits; its answer is due.
        """
        hook = self._hooks.get(room.address)
        if hook is not None and hook.run == run:
            return hook if hook.usable() else None
        for offer in tuple(self._offers.get(room.address, ())):
            await asyncio.wait({offer.run})
            if not offer.run.cancelled() and offer.run.result() == run and not offer.claimed.done():
                offer.claimed.set_result(True)
                return offer
        return None

    def unknown(self, room: RoomKey, mark: str) -> bool:
        """Tell whether a message may be there already that is about to be posted, and a look would show it."""
        return self._used and (mark in self._doubtful or room.address not in self._marks)

    def there(self, room: RoomKey, mark: str) -> str | None:
        """Find a message that was there when the room was looked at."""
        return self._marks.get(room.address, _NONE).get(mark)

    def looked(self, room: RoomKey, marks: Mapping[str, str]) -> None:
        """A room was looked at."""
        self._marks[room.address] = marks
        self._doubtful.difference_update(marks)

    def doubt(self, mark: str) -> None:
        """Nobody knows whether a message is there."""
        self._doubtful.add(mark)

    def posted(self, room: RoomKey, message: str, mark: str, *, live: bool) -> None:
        """A message is there; one that grows can be edited the second way if it was posted so."""
        self._doubtful.discard(mark)
        if live:
            self._growing[room.address] = message

    def opened(self, room: RoomKey, hook: Hook) -> None:
        """There is a second way to the newest scene of a room."""
        self._hooks[room.address] = hook

    def hook(self, room: RoomKey, message: str, channel: Allowance | None) -> Hook | None:
        """Find the second way to a message, if it is the better one just now."""
        hook = self._hooks.get(room.address)
        return hook if hook and message in hook.names and hook.better(channel) else None

    def allowance(self, room: RoomKey, channel: Allowance | None) -> Allowance | None:
        """Say how many edits the growing message of a room has left, both ways together."""
        hook = self._hooks.get(room.address)
        if hook is None or self._growing.get(room.address) not in hook.names or not hook.usable():
            return channel
        own = hook.told.left()
        return together(channel or Allowance(PACE.burst, PACE.per), own, PACE)


def _begun(asking: "asyncio.Future[Reply]") -> RunId | None:
    """Say which run an answer tells of, if it is there."""
    if not asking.done() or asking.cancelled() or asking.exception() is not None:
        return None
    reply = asking.result()
    return reply.run if isinstance(reply, Accepted) else None
