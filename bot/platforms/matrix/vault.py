"""The account's own cross-signing key, as other programs leave it with the homeserver: locked by a recovery key.

https://spec.matrix.org/latest/client-server-api/#secret-storage
"""

import binascii
import hashlib
import hmac
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import nio
from Crypto.Cipher import AES

from bot.platforms.matrix.wire import API, ask, part
from bot.surface import MessageGone

SELF_SIGNING = "m.cross_signing.self_signing"
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
PREFIX = b"\x8b\x01"
"""What every recovery key begins with once it is decoded; its last byte makes all of them even."""
KEY_BYTES = 32
MOST_ITERATIONS = 10_000_000


class Locked(Exception):
    """The key does not open it, or there is nothing."""


async def self_signing_seed(client: nio.AsyncClient, recovery_key: str) -> bytes:
    """Read what the account's self-signing key is made from.

    Args:
        client: is logged in.
        recovery_key: as Element showed it, or the passphrase that was chosen.

    Raises:
        Locked: it cannot be had so.
        SurfaceDown: the homeserver does not answer.
    """
    try:
        default = str((await _data(client, "m.secret_storage.default_key"))["key"])
        described = await _data(client, f"m.secret_storage.key.{default}")
        secret = (await _data(client, SELF_SIGNING))["encrypted"][default]
        key = opened(recovery_key, described)
        return b64decode(_decrypted(key, SELF_SIGNING, secret) + b"==")
    except (MessageGone, KeyError, TypeError, ValueError) as error:
        raise Locked from error


def opened(recovery_key: str, described: Mapping[str, Any]) -> bytes:
    """Make the key that secrets are locked with.

    Raises:
        Locked: it is another one.
    """
    key = _decoded(recovery_key) or _from_phrase(recovery_key, described)
    if key is None or not _fits(key, described):
        raise Locked
    return key


def _decoded(recovery_key: str) -> bytes | None:
    """Read a recovery key; None when it is none."""
    number = 0
    for letter in "".join(recovery_key.split()):
        if letter not in ALPHABET:
            return None
        number = number * len(ALPHABET) + ALPHABET.index(letter)
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    parity = 0
    for byte in raw:
        parity ^= byte
    fits = len(raw) == len(PREFIX) + KEY_BYTES + 1 and raw.startswith(PREFIX) and not parity
    return raw[len(PREFIX) : -1] if fits else None


def _from_phrase(phrase: str, described: Mapping[str, Any]) -> bytes | None:
    way = described.get("passphrase") or {}
    if way.get("algorithm") != "m.pbkdf2" or not 0 < way["iterations"] <= MOST_ITERATIONS:
        return None
    length = way.get("bits", KEY_BYTES * 8) // 8
    return hashlib.pbkdf2_hmac("sha512", phrase.encode(), way["salt"].encode(), way["iterations"], length)


def _fits(key: bytes, described: Mapping[str, Any]) -> bool:
    """Tell by the check that lies beside it; old ones have none."""
    if "mac" not in described:
        return True
    aes_key, mac_key = _keys(key, "")
    zeros = AES.new(aes_key, AES.MODE_CTR, nonce=b"", initial_value=_bytes(described["iv"])).encrypt(bytes(KEY_BYTES))
    return hmac.compare_digest(hmac.digest(mac_key, zeros, "sha256"), _bytes(described["mac"]))


def _decrypted(key: bytes, name: str, secret: Mapping[str, str]) -> bytes:
    aes_key, mac_key = _keys(key, name)
    sealed = _bytes(secret["ciphertext"])
    if not hmac.compare_digest(hmac.digest(mac_key, sealed, "sha256"), _bytes(secret["mac"])):
        raise Locked
    return AES.new(aes_key, AES.MODE_CTR, nonce=b"", initial_value=_bytes(secret["iv"])).decrypt(sealed)


def _keys(key: bytes, name: str) -> tuple[bytes, bytes]:
    """Two keys out of one, by HKDF with no salt."""
    root = hmac.digest(bytes(32), key, "sha256")
    first = hmac.digest(root, name.encode() + b"\x01", "sha256")
    return first, hmac.digest(root, first + name.encode() + b"\x02", "sha256")


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text + "==")
    except binascii.Error as error:
        raise Locked from error


async def _data(client: nio.AsyncClient, kind: str) -> Mapping[str, Any]:
    return await ask(client, "GET", f"{API}/user/{part(str(client.user_id))}/account_data/{part(kind)}")
