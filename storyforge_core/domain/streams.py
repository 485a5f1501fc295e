"""Prose that arrives in pieces: what repeats words already told, and what goes round in circles."""

OVERLAP_CHARS = 12
"""Two or three words. A shorter match between an end and a beginning is how prose is, not a model repeating itself."""
LOOK_BACK = 4000
"""Characters in which repetitions are looked for: about a scene and a half."""
ECHO_CHARS = 24
"""From here on words that were said before may be the start of a loop."""
LOOP_CHARS = 160
"""Repeated characters that make a loop of a short phrase; a long scream or a ruled line stays below."""
LONG_LOOP_CHARS = 400
"""Verbatim repetition that no refrain reaches, whatever the distance."""

_SENTENCE_ENDS = tuple(".!?…\n\u3002\uff01\uff1f")
_OPENERS = ("“", "„", "«")
_CLOSERS = "\"'”\u2019»)"


def may_overlap(told: str, fresh: str) -> bool:
    """Whether `fresh` could still turn out to begin with the last words of `told` once more of it is there."""
    body = fresh.lstrip()
    return body in told.rstrip()[-LOOK_BACK:]


def skip_overlap(told: str, fresh: str) -> str:
    """The part of `fresh` that goes right behind `told`: no words told twice, no space missing between sentences."""
    tail, body = told.rstrip()[-LOOK_BACK:], fresh.lstrip()
    size = _overlap(tail, body)
    new = body[size:] if size else fresh
    if not told or told[-1].isspace():
        return new.lstrip()
    return f" {new}" if not size and _starts_sentence(tail, new) else new


def echo(text: str) -> tuple[int, int]:
    """How many characters at the end of `text` only repeat earlier ones, and how far before; (0, 0) for none."""
    at = text.rfind(text[-ECHO_CHARS:], 0, len(text) - 1)
    if at < 0 or len(text) <= ECHO_CHARS:
        return 0, 0
    distance = len(text) - ECHO_CHARS - at
    size = ECHO_CHARS
    while size + distance < len(text) and size < LONG_LOOP_CHARS and text[-size - 1] == text[-size - 1 - distance]:
        size += 1
    return size, distance


def is_loop(size: int, distance: int) -> bool:
    """Whether an echo is a loop: a phrase said at least three times on end, or far too much said again."""
    return size >= max(LOOP_CHARS, min(2 * distance, LONG_LOOP_CHARS))


def first_sentence(text: str) -> str:
    """The text up to the end of its first sentence; nothing if none ends in it."""
    for i, char in enumerate(text):
        if char in _SENTENCE_ENDS:
            rest = text[i + 1 :]
            closers = len(rest) - len(rest.lstrip(_CLOSERS))
            if not rest[closers:] or rest[closers].isspace():
                return text[: i + 1 + closers].rstrip()
    return ""


def _overlap(tail: str, body: str) -> int:
    """Length of the longest beginning of `body` that `tail` ends with; 0 if it is too short to mean anything."""
    least = max(min(OVERLAP_CHARS, len(tail)), 1)
    sizes = range(min(len(tail), len(body)), least - 1, -1)
    return next((size for size in sizes if tail.endswith(body[:size])), 0)


def _starts_sentence(tail: str, new: str) -> bool:
    """Whether a space is missing between the end of one sentence and the beginning of the next."""
    return (new[:1].isupper() or new.startswith(_OPENERS)) and tail.rstrip(_CLOSERS)[-1:] in _SENTENCE_ENDS
