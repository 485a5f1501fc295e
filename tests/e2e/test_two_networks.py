"""One story in a thread of Discord and in a room of Matrix, told by the shipped program; one of them may be gone."""

import asyncio
import re
from typing import Any

import pytest

from tests.e2e.test_serve_discord import Discord, running
from tests.e2e.test_serve_matrix import KEYCAP, asked
from tests.peers.matrix_people import Human, people
from tests.peers.synapse import PASSWORD, Synapse
from tests.program import Home, Ollama, numbered

CODE = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}")


def code_in(discord: Discord, asked: dict[str, Any]) -> str:
    """The code in the answer to a command, once it is there."""
    discord.waits(lambda: bool(CODE.search(str(discord.answer(asked)))))
    found = CODE.search(str(discord.answer(asked)))
    assert found
    return found[0]


async def test_it_goes_on_wherever_somebody_is(
    guest: Home, ollama: Ollama, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("synapse")
    ollama.plays(tellings=[numbered(name, 40) for name in "abcd"], rate=100)
    with Synapse(place, database=str(place / "homeserver.db")) as synapse, running() as discord:
        account = {"MATRIX_HOMESERVER": synapse.url, "MATRIX_USER_ID": synapse.register("forge").user}
        account |= {"MATRIX_PASSWORD": PASSWORD, "MATRIX_ALLOWED_USERS": "@*:localhost", "MATRIX_RATE_LIMIT": "none"}
        with guest.starts("serve", **discord.settings, **account) as program:
            program.prints("Matrix: invite")
            discord.waits(lambda: discord.state["connected"] and discord.state["commands"])
            async with people(synapse) as meet:
                await two_networks(discord, synapse, await meet("ann"), account["MATRIX_USER_ID"])
        guest.is_whole(4)


async def two_networks(discord: Discord, synapse: Synapse, ann: Human, bot: str) -> None:
    discord.types("Ann", "story new", premise="A door in the sea")
    discord.question()
    code = code_in(discord, discord.types("Ann", "story link"))
    room = await ann.opens(bot, sealed=True)
    await ann.meets(room, bot)
    await ann.says(room, f"!story join-room {code}")
    card = await asked(ann, room)
    code = code_in(discord, discord.types("Ann", "story link", code="me"))
    await ann.says(room, f"!story link {code}", thread=card.thread)
    await ann.reads(room, "you are one player now")
    discord.types("Bo", "story join")
    discord.clicks("Ann", "1")
    await ann.reads(room, "1 vote (Ann)")
    await ann.reacts(room, card.id, f"2{KEYCAP}")
    discord.waits(lambda: "2." in line_with(discord, "(Ann)"))
    discord.clicks("Bo", "2")
    discord.waits_for("wins with 2 of 2 votes")
    discord.waits_for("b40.")
    await ann.reads(room, "wins with 2 of 2 votes")
    await ann.reads(room, "b40.")
    await asked(ann, room)
    await asyncio.to_thread(synapse.dies)
    discord.clicks("Ann", "1")
    discord.clicks("Bo", "1")
    discord.waits_for("c40.")
    await asyncio.to_thread(synapse.start)
    await ann.reads(room, "c40.")
    card = await asked(ann, room)
    discord.dies()
    await ann.says(room, "!story close 1", thread=card.thread)
    await ann.reads(room, "d40.")
    await asked(ann, room)


def line_with(discord: Discord, words: str) -> str:
    """The line of the open question that has these words."""
    return next((line for line in discord.question()["content"].splitlines() if words in line), "")
