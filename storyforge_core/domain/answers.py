"""What a model answered, made usable: choices out of JSON, and stand-ins for when there are none."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from storyforge_core.domain.writing import Brief

TITLE_CHARS = 60
CHOICE_CHARS = 90
"""A button label on Discord holds 80 characters and a terminal line 80 to 120; longer choices are not read."""
ANSWER_CHARS = 20_000
"""More than any honest answer needs; reading stops there."""
JOINERS = "\u200c\u200d"
"""Invisible, yet part of words in Persian and Hindi and of many emoji."""

_NUMBERING = re.compile(r"^(?:\(?\d{1,2}[.):]|[A-Za-z]\)|[-*•\u2013])\s+")
_QUOTED = re.compile(r"^[\"'“„«]([^\"“”„«»]*)[\"'”“»]$")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}(?:\s[A-Z][a-z]{2,})?")
_FIRST_SENTENCE = re.compile(r"[^.!?…\n]+")


@dataclass(frozen=True, slots=True)
class Choices:
    """A scene's title and the choices at its end: single lines, distinct, none empty."""

    title: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an answer cannot be used, worded for the model that gave it."""

    text: str


def choices_schema(count: int) -> Mapping[str, object]:
    """JSON Schema of an answer with a title and exactly `count` choices; lengths are bounded so that it ends."""
    choice = {"type": "string", "minLength": 1, "maxLength": CHOICE_CHARS}
    return {
        "type": "object",
        "properties": {
            "title": {"type": "string", "minLength": 1, "maxLength": TITLE_CHARS},
            "choices": {"type": "array", "items": choice, "minItems": count, "maxItems": count},
        },
        "required": ["title", "choices"],
        "additionalProperties": False,
    }


def read_choices(answer: str, count: int) -> Choices | Problem:
    """Find the JSON object in an answer and take its title and the first `count` distinct choices."""
    found = next((o for o in json_objects(answer[:ANSWER_CHARS]) if "choices" in o), None)
    if found is None:
        return Problem('There is no complete JSON object with "title" and "choices" in it.')
    title = found.get("title")
    if not isinstance(title, str) or not one_line(title, TITLE_CHARS):
        return Problem('"title" has to be a text of a few words.')
    options = found["choices"]
    if not isinstance(options, list) or not all(isinstance(option, str) for option in options):
        return Problem('"choices" has to be a list of texts.')
    distinct = _distinct([one_line(without_numbering(option), CHOICE_CHARS) for option in options])
    if len(distinct) < count:
        return Problem(f'"choices" has {len(distinct)} different usable texts, but {count} are needed.')
    return Choices(one_line(title, TITLE_CHARS), distinct[:count])


def fallback_choices(prose: str, brief: Brief) -> Choices:
    """Choices for a scene whose model gave none: plain, distinct, the same every time for the same scene."""
    names = _distinct(_NAME.findall(prose))[:2]
    about = [line for name in names for line in (f"Turn to {name} and ask what comes next", f"Keep {name} in sight")]
    turn = (brief.seed + len(brief.path)) % len(_PLAIN)
    pool = _distinct([*about[:2], *_PLAIN[turn:], *_PLAIN[:turn], *about[2:]])
    numbered = tuple(f"Try something else entirely ({n})" for n in range(len(pool) + 1, brief.choices + 1))
    return Choices(_plain_title(prose, brief), (*pool, *numbered)[: brief.choices])


def one_line(text: str, limit: int) -> str:
    """The text on one line without control characters, cut between words to at most `limit` characters."""
    visible = "".join(" " if char.isspace() else char for char in text if char.isspace() or _is_visible(char))
    line = " ".join(visible.split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    whole_words, space, _ = cut.rpartition(" ")
    return (whole_words if space and not line[limit - 1].isspace() else cut).rstrip(" ,;:") + "…"


def without_numbering(option: str) -> str:
    """The option without a leading `1.`, `a)` or dash and without quotes around it."""
    bare = _NUMBERING.sub("", option.strip())
    quoted = _QUOTED.match(bare)
    return quoted.group(1) if quoted else bare


def json_objects(answer: str) -> Iterator[Mapping[str, object]]:
    """Every JSON object that starts somewhere in the answer, whatever stands around it."""
    decoder = json.JSONDecoder()
    for brace in re.finditer(r"\{", answer):
        try:
            value, _ = decoder.raw_decode(answer, brace.start())
        except (ValueError, RecursionError):  # RecursionError: thousands of nested brackets
            continue
        yield value


def _distinct(options: Sequence[str]) -> tuple[str, ...]:
    """The options that are not empty and differ in more than case, spacing and the mark at their end."""
    seen: dict[str, str] = {}
    for option in options:
        seen.setdefault(" ".join(option.split()).casefold().rstrip(".!?… "), option)
    return tuple(option for key, option in seen.items() if key)


def _is_visible(char: str) -> bool:
    return unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co"} or char in JOINERS


def _plain_title(prose: str, brief: Brief) -> str:
    first = _FIRST_SENTENCE.search(prose)
    candidates = (without_numbering(brief.chosen), first.group() if first else "", brief.title, "Untitled scene")
    return next(title for text in candidates if (title := one_line(text, TITLE_CHARS)))


_PLAIN = (
    "Look closely at what everybody else overlooks",
    "Go on at once, before doubt sets in",
    "Turn back and see what was left behind",
    "Wait in silence and see who moves first",
    "Say out loud what nobody has dared to say",
    "Hide and watch what happens next",
    "Take the way that seems forbidden",
    "Call for help and hope for a friend to answer",
    "Trust the one who seems least worth trusting",
    "Give up something precious to get on",
    "Set a trap for whoever follows",
    "Leave this place behind for good",
)
