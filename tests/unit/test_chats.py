"""A chat that has to be set up anew stops the start, and later nothing but itself."""

import asyncio
from typing import NoReturn

import pytest

from bot.chats import Chat
from storyforge_core.domain.story import PlaythroughId, SceneId
from storyforge_core.errors import SetupError
from storyforge_core.logs import configure


class Refused:
    """A platform that does not let the bot in (any more)."""

    async def run(self) -> NoReturn:
        raise SetupError("Set it up anew.")

    async def last_call(self, playthrough: PlaythroughId, scene: SceneId) -> None:
        """Nothing is counted."""


@pytest.mark.parametrize(("welcomed", "alone"), [(False, False), (False, True), (True, True)])
async def test_what_is_set_wrongly_ends_the_program(*, welcomed: bool, alone: bool) -> None:
    with pytest.raises(SetupError, match="Set it up anew"):
        await chat(welcomed=welcomed).run(alone=alone)


async def test_where_others_are_served_they_go_on_being_served(capsys: pytest.CaptureFixture[str]) -> None:
    configure("warning", "text")
    await chat(welcomed=True).run(alone=False)
    assert "Set it up anew" in capsys.readouterr().err


def chat(*, welcomed: bool) -> Chat:
    known = asyncio.Event()
    if welcomed:
        known.set()
    return Chat(Refused(), known)
