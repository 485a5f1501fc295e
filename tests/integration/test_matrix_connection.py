"""The bot's session with a real homeserver: what comes in is heard once, in order, whatever happened meanwhile."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bot.platforms.matrix.troubles import NotPermitted
from bot.surface import RoomGone
from storyforge_core.errors import ServiceDown
from storyforge_core.mailbox import Account
from storyforge_core.store.database import Database
from tests.game import until
from tests.matrix_robot import Ear, Robot, invited, robot
from tests.peers.matrix_people import Human, people
from tests.peers.synapse import Synapse


@pytest.fixture
def machine(homeserver: Synapse, database: Database, tmp_path: Path) -> Robot:
    return robot(homeserver, database, tmp_path)


@pytest.fixture
async def ann(homeserver: Synapse) -> AsyncGenerator[Human]:
    async with people(homeserver) as meet:
        yield await meet("ann")


async def test_what_is_said_is_heard_and_old_things_are_not(machine: Robot, ann: Human) -> None:
    room = await ann.opens(machine.options.user)
    await ann.says(room, "before anybody came")
    async with machine.connected() as ear:
        await ann.meets(room, machine.options.user)
        await ann.says(room, "hello")
        await ann.says(room, "world")
        await ear.hears("hello", "world")
        assert await ear.says(room, "hi") == await ear.says(room, "hi"), "what is sent again is the same"
        await ann.reads(room, "hi")
        await ann.says(room, "again")
        await ear.hears("hello", "world", "again")
    assert ann.texts(room).count("hi") == 1


@pytest.mark.parametrize("sealed", [False, True])
async def test_nothing_that_was_said_during_an_absence_is_missed(machine: Robot, ann: Human, *, sealed: bool) -> None:
    room = await invited(machine, ann, sealed=sealed)
    said = [f"message {number}" for number in range(1, 61)]
    for body in said:
        await ann.says(room, body)
    async with machine.connected() as ear:
        await ear.hears(*said)
    async with machine.connected() as ear:
        await ann.says(room, "now")
        await ear.hears("now")


async def test_who_came_in_an_absence_can_read_and_who_went_cannot(homeserver: Synapse, machine: Robot) -> None:
    async with people(homeserver) as meet:
        ann, bo, cy = await meet("ann"), await meet("bo"), await meet("cy")
        room = await ann.opens(machine.options.user, bo.id, sealed=True)
        await bo.joins(room)
        async with machine.connected() as ear:
            await ann.meets(room, machine.options.user)
            await ear.knows(room)
            await ear.says(room, "one")
            await bo.reads(room, "one")
        await ann.client.room_kick(room, bo.id)
        await ann.client.room_invite(room, cy.id)
        await cy.joins(room)
        for number in range(60):
            await ann.says(room, f"a gap {number}")
        async with machine.connected() as ear:
            await ear.says(room, "two")
            await cy.reads(room, "two")
            await ann.reads(room, "two")
            session = ear.link.client.olm.outbound_group_sessions[room]
            assert {user for user, _ in session.users_shared_with} == {ann.id, cy.id}


async def test_what_was_stored_and_not_handled_is_heard_after_a_crash(machine: Robot, ann: Human) -> None:
    room = await invited(machine, ann)
    async with machine.connected(*[ServiceDown("away")] * 100):
        await ann.says(room, "one")
        await ann.says(room, "two")
        await until(lambda: machine.keeps(2))
    async with machine.connected() as ear:
        await ear.hears("one", "two")
        await until(lambda: machine.keeps(0))


async def test_what_could_not_be_stored_is_heard_when_it_can(
    machine: Robot, ann: Human, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await invited(machine, ann, sealed=True)
    deliver, failed = machine.mailbox.deliver, asyncio.Event()

    async def fail(*_: object) -> None:
        failed.set()
        raise ServiceDown("The store is away.")

    async with machine.connected() as ear:
        monkeypatch.setattr(machine.mailbox, "deliver", fail)
        await ann.says(room, "one")
        await failed.wait()
        monkeypatch.setattr(machine.mailbox, "deliver", deliver)
        await ann.says(room, "two")
        await ear.hears("one", "two")


async def test_a_letter_that_nobody_understands_keeps_no_other_waiting(machine: Robot, ann: Human) -> None:
    room = await invited(machine, ann)
    async with machine.connected(ZeroDivisionError("oops")) as ear:
        await ann.says(room, "one")
        await ann.says(room, "two")
        await ear.hears("two")


async def test_a_message_whose_key_comes_later_is_heard_then(machine: Robot, ann: Human) -> None:
    room = await invited(machine, ann, sealed=True)
    keys = await keys_for(ann, room)
    await ann.says(room, "one")
    async with machine.connected() as ear:
        await until(lambda: machine.keeps(1))
        for key in keys:
            await ann.asks("PUT", f"/_matrix/client/v3/sendToDevice/m.room.encrypted/{uuid4()}", key)
        await ear.hears("one")
        await until(lambda: machine.keeps(0))


async def keys_for(human: Human, room: str) -> list[object]:
    """What somebody's client would send to all others before its first message in a room, if it were not so slow."""
    client = human.client
    await client.joined_members(room)
    if client.should_query_keys:
        await client.keys_query()
    await client.keys_claim(client.get_missing_sessions(room))
    shares = client.olm.share_group_session_parallel(room, list(client.rooms[room].users), True)
    keys = [messages for _, messages in shares]
    client.olm.outbound_group_sessions[room].shared = True
    return keys


