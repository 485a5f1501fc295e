"""A real homeserver: Synapse in a process of its own, with nothing in it.

In a test: the fixture `homeserver`, or `synapse("stock")`, or `with Synapse(directory) as server`.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

SECRET = "everybody may register"  # noqa: S105
NAME = "localhost"
PASSWORD = "correct horse"  # noqa: S105
PATIENCE = 60.0
Kind = Literal["free", "stock"]
"""`free`: nobody is limited, and MSC3912 is known; `stock`: what a homeserver does whose owner has set nothing."""
MEMORY = ":memory:"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is logged in."""

    homeserver: str
    user: str
    device: str
    token: str


class Synapse:
    """A homeserver.

    Args:
        directory: where it keeps its files.
        kind: what it allows.
        database: a file, for one that is to be started again with all it knows.
    """

    def __init__(self, directory: Path, kind: Kind = "free", database: str = MEMORY) -> None:
        self._directory = directory
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._write(kind, database)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and return when it answers."""
        command = [sys.executable, "-m", "synapse.app.homeserver", "-c", str(self._directory / "homeserver.yaml")]
        with (self._directory / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output, cwd=self._directory)
        until = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, (self._directory / "output.txt").read_text("utf-8")
            assert time.monotonic() < until, "Synapse did not start"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)

    def dies(self) -> None:
        """Be gone at once."""
        assert self._process
        self._process.kill()
        self._process.wait(PATIENCE)

    def register(self, name: str = "", *, admin: bool = False) -> Session:
        """Make an account with a name that nobody has yet; its password is `PASSWORD`."""
        user = f"{name or 'somebody'}-{secrets.token_hex(4)}"
        nonce = self.ask("GET", "/_synapse/admin/v1/register")["nonce"]
        parts = (nonce, user, PASSWORD, "admin" if admin else "notadmin")
        mac = hmac.new(SECRET.encode(), "\0".join(parts).encode(), hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": user, "displayname": name.capitalize() or user, "password": PASSWORD}
        made = self.ask("POST", "/_synapse/admin/v1/register", {**body, "admin": admin, "mac": mac})
        return Session(self.url, made["user_id"], made["device_id"], made["access_token"])

    def exempt(self, user: str) -> None:
        """Lift a user's limit, as the owner of the homeserver can."""
        path = f"/_synapse/admin/v1/users/{user}/override_ratelimit"
        self.ask("POST", path, {"messages_per_second": 0, "burst_count": 0}, self.admin().token)

    @cache  # noqa: B019  # as old as the server
    def admin(self) -> Session:
        """The owner of the homeserver."""
        return self.register("owner", admin=True)

    def ask(self, method: str, path: str, body: object = None, token: str = "") -> dict[str, Any]:
        """Make a request."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        request = Request(self.url + path, data, headers, method=method)  # noqa: S310  # our own
        try:
            with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
                said: dict[str, Any] = json.load(answer)
                return said
        except HTTPError as error:
            error.add_note(error.read().decode())
            raise

    @property
    def log(self) -> str:
        """What it has said."""
        return (self._directory / "output.txt").read_text("utf-8")

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/health", timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False

    def _write(self, kind: Kind, database: str) -> None:
        key = base64.b64encode(os.urandom(32)).decode().rstrip("=")
        (self._directory / "signing.key").write_text(f"ed25519 a_key {key}\n")
        (self._directory / "log.json").write_text(json.dumps(_LOG))
        settings = {
            **_settings(self.port, self._directory),
            "database": {"name": "sqlite3", "args": {"database": database}},
            **(_FREE if kind == "free" else _STOCK),
        }
        (self._directory / "homeserver.yaml").write_text(json.dumps(settings))  # all JSON is YAML


def _settings(port: int, directory: Path) -> dict[str, Any]:
    resources = [{"names": ["client"]}]
    listener = {"port": port, "bind_addresses": ["127.0.0.1"], "type": "http", "tls": False, "resources": resources}
    return {
        "server_name": NAME,
        "listeners": [listener],
        "registration_shared_secret": SECRET,
        "macaroon_secret_key": "m",
        "form_secret": "f",
        "report_stats": False,
        "trusted_key_servers": [],
        "federation_domain_whitelist": [],
        "bcrypt_rounds": 4,
        "pid_file": str(directory / "pid"),
        "log_config": str(directory / "log.json"),
        "media_store_path": str(directory / "media"),
        "signing_key_path": str(directory / "signing.key"),
        "presence": {"enabled": False},
        "caches": {"global_factor": 0.5},
    }


_MANY = {"per_second": 10_000, "burst_count": 10_000}
_COMMON = {
    "rc_registration": _MANY,
    "rc_login": {"address": _MANY, "account": _MANY, "failed_attempts": _MANY},
    "rc_joins": {"local": _MANY, "remote": _MANY},
    "rc_invites": {"per_room": _MANY, "per_user": _MANY, "per_issuer": _MANY},
    "rc_room_creation": _MANY,
}
_FREE = {**_COMMON, "rc_message": _MANY, "experimental_features": {"msc3912_enabled": True}}
_STOCK = _COMMON
_LOG = {
    "version": 1,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"level": "WARNING", "handlers": ["console"]},
    "disable_existing_loggers": False,
}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
