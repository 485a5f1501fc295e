"""Who has asked for something on Matrix, by which name, and with what powers."""

import asyncio
from collections.abc import Mapping

import structlog

from bot.platforms.matrix.content import Json, inner, text
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.places import PLATFORM
from bot.platforms.matrix.powers import LEVELS, Powers
from bot.platforms.matrix.troubles import NotTaken
from bot.platforms.matrix.wire import API, part
from bot.surface import RoomGone
from storyforge_core.domain.commands import Speaker

TWO = 2
"""As many are in a room where nobody else reads what somebody is answered."""

log = structlog.stdlib.get_logger()


class Askers:
    """Knows the people of the bot's rooms. Whom the homeserver tells nothing of is known by their id, and has no power.

    Everything raises `SurfaceDown` and `SlowDown`.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._creates: dict[str, Json] = {}
        """The first event of each room, which never changes."""

    async def speaker(self, room: str, user: str) -> Speaker:
        """Somebody who asks for something, with all that they may do in a room."""
        name, powers = await asyncio.gather(self.name(room, user), self._known_powers(room))
        moderator, manager = powers.moderates(user), powers.manages(user)
        return Speaker(PLATFORM, user, name, moderator=moderator or manager, manager=manager)

    async def voter(self, room: str, user: str) -> Speaker:
        """Somebody who gives a sign; that takes no powers."""
        return Speaker(PLATFORM, user, await self.name(room, user))

    async def name(self, room: str, user: str) -> str:
        """The name that a room shows somebody by."""
        try:
            member = await self._link.state(room, "m.room.member", user) or {}
        except (RoomGone, NotTaken) as error:
            log.info("name not known", user=user, reason=str(error))
            member = {}
        return named(user, member)

    def own_name(self, room: str) -> str:
        """The name that a room shows the bot by; empty where that is not known."""
        known = self._link.client.rooms.get(room)
        return str(known.user_name(self._link.me) or "") if known is not None else ""

    async def members(self, room: str) -> Mapping[str, str]:
        """Everybody who is in a room now, with their names.

        Raises:
            SurfaceError: the homeserver does not say.
        """
        joined = inner(await self._link.call("GET", f"{API}/rooms/{part(room)}/joined_members"), "joined")
        return {user: named(user, {"displayname": inner(joined, user).get("display_name")}) for user in joined}

    async def alone_with(self, room: str, user: str) -> bool:
        """Tell whether nobody but somebody and the bot is in a room.

        Raises:
            SurfaceError: the homeserver does not say.
        """
        members = await self.members(room)
        return user in members and len(members) == TWO

    async def powers(self, room: str) -> Powers:
        """Read the powers in a room.

        Raises:
            SurfaceError: the homeserver does not say.
        """
        create, levels = await asyncio.gather(self._create(room), self._link.state(room, LEVELS))
        return Powers.of(room, create, levels)

    async def _known_powers(self, room: str) -> Powers:
        try:
            return await self.powers(room)
        except (RoomGone, NotTaken) as error:
            log.info("powers not known", room=room, reason=str(error))
            return Powers({"redact": 1, "state_default": 1})

    async def _create(self, room: str) -> Json:
        if room not in self._creates:
            path = f"{API}/rooms/{part(room)}/state/m.room.create/?format=event"
            told = await self._link.call("GET", path)
            # whoever does not know the format tells the content alone
            self._creates[room] = told if isinstance(told.get("content"), Mapping) else {"content": told}
        return self._creates[room]


def named(user: str, member: Json) -> str:
    """The name that somebody has chosen, or else the beginning of their id."""
    return text(member, "displayname").strip() or user[1:].partition(":")[0] or user
