"""What is kept about people, shown and forgotten; and stories of servers that sent the bot away."""

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from bot.illustrator import Studio
from storyforge_core.domain.book import AddEntity, AddFact, EndChapter, ShowRecap
from storyforge_core.domain.commands import (
    AddLore,
    Ban,
    BranchFrom,
    ContinueStory,
    Direct,
    Edit,
    EditLore,
    ForgetMe,
    Join,
    Link,
    NewStory,
    Redo,
    ShowMyData,
    Undo,
    Vote,
    WriteIn,
)
from storyforge_core.domain.events import BallotChanged
from storyforge_core.domain.privacy import MyData
from storyforge_core.domain.replies import Accepted, Declined, MyDataShown, StatusShown
from storyforge_core.domain.story import RoomKey
from storyforge_core.engine.clock import SystemClock
from storyforge_core.picture_ports import Purged
from storyforge_core.providers.cards import CardIllustrator
from storyforge_core.store.database import Database
from storyforge_core.store.purge import _under_stories
from storyforge_core.store.tables import metadata
from tests.game import ANN, BO, CY, Game, game, until

ANN = replace(ANN, name="Annabel", moderator=False, private=True)
BO, CY = replace(BO, private=True), replace(CY, private=True)
NO_TRACE = ("identity", "inbox", "procrastinate")


@asynccontextmanager
async def inside(database: Database) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database.conninfo)
    try:
        yield connection
    finally:
        await connection.close()


async def everything(database: Database) -> str:
    """All rows of all our tables as text."""
    async with inside(database) as db:
        tables = [name for name in metadata.tables if not name.startswith(NO_TRACE)]
        rows = [await db.fetch(f"SELECT to_jsonb({name})::text FROM {name}") for name in tables]  # noqa: S608 - ours
        return "\n".join(row[0] for found in rows for row in found)


async def data(play: Game) -> MyData:
    shown = await play.say(ShowMyData(), ANN)
    assert isinstance(shown, MyDataShown)
    return shown.data


async def played(play: Game) -> None:
    """Annabel hosts, Bo and Cy play; she has voted, written in, hinted, directed and edited, under two names."""
    earlier = replace(ANN, name="Nan of old")
    await play.play(NewStory("A door"), earlier)
    await play.say(Join(), BO)
    await play.say(Join(), CY)
    await play.say(WriteIn("Sing to the gull"), earlier)
    await play.say(Direct("slower, please"), ANN)
    await play.say(ShowRecap(), ANN)
    await play.say(EndChapter("The gulls of old"), ANN)
    await play.say(AddLore("Whales sing at noon.", "whale", "Sea song"), ANN)
    await play.say(AddLore("Nobody can lie."), ANN)
    await play.say(AddLore("The mayor is a heron.", "mayor"), ANN)
    await play.say(EditLore("3", "text", "The mayor is a stork."), BO)
    await play.say(Vote(1), BO)
    await play.say(Vote(1), ANN)
    await play.play(ContinueStory("fog comes in"), ANN)
    await play.play(Edit("The fog was kind."), ANN)
    await play.say(AddEntity("character", "Maren", "keeps the mill"), ANN)
    await play.say(AddFact("The bell is cracked"), ANN)
    await play.say(Vote(2), ANN)


async def test_people_are_shown_everything_that_is_kept_about_them(database: Database) -> None:
    async with game(database) as play:
        await played(play)
        mine = await data(play)
    assert (mine.name, [account.user for account in mine.accounts]) == ("Annabel", ["ann"])
    assert [(part.story, part.state, part.host) for part in mine.stories] == [("A door", "joined", True)]
    assert [said.text for said in mine.choices] == ["Sing to the gull"]
    assert [said.text for said in mine.hints] == ["fog comes in"]
    assert [said.text for said in mine.notes] == ["slower, please"]
    assert [said.text for said in mine.lore] == ["Whales sing at noon.", "Nobody can lie.", "The mayor is a heron."]
    assert len(mine.scenes) == 1
    assert [said.text for said in mine.votes] == ["Choice 1 of 1", "Choice 2 of 2"]
    assert [said.text for said in mine.written] == [
        "The gulls of old",
        "Maren: keeps the mill",
        "The bell is cracked",
    ]
    assert len(mine.marks) == 1
    assert mine.steps > 5


