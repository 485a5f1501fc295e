"""A stage of a recipe, tried as often as its data says; and what must not be lost, tried until it is done."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from storyforge_core.errors import ServiceDown, ServiceSilent

STORE_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds between attempts to save finished work while the database is away: a minute covers a restart."""

D = TypeVar("D")
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Stage(Generic[D, K]):
    """One step with its limits."""

    name: str
    step: Callable[[D, K], Awaitable[D]]
    """Takes a frozen draft and returns a fuller one; a step that fails leaves no trace but the words it told."""
    needs: tuple[str, ...]
    """Fields of the draft that have to be there."""
    gives: tuple[str, ...]
    """Fields of the draft that it fills."""
    seconds: float
    """Time limit of one attempt."""
    pauses: tuple[float, ...] = ()
    """Seconds to wait before each further attempt after a service failed."""


async def attempt(stage: Stage[D, K], draft: D, kit: K) -> D:
    """Do a stage, again after each of its pauses while a service fails."""
    for pause in stage.pauses:
        try:
            return await _once(stage, draft, kit)
        except ServiceDown as error:
            structlog.get_logger().warning("trying again", stage=stage.name, error=str(error), pause=pause)
            await asyncio.sleep(pause)
    return await _once(stage, draft, kit)


async def _once(stage: Stage[D, K], draft: D, kit: K) -> D:
    try:
        async with asyncio.timeout(stage.seconds):
            return await stage.step(draft, kit)
    except TimeoutError as error:
        msg = f"“{stage.name}” took longer than {stage.seconds:.0f} s. Try again."
        raise ServiceSilent(msg) from error


async def patiently(action: Callable[[], Awaitable[None]]) -> None:
    """Do something that must not be lost, again after each pause while the database is away."""
    for pause in STORE_PAUSES:
        try:
            return await action()
        except ServiceDown:
            await asyncio.sleep(pause)
    return await action()


async def to_the_end(work: Awaitable[None]) -> None:
    """Finish something small although this task has been cancelled."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
