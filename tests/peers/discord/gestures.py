"""What a Discord client sends for a person's gesture, and what it doesn't let them do."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.peers.discord.shapes import attachment_shape, channel_shape, role_shape, user_shape
from tests.peers.discord.state import Attachment, Channel, Json, Message, Role, User, face, walk

_GROUPS = {1, 2}
_INPUT = 4
_LABEL = 18


def slash_data(commands: Sequence[Json], path: str, options: Mapping[str, Any], cdn: str) -> Json:
    """A command with its options; the client lets nobody send one without those it requires."""
    _, leaf = _find(commands, path)
    missing = [each["name"] for each in leaf.get("options", ()) if each.get("required") and each["name"] not in options]
    assert not missing, f"/{path} can't be sent without {', '.join(missing)}"
    ids = {
        name: str(value.id) if isinstance(value, Attachment | Channel | Role | User) else value
        for name, value in options.items()
    }
    data = option_tree(commands, path, ids, focused="")
    return data | {"resolved": _resolved(options.values(), cdn)}


def _resolved(values: Iterable[object], cdn: str) -> Json:
    """What a client picks from its own lists comes with what it is."""
    found: Json = {}
    for value in values:
        match value:
            case Attachment():
                url = f"{cdn}/attachments/{value.id}/{value.name}"
                shape = attachment_shape(value) | {"url": url, "proxy_url": url}
                found.setdefault("attachments", {})[str(value.id)] = shape
            case Channel():
                found.setdefault("channels", {})[str(value.id)] = channel_shape(value) | {"permissions": "0"}
            case Role():
                found.setdefault("roles", {})[str(value.id)] = role_shape(value)
            case User():
                found.setdefault("users", {})[str(value.id)] = user_shape(value)
            case _:
                pass
    return found


def option_tree(commands: Sequence[Json], path: str, options: Mapping[str, Any], *, focused: str) -> Json:
    """A command as an interaction carries it, with subcommands as nested options."""
    top, leaf = _find(commands, path)
    known = {option["name"]: option for option in leaf.get("options", ())}
    given = [_option(known, path, name, value, focused) for name, value in options.items()]
    kind = 1
    for name in reversed(path.split()[1:]):
        given = [{"type": kind, "name": name, "options": given}]
        kind = 2
    return {"id": top["id"], "name": top["name"], "type": 1, "options": given}


def _option(known: Mapping[str, Json], path: str, name: str, value: object, focused: str) -> Json:
    assert name in known, f"/{path} has no option {name}, only {', '.join(known)}"
    definition = known[name]
    choices = [choice["value"] for choice in definition.get("choices") or ()]
    assert not choices or value in choices, f"{value!r} is none of the choices {choices}"
    if isinstance(value, str) and not focused:
        least, most = definition.get("min_length", 0), definition.get("max_length", 6000)
        assert least <= len(value) <= most, f"{name} takes {least} to {most} characters"
    return {"type": definition["type"], "name": name, "value": value} | ({"focused": True} if name == focused else {})


def _find(commands: Sequence[Json], path: str) -> tuple[Json, Json]:
    """The registered command, and the part of it that a path like `story bible add` means."""
    names = path.split()
    top = _named([command for command in commands if command["type"] == 1], names[0], path)
    leaf = top
    for name in names[1:]:
        leaf = _named([option for option in leaf.get("options", ()) if option["type"] in _GROUPS], name, path)
    return top, leaf


def _named(candidates: Sequence[Json], name: str, path: str) -> Json:
    found = next((each for each in candidates if each["name"] == name), None)
    there = ", ".join(each["name"] for each in candidates)
    assert found is not None, f"there is no /{path}: {name} is none of {there}"
    return found


def component_of(message: Message, which: str) -> Json:
    """A button or menu by its custom id or what is written on it."""
    live = [part for part in walk(message.components) if "custom_id" in part]
    found = [part for part in live if part["custom_id"] == which] or [part for part in live if face(part) == which]
    assert found, f"there is no {which!r}, only {[(part['custom_id'], face(part)) for part in live]}"
    assert not found[0].get("disabled"), f"{which!r} is greyed out"
    return found[0]


def modal_data(modal: Json, values: Mapping[str, str]) -> Json:
    """A filled form; the client lets nobody send one with too short or too long an answer."""
    inputs = [part for part in walk(modal["components"]) if part["type"] == _INPUT]
    unknown = values.keys() - {part["custom_id"] for part in inputs}
    assert not unknown, f"the form has no {', '.join(unknown)}"
    for part in inputs:
        value = values.get(part["custom_id"], part.get("value") or "")
        least = part.get("min_length", int(part.get("required", True)))
        assert least <= len(value) <= part.get("max_length", 4000), f"{part['custom_id']} can't be {len(value)} long"
    return {"custom_id": modal["custom_id"], "components": [_filled(part, values) for part in modal["components"]]}


def _filled(part: Json, values: Mapping[str, str]) -> Json:
    """One top-level component of a form, filled in."""
    if part["type"] == _LABEL:
        return {"type": _LABEL, "id": part.get("id", 0), "component": _answer(part["component"], values)}
    if "components" in part:
        return {"type": part["type"], "components": [_answer(each, values) for each in part["components"]]}
    return {"type": part["type"], "id": part.get("id", 0)}


def _answer(part: Json, values: Mapping[str, str]) -> Json:
    value = values.get(part["custom_id"], part.get("value") or "")
    return {"type": part["type"], "id": part.get("id", 0), "custom_id": part["custom_id"], "value": value}
