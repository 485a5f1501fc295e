"""The plan of a scene: what a model answered, made into a few lines that its prose is to follow. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storyforge_core.domain.answers import ANSWER_CHARS, Problem, json_objects, one_line, without_numbering

BEAT_CHARS, MOST_BEATS = 110, 4
"""More does not fit into a scene of two or three hundred words."""
NAME_CHARS, MOST_NAMES = 30, 4
AVOID_CHARS, MOST_AVOIDED = 90, 3
NO_PROMISE = ""

_TASKS = {"beats": "what happens, in order", "who": "who acts", "avoid": "what must not happen"}


@dataclass(frozen=True, slots=True)
class ScenePlan:
    """What is planned for one scene."""

    beats: tuple[str, ...]
    """What happens, in order; at least one."""
    who: tuple[str, ...] = ()
    """Who acts."""
    promise: str = NO_PROMISE
    """Which of the story's promises moves, word for word; empty where none does."""
    avoid: tuple[str, ...] = ()
    """What must not happen, most of it because of what holds."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The plan as a storyteller reads it; what matters most first, should not all of it fit."""
        who = (f"Who acts: {', '.join(self.who)}",) if self.who else ()
        beats = (f"{number}. {beat}" for number, beat in enumerate(self.beats, start=1))
        promise = (f"Promise that moves: {self.promise}",) if self.promise else ()
        return (*who, *beats, *(f"Must not happen: {each}" for each in self.avoid), *promise)


def plan_schema(promises: Sequence[str]) -> Mapping[str, object]:
    """JSON Schema of a plan; lengths are bounded so that it ends, and a promise is one of those there are."""
    return {
        "type": "object",
        "properties": {
            "who": _texts(NAME_CHARS, 0, MOST_NAMES),
            "beats": _texts(BEAT_CHARS, 1, MOST_BEATS),
            "avoid": _texts(AVOID_CHARS, 0, MOST_AVOIDED),
            "promise": {"type": "string", "enum": [NO_PROMISE, *promises]},
        },
        "required": ["who", "beats", "avoid", "promise"],
        "additionalProperties": False,
    }


def read_plan(answer: str, promises: Sequence[str]) -> ScenePlan | Problem:
    """Find the plan in what a model said; of what is too much the beginning counts, and a promise of its own does not.

    Args:
        answer: what the model said.
        promises: those that were in the prompt.
    """
    found = next((each for each in json_objects(answer[:ANSWER_CHARS]) if "beats" in each), None)
    if found is None:
        return Problem('There is no complete JSON object with "who", "beats", "avoid" and "promise" in it.')
    for name, what in _TASKS.items():
        if not _are_texts(found.get(name, [])):
            return Problem(f'"{name}" has to be a list of texts: {what}.')
    beats = _lines(found["beats"], BEAT_CHARS, MOST_BEATS)
    if not beats:
        return Problem('"beats" has to say in one to four short sentences what happens.')
    promise = found.get("promise")
    return ScenePlan(
        beats=beats,
        who=_lines(found.get("who", []), NAME_CHARS, MOST_NAMES),
        promise=promise if isinstance(promise, str) and promise in promises else NO_PROMISE,
        avoid=_lines(found.get("avoid", []), AVOID_CHARS, MOST_AVOIDED),
    )


def _texts(chars: int, least: int, most: int) -> Mapping[str, object]:
    text = {"type": "string", "minLength": 1, "maxLength": chars}
    return {"type": "array", "items": text, "minItems": least, "maxItems": most}


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _lines(texts: Any, chars: int, most: int) -> tuple[str, ...]:  # noqa: ANN401 - out of a model's JSON
    """Each on one line, without a number of its own; those that are empty or said before are left out."""
    lines = dict.fromkeys(one_line(without_numbering(text), chars) for text in texts)
    return tuple(line for line in lines if line)[:most]
