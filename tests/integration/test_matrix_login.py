"""One session for good: kept over restarts, vouched for, and replaced with a sentence when its keys are lost."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.platforms.matrix.login import LOST, LOST_FOR_GOOD, OTHERS_TOKEN, TOKEN_REFUSED
from bot.platforms.matrix.signing import ELSEWHERE, SEEDS_UNREADABLE, WRONG_KEY
from storyforge_core.errors import SetupError
from storyforge_core.store.database import Database
from tests.matrix_robot import Robot, invited, robot
from tests.peers.matrix_people import Event, Human, people
from tests.peers.matrix_vault import PHRASE, Vault
from tests.peers.synapse import Synapse


@pytest.fixture
def machine(homeserver: Synapse, database: Database, tmp_path: Path) -> Robot:
    return robot(homeserver, database, tmp_path)


@pytest.fixture
async def ann(homeserver: Synapse) -> AsyncGenerator[Human]:
    async with people(homeserver) as meet:
        yield await meet("ann")


async def keys(human: Human, user: str) -> Event:
    """What the homeserver tells somebody about the keys of another."""
    return await human.asks("POST", "/_matrix/client/v3/keys/query", {"device_keys": {user: []}})


def vouched(told: Event, user: str, device: str) -> bool:
    """Tell whether an account's own key has signed one of its sessions."""
    (key,) = told["self_signing_keys"][user]["keys"]
    return key in told["device_keys"][user][device].get("signatures", {}).get(user, {})


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged since it was asked last."""
    events = [record.msg["event"] for record in caplog.records if isinstance(record.msg, dict)]
    caplog.clear()
    return events


async def test_a_session_is_kept_and_the_account_vouches_for_it(machine: Robot, ann: Human) -> None:
    async with machine.connected() as ear:
        device, identity = ear.link.client.device_id, ear.link.client.olm.account.identity_keys
    told = await keys(ann, machine.options.user)
    assert vouched(told, machine.options.user, device)
    async with machine.connected() as ear:
        assert (ear.link.client.device_id, ear.link.client.olm.account.identity_keys) == (device, identity)
    assert await keys(ann, machine.options.user) == told


async def test_nobody_else_can_read_what_is_kept(machine: Robot) -> None:
    await once(machine)
    secrets = ("account.json", "cross-signing.json", "lock")
    assert {(machine.files / name).stat().st_mode & 0o777 for name in secrets} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (machine.files, machine.files / "keys")} == {0o700}


async def once(machine: Robot) -> None:
    async with machine.connected():
        """Once is enough."""


@pytest.mark.parametrize("damage", ["store gone", "store damaged", "account damaged", "logged out"])
async def test_a_lost_session_is_replaced_with_a_sentence(
    machine: Robot, ann: Human, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    room = await invited(machine, ann, sealed=True)
    await once(machine)
    assert LOST not in logged(caplog)
    damaged(machine, damage)
    if damage == "logged out":
        await log_out(machine)
    await ann.says(room, "for the old session")
    async with machine.connected() as ear:
        assert LOST in logged(caplog)
        await ear.says(room, "one")
        assert (await ann.reads(room, "one")).sealed
        await ann.until(lambda: ear.link.client.device_id in ann.client.device_store[machine.options.user])
        await ann.says(room, "two")
        await ear.hears("two")
        device = ear.link.client.device_id
    assert vouched(await keys(ann, machine.options.user), machine.options.user, device), "by the same account as before"
    assert (machine.files / "lost-1").is_dir()


def damaged(machine: Robot, how: str) -> None:
    (store,) = (machine.files / "keys").glob("*.db")
    if how == "store gone":
        store.unlink()
    if how == "store damaged":
        store.write_bytes(b"SQLite format 3\0" + b"nonsense" * 1000)
    if how == "account damaged":
        (machine.files / "account.json").write_text('{"user": ')


async def log_out(machine: Robot) -> None:
    async with machine.connected() as ear:
        await ear.link.call("POST", "/_matrix/client/v3/logout", {})


async def test_a_token_is_as_good_as_a_password_but_for_one_session(machine: Robot, ann: Human) -> None:
    by_token = {"password": "", "token": machine.account.token}
    room = await ann.opens(machine.options.user, sealed=True)
    async with machine.connected(**by_token, user="") as ear:
        await ann.meets(room, machine.options.user)
        await ear.knows(room, sealed=True)
        assert ear.link.client.device_id == machine.account.device
        await ear.says(room, "one")
        await ann.reads(room, "one")
    damaged(machine, "store gone")
    for sentence, options in (
        (LOST_FOR_GOOD, by_token),
        (TOKEN_REFUSED, {"token": "syt_wrong"}),
        (OTHERS_TOKEN.format(owner=ann.id, user=machine.options.user), {"token": ann.session.token}),
    ):
        with pytest.raises(SetupError) as caught:
            async with machine.connected(**options):
                raise AssertionError
        assert str(caught.value) == sentence


@pytest.mark.parametrize("key", ["phrase", "recovery key"])
async def test_keys_that_element_made_vouch_by_the_recovery_key(
    homeserver: Synapse, machine: Robot, ann: Human, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    vault = Vault()
    await asyncio.to_thread(vault.fill, homeserver, machine.account)
    user = machine.options.user
    for given, sentence in (("", ELSEWHERE), ("wrong", WRONG_KEY)):
        async with machine.connected(recovery_key=given) as ear:
            assert not vouched(await keys(ann, user), user, ear.link.client.device_id)
        assert sentence in logged(caplog)
    right = PHRASE if key == "phrase" else vault.recovery_key
    async with machine.connected(recovery_key=right) as ear:
        assert vouched(await keys(ann, user), user, ear.link.client.device_id)


async def test_an_identity_is_not_replaced_because_its_file_is_damaged(
    machine: Robot, ann: Human, caplog: pytest.LogCaptureFixture
) -> None:
    await once(machine)
    told = await keys(ann, machine.options.user)
    (machine.files / "cross-signing.json").write_text("")
    damaged(machine, "store gone")
    await once(machine)
    assert SEEDS_UNREADABLE.format(file=machine.files) in logged(caplog)
    assert (await keys(ann, machine.options.user))["master_keys"] == told["master_keys"]