async def test_a_forgotten_person_is_named_nowhere_and_the_story_stays(database: Database) -> None:
    async with game(database) as play:
        await played(play)
        before = await play.scenes()
        assert isinstance(await play.say(ForgetMe(sure=True), ANN), Accepted)
        stored = await everything(database)
        assert not [name for name in ("Annabel", "Nan of old") if name in stored]
        kept_words = (
            "Sing to the gull",
            "fog comes in",
            "slower, please",
            "The fog was kind.",
            "Whales sing",
            "keeps the mill",
        )
        for kept in kept_words:
            assert kept in stored
        assert [scene.prose for scene in await play.scenes()] == [scene.prose for scene in before]
        status = await play.say(Vote(3), BO)
        assert isinstance(status, Accepted)
    async with inside(database) as db:
        assert await db.fetchval("SELECT count(*) FROM identity WHERE user_id = 'ann'") == 0
        assert await db.fetchval("SELECT count(*) FROM player WHERE name = 'somebody'") == 1


async def test_a_vote_of_a_forgotten_person_is_withdrawn_before_all_eyes(database: Database) -> None:
    async with game(database) as play:
        await played(play)
        await play.say(ForgetMe(sure=True), ANN)
        changed = [event for event in await play.events() if isinstance(event, BallotChanged)][-1]
        assert changed.ballot.votes == ()
        assert changed.by == "somebody"
        assert [(member.name, member.host) for member in changed.members] == [("Bo", True), ("Cy", False)]


async def test_the_others_need_wait_no_longer_for_a_forgotten_person(database: Database) -> None:
    async with game(database) as play:
        await play.play(NewStory("A door"), ANN)
        await play.say(Join(), BO)
        await play.say(Vote(2), BO)
        await play.say(ForgetMe(sure=True), ANN)
        await play.quiet()
        assert len(await play.scenes()) == 2
        assert "Annabel" not in await everything(database)


async def test_undo_brings_no_name_back(database: Database) -> None:
    async with game(database) as play:
        await played(play)
        await play.say(ForgetMe(sure=True), ANN)
        for command in (Undo(), Undo(), Redo(), BranchFrom("1")):
            assert isinstance(await play.say(command, BO), Accepted)
        stored = await everything(database)
        assert "Annabel" not in stored
        assert "Nan of old" not in stored


async def test_what_no_scene_was_made_of_goes_when_that_is_asked_for(database: Database) -> None:
    async with game(database) as play:
        await played(play)
        await play.say(ForgetMe(everything=True, sure=True), ANN)
        stored = await everything(database)
        assert not [word for word in ("gull", "fog comes in", "slower, please") if word in stored]
        assert not [word for word in ("Whales sing", "Sea song", "whale", "gulls of old") if word in stored]
        for kept in ("The fog was kind.", "Nobody can lie.", "The mayor is a stork."):
            assert kept in stored
        assert isinstance(await play.say(Undo(), BO), Accepted)
        status = await play.status()
        assert status.playthrough.note == ""


async def test_a_choice_that_became_a_scene_stays(database: Database) -> None:
    async with game(database) as play:
        await play.play(NewStory("A door"), ANN)
        await play.play(WriteIn("Sing to the gull"), ANN)
        await play.say(ForgetMe(everything=True, sure=True), ANN)
        assert "Sing to the gull" in await everything(database)


async def test_both_accounts_of_a_person_are_forgotten(database: Database) -> None:
    async with game(database) as play:
        twin = replace(ANN, user="ann on her phone", name="Anna Bell")
        await play.play(NewStory("A door"), twin)
        await play.say(WriteIn("Sing to the gull"), twin)
        await play.quiet()
        code = await play.say(Link("me"), ANN)
        assert isinstance(code, Accepted)
        (typed,) = re.findall(r"[0-9A-Z]{4}-[0-9A-Z]{4}", code.sentence)
        assert isinstance(await play.say(Link(typed), twin), Accepted)
        mine = await data(play)
        assert ([each.user for each in mine.accounts], len(mine.choices)) == (["ann", "ann on her phone"], 1)
        await play.say(ForgetMe(sure=True), twin)
        stored = await everything(database)
        assert not [name for name in ("Annabel", "Anna Bell", "on her phone") if name in stored]


async def test_nobody_is_forgotten_by_accident(database: Database) -> None:
    async with game(database) as play:
        await play.play(NewStory("A door"), ANN)
        asked = await play.say(ForgetMe(), ANN)
        assert isinstance(asked, Declined)
        assert "/story mydata delete yes" in asked.sentence
        assert (await data(play)).name == "Annabel"


async def test_what_is_kept_is_told_to_nobody_else(database: Database) -> None:
    async with game(database, workers=0) as play:
        refused = await play.say(ShowMyData(), replace(ANN, private=False))
        assert isinstance(refused, Declined)
        assert "in private" in refused.sentence


async def test_a_scene_on_order_is_waited_for(database: Database) -> None:
    async with game(database, workers=0) as play:
        await play.say(NewStory("A door"), ANN)
        refused = await play.say(ForgetMe(sure=True), ANN)
        assert isinstance(refused, Declined)
        assert "/story stop" in refused.sentence


