"""Cross-signing: the bot's session is vouched for by its account, or Element would leave it out of encrypted rooms.

nio has none of it. A master key stands for the account, a self-signing key that it has signed vouches for sessions.
"""

import asyncio
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import nio
import structlog
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from nio.api import Api

from bot.platforms.matrix import vault
from bot.platforms.matrix.cabinet import Cabinet, Unreadable
from bot.platforms.matrix.troubles import LoggedOut, NotPermitted, NotTaken, Unproved
from bot.platforms.matrix.wire import API, ask
from bot.surface import SurfaceError

SEED_BYTES = 32
USAGES = ("master", "self_signing", "user_signing")
ELSEWHERE = (
    "The account's cross-signing keys were made by another program, so nobody vouches for StoryForge's session, and "
    "Element may keep encrypted messages from it. Set MATRIX_RECOVERY_KEY to the account's recovery key or phrase "
    "(Element: Settings, Encryption), or use an account that only StoryForge uses."
)
WRONG_KEY = "MATRIX_RECOVERY_KEY does not open the account's cross-signing keys: set the one that Element showed."
SEEDS_UNREADABLE = (
    "The file with the account's cross-signing keys ({file}) is damaged, so StoryForge's session is not vouched for. "
    "Put it back from a backup; without one, delete it and reset the account's identity in Element."
)
NOT_ALLOWED = "The homeserver does not let StoryForge make cross-signing keys for its account ({reason})."

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs."""

    key: ECC.EccKey

    @classmethod
    def of(cls, seed: bytes) -> "Signer":
        """The key that is made from a seed."""
        return cls(ECC.construct(curve="Ed25519", seed=seed))

    @property
    def public(self) -> str:
        """Its public half as Matrix writes it."""
        return _text(self.key.public_key().export_key(format="raw"))

    def signed(self, user: str, value: Mapping[str, Any]) -> dict[str, Any]:
        """The same object with this key's signature beside those it has."""
        bare = _bare(value)
        signature = eddsa.new(self.key, "rfc8032").sign(Api.to_canonical_json(bare).encode())
        signatures = {**value.get("signatures", {})}
        signatures[user] = {**signatures.get(user, {}), f"ed25519:{self.public}": _text(signature)}
        return {**bare, "signatures": signatures}


@dataclass(frozen=True, slots=True)
class Known:
    """What the homeserver tells everybody about the account."""

    master: str
    """Public key; empty where there is none."""
    self_signing: str
    device: Mapping[str, Any]
    """The session's own keys, with their signatures."""

    def vouched(self, user: str) -> bool:
        """Tell whether the account vouches for the session already."""
        return f"ed25519:{self.self_signing}" in self.device.get("signatures", {}).get(user, {})


async def vouch(client: nio.AsyncClient, cabinet: Cabinet, password: str, recovery_key: str) -> str | None:
    """Have the account vouch for the session; None when it does, else a sentence for the owner.

    Args:
        client: its keys are known to the homeserver.
        cabinet: where seeds are kept. They are written down before anybody learns of them.
        password: some homeservers want to see it again.
        recovery_key: opens keys that another program has made; may be empty.

    Raises:
        SurfaceError: the homeserver does not answer.
    """
    known = await known_keys(client)
    if known.self_signing and known.vouched(client.user_id):
        return None
    try:
        seeds = await asyncio.to_thread(cabinet.seeds)
    except Unreadable:
        return SEEDS_UNREADABLE.format(file=cabinet.directory)
    if known.master and (not seeds or Signer.of(_bytes(seeds["master"])).public != known.master):
        return await _by_recovery_key(client, known, recovery_key)
    if not seeds:
        seeds = {usage: _text(secrets.token_bytes(SEED_BYTES)) for usage in USAGES}
        await asyncio.to_thread(cabinet.keep_seeds, seeds)
    if not known.master:
        try:
            await _publish(client, seeds, password)
        except (NotPermitted, NotTaken, LoggedOut, Unproved) as refusal:
            return NOT_ALLOWED.format(reason=refusal)
    await _sign(client, known, Signer.of(_bytes(seeds["self_signing"])))
    return None


async def known_keys(client: nio.AsyncClient) -> Known:
    """Ask what everybody is told about the account and its session.

    Raises:
        SurfaceError: the homeserver does not answer.
    """
    me = str(client.user_id)
    told = await ask(client, "POST", f"{API}/keys/query", {"device_keys": {me: [client.device_id]}})
    return Known(
        _public(told.get("master_keys", {}).get(me)),
        _public(told.get("self_signing_keys", {}).get(me)),
        told.get("device_keys", {}).get(me, {}).get(client.device_id, {}),
    )


async def _by_recovery_key(client: nio.AsyncClient, known: Known, recovery_key: str) -> str | None:
    if not recovery_key:
        return ELSEWHERE
    try:
        signer = Signer.of(await vault.self_signing_seed(client, recovery_key))
    except (vault.Locked, ValueError):
        return WRONG_KEY
    if signer.public != known.self_signing:
        return WRONG_KEY
    await _sign(client, known, signer)
    return None


async def _publish(client: nio.AsyncClient, seeds: Mapping[str, str], password: str) -> None:
    """Tell the homeserver the account's keys; where it wants the password for that, it gets it."""
    me = str(client.user_id)
    signers = {usage: Signer.of(_bytes(seeds[usage])) for usage in USAGES}
    master = signers["master"].signed(me, _described(me, "master", signers["master"]))
    by_session = {f"ed25519:{client.device_id}": client.olm.account.sign(Api.to_canonical_json(_bare(master)))}
    master["signatures"][me] |= by_session
    body: dict[str, Any] = {"master_key": master}
    for usage in USAGES[1:]:
        body[f"{usage}_key"] = signers["master"].signed(me, _described(me, usage, signers[usage]))
    path = f"{API}/keys/device_signing/upload"
    try:
        await ask(client, "POST", path, body)
    except Unproved as proof:
        if not password:
            raise
        who = {"type": "m.id.user", "user": me}
        auth = {"type": "m.login.password", "identifier": who, "password": password, "session": proof.session}
        await ask(client, "POST", path, {**body, "auth": auth})


async def _sign(client: nio.AsyncClient, known: Known, signer: Signer) -> None:
    me = str(client.user_id)
    signed = signer.signed(me, known.device)
    answer = await ask(client, "POST", f"{API}/keys/signatures/upload", {me: {client.device_id: signed}})
    if answer.get("failures"):
        raise SurfaceError(f"The signature of the session was not taken: {answer['failures']}")
    log.info("the account vouches for this session", device=client.device_id)


def _described(user: str, usage: str, signer: Signer) -> dict[str, Any]:
    return {"user_id": user, "usage": [usage], "keys": {f"ed25519:{signer.public}": signer.public}}


def _bare(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in value.items() if name not in {"signatures", "unsigned"}}


def _public(key: Mapping[str, Any] | None) -> str:
    return str(next(iter(key["keys"].values()))) if key else ""


def _text(raw: bytes) -> str:
    return b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return b64decode(text + "==")
