"""What nobody waits for gives way to whoever tells a scene."""

import asyncio

import pytest

from storyforge_core.engine import background
from storyforge_core.engine.background import Quiet
from storyforge_core.errors import ServiceDown


class Model:
    """Answers when it is let; counts how often it was asked and how often a question was closed."""

    def __init__(self) -> None:
        self.asked = 0
        self.closed = 0
        self.may = asyncio.Event()

    async def ask(self) -> str:
        self.asked += 1
        try:
            await self.may.wait()
        except asyncio.CancelledError:
            self.closed += 1
            raise
        return "answer"


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_question_is_closed_when_a_scene_begins_and_asked_again_when_it_is_told() -> None:
    quiet, model = Quiet(), Model()
    question = asyncio.ensure_future(quiet.ask(model.ask))
    await settled()
    async with quiet.telling():
        await settled()
        assert (model.asked, model.closed, quiet.disturbed) == (1, 1, True)
        async with quiet.telling():
            pass
        await settled()
        assert model.asked == 1, "one of two scenes is still being told"
    await settled()
    assert model.asked == 2
    model.may.set()
    assert await question == "answer"
    assert not quiet.disturbed


async def test_it_waits_for_the_end_of_a_scene_that_fails() -> None:
    quiet, model = Quiet(), Model()
    model.may.set()
    questions = []

    async def fail() -> None:
        async with quiet.telling():
            questions.append(asyncio.ensure_future(quiet.ask(model.ask)))
            await settled()
            raise ServiceDown("The model went away.")

    with pytest.raises(ServiceDown):
        await fail()
    assert await questions[0] == "answer"
    assert model.asked == 1


async def test_whoever_asks_can_be_stopped_and_is_told_of_trouble() -> None:
    quiet, model = Quiet(), Model()
    question = asyncio.ensure_future(quiet.ask(model.ask))
    await settled()
    question.cancel()
    with pytest.raises(asyncio.CancelledError):
        await question
    assert model.closed == 1

    async def trouble() -> str:
        raise ServiceDown("away")

    with pytest.raises(ServiceDown):
        await quiet.ask(trouble)


async def test_one_question_is_asked_after_another() -> None:
    quiet, model = Quiet(), Model()
    questions = [asyncio.ensure_future(quiet.ask(model.ask)) for _ in range(3)]
    await settled()
    assert model.asked == 1
    model.may.set()
    assert await asyncio.gather(*questions) == ["answer"] * 3
    assert model.asked == 3


async def test_nothing_is_asked_while_a_picture_has_the_card_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "LOOK_AGAIN", 0.001)
    painted = True

    async def taken() -> bool:
        await asyncio.sleep(0)
        return painted

    quiet, model = Quiet(taken), Model()
    model.may.set()
    question = asyncio.ensure_future(quiet.ask(model.ask))
    await asyncio.sleep(0.05)
    assert model.asked == 0
    painted = False
    assert await question == "answer"
    painted = True
    monkeypatch.setattr(background, "LONGEST_WAIT", 0.02)
    assert await quiet.ask(model.ask) == "answer"
