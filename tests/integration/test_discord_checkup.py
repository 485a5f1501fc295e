"""What the health report says of Discord."""

from pathlib import Path

from bot.platforms.discord.checkup import examine
from storyforge_core.domain.story import RoomKey
from storyforge_core.store.database import Database
from tests.discordia import Club, club
from tests.peers.discord.state import Permission


async def rooms(friends: Club) -> list[RoomKey]:
    """The rooms with stories, as the health report learns of them."""
    return [room.key for room in await friends.play.store.rooms("discord")]


async def test_it_says_where_the_bot_is_or_why_it_is_not_let_in(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends:
        (found,) = await examine(friends.options())
        (lost,) = await examine(friends.options("wrong"))
    assert (found.status, "Friends" in found.detail) == ("ok", True)
    assert (lost.status, "Reset Token" in lost.detail) == ("fail", True)


async def test_it_says_what_is_missing_where_and_where_to_give_it(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends:
        async with friends.program():
            await friends.begins()
        _, fine = await examine(friends.options(), await rooms(friends))
        friends.server.forbid(friends.general, Permission.ADD_REACTIONS | Permission.SEND_MESSAGES_IN_THREADS)
        friends.ann.archive(friends.thread)
        _, lacking = await examine(friends.options(), await rooms(friends))
        friends.ann.remove(friends.thread)
        _, gone = await examine(friends.options(), await rooms(friends))
    assert (fine.status, fine.detail) == ("ok", "1 with stories, and I am allowed there what I need")
    assert lacking.status == "warn"
    allowing = "in #general of Friends allow me Add Reactions, Send Messages in Threads: Edit Channel, Permissions"
    assert lacking.detail.startswith(allowing)
    assert (gone.status, "deleted or hidden" in gone.detail) == ("warn", True)


async def test_it_says_when_the_bot_was_sent_away(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends:
        async with friends.program():
            await friends.begins()
        friends.server.kick_bot()
        nobody, lost = await examine(friends.options(), await rooms(friends))
    assert "nobody has invited the bot yet" in nobody.detail
    assert lost.detail.startswith(
        "1 with stories in servers where I am no more; to be back: https://discord.com/oauth2"
    )