async def test_the_homeserver_may_be_restarted(
    database: Database, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("restarted")
    with Synapse(place, database=str(place / "homeserver.db")) as server:
        machine = robot(server, database, tmp_path)
        async with people(server) as meet:
            room = await invited(machine, ann := await meet("ann"), sealed=True)
            async with machine.connected() as ear:
                await asyncio.to_thread(server.dies)
                await asyncio.to_thread(server.start)
                await ann.says(room, "one")
                await ear.hears("one")
                await ear.says(room, "two")
                await ann.reads(room, "two")


async def test_nothing_is_said_in_clear_in_an_encrypted_room(machine: Robot, ann: Human) -> None:
    room = await invited(machine, ann, sealed=True)
    async with machine.connected(encryption="off") as ear:
        with pytest.raises(RoomGone, match="MATRIX_E2EE=off"):
            await ear.says(room, "one")
    other = await ann.opens(machine.options.user)
    async with machine.connected() as ear:
        await ann.meets(other, machine.options.user)
        await ear.knows(other)
        await ear.says(other, "in clear")
        await ann.client.room_put_state(other, "m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
        await ann.until(lambda: ann.client.rooms[other].encrypted)
        await ann.says(other, "sealed")
        await ear.hears("sealed")
        await ear.says(other, "sealed too")
        assert (await ann.reads(other, "sealed too")).sealed


async def test_a_homeserver_that_has_forgotten_the_mark_is_asked_anew(machine: Robot, ann: Human) -> None:
    room = await invited(machine, ann)
    await machine.mailbox.deliver(Account("matrix", machine.options.user), (), "s999_nonsense")
    await ann.says(room, "one")
    async with machine.connected() as ear:
        await ann.says(room, "two")
        await until(lambda: _heard(ear, "two"))


@pytest.mark.parametrize(
    "nonsense",
    [
        {
            "algorithm": "m.megolm.v1.aes-sha2",
            "ciphertext": "%",
            "session_id": "s",
            "sender_key": "k",
            "device_id": "D",
        },
        {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": {}, "sender_key": 7},
        {"algorithm": None},
        {},
    ],
)
async def test_nonsense_keeps_nothing_back(machine: Robot, ann: Human, nonsense: dict[str, Any]) -> None:
    room = await invited(machine, ann)
    async with machine.connected() as ear:
        path = f"/_matrix/client/v3/rooms/{room}/send"
        await ann.asks("PUT", f"{path}/m.room.encrypted/1", nonsense)
        await ann.asks("PUT", f"{path}/m.room.message/2", {"body": nonsense})
        await ann.asks("PUT", f"{path}/m.reaction/3", {"m.relates_to": nonsense})
        await ann.says(room, "one")
        await until(lambda: _heard(ear, "one"))


async def _heard(ear: Ear, text: str) -> bool:
    return text in ear.texts


async def test_a_room_that_the_bot_is_not_in_takes_nothing(machine: Robot, ann: Human) -> None:
    room = await invited(machine, ann)
    async with machine.connected() as ear:
        await ann.client.room_kick(room, machine.options.user)
        await ear.news.wait()
        assert [each.body["content"]["membership"] for each in ear.heard] == ["leave"]
        assert room not in ear.link.client.rooms
        with pytest.raises(NotPermitted):
            await ear.link.call("PUT", f"/_matrix/client/v3/rooms/{room}/send/m.room.message/tx", {"body": "hi"})
