"""A writer for whom another one steps in where its model is not there."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import structlog

from storyforge_core.domain.writing import Asking, Finding, Profile, Telling, WriterEvent
from storyforge_core.errors import ModelMissing
from storyforge_core.ports import Writer

__all__ = ["Understudied"]


class Understudied:
    """Does a job by a model of its own, and by the storyteller's while the server does not have that one.

    It is asked each time, which costs a server a millisecond: a model that is fetched meanwhile takes its job up.

    Args:
        first: whose job it is.
        other: who steps in; whoever made it closes it.
    """

    def __init__(self, first: Writer, other: Writer) -> None:
        self._first = first
        self._other = other
        self._noted = False

    @property
    def label(self) -> str:
        """The name of the model whose job it is."""
        return self._first.label

    @property
    def window(self) -> int:
        """What both can take."""
        return min(self._first.window, self._other.window)

    async def profile(self) -> Profile:
        """The model whose job it is."""
        return await self._first.profile()

    async def tell(self, telling: Telling) -> AsyncGenerator[WriterEvent, None]:
        """Stream prose; a model that is not there has not begun."""
        try:
            async with aclosing(self._first.tell(telling)) as events:
                async for event in events:
                    yield event  # noqa: ASYNC119  # the port has callers close it
        except ModelMissing as missing:
            self._note(missing)
        else:
            return
        async with aclosing(self._other.tell(telling)) as events:
            async for event in events:
                yield event  # noqa: ASYNC119  # the same

    async def ask(self, asking: Asking) -> str:
        """Answer as JSON text."""
        try:
            return await self._first.ask(asking)
        except ModelMissing as missing:
            self._note(missing)
        return await self._other.ask(asking)

    async def check(self) -> Sequence[Finding]:
        """Look whether the model whose job it is is ready."""
        return await self._first.check()

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._first.aclose()

    def _note(self, missing: ModelMissing) -> None:
        if not self._noted:
            structlog.get_logger().warning(
                "another model steps in", model=self._first.label, by=self._other.label, reason=str(missing)
            )
        self._noted = True
