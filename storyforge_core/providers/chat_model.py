"""What all writers share that are chat models: how a telling is put to them, and how their answers are looked at."""

from collections.abc import Sequence
from typing import TypedDict

from storyforge_core.domain.context import estimate, prompt_tokens
from storyforge_core.domain.writing import Message, Telling
from storyforge_core.engine.prompting import SMALLEST_WINDOW

LEAST_TOKENS = 48
"""For the rest of a scene that was nearly complete: enough to end it with a sentence."""
THOUGHT_TOKENS = 2048
"""For what a thinking model thinks before it answers as JSON; typical thoughts take 300 to 1500."""
QUESTION_TEMPERATURE = 0.7
"""For choices: lively enough to differ, tame enough to stay in the language and the facts of the scene."""
CUT_RATIO = 0.5
"""Real prompts measure 0.7 to 1.1 of our estimate; a server that cuts one keeps about half a window."""
SHORT_PROMPT = 256
"""Tokens below which the estimate is too rough to judge by."""


class Speech(TypedDict):
    """One of our messages as servers take it."""

    role: str
    content: str


def speeches(messages: Sequence[Message]) -> list[Speech]:
    """Our messages as servers take them."""
    return [{"role": message.role, "content": message.content} for message in messages]


def told_before(telling: Telling) -> str:
    """What players have read right up to the new words; a scene that is extended goes on in a new paragraph."""
    extended = telling.brief.extend.rstrip()
    return f"{extended}\n\n{telling.told}" if extended else telling.told


def prose_tokens(telling: Telling, most: int) -> int:
    """Tokens for the rest of a scene, of which some words may be told; `most` is what the owner allows an answer."""
    limit = min(telling.max_tokens, most)
    return max(limit - estimate(telling.told.rstrip()), min(limit, LEAST_TOKENS))


def given(telling: Telling, option: str, usual: float) -> float:
    """An option of a model: as it was when this was told before, or the usual one."""
    return dict(telling.options).get(option, usual)


def looks_cut(messages: Sequence[Message], read: int | None) -> bool:
    """Whether a server has read far less of a prompt than was sent."""
    planned = prompt_tokens(messages)
    return read is not None and planned > SHORT_PROMPT and read < planned * CUT_RATIO


def smaller(window: int, setting: str) -> str:
    """What to do about a window of so many tokens."""
    if window < SMALLEST_WINDOW:
        return f"set another model, stories need {SMALLEST_WINDOW}"
    return f"set {setting}={window}"
