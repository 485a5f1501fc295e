"""Asking the homeserver what is new. What it answers is stored with the mark behind it before anything comes of it."""

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import urlencode

import nio
import structlog

from bot.platforms.matrix.letters import Event, farewell, invitation, is_membership, letters
from bot.platforms.matrix.sealing import opened
from bot.platforms.matrix.troubles import NotPermitted, NotTaken, understood
from bot.platforms.matrix.wire import API, JSON, ask, part, send
from bot.surface import MessageGone
from storyforge_core.mailbox import Account, Letter, Mailbox

WAIT_SECONDS = 30
"""How long the homeserver may keep a question for news open."""
PATIENCE = 30.0
"""How much longer an answer may take; the first one tells all rooms."""
PAGE, MOST_PAGES = 100, 50
"""Of what was missed in one room; whatever is older than that, nobody waits for any more."""
TIMELINE = 50

log = structlog.stdlib.get_logger()


class Collector:
    """Collects what is new for an account, for as long as its client is connected.

    Args:
        client: whose rooms and keys follow what comes.
        mailbox: where letters and marks are kept.
        account: whose they are.
    """

    def __init__(self, client: nio.AsyncClient, mailbox: Mailbox, account: Account) -> None:
        self._client = client
        self._mailbox = mailbox
        self._account = account
        self._begun = False

    async def collect(self) -> bool:
        """Wait for news and store them; True when keys were among them.

        The first time it does not wait, and tells the client all rooms; then also the bot's own events come, by which
        one sees where it came into a room. Nothing matters that was said before the account was first used.

        Raises:
            SurfaceError: the homeserver does not answer, or refuses.
            ServiceDown: the store is away. Nothing is lost: the next time begins at the same mark.
        """
        mark = await self._mailbox.mark(self._account)
        try:
            news = await self._ask(mark)
        except NotTaken as unknown:
            if not mark:
                raise
            log.warning("the homeserver does not know any more up to where it told everything", reason=str(unknown))
            mark = ""
            news = await self._ask(mark)
        before = set(self._client.rooms)
        keys = await self._learn(news)
        invited = [
            invitation(room, told.get("invite_state", {}).get("events", ()), self._me)
            for room, told in _rooms(news, "invite")
        ]
        heard = [letter for letter in invited if letter is not None]
        heard += await self._heard(news, before, mark) if mark else []
        await self._mailbox.deliver(self._account, heard, str(news["next_batch"]))
        self._begun = True
        return keys

    @property
    def _me(self) -> str:
        return str(self._client.user_id)

    async def _ask(self, mark: str) -> Mapping[str, Any]:
        wait = WAIT_SECONDS if self._begun else 0
        query = {"filter": _filter(self._me if self._begun else ""), "timeout": str(wait * 1000)}
        query["set_presence"] = "offline"
        if mark:
            query["since"] = mark
        if not self._begun:
            query["full_state"] = "true"
        return await send(self._client, "GET", f"{API}/sync?{urlencode(query)}", None, JSON, wait + PATIENCE)

    async def _learn(self, news: Mapping[str, Any]) -> bool:
        """Have the client know rooms, members and keys; True when there are keys among them."""
        answer = nio.SyncResponse.from_dict(deepcopy(dict(news)))  # it takes invitations to pieces
        if not isinstance(answer, nio.SyncResponse):
            log.error("an answer cannot be read", reason=str(answer))
            return False
        self._client.next_batch = ""  # or nio would pass over an answer that it has seen, but nobody stored
        try:
            await self._client.receive_response(answer)
        except Exception:  # supervisor: what somebody sends that nio stumbles over would come again, for ever
            log.exception("an answer was not understood")
        for room, told in _rooms(news, "join"):
            if told.get("timeline", {}).get("limited"):
                self._forget_members(room)
        for room, _ in _rooms(news, "leave"):
            self._client.rooms.pop(room, None)
        return any(isinstance(event, nio.RoomKeyEvent | nio.ForwardedRoomKeyEvent) for event in answer.to_device_events)

    def _forget_members(self, room: str) -> None:
        """Ask anew who is in a room before the next message is encrypted: in the gap, people may have come and gone."""
        known = self._client.rooms.get(room)
        if known is not None and self._client.olm is not None:
            known.members_synced = False
            self._client.invalidate_outbound_session(room)

    async def _heard(self, news: Mapping[str, Any], before: set[str], mark: str) -> list[Letter]:
        heard: list[Letter] = []
        for room, told in _rooms(news, "join"):
            came = self._begun and room not in before
            events = await self._missed(room, told.get("timeline", {}), mark, str(news["next_batch"]) if came else "")
            heard += letters(room, (opened(self._client, room, event) or event for event in events), self._me)
        for room, told in _rooms(news, "leave"):
            events = [*told.get("state", {}).get("events", ()), *told.get("timeline", {}).get("events", ())]
            left = farewell(room, events, self._me)
            heard += [left] if left is not None else []
        return heard

    async def _missed(self, room: str, timeline: Mapping[str, Any], mark: str, end: str) -> list[Event]:
        """All that was said in a room since the mark, oldest first, as far as the bot was there.

        Args:
            room: its id.
            timeline: what the homeserver tells by itself: the newest.
            mark: up to where everything is known.
            end: where a room ends that the bot has just come into; what was said before that was said to others.
        """
        if end:
            return await self._between(room, end, mark)
        told = list(timeline.get("events", ()))
        here = [number for number, event in enumerate(told) if is_membership(event, self._me, "join")]
        if here:
            return told[here[-1] + 1 :]
        if not timeline.get("limited") or not timeline.get("prev_batch"):
            return told
        return [*await self._between(room, str(timeline["prev_batch"]), mark), *told]

    async def _between(self, room: str, end: str, mark: str) -> list[Event]:
        """Ask for what was said between a mark and an end of a room, or since the bot came into it."""
        found: list[Event] = []
        query = {"dir": "b", "to": mark, "limit": str(PAGE), "filter": '{"lazy_load_members":true}'}
        for _ in range(MOST_PAGES):
            try:
                path = f"{API}/rooms/{part(room)}/messages?{urlencode({**query, 'from': end})}"
                page = await ask(self._client, "GET", path)
            except (NotPermitted, NotTaken, MessageGone) as refusal:  # thrown out again meanwhile
                log.warning("what was missed cannot be asked for", room=room, reason=str(refusal))
                return found[::-1]
            for event in page.get("chunk", ()):
                if is_membership(event, self._me, "join"):
                    return found[::-1]
                found.append(event)
            if not page.get("chunk") or not page.get("end"):
                return found[::-1]
            end = str(page["end"])
        log.warning("more was missed than can be made up for", room=room, events=len(found))
        return found[::-1]


async def keep_keys(client: nio.AsyncClient) -> None:
    """Do what the other devices of people need, to be able to read: nio's own loop would do it after each answer.

    Raises:
        SurfaceDown: the homeserver does not answer.
    """
    if client.olm is None:
        return
    with understood():
        if client.should_upload_keys:
            await client.keys_upload()
        if client.should_query_keys:
            await client.keys_query()
        if client.should_claim_keys:
            await client.keys_claim(client.get_users_for_key_claiming())
        await client.send_to_device_messages()


def _rooms(news: Mapping[str, Any], which: str) -> list[tuple[str, Mapping[str, Any]]]:
    return list(news.get("rooms", {}).get(which, {}).items())


def _filter(but: str) -> str:
    """What the bot wants to hear; of events that somebody sent, nothing where one is named."""
    timeline: dict[str, Any] = {"limit": TIMELINE, "lazy_load_members": True}
    wanted = {
        "presence": {"types": []},
        "account_data": {"types": []},
        "room": {
            "timeline": timeline | ({"not_senders": [but]} if but else {}),
            "state": {"lazy_load_members": True},
            "ephemeral": {"types": []},
            "account_data": {"types": []},
        },
    }
    return json.dumps(wanted, separators=(",", ":"))
