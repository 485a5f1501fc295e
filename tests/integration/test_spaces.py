"""What those who manage a server decide, as everybody on it notices it."""

from dataclasses import replace

from storyforge_core.domain.commands import (
    ChangeSpace,
    Command,
    ContinueStory,
    Incoming,
    JoinRoom,
    Link,
    NewStory,
    ShowSpace,
    ShowStories,
    Speaker,
    Surroundings,
)
from storyforge_core.domain.replies import Accepted, Declined, NotHere, Reply, SpaceShown
from storyforge_core.domain.space import Objection
from storyforge_core.domain.story import RoomKey
from storyforge_core.store.database import Database
from tests.game import Game, game

HALL = RoomKey("test", "hall", "club")
YARD = RoomKey("test", "yard", "club")
INN = RoomKey("test", "inn", "village")
EVE = Speaker("test", "eve", "Eve", moderator=True, manager=True)
BO = Speaker("test", "bo", "Bo")


async def says(
    play: Game, command: Command, speaker: Speaker = BO, room: RoomKey = HALL, around: Surroundings | None = None
) -> Reply:
    clock = play.forge.clock
    around = around or Surroundings(room.address)
    incoming = Incoming(str(clock.new_id()), room, speaker, command, clock.now(), around)
    reply = await play.forge.handle(incoming)
    if isinstance(command, NewStory):
        before = await play.forge.objection(replace(incoming, event="again"))
        assert (before is None) == isinstance(reply, Accepted)
    return reply


async def test_stories_begin_where_they_were_allowed_and_nowhere_else(database: Database) -> None:
    async with game(database, workers=0) as play:
        await says(play, ChangeSpace("channel", "yard"), EVE)
        assert await says(play, NewStory("A door")) == NotHere(Objection("elsewhere", ("yard",)))
        assert isinstance(await says(play, NewStory("A door"), room=YARD), Accepted)
        in_a_thread = Surroundings("yard")
        assert isinstance(await says(play, NewStory("A key"), around=in_a_thread), Accepted)
        assert isinstance(await says(play, NewStory("A door"), room=INN), Accepted), "another server"


async def test_a_story_is_not_carried_into_a_channel_that_takes_none(database: Database) -> None:
    async with game(database, workers=0) as play:
        await says(play, NewStory("A door"), room=YARD)
        await says(play, ChangeSpace("channel", "yard"), EVE)
        assert isinstance(await says(play, ShowStories("door")), NotHere)
        code = await says(play, Link(), room=YARD)
        assert isinstance(code, Accepted)
        words = code.sentence.split("/story join-room ")[1].split()[0]
        assert isinstance(await says(play, JoinRoom(words)), NotHere)


async def test_a_story_begins_among_adults_where_that_is_asked_for(database: Database) -> None:
    async with game(database, workers=0) as play:
        await says(play, ChangeSpace("adults", "on"), EVE)
        assert await says(play, NewStory("A door")) == NotHere(Objection("adults"))
        assert isinstance(await says(play, NewStory("A door"), around=Surroundings("hall", adults=True)), Accepted)


async def test_who_begins_stories_is_for_the_managers_to_say(database: Database) -> None:
    async with game(database, workers=0) as play:
        await says(play, ChangeSpace("starters", "managers"), EVE)
        assert await says(play, NewStory("A door")) == NotHere(Objection("managers"))
        await says(play, ChangeSpace("starters", "77"), EVE)
        assert await says(play, NewStory("A door")) == NotHere(Objection("role", role="77"))
        assert isinstance(await says(play, NewStory("A door"), replace(BO, roles=("77",))), Accepted)
        assert isinstance(await says(play, NewStory("A key"), EVE, YARD), Accepted)


async def test_a_new_story_begins_with_the_settings_of_its_server(database: Database) -> None:
    async with game(database, workers=0) as play:
        for wanted in ("quorum 3", "tie host", "words 90"):
            await says(play, ChangeSpace("default", wanted), EVE)
        await says(play, NewStory("A door"))
        play.room = HALL
        rules = (await play.status()).playthrough.rules
        assert (rules.quorum, rules.tie, rules.words, rules.choices) == (3, "host", 90, 3)


async def test_who_is_blocked_is_told_so_and_can_do_nothing(database: Database) -> None:
    async with game(database, workers=0) as play:
        await says(play, NewStory("A door"), EVE)
        await says(play, ChangeSpace("block", "bo"), EVE)
        refused = await says(play, ContinueStory())
        assert isinstance(refused, Declined)
        assert "blocked you" in refused.sentence
        await says(play, ChangeSpace("block", "bo", lift=True), EVE)
        assert "blocked" not in str(await says(play, ContinueStory()))


async def test_nobody_decides_for_a_server_but_those_who_manage_it(database: Database) -> None:
    async with game(database, workers=0) as play:
        refused = await says(play, ChangeSpace("channel", "hall"), replace(BO, moderator=True))
        assert isinstance(refused, Declined)
        assert "who manage this place" in refused.sentence
        homeless = await says(play, ShowSpace(), EVE, RoomKey("test", "letters"))
        assert isinstance(homeless, Declined)
        assert "/story settings" in homeless.sentence
        shown = await says(play, ShowSpace(), EVE)
        assert isinstance(shown, SpaceShown)
        assert shown.space.channels == ()
