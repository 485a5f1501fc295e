"""What a model answers to a question about the story: believed only as far as it quotes what was told. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storyforge_core.domain.answers import Problem, json_objects, one_line
from storyforge_core.domain.memory import Quote
from storyforge_core.domain.writing import Remembered

ANSWER_CHARS = 400
QUOTE_CHARS = 300
MOST_QUOTES = 3
LEAST_QUOTE = 8
"""Characters: a shorter one stands in any text."""

_MARKS = str.maketrans("“”„«»’‘‚–—", '"""""\'\'\'--')  # noqa: RUF001 - a model writes the marks it likes, one for one


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer with its proofs; without any the story does not know."""

    text: str
    quotes: tuple[Quote, ...]


def answer_schema() -> Mapping[str, object]:
    """JSON Schema of an answer: whether the story knows, the answer, and the quotes that prove it."""
    quote = {
        "type": "object",
        "properties": {
            "scene": {"type": "integer"},
            "quote": {"type": "string", "minLength": 1, "maxLength": QUOTE_CHARS},
        },
        "required": ["scene", "quote"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "known": {"type": "boolean"},
            "answer": {"type": "string", "maxLength": ANSWER_CHARS},
            "quotes": {"type": "array", "items": quote, "maxItems": MOST_QUOTES},
        },
        "required": ["known", "answer", "quotes"],
        "additionalProperties": False,
    }


def read_answer(answer: str, sources: Sequence[Remembered]) -> Answered | Problem:
    """Find the answer in what a model said, and keep those of its quotes that stand in the sources word for word.

    An answer that claims to know and proves nothing is a problem, not an answer.
    """
    found = next((each for each in json_objects(answer) if "known" in each), None)
    if found is None:
        return Problem("There is no complete JSON object with “known”, “answer” and “quotes” in it.")
    if found["known"] is not True:
        return Answered("", ())
    text, given = found.get("answer"), found.get("quotes")
    quotes = [quote for each in given if (quote := _proved(each, sources))] if isinstance(given, list) else []
    if not isinstance(text, str) or not one_line(text, ANSWER_CHARS) or not quotes:
        return Problem("No quote stands in the story word for word.")
    return Answered(one_line(text, ANSWER_CHARS), tuple(dict.fromkeys(quotes))[:MOST_QUOTES])


def exact(quote: str, text: str) -> str:
    """The part of a text that a quote repeats, as it stands there; empty when it does not.

    Blank space and the form of quotation marks and dashes may differ.
    """
    words = quote.translate(_MARKS).split()
    if sum(map(len, words)) < LEAST_QUOTE:
        return ""
    match = re.search(r"\s+".join(map(re.escape, words)), text.translate(_MARKS))
    return text[match.start() : match.end()] if match else ""


def _proved(given: object, sources: Sequence[Remembered]) -> Quote | None:
    """The quote as it stands in the scene that it is said to be from, or in another one."""
    if not isinstance(given, dict) or not isinstance(quote := given.get("quote"), str):
        return None
    named = sorted(sources, key=lambda source: source.number != given.get("scene"))
    return next(
        (Quote(source.number, source.title, found) for source in named if (found := exact(quote, source.text))), None
    )
