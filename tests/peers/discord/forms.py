"""What a message may look like: form errors for lengths, sums and counts, which the specification doesn't know."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tests.peers.discord.rules import Refused, too_large
from tests.peers.discord.shapes import UPLOAD_LIMIT
from tests.peers.discord.state import Attachment, Flag, Json, Message, walk

CONTENT, TREE = 2000, 4000
EMBEDS, EMBED_SUM = 10, 6000
ROWS, IN_A_ROW, PARTS = 5, 5, 40
CUSTOM_ID, LABEL, NONCE, FILES, ALT = 100, 80, 25, 10, 1024
_EMBED_TEXTS = {"title": 256, "description": 4096}
_BUTTON, _ROW, _TEXT = 2, 1, 10
_LINK_BUTTON = 5

Complaint = tuple[str, str, str]
"""Where, a code, a sentence."""


def check_message(body: Json, files: Sequence[Attachment], old: Message | None = None) -> None:
    """Refuse a message that Discord would not take."""
    complaints = list(_complaints(body, files, old))
    if complaints:
        raise form_error(complaints)
    if any(file.size > UPLOAD_LIMIT for file in files):
        raise too_large()
    if _is_empty(body, files, old):
        raise Refused(400, 50006, "Cannot send an empty message")


def form_error(complaints: Sequence[Complaint]) -> Refused:
    """Error 50035, with its tree of causes."""
    errors: Json = {}
    for where, code, text in complaints:
        node = errors
        for step in where.split("."):
            node = node.setdefault(step, {})
        node.setdefault("_errors", []).append({"code": code, "message": text})
    return Refused(400, 50035, "Invalid Form Body", errors)


def _complaints(body: Json, files: Sequence[Attachment], old: Message | None) -> Iterator[Complaint]:
    yield from _too_long("content", body.get("content"), CONTENT)
    yield from _too_long("nonce", str(body.get("nonce") or ""), NONCE)
    yield from _embeds(body.get("embeds") or [])
    for index, entry in enumerate(body.get("attachments") or []):
        yield from _too_long(f"attachments.{index}.description", entry.get("description"), ALT)
    if len(files) > FILES:
        yield "attachments", "BASE_TYPE_MAX_LENGTH", f"Must be {FILES} or fewer in length."
    is_tree = bool(Flag(body.get("flags") or 0) & Flag.COMPONENTS_V2)
    was_tree = old is not None and bool(old.flags & Flag.COMPONENTS_V2)
    components = body.get("components") or []
    if was_tree and body.get("flags") is not None and not is_tree:
        yield "flags", "MESSAGE_CANNOT_REMOVE_COMPONENTS_V2_FLAG", "The Components V2 flag cannot be removed."
    yield from _tree(body, components) if is_tree or was_tree else _rows(components)
    yield from _parts(components)


def _too_long(where: str, text: Any, most: int) -> Iterator[Complaint]:
    if text is not None and len(text) > most:
        yield where, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length."


def _embeds(embeds: list[Json]) -> Iterator[Complaint]:
    if len(embeds) > EMBEDS:
        yield "embeds", "BASE_TYPE_MAX_LENGTH", f"Must be {EMBEDS} or fewer in length."
    for index, embed in enumerate(embeds):
        for name, most in _EMBED_TEXTS.items():
            yield from _too_long(f"embeds.{index}.{name}", embed.get(name), most)
        yield from _too_long(f"embeds.{index}.footer.text", embed.get("footer", {}).get("text"), 2048)
        for number, field in enumerate(embed.get("fields", ())):
            yield from _too_long(f"embeds.{index}.fields.{number}.name", field["name"], 256)
            yield from _too_long(f"embeds.{index}.fields.{number}.value", field["value"], 1024)
    if sum(map(_embed_size, embeds)) > EMBED_SUM:
        yield "embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {EMBED_SUM}"


def _embed_size(embed: Json) -> int:
    texts = [embed.get("title"), embed.get("description")]
    texts += [embed.get("footer", {}).get("text"), embed.get("author", {}).get("name")]
    texts += [field[part] for field in embed.get("fields", ()) for part in ("name", "value")]
    return sum(len(text or "") for text in texts)


def _rows(components: list[Json]) -> Iterator[Complaint]:
    """The older components: five rows of five buttons, and no text of their own."""
    if len(components) > ROWS:
        yield "components", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {ROWS} in length."
    for index, row in enumerate(components):
        if row.get("type") != _ROW:
            yield f"components.{index}.type", "BASE_TYPE_CHOICES", "Value must be one of {1}."


def _tree(body: Json, components: list[Json]) -> Iterator[Complaint]:
    """Components V2: all text in the tree, and nothing beside it."""
    for name in ("content", "embeds", "poll", "sticker_ids"):
        if body.get(name):
            sentence = f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            yield name, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", sentence
    parts = walk(components)
    if len(parts) > PARTS:
        yield "components", "BASE_TYPE_MAX_LENGTH", f"Must be {PARTS} or fewer in length."
    if sum(len(part["content"]) for part in parts if part["type"] == _TEXT) > TREE:
        yield "components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", f"Displayable text exceeds {TREE}"


def _parts(components: list[Json]) -> Iterator[Complaint]:
    """Rows, buttons and their ids, wherever they are."""
    for row in walk(components):
        if row["type"] == _ROW and not 1 <= len(row["components"]) <= IN_A_ROW:
            yield "components", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {IN_A_ROW} in length."
        yield from _too_long("components.custom_id", row.get("custom_id"), CUSTOM_ID)
        if row["type"] == _BUTTON:
            yield from _too_long("components.label", row.get("label"), LABEL)
            yield from _button(row)
    ids = Counter(part["custom_id"] for part in walk(components) if "custom_id" in part)
    for custom_id, times in ids.items():
        if times > 1:
            yield "components", "COMPONENT_CUSTOM_ID_DUPLICATED", f"Component custom id {custom_id} is not unique"


def _button(button: Json) -> Iterator[Complaint]:
    if not button.get("label") and not button.get("emoji"):
        yield "components", "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "A button needs a label or an emoji."
    if ("url" if button["style"] == _LINK_BUTTON else "custom_id") not in button:
        yield "components", "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED", "A custom id is required."


def _is_empty(body: Json, files: Sequence[Attachment], old: Message | None) -> bool:
    """Whether nothing to see would be left; a deferred answer's placeholder counts as nothing."""
    kept = old.attachments if old is not None and body.get("attachments") is None else []
    listed = bool(body.get("attachments")) if old is not None else False
    parts: list[Any] = [files, kept, listed, body.get("sticker_ids"), body.get("poll")]
    parts += [body.get(name, getattr(old, name, None)) for name in ("content", "embeds", "components")]
    return not any(parts)
