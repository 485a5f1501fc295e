"""Discord's official OpenAPI description as the judge of every request and every answer."""

import json
import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from tests.peers.discord.state import Json

_NAME = "urn:discord"
_BESIDE = Path(__file__).parents[3].parent / "shared" / "discord" / "openapi.json"
_SNOWFLAKES = {"oneOf": [{"type": "string", "pattern": "^(0|[1-9][0-9]*)$"}, {"type": "integer", "minimum": 0}]}
_LENIENT = {"SnowflakeType": _SNOWFLAKES}
"""Discord takes numbers for snowflakes, and clients send some."""
_MEDIA = {"title": "GUILD_MEDIA", "const": 16}
"""A kind of channel that Discord's pages describe and its specification leaves out; for the client it is a forum."""


def specification() -> Path | None:
    """Where the description is: `DISCORD_OPENAPI`, or beside the checkout; None: nowhere."""
    path = Path(os.environ.get("DISCORD_OPENAPI") or _BESIDE)
    return path if path.is_file() else None


@dataclass(slots=True)
class Spec:
    """Finds what doesn't fit."""

    paths: Json
    _registry: jsonschema_rs.Registry
    _validators: dict[str, jsonschema_rs.Validator] = field(default_factory=dict)

    @classmethod
    @cache
    def load(cls, path: Path) -> "Spec":
        """Read it, once: it is long."""
        document = json.loads(path.read_text("utf-8"))
        document["components"]["schemas"] |= _LENIENT
        document["components"]["schemas"]["ChannelTypes"]["oneOf"].append(_MEDIA)
        registry = jsonschema_rs.Registry([(_NAME, document)], draft=jsonschema_rs.Draft202012)
        return cls(document["paths"], registry)

    def request(self, method: str, template: str, body: Any) -> list[str]:
        """What is wrong with a request's body."""
        operation = self._operation(method, template)
        if operation is None:
            return [f"{method} {template} is no operation of the specification"]
        if body is None or "requestBody" not in operation[1]:
            return []
        pointer = f"{operation[0]}/requestBody/content/application~1json/schema"
        return self._complaints(pointer, body)

    def answer(self, method: str, template: str, status: int, body: Any) -> list[str]:
        """What is wrong with the answer to a request."""
        operation = self._operation(method, template)
        content = (operation[1] if operation else {}).get("responses", {}).get(str(status), {}).get("content")
        if operation is None or not content:
            return []
        return self._complaints(f"{operation[0]}/responses/{status}/content/application~1json/schema", body)

    def _operation(self, method: str, template: str) -> tuple[str, Json] | None:
        """A pointer to an operation, and the operation."""
        found = self.paths.get(template, {}).get(method.lower())
        pointer = template.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
        return (f"/paths/{pointer}/{method.lower()}", found) if found else None

    def _complaints(self, pointer: str, body: Any) -> list[str]:
        if pointer not in self._validators:
            schema = {"$ref": f"{_NAME}#{pointer}"}
            self._validators[pointer] = jsonschema_rs.Draft202012Validator(schema, registry=self._registry)
        errors = self._validators[pointer].iter_errors(body)
        return [f"{'.'.join(map(str, error.instance_path))}: {error.message}"[:400] for error in errors]
