"""What a story has promised its readers, and whether it was kept. Values and rules only."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NewType
from uuid import UUID

from storyforge_core.domain.memory import stem

PromiseId = NewType("PromiseId", UUID)
Outcome = Literal["open", "kept", "broken"]

PROMISE_CHARS = 200
ALIKE = 0.8
"""Share of the words of the shorter of two promises that the other has, from which they are the same."""
MOST_TOLD = 12
"""Open promises that a storyteller may be told of; the prompt takes those that fit."""

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that a scene lets its readers expect, and what became of it on this path."""

    id: PromiseId
    number: int
    """What people type; counts up within the story."""
    scene: int
    """The number of the scene that opens it."""
    text: str
    quote: str
    outcome: Outcome = "open"
    ended: int = 0
    """The number of the scene that keeps or breaks it; 0 while it is open."""
    proof: str = ""
    """Where that scene says so, word for word."""


@dataclass(frozen=True, slots=True)
class Pledge:
    """What one scene does to promises: it opens one, or keeps or breaks one that is open."""

    outcome: Outcome
    text: str
    quote: str
    of: PromiseId | None = None
    """The promise that is kept or broken; None for one that is opened."""


def open_promises(promises: Iterable[Promise]) -> tuple[Promise, ...]:
    """Those that are neither kept nor broken, newest first."""
    return tuple(sorted((each for each in promises if each.outcome == "open"), key=_age))


def promise_lines(promises: Sequence[Promise], text: str) -> tuple[str, ...]:
    """The open promises, a line each: those that a text speaks of come first, the newest first among equals."""
    spoken = words_of(text)
    ranked = sorted(open_promises(promises), key=lambda each: -_share(words_of(each.text), spoken))
    return tuple(f"{each.text} (scene {each.scene})" for each in ranked[:MOST_TOLD])


def like(text: str, promises: Iterable[Promise]) -> Promise | None:
    """The promise that says the same in other words."""
    wanted = words_of(text)
    return next((each for each in promises if _share(*sorted((wanted, words_of(each.text)), key=len)) >= ALIKE), None)


def words_of(text: str) -> frozenset[str]:
    """The words of a text, letter case and plurals aside."""
    return frozenset(stem(word) for word in _WORD.findall(text.casefold()))


def _share(of: frozenset[str], inside: frozenset[str]) -> float:
    return len(of & inside) / len(of) if of else 0.0


def _age(promise: Promise) -> int:
    return -promise.number
