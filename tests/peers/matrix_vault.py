"""What Element leaves with a homeserver for an account: cross-signing keys, and the secret one locked away."""

import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from functools import reduce
from operator import xor
from typing import Any

from Crypto.Cipher import AES
from Crypto.Hash import HMAC, SHA256, SHA512
from Crypto.Protocol.KDF import HKDF, PBKDF2

from bot.platforms.matrix.signing import Signer
from tests.peers.synapse import Session, Synapse

PHRASE = "the lamp burns low"
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
SALT, ROUNDS = "salt", 1000
SELF_SIGNING = "m.cross_signing.self_signing"


@dataclass
class Vault:
    """An account's, whose owner has chosen a phrase."""

    seed: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: bytes = PBKDF2(PHRASE, SALT.encode(), 32, ROUNDS, hmac_hash_module=SHA512)

    @property
    def recovery_key(self) -> str:
        """The key as Element shows it."""
        raw = b"\x8b\x01" + self.key
        number, letters = int.from_bytes(raw + bytes([reduce(xor, raw)]), "big"), ""
        while number:
            number, digit = divmod(number, len(ALPHABET))
            letters = ALPHABET[digit] + letters
        return " ".join(letters[place : place + 4] for place in range(0, len(letters), 4))

    def fill(self, homeserver: Synapse, owner: Session) -> None:
        """Do what Element does when the account is used in it for the first time."""
        master, own = Signer.of(secrets.token_bytes(32)), Signer.of(self.seed)
        keys = {
            "master_key": master.signed(owner.user, described(owner.user, "master", master)),
            "self_signing_key": master.signed(owner.user, described(owner.user, "self_signing", own)),
        }
        homeserver.ask("POST", "/_matrix/client/v3/keys/device_signing/upload", keys, owner.token)
        phrase = {"algorithm": "m.pbkdf2", "salt": SALT, "iterations": ROUNDS}
        check = self._locked("", bytes(32))
        about = {"algorithm": "m.secret_storage.v1.aes-hmac-sha2", "passphrase": phrase, **check}
        del about["ciphertext"]
        self._note(homeserver, owner, "m.secret_storage.default_key", {"key": "one"})
        self._note(homeserver, owner, "m.secret_storage.key.one", about)
        secret = self._locked(SELF_SIGNING, text(self.seed).encode())
        self._note(homeserver, owner, SELF_SIGNING, {"encrypted": {"one": secret}})

    def _locked(self, name: str, plain: bytes) -> dict[str, Any]:
        both = HKDF(self.key, 64, bytes(32), SHA256, context=name.encode())
        assert isinstance(both, bytes)
        aes_key, mac_key = both[:32], both[32:]
        start = secrets.token_bytes(16)
        sealed = AES.new(aes_key, AES.MODE_CTR, nonce=b"", initial_value=start).encrypt(plain)
        mac = HMAC.new(mac_key, sealed, SHA256).digest()
        return {"iv": text(start), "ciphertext": text(sealed), "mac": text(mac)}

    def _note(self, homeserver: Synapse, owner: Session, kind: str, content: object) -> None:
        path = f"/_matrix/client/v3/user/{owner.user}/account_data/{kind}"
        homeserver.ask("PUT", path, content, owner.token)


def described(user: str, usage: str, signer: Signer) -> dict[str, Any]:
    return {"user_id": user, "usage": [usage], "keys": {f"ed25519:{signer.public}": signer.public}}


def text(raw: bytes) -> str:
    return b64encode(raw).decode().rstrip("=")
