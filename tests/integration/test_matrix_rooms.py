"""Where the bot goes on a real homeserver, what it stays away from, and what the health report says of it."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.platforms.matrix import checkup
from bot.platforms.matrix.descriptions import KIND, state_key
from bot.platforms.matrix.places import Place
from bot.platforms.matrix.powers import LEVELS
from bot.platforms.matrix.wire import API, part
from storyforge_core.domain.commands import Direct, Speaker, Vote
from storyforge_core.store.database import Database
from tests.game import until
from tests.matrixia import Club, club
from tests.peers.matrix_people import SEALING, Event, Human
from tests.peers.synapse import Synapse


async def test_it_follows_only_those_who_are_allowed(homeserver: Synapse, database: Database, tmp_path: Path) -> None:
    async with club(homeserver, database, tmp_path) as friends:
        den = await friends.bo.opens(name="Den")
        async with friends.program(allowed_rooms=(den,)):
            elsewhere = await friends.bo.opens(friends.bot.user)
            await is_out(
                friends.bo, elsewhere, friends.bot.user, "StoryForge comes only where its owner has allowed it"
            )
            await friends.bo.client.room_invite(den, friends.bot.user)
            await friends.bo.reads(den, "Hello! I tell branching stories")
            room = await friends.meets()
            await friends.bo.client.room_leave(room)
            await friends.ann.says(room, "!story help vote")
            await friends.ann.reads(room, "Vote for a choice by its number.")
            await friends.bo.client.room_leave(den)
            await until(lambda: left(friends, den))


async def test_it_keeps_to_what_its_owner_wants_of_encryption(
    homeserver: Synapse, database: Database, tmp_path: Path
) -> None:
    async with club(homeserver, database, tmp_path) as friends:
        ann, bot = friends.ann, friends.bot.user
        async with friends.program(encryption="off"):
            sealed = await ann.opens(bot, sealed=True)
            await is_out(ann, sealed, bot, "set it up without encryption")
            room = await friends.meets()
            await ann.asks("PUT", f"{API}/rooms/{part(room)}/state/{SEALING['type']}", SEALING["content"])
            await is_out(ann, room, bot, "set it up without encryption")
            assert not [event for event in ann.events[sealed] if event["sender"] == bot and "body" in event["content"]]
        async with friends.program(encryption="required"):
            clear = await ann.opens(bot)
            await ann.reads(clear, "I was set up to tell stories in encrypted rooms only")
            await ann.says(clear, "!story new A fox keeps a bell")
            await ann.until(lambda: sum("encrypted rooms only" in text for text in ann.texts(clear)) == 2)
            assert await friends.play.store.rooms("matrix") == ()


async def test_where_it_may_it_describes_its_commands(homeserver: Synapse, database: Database, tmp_path: Path) -> None:
    async with club(homeserver, database, tmp_path) as friends:
        bot, ann = friends.bot.user, friends.ann
        described = f"{API}/rooms/{{}}/state/{KIND}/{part(state_key(bot))}"
        trusted = part(await ann.opens())

        async def told() -> bool:
            return "parameters" in await ann.asks("GET", described.format(trusted))

        async with friends.program():
            plain = await friends.meets()
            levels = await ann.asks("GET", f"{API}/rooms/{trusted}/state/{LEVELS}")
            levels["events"][KIND] = 0
            await ann.asks("PUT", f"{API}/rooms/{trusted}/state/{LEVELS}", levels)
            await ann.asks("POST", f"{API}/rooms/{trusted}/invite", {"user_id": bot})
            await until(told)
            content = await ann.asks("GET", described.format(trusted))
            names = [each["value"] for each in content["parameters"][0]["schema"]["variants"]]
            assert content["command"] == "story"
            assert {"new", "vote", "join-room", "setup block"} <= {*names}
            assert "command" not in await ann.asks("GET", described.format(part(plain)))
        await ann.asks("PUT", described.format(trusted), {"command": "of an older version"})
        async with friends.program():
            await until(told)


async def test_whoever_is_thrown_out_leaves_stories_to_be_deleted(
    homeserver: Synapse, database: Database, tmp_path: Path
) -> None:
    async with club(homeserver, database, tmp_path) as friends, friends.program():
        room = await friends.meets()
        card = await friends.begins()
        await friends.ann.client.room_kick(room, friends.bot.user)
        now = friends.play.forge.clock.now

        async def is_noted() -> bool:
            return (await friends.play.store.purge(now())).stories == 1

        await until(is_noted)
        assert (await friends.play.store.room(Place(room, card.thread).key)).playthrough is None


async def test_whoever_is_asked_back_goes_on(homeserver: Synapse, database: Database, tmp_path: Path) -> None:
    async with club(homeserver, database, tmp_path) as friends, friends.program():
        ann, room = friends.ann, await friends.meets()
        card = await friends.begins()
        await ann.client.room_kick(room, friends.bot.user)
        there = replace(friends.play, room=Place(room, card.thread).key)
        await there.play(Direct("slowly"), Speaker("matrix", ann.id, "Ann"))
        await ann.client.room_invite(room, friends.bot.user)
        await ann.until(lambda: sum(event["content"].get("membership") == "join" for event in moves(ann, room)) == 2)
        await there.play(Vote(1), Speaker("matrix", ann.id, "Ann"))
        await ann.reads(room, "s2w20.")


def moves(human: Human, room: str) -> list[Event]:
    """How the bot came and went."""
    members = [event for event in human.events[room] if event["type"] == "m.room.member"]
    return [event for event in members if event["state_key"].startswith("@keeper-")]


async def test_the_health_report_says_what_is_missing(homeserver: Synapse, database: Database, tmp_path: Path) -> None:
    async with club(homeserver, database, tmp_path) as friends:
        assert await found(friends) == {
            "Matrix": checkup.NOWHERE.format(user=friends.bot.user),
            "Matrix encryption": "the first start makes the keys and has the account vouch for them",
        }
        async with friends.program():
            room = await friends.meets()
            await friends.begins()
        report = await found(friends, room)
        assert report["Matrix"] == f"{friends.bot.user} is in 1 room"
        assert "is vouched for by its account" in report["Matrix encryption"]
        assert report["Matrix rooms"] == "1 with stories, and I am allowed there what I need"
        levels = await friends.ann.asks("GET", f"{API}/rooms/{part(room)}/state/{LEVELS}")
        levels["events"]["m.reaction"] = 50
        await friends.ann.asks("PUT", f"{API}/rooms/{part(room)}/state/{LEVELS}", levels)
        allow = f"in {room} allow {friends.bot.user} to send reactions: Room settings, Roles & Permissions"
        assert (await found(friends, room))["Matrix room"] == allow
        assert "MATRIX_E2EE is required" in (await found(friends, room, encryption="required"))["Matrix room"]
        wrong = await found(friends, user="@nobody:localhost", password="wrong")  # noqa: S106
        assert "check MATRIX_USER_ID and MATRIX_PASSWORD" in wrong["Matrix"]
        nobody = await found(friends, allowed_users=())
        assert "nobody can invite" in nobody["Matrix"]


async def found(friends: Club, *rooms: str, **options: Any) -> dict[str, str]:
    """What the health report says, but for the limit, which nobody can know."""
    keys = [Place(room, "$root").key for room in rooms]
    findings = await checkup.examine(replace(friends.options, **options), keys)
    limit = [finding for finding in findings if finding.name == "Matrix limit"]
    assert all("override_ratelimit" in finding.detail for finding in limit)
    return {finding.name: finding.detail for finding in findings if finding not in limit}


async def is_out(human: Human, room: str, bot: str, why: str) -> None:
    """Wait until the bot is out of a room, and has said why."""

    async def gone() -> bool:
        member = await human.asks("GET", f"{API}/rooms/{part(room)}/state/m.room.member/{part(bot)}")
        return member.get("membership") == "leave" and why in member.get("reason", "")

    await until(gone, 20)


async def left(friends: Club, room: str) -> bool:
    """Tell whether the bot is out of a room that nobody else is in."""
    path = f"/_synapse/admin/v1/rooms/{part(room)}/members"
    token = friends.homeserver.admin().token
    return not (await asyncio.to_thread(friends.homeserver.ask, "GET", path, None, token))["members"]
