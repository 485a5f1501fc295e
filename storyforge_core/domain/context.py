"""The prompt budget: what of a story fits into a model's window, and what gives way first."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from math import ceil

from storyforge_core.domain.writing import Message

ASCII_CHARS_PER_TOKEN = 3.5
"""English prose measures 4.2 to 4.6 with 32k to 128k vocabularies; lower is the safe side of the window."""
OTHER_BYTES_PER_TOKEN = 3
"""UTF-8 bytes outside ASCII: a CJK character (3 bytes) is about one token, a Cyrillic letter (2) two thirds."""
MESSAGE_TOKENS = 8
"""What a chat template puts around one message: role names and separators, at most 6 in the common templates."""
MARGIN = 32
"""Left free for what the template adds once: beginning of text, a date line, the cue to answer."""
BATCH = 4
"""Where a chapter is larger than the window, its scenes turn into titles this many at a time: between two such moments
the prompt only grows at its end, so that the server can reuse what it has already read."""

SENTENCE_ENDS = tuple(".!?…\n\u3002\uff01\uff1f")
CLOSERS = "\"'”\u2019»)]*_」』"

_TEMPLATE_MARKS = re.compile(r"\[(/?[A-Z_]{3,})\]")
_HARMLESS = {ord("<"): "\u2039", ord(">"): "\u203a"} | {code: None for code in range(32) if chr(code) not in "\n\t"}


class Keep(Enum):
    """Which side of a text matters when it has to be shortened."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class Part:
    """A text that has to be in the prompt, if need be shortened."""

    text: str
    keep: Keep = Keep.START


def estimate(text: str) -> int:
    """Tokens that a text takes, rounded up; never less for a longer text, never more for a text than for its pieces."""
    ascii_chars = len(text.encode("ascii", "ignore"))
    other_bytes = len(text.encode("utf-8", "surrogatepass")) - ascii_chars
    return ceil(ascii_chars / ASCII_CHARS_PER_TOKEN + other_bytes / OTHER_BYTES_PER_TOKEN)


def as_data(text: str) -> str:
    """The text without what could close a tag of ours or open a turn in a model's chat template, as `[INST]` does."""
    return _TEMPLATE_MARKS.sub(r"(\1)", text.translate(_HARMLESS))


def tagged(tag: str, text: str) -> str:
    """A part of a prompt between tags; nothing where there is no text."""
    return f"<{tag}>\n{text.strip()}\n</{tag}>\n\n" if text else ""


def prompt_tokens(messages: Iterable[Message]) -> int:
    """Tokens that a whole prompt takes, template included."""
    return MARGIN + sum(MESSAGE_TOKENS + estimate(message.content) for message in messages)


def shorten(part: Part, tokens: int) -> str:
    """The part within `tokens`, cut at the end of a sentence where one is near, else between words."""
    if estimate(part.text) <= tokens:
        return part.text
    match part.keep:
        case Keep.START:
            return _first(part.text, tokens)
        case Keep.END:
            return _last(part.text, tokens)


def squeeze(parts: Sequence[Part], room: int) -> tuple[str, ...]:
    """All parts within `room` tokens together; only the longest are shortened, and those to the same length."""
    cap = _cap([estimate(part.text) for part in parts], max(room, 0))
    return tuple(shorten(part, cap) for part in parts)


def _cap(sizes: Sequence[int], room: int) -> int:
    """The largest length such that all sizes cut down to it are within `room`."""
    left = room
    for waiting, size in zip(range(len(sizes), 0, -1), sorted(sizes), strict=True):
        if size * waiting > left:
            return left // waiting
        left -= size
    return max(sizes, default=0)


def _first(text: str, tokens: int) -> str:
    length = bisect_right(range(1, len(text) + 1), tokens, key=lambda size: estimate(text[:size]))
    borders = (i for i in range(length, length // 2, -1) if _ends_sentence(text, i))
    spaces = (i for i in range(length, 0, -1) if text[i : i + 1].isspace())
    return text[: next(borders, next(spaces, length))].rstrip()


def _last(text: str, tokens: int) -> str:
    length = bisect_right(range(1, len(text) + 1), tokens, key=lambda size: estimate(text[-size:]))
    start = len(text) - length
    borders = (i for i in range(start, start + length // 2) if _ends_sentence(text, i))
    spaces = (i for i in range(start, len(text)) if text[i].isspace())
    return text[next(borders, next(spaces, start)) :].lstrip()


def _ends_sentence(text: str, i: int) -> bool:
    """Whether a sentence ends right before index `i`: its mark, closing quotes, then a space or the end."""
    return text[i : i + 1].strip() == "" and text[max(i - 4, 0) : i].rstrip(CLOSERS)[-1:] in SENTENCE_ENDS