async def test_who_is_shut_out_stays_so_and_is_a_stranger(database: Database) -> None:
    async with game(database) as play:
        await play.play(NewStory("A door"), BO)
        await play.say(Vote(1), ANN)
        await play.say(Ban("Annabel"), BO)
        await play.say(ForgetMe(sure=True), ANN)
        assert "Annabel" not in await everything(database)
        refused = await play.say(Vote(1), ANN)
        assert isinstance(refused, Declined)
        assert "shut you out" in refused.sentence


async def test_whoever_comes_back_begins_as_a_stranger(database: Database) -> None:
    async with game(database) as play:
        await played(play)
        await play.say(ForgetMe(sure=True), ANN)
        mine = await data(play)
    assert (mine.stories, mine.votes, mine.choices, mine.steps) == ((), (), (), 0)


async def test_the_log_cannot_be_rewritten_otherwise(database: Database) -> None:
    async with game(database, workers=0) as play:
        await play.say(NewStory("A door"), ANN)
    async with inside(database) as db:
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await db.execute("UPDATE change SET command = 'x'")


CLUB, VILLAGE = RoomKey("test", "hall", "club"), RoomKey("test", "inn", "village")
NOW = SystemClock().now()


async def left(play: Game, ago: timedelta) -> None:
    """The bot was sent away from the club a while ago, and is in the village."""
    await play.store.attendance("test", ["village"], NOW - ago)


async def two_servers(play: Game) -> None:
    play.room = VILLAGE
    await play.play(NewStory("A mill"), BO)
    play.room = CLUB
    await played(play)


async def test_the_stories_of_a_server_go_when_their_time_is_over(database: Database) -> None:
    async with game(database) as play:
        await two_servers(play)
        await left(play, timedelta(days=31))
        assert await play.store.purge(NOW - timedelta(days=30)) == Purged(1)
        stored = await everything(database)
        assert not [word for word in ("A door", "Annabel", "gull", "fog", "hall") if word in stored]
        assert "A mill" in stored
        play.room = VILLAGE
        assert isinstance(await play.say(Vote(1), BO), Accepted)


async def test_the_pictures_of_a_server_go_with_its_stories_unless_another_story_has_them_too(
    database: Database,
) -> None:
    async with game(database, studio=Studio(CardIllustrator(), "every", 1)) as play:
        await two_servers(play)
        await until(lambda: painted(play, 2))
        async with inside(database) as db:
            first, *others, last = [row[0] for row in await db.fetch("SELECT sha256 FROM asset ORDER BY id")]
            await db.execute("UPDATE asset SET sha256 = $1 WHERE sha256 = $2", first, last)
        await left(play, timedelta(days=31))
        gone = await play.store.purge(NOW - timedelta(days=30))
        assert set(gone.pictures) == set(others)
        async with inside(database) as db:
            assert await db.fetchval("SELECT array_agg(sha256) FROM asset") == [first]


async def painted(play: Game, least: int) -> bool:
    async with play.store.resume(await play.playthrough()) as desk:
        return len(play.gallery.files) >= least and not await desk.live_pictures(await play.playthrough())


@pytest.mark.parametrize("days", [29, 0])
async def test_the_stories_of_a_server_wait_for_their_time(database: Database, days: int) -> None:
    async with game(database) as play:
        await two_servers(play)
        await left(play, timedelta(days=days))
        assert await play.store.purge(NOW - timedelta(days=30)) == Purged(0)
        assert isinstance(await play.status(), StatusShown)


async def test_a_server_that_invites_the_bot_again_keeps_its_stories(database: Database) -> None:
    async with game(database) as play:
        await two_servers(play)
        await left(play, timedelta(days=31))
        await play.store.attendance("test", ["club"], NOW, only="club")
        assert await play.store.purge(NOW - timedelta(days=30)) == Purged(0)


async def test_the_time_counts_from_the_day_the_bot_was_sent_away(database: Database) -> None:
    async with game(database) as play:
        await two_servers(play)
        await left(play, timedelta(days=31))
        await left(play, timedelta(days=1))
        assert await play.store.purge(NOW - timedelta(days=30)) == Purged(1)


def test_every_table_is_known_to_belong_to_stories_or_not() -> None:
    apart = {"story", "room", "delivery", "player", "identity", "space", "inbox", "letter", "mail_mark", "measure"}
    assert {table.name for table in _under_stories()} == {*metadata.tables} - apart


def test_what_is_shown_can_be_written_to_a_file() -> None:
    from bot.wording.mydata import as_json  # noqa: PLC0415 - the only wording here

    assert json.loads(as_json(MyData(name="Annabel")))["name"] == "Annabel"
