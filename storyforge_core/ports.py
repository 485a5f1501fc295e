"""What the engine needs from the outside world, as narrow protocols."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from storyforge_core.domain.writing import Asking, Finding, Telling, WriterEvent


class Writer(Protocol):
    """A storyteller: a language model or the built-in one."""

    @property
    def label(self) -> str:
        """How players see it named under a scene, such as `dolphin-mistral:7b` or `built-in storyteller`."""

    @property
    def window(self) -> int:
        """Tokens that prompt and answer may take together."""

    def tell(self, telling: Telling) -> AsyncGenerator[WriterEvent, None]:
        """Stream prose; the last event is `Finished`. Closing the generator stops the model.

        Raises:
            ServiceDown: away, silent, overloaded, or the stream broke off; what came before stays valid.
            ModelMissing: the model is not there.
        """

    async def ask(self, asking: Asking) -> str:
        """Answer as JSON text that is meant to fit `asking.schema`, which the caller has to check.

        Raises:
            ServiceDown: as for `tell`.
            ModelMissing: as for `tell`.
        """

    async def check(self) -> Sequence[Finding]:
        """Look whether it is ready, without raising for what is expected."""

    async def aclose(self) -> None:
        """Let go of connections."""
