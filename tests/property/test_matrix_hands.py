"""Whatever is heard late, twice or never: what stands under a question of Matrix is what counts in the end."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.platforms.matrix.hands import Hands
from bot.platforms.matrix.signs import reacted
from bot.questions import OpenCard, keycap
from bot.reception import Asker
from storyforge_core.domain.commands import Speaker
from storyforge_core.domain.story import Choice, ChoiceId, RoomKey, SceneId
from tests.fakes import NOON

USERS = ("@ann:example.org", "@bo:example.org")
CHOICES = tuple(
    Choice(id=ChoiceId(UUID(int=place)), scene=SceneId(UUID(int=9)), position=place, text=f"Choice {place}")
    for place in (1, 2, 3)
)
CARD = OpenCard(RoomKey("matrix", "!room $root", "!room"), "$card", CHOICES)
Event = dict[str, Any]


@dataclass
class Votes:
    """The core's rules for votes, as `test_playing` holds them."""

    cast: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    async def catch_up(self, asker: Asker, position: int, event: str, given: datetime) -> None:
        if event not in self.seen:
            self.seen.add(event)
            self.say(asker.speaker.user, position, given)

    async def take_back(self, asker: Asker, given: datetime, event: str) -> bool:
        known = self.cast.get(asker.speaker.user)
        if event in self.seen or known is None or known[0] != given:
            return False
        self.seen.add(event)
        del self.cast[asker.speaker.user]
        return True

    def say(self, user: str, position: int, given: datetime) -> None:
        known = self.cast.get(user)
        if known is None or known[0] <= given:
            self.cast[user] = (given, position)


@dataclass
class Room:
    """A homeserver's side of it: what stands there, and what is on its way to the bot."""

    standing: dict[str, Event] = field(default_factory=dict)
    letters: list[Event] = field(default_factory=list)
    truth: Votes = field(default_factory=Votes)
    """What people themselves take for their votes."""
    clock: int = 0
    me = "@bot:example.org"

    def happens(self, kind: str, user: str, number: int) -> None:
        """Somebody does something; the bot hears of it later."""
        self.clock += 1
        at = NOON + timedelta(seconds=self.clock)
        event: Event = {"kind": kind, "sender": user, "event_id": f"${self.clock}", "at": at, "position": number}
        event["origin_server_ts"] = int(at.timestamp() * 1000)
        if kind == "reacts":
            relation = {"rel_type": "m.annotation", "event_id": CARD.message, "key": keycap(number)}
            event["content"] = {"m.relates_to": relation}
            self.standing[event["event_id"]] = event
            self.truth.say(user, number, at)
        elif kind == "says":
            self.truth.say(user, number, at)
        else:
            mine = [each for each in self.standing.values() if each["sender"] == user]
            if not mine:
                return
            event["gone"] = mine[number % len(mine)]["event_id"]
            gone = self.standing.pop(event["gone"])
            event["gone_at"] = gone["at"]
            self._withdraw(user, gone)
        self.letters.append(event)

    def _withdraw(self, user: str, gone: Event) -> None:
        known = self.truth.cast.get(user)
        if known and known[0] == gone["at"]:
            del self.truth.cast[user]
            left = [each for each in self.standing.values() if each["sender"] == user]
            if left:
                self.truth.say(user, left[-1]["position"], left[-1]["at"])

    async def relations(self, *_: str) -> tuple[Event, ...]:
        return tuple(reversed(self.standing.values()))

    async def members(self, _: str) -> Mapping[str, str]:
        return dict.fromkeys(USERS, "somebody")

    async def voter(self, _: str, user: str) -> Speaker:
        return Speaker("matrix", user, "somebody")


@dataclass
class Bot:
    """The bot's side."""

    room: Room
    votes: Votes = field(default_factory=Votes)

    def __post_init__(self) -> None:
        self.restarts()

    def restarts(self) -> None:
        room, votes = cast("Any", self.room), cast("Any", self.votes)  # as much of a link and a reception as it takes
        self.hands = Hands(room, votes, room, None)

    async def hears(self) -> None:
        """Get the next letter."""
        await self.crashes()
        del self.room.letters[:1]

    async def crashes(self) -> None:
        """Get the next letter, but die before it is taken out of the box: it comes once more."""
        if not self.room.letters:
            return
        event = self.room.letters[0]
        if event["kind"] == "says":
            self.votes.say(event["sender"], event["position"], event["at"])
        elif event["kind"] == "reacts":
            sign = reacted(event)
            assert sign
            await self.hands.raised(CARD, sign)
        elif not await self.hands.lowered(CARD, event["gone"], event["event_id"]):
            # what `Hearing` does for signs that an earlier program counted
            asker = Asker(CARD.room, await self.room.voter("", event["sender"]))
            if await self.votes.take_back(asker, event["gone_at"], event["event_id"]):
                await self.hands.counted(CARD)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["reacts", "says", "withdraws"]), st.sampled_from(USERS), st.integers(1, 3)),
        st.sampled_from(["hears", "hears", "crashes", "counts", "restarts"]),
    ),
    max_size=24,
)


@settings(max_examples=300)
@given(STEPS)
def test_in_the_end_the_newest_that_stands_counts(steps: list[Any]) -> None:
    async def play() -> None:
        bot = Bot(Room())
        for step in steps:
            match step:
                case "hears":
                    await bot.hears()
                case "counts":
                    await bot.hands.counted(CARD)
                case "crashes":
                    await bot.crashes()
                    bot.restarts()
                case "restarts":
                    bot.restarts()
                    await bot.hands.counted(CARD)
                case _:
                    bot.room.happens(*step)
        while bot.room.letters:
            await bot.hears()
        await bot.hands.counted(CARD)
        assert bot.votes.cast == bot.room.truth.cast

    asyncio.run(play())
