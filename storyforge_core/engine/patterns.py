"""Regular expressions that came with imported lore, run so that none of them can hold a story up."""

import time
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Protocol

import regex
import structlog

from storyforge_core.domain.lore_keys import Expression

SECONDS = 0.05
"""Of the processor, for one expression in one text; an honest one takes microseconds."""
SECONDS_TOGETHER = 0.5
"""For all expressions of one scene."""
CHARS_READ = 100_000
"""The newest characters of a text; more than twenty scenes have."""
_FLAGS: Mapping[str, int] = MappingProxyType({"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL})
"""JavaScript's other flags change nothing for whoever only asks whether something is found."""


class Compiled(Protocol):
    """What `regex` makes of an expression; it ships no type information."""

    def search(self, string: str, /, *, timeout: float, concurrent: bool) -> object | None:
        """Find the expression; `TimeoutError` after so many seconds. `concurrent` lets other threads run meanwhile."""


class Patience:
    """Runs expressions for one scene, until it has lost its patience; call it in a thread of its own."""

    def __init__(self) -> None:
        self._left = SECONDS_TOGETHER

    def finds(self, wanted: Expression, text: str) -> bool:
        """Tell whether an expression is found; False where it is none, or takes too long."""
        begun = time.thread_time()
        try:
            compiled = _compiled(wanted) if self._left > 0 else None
            if compiled is None:
                return False
            limit = min(SECONDS, self._left)
            return compiled.search(text[-CHARS_READ:], timeout=limit, concurrent=True) is not None
        except TimeoutError:
            structlog.get_logger().warning("an expression of the lore takes too long", expression=wanted.source)
            return False
        finally:
            self._left -= time.thread_time() - begun


def flawed(wanted: Expression) -> bool:
    """Tell whether an expression makes no sense, so that it is never found."""
    return _compiled(wanted) is None


@lru_cache(maxsize=2000)
def _compiled(wanted: Expression) -> Compiled | None:
    flags = 0
    for letter in wanted.flags:
        flags |= _FLAGS.get(letter, 0)
    try:
        compiled: Compiled = regex.compile(wanted.source, flags)
    except regex.error:
        return None
    return compiled
