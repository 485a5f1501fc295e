"""Frames as the contents of Matrix events. Pure.

A scene that grows is a notice without HTML: phones stay silent, other bots do not answer, and each of its many edits,
which stay for ever, is small. The last frame makes it an ordinary message, with HTML. Every event says that it mentions
nobody.
"""

from typing import Any, Final

from bot.platforms.matrix.budget import KEPT
from bot.platforms.matrix.places import Place
from bot.platforms.matrix.rendering import plain, rendered
from bot.platforms.matrix.sizes import MAX_CHARS, ROOM, size
from bot.surface import Frame, Limits, Measure, Pace

MESSAGE: Final = "m.room.message"
HTML: Final = "org.matrix.custom.html"
LIVE: Final = "org.matrix.msc4357.live"
"""Marks what is still being written, for clients that know MSC4357."""
MOST_EVENTS = 60
"""Of one scene; a message that was edited a thousand times kept rooms from loading in all of Element's clients."""
GAP = 0.5
FALLBACK_CHARS = 40
PACE = Pace(burst=MOST_EVENTS, per=1.0, min_gap=GAP, first_gap=GAP, most_edits=MOST_EVENTS, kept=KEPT)
LIMITS = Limits(
    max_chars=MAX_CHARS,
    edits="rewrite",
    markup="markdown",
    pace=PACE,
    max_choices=9,
    sketches="apart",
    measure=Measure(ROOM, size),
)
"""Nine choices: as many keycaps with one digit."""


def written(frame: Frame, place: Place) -> dict[str, Any]:
    """Write a new message."""
    return {**_text(frame), **thread(place)}


def rewritten(frame: Frame, message: str) -> dict[str, Any]:
    """Write an edit; what clients show that know no edits is short, since it would only be said once more."""
    content = _text(frame)
    return {
        **{key: value for key, value in content.items() if key in {"msgtype", "m.mentions", LIVE}},
        "body": f"* {_beginning(content['body'])}",
        "m.new_content": content,
        "m.relates_to": {"rel_type": "m.replace", "event_id": message},
    }


def thread(place: Place, answers: str = "") -> dict[str, Any]:
    """Say where an event belongs: in which thread, and which message it is an answer to."""
    if not place.thread:
        return {"m.relates_to": {"m.in_reply_to": {"event_id": answers}}} if answers else {}
    relation = {
        "rel_type": "m.thread",
        "event_id": place.thread,
        "is_falling_back": not answers,  # what it then answers is only for clients without threads
        "m.in_reply_to": {"event_id": answers or place.thread},
    }
    return {"m.relates_to": relation}


def _text(frame: Frame) -> dict[str, Any]:
    if frame.live:
        return {"msgtype": "m.notice", "body": plain(frame.text), "m.mentions": {}, LIVE: {}}
    both = rendered(frame.text)
    formatted = {"format": HTML, "formatted_body": both.html} if both.html else {}
    return {"msgtype": "m.text", "body": both.plain, **formatted, "m.mentions": {}}


def _beginning(text: str) -> str:
    first = text[:FALLBACK_CHARS]
    return first if first == text else f"{first}…"
