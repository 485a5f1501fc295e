"""From what the owner has set to a client whose session the homeserver knows, and whose keys are whole."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import nio
import structlog
from peewee import PeeweeException

from bot.platforms.matrix.cabinet import Cabinet, Session, Unreadable
from bot.platforms.matrix.options import Options
from bot.platforms.matrix.troubles import LoggedOut, NotPermitted, NotTaken
from bot.platforms.matrix.wire import API, REQUEST_SECONDS, ask
from bot.surface import MessageGone, SurfaceDown, SurfaceError
from storyforge_core.errors import SetupError

NAME = "StoryForge"
PASSWORD = "m.login.password"  # noqa: S105 - the name of a way to log in
NOT_MATRIX = (
    "{url} is no Matrix homeserver. Set MATRIX_HOMESERVER to the address that Element names when you log in, such as "
    "https://matrix.org"
)
NOT_LET_IN = "The homeserver does not let {user} in: check MATRIX_USER_ID and MATRIX_PASSWORD."
NO_PASSWORDS = (
    "The homeserver takes no passwords from programs. Set MATRIX_ACCESS_TOKEN instead; the README tells how to get one."
)
NO_PASSWORD = "Set MATRIX_PASSWORD, the password of {user}, or MATRIX_ACCESS_TOKEN."  # noqa: S105 - a sentence
TOKEN_REFUSED = "The homeserver does not accept MATRIX_ACCESS_TOKEN (any more). Get a new one; the README tells how."  # noqa: S105
OTHERS_TOKEN = "MATRIX_ACCESS_TOKEN belongs to {owner}, but MATRIX_USER_ID names {user}: make them agree."  # noqa: S105
NO_DEVICE = "MATRIX_ACCESS_TOKEN belongs to no session of its own. Set MATRIX_E2EE=off, or MATRIX_PASSWORD instead."
LOST = (
    "The encryption keys of the bot's session on Matrix are lost or damaged, so it has a new session. Messages that "
    "were encrypted for the old one cannot be read any more; stories are not touched."
)
LOST_FOR_GOOD = (
    "The encryption keys of the session that MATRIX_ACCESS_TOKEN belongs to are lost, or were never StoryForge's. Get "
    "the token of a new session, or set MATRIX_PASSWORD instead, so that StoryForge can begin one by itself."
)
DAMAGED = (PeeweeException, ValueError, KeyError, TypeError)
"""What nio stumbles over when its files are not whole; vodozemac's exceptions are ValueErrors."""

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class Entrance:
    """A homeserver that answers, and which account the bot is to be there."""

    options: Options
    homeserver: str
    """Where its API really is."""
    user: str
    device: str = ""
    """Of the session that the token belongs to, where there is one."""

    async def enter(self, cabinet: Cabinet) -> nio.AsyncClient:
        """Log in, or go on with the session that there was.

        Raises:
            SetupError: that needs the owner.
            SurfaceDown: the homeserver does not answer.
        """
        session = await self._kept(cabinet)
        if session is not None:
            client = self._opened(session, cabinet)
            if client is not None and await self._whole(client):
                return client
            await self._lose(cabinet)
        session = await self._begin()
        await asyncio.to_thread(cabinet.keep_session, session)
        client = self._opened(session, cabinet)
        if client is None or not await self._whole(client):
            raise SetupError(LOST_FOR_GOOD)
        return client

    async def _kept(self, cabinet: Cabinet) -> Session | None:
        """The session that there was, if it is the one that is wanted."""
        try:
            session = await asyncio.to_thread(cabinet.session)
        except Unreadable:
            await self._lose(cabinet)
            return None
        if session is None or not self.options.token:
            return session
        if session.device != self.device:
            await asyncio.to_thread(cabinet.set_aside)  # the owner has set the token of another session
            return None
        return Session(session.user, session.device, self.options.token, session.pickle_key)

    async def _begin(self) -> Session:
        if self.options.token:
            return Session.begun(self.user, self.device, self.options.token)
        return await by_password(self.homeserver, self.user, self.options.password)

    async def _lose(self, cabinet: Cabinet) -> None:
        aside = await asyncio.to_thread(cabinet.set_aside)
        log.warning(LOST, set_aside=str(aside))

    def _opened(self, session: Session, cabinet: Cabinet) -> nio.AsyncClient | None:
        """A client with a session and its keys; None when they are damaged."""
        client = nio.AsyncClient(
            self.homeserver,
            session.user,
            session.device,
            str(cabinet.store),
            nio.AsyncClientConfig(
                max_limit_exceeded=0,
                max_timeouts=0,
                request_timeout=REQUEST_SECONDS,
                encryption_enabled=self.options.encryption != "off",
                pickle_key=session.pickle_key,
                store_sync_tokens=False,
            ),
        )
        try:
            client.restore_login(session.user, session.device, session.token)
        except DAMAGED as error:
            log.warning("the keys cannot be read", reason=str(error))
            return None
        return client

    async def _whole(self, client: nio.AsyncClient) -> bool:
        """Tell whether the homeserver knows the session, and by the keys that the client has; else it is closed.

        Raises:
            SetupError: the session was the owner's.
            SurfaceDown: nobody answers.
        """
        whole = False
        try:
            whole = await self._known(client)
        except LoggedOut as error:
            if self.options.token:
                raise SetupError(TOKEN_REFUSED) from error
        finally:
            if not whole:
                await leave(client)
        return whole

    async def _known(self, client: nio.AsyncClient) -> bool:
        """Tell whether the keys of the session are not known yet, or known to be the client's.

        Raises:
            LoggedOut: the session is over.
        """
        await ask(client, "GET", f"{API}/account/whoami")
        if client.olm is None or client.olm.account.shared:
            return True
        known = await ask(client, "POST", f"{API}/keys/query", {"device_keys": {self.user: [client.device_id]}})
        return not known.get("device_keys", {}).get(self.user, {}).get(client.device_id)


