"""Waiting that says so from time to time."""

import asyncio
import time

import structlog

_TELL_EVERY = 5.0

log = structlog.get_logger(__name__)


class Patience:
    """Pauses between looks at something that takes its time; logs every few seconds what is waited for."""

    def __init__(self, waiting_for: str, pause: float) -> None:
        self._waiting_for = waiting_for
        self._pause = pause
        self._began = time.monotonic()
        self._told = self._began

    @property
    def waited(self) -> float:
        """Seconds since the waiting began."""
        return time.monotonic() - self._began

    async def pause(self) -> None:
        """Wait a little before the next look."""
        now = time.monotonic()
        if now - self._told >= _TELL_EVERY:
            self._told = now
            log.info("still waiting", waiting_for=self._waiting_for, seconds=round(self.waited))
        await asyncio.sleep(self._pause)
