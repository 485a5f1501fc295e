"""What the health report says of Matrix: the login, the keys, the limit, and what rooms lack."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import nio

from bot.platforms.matrix.askers import Askers
from bot.platforms.matrix.budget import Budget
from bot.platforms.matrix.cabinet import Cabinet, Session, Unreadable
from bot.platforms.matrix.content import listed
from bot.platforms.matrix.invites import ENCRYPTION
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.login import by_password, find
from bot.platforms.matrix.options import Options
from bot.platforms.matrix.sealing import SEALED_KIND
from bot.platforms.matrix.signing import known_keys
from bot.platforms.matrix.signs import REACTION
from bot.platforms.matrix.troubles import LoggedOut, NotTaken
from bot.platforms.matrix.wire import API, ask, part
from bot.surface import MessageGone, RoomGone, SurfaceError
from storyforge_core.domain.story import RoomKey
from storyforge_core.domain.writing import Finding
from storyforge_core.errors import SetupError

NAME, ROOM = "Matrix", "Matrix room"
NOBODY = (
    "nobody can invite {user}: name in MATRIX_ALLOWED_USERS who may, such as @ann:example.org or @*:example.org, or in "
    "MATRIX_ALLOWED_ROOMS where"
)
NOWHERE = "{user} is in no room yet: invite it from an account that MATRIX_ALLOWED_USERS names"
UNKNOWN_LIMIT = (
    "only the homeserver's owner can see whether {user} is limited; StoryForge finds out as it goes, and shows scenes "
    "in fewer steps then. On a Synapse, its admin lifts the limit by: {lift}"
)
LIMITED = "{user} is limited, so scenes appear in few steps. Lift that by: {lift}"
ENDED = "the homeserver has ended the bot's session; the next start begins another"
LIFT = (
    "curl -X POST -H 'Authorization: Bearer ADMIN_TOKEN' -d '{{\"messages_per_second\": 0, \"burst_count\": 0}}' "
    "{homeserver}/_synapse/admin/v1/users/{user}/override_ratelimit"
)
ALLOW = "Room settings, Roles & Permissions"


@dataclass(frozen=True, slots=True)
class Visit:
    """A look at the homeserver with a session that the bot has, or one that ends with the look."""

    options: Options
    link: Link
    homeserver: str
    kept: bool
    """It is the bot's own session."""

    @property
    def client(self) -> nio.AsyncClient:
        """What asks."""
        return self.link.client


async def examine(options: Options, rooms: Sequence[RoomKey] = ()) -> list[Finding]:
    """Log in, look at the account and at the rooms with stories, and leave again; nothing is sent into any room."""
    try:
        async with _visiting(options) as visit:
            joined = listed(await visit.link.call("GET", f"{API}/joined_rooms"), "joined_rooms")
            account, sealing, limit = await asyncio.gather(_account(visit, joined), _sealing(visit), _limit(visit))
            return [account, sealing, limit, *await _rooms(visit, rooms, joined)]
    except SetupError as error:
        return [Finding(NAME, "fail", str(error))]
    except LoggedOut:
        return [Finding(NAME, "warn", ENDED)]
    except SurfaceError as error:
        return [Finding(NAME, "fail", f"{options.homeserver} cannot be used from here: {error}")]


@asynccontextmanager
async def _visiting(options: Options) -> AsyncIterator[Visit]:
    """Be logged in for a while.

    Raises:
        SetupError: what is set cannot be used.
        SurfaceError: the homeserver does not answer.
    """
    entrance = await find(options)
    kept = await asyncio.to_thread(_kept, Cabinet.of(entrance.user, options.directory))
    if options.token:
        session = Session(entrance.user, entrance.device, options.token, "")
    else:
        session = kept or await by_password(entrance.homeserver, entrance.user, options.password)
    client = nio.AsyncClient(entrance.homeserver, session.user, session.device)
    client.user_id, client.access_token = session.user, session.token
    link = Link(Budget())
    link.connect(client)
    own = kept is not None and kept.device == session.device
    try:
        await ask(client, "GET", f"{API}/account/whoami")
        yield Visit(options, link, entrance.homeserver, own)
        if not own and not options.token:
            await ask(client, "POST", f"{API}/logout", {})
    finally:
        await client.close()