async def leave(client: nio.AsyncClient) -> None:
    """Let go of a client's connections, and of its file of keys."""
    await client.close()
    if client.store is not None:
        client.store.database.close()


async def find(options: Options) -> Entrance:
    """Find the homeserver, and whose account it is that the owner has set.

    Raises:
        SetupError: what is set cannot be used.
        SurfaceDown: nobody answers there.
    """
    homeserver = await _homeserver(options.homeserver)
    if not options.token:
        if not options.user or not options.password:
            raise SetupError(NO_PASSWORD.format(user=options.user or "the account that MATRIX_USER_ID names"))
        return Entrance(options, homeserver, options.user)
    try:
        owner = await _plain(homeserver, "GET", f"{API}/account/whoami", token=options.token)
    except LoggedOut as error:
        raise SetupError(TOKEN_REFUSED) from error
    if options.user and owner["user_id"] != options.user:
        raise SetupError(OTHERS_TOKEN.format(owner=owner["user_id"], user=options.user))
    if not owner.get("device_id") and options.encryption != "off":
        raise SetupError(NO_DEVICE)
    return Entrance(options, homeserver, str(owner["user_id"]), str(owner.get("device_id") or NAME))


async def _homeserver(url: str) -> str:
    """The address at which a homeserver's API is: the one that was given, or the one that it names.

    Raises:
        SetupError: there is no homeserver behind it.
        SurfaceDown: nobody answers there.
    """
    if await _speaks_matrix(url):
        return url
    try:
        known = await _plain(url, "GET", "/.well-known/matrix/client")
        named = str(known["m.homeserver"]["base_url"]).rstrip("/")
    except (MessageGone, NotTaken, NotPermitted, KeyError, TypeError) as error:
        raise SetupError(NOT_MATRIX.format(url=url)) from error
    if not named.startswith("https://") or not await _speaks_matrix(named):
        raise SetupError(NOT_MATRIX.format(url=url))
    return named


async def _speaks_matrix(url: str) -> bool:
    try:
        return "versions" in await _plain(url, "GET", "/_matrix/client/versions")
    except SurfaceDown:
        raise
    except SurfaceError:
        return False


async def by_password(homeserver: str, user: str, password: str) -> Session:
    """Begin a session.

    Raises:
        SetupError: the homeserver does not let the account in.
        SurfaceDown: it does not answer.
    """
    flows = (await _plain(homeserver, "GET", f"{API}/login")).get("flows", ())
    if all(flow.get("type") != PASSWORD for flow in flows):
        raise SetupError(NO_PASSWORDS)
    who = {"type": "m.id.user", "user": user}
    request = {"type": PASSWORD, "identifier": who, "password": password, "initial_device_display_name": NAME}
    try:
        begun = await _plain(homeserver, "POST", f"{API}/login", request)
    except (NotPermitted, NotTaken, LoggedOut) as error:
        raise SetupError(NOT_LET_IN.format(user=user)) from error
    return Session.begun(str(begun["user_id"]), str(begun["device_id"]), str(begun["access_token"]))


async def _plain(
    homeserver: str, method: str, path: str, body: Mapping[str, Any] | None = None, token: str = ""
) -> Mapping[str, Any]:
    """Make a request outside of any session of ours."""
    client = nio.AsyncClient(homeserver)
    client.access_token = token
    try:
        return await ask(client, method, path, body)
    finally:
        await client.close()