def _kept(cabinet: Cabinet) -> Session | None:
    try:
        return cabinet.session()
    except Unreadable:  # the next start puts it aside
        return None


async def _account(visit: Visit, joined: Sequence[str]) -> Finding:
    user, options = visit.link.me, visit.options
    if not options.allowed_users and not options.allowed_rooms:
        return Finding(NAME, "warn", NOBODY.format(user=user))
    if not joined:
        return Finding(NAME, "warn", NOWHERE.format(user=user))
    return Finding(NAME, "ok", f"{user} is in {len(joined)} room{'s' if len(joined) > 1 else ''}")


async def _sealing(visit: Visit) -> Finding:
    """Look whether people's clients take the bot's session for the bot's."""
    name = f"{NAME} encryption"
    if visit.options.encryption == "off":
        return Finding(name, "ok", "off, as MATRIX_E2EE says: the bot keeps away from encrypted rooms")
    if not visit.kept:
        return Finding(name, "ok", "the first start makes the keys and has the account vouch for them")
    known = await known_keys(visit.client)
    if not known.device:
        return Finding(name, "warn", "the session's keys are not there yet: start ./storyforge serve once")
    if not known.self_signing or not known.vouched(visit.link.me):
        sentence = (
            "nobody vouches for the bot's session, so Element may keep messages from it; the log of serve says why"
        )
        return Finding(name, "warn", sentence)
    return Finding(name, "ok", f"session {visit.client.device_id} is vouched for by its account")


async def _limit(visit: Visit) -> Finding:
    """Ask whether the bot is limited; Synapse tells its admins only, and a trial would cost what it is about."""
    name, user = f"{NAME} limit", visit.link.me
    lift = LIFT.format(homeserver=visit.homeserver, user=part(user))
    try:
        told = await visit.link.call("GET", f"/_synapse/admin/v1/users/{part(user)}/override_ratelimit")
    except (RoomGone, MessageGone, NotTaken):
        if await visit.link.exempt():
            return Finding(name, "ok", f"{user} is exempt, as far as StoryForge could find out")
        return Finding(name, "ok", UNKNOWN_LIMIT.format(user=user, lift=lift))
    if told.get("messages_per_second") == 0:
        return Finding(name, "ok", f"{user} is exempt")
    return Finding(name, "warn", LIMITED.format(user=user, lift=lift))


async def _rooms(visit: Visit, rooms: Sequence[RoomKey], joined: Sequence[str]) -> list[Finding]:
    """Say what is missing in rooms that hold stories, or that nothing is."""
    realms = tuple(dict.fromkeys(room.realm for room in rooms))
    askers = Askers(visit.link)
    lacks = await asyncio.gather(*(_lack(visit, askers, room) for room in realms if room in joined))
    found = [Finding(ROOM, "warn", lack) for lack in lacks if lack]
    lost = sum(room not in joined for room in realms)
    if lost:
        told = f"{lost} with stories in which {visit.link.me} is no more; to go on there, invite it again"
        found.append(Finding(ROOM, "warn", told))
    if found or not realms:
        return found
    return [Finding(f"{NAME} rooms", "ok", f"{len(realms)} with stories, and I am allowed there what I need")]


async def _lack(visit: Visit, askers: Askers, room: str) -> str:
    """Say what the bot lacks in a room; empty where nothing."""
    try:
        powers, sealing = await asyncio.gather(askers.powers(room), visit.link.state(room, ENCRYPTION))
    except SurfaceError as error:
        return f"{room} cannot be looked at: {error}"
    encryption = visit.options.encryption
    if sealing is not None and encryption == "off":
        return f"{room} is encrypted, and MATRIX_E2EE is off: set it to optional, or use another room"
    if sealing is None and encryption == "required":
        return f"{room} is not encrypted, and MATRIX_E2EE is required: turn encryption on there, or set it to optional"
    message = "m.room.message" if sealing is None else SEALED_KIND
    needed = ((message, "send messages"), (REACTION, "send reactions"), ("m.room.redaction", "remove its own messages"))
    missing = [what for kind, what in needed if not powers.may_send(visit.link.me, kind)]
    return f"in {room} allow {visit.link.me} to {', '.join(missing)}: {ALLOW}" if missing else ""
