"""Servers on Discord: what their managers decide, where stories find a place, menus and forms, comings and goings."""

import json
from pathlib import Path

import asyncpg
import pytest

from bot.platforms.discord.forms import FORM_CHARS
from storyforge_core.domain.policy import Rate
from storyforge_core.engine.app import Doorman
from storyforge_core.store.database import Database
from tests.discordia import PREMISE, Club, club
from tests.discordia import asks as asking
from tests.game import ScriptedWriter, until
from tests.peers.discord.people import Human, Seen
from tests.peers.discord.state import Channel, Message, Permission


async def asks(human: Human, channel: Channel, command: str, /, **options: object) -> Seen:
    """Somebody types a command somewhere; answers what they see in the end."""
    return await (await human.slash(channel, command, **options)).settled()


async def manager(friends: Club) -> Human:
    friends.server.promote(friends.bo, Permission.MANAGE_GUILD)
    return friends.bo


def questions(channel: Channel) -> list[Message]:
    return [message for message in channel.messages if asking(message)]


async def test_stories_begin_in_the_channels_that_a_manager_picked(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        tales = friends.server.text("tales")
        bo = await manager(friends)
        shown = await asks(bo, friends.general, "storyhost setup channel", channel=tales)
        assert f"Stories begin in: <#{tales.id}>" in shown.text
        refused = await asks(friends.ann, friends.general, "story new", premise=PREMISE)
        assert refused.private
        assert refused.text == f"On this server stories begin in <#{tales.id}>."
        assert friends.general.threads == []
        assert friends.general.messages == []
        begun = await asks(friends.ann, tales, "story new", premise=PREMISE)
        assert f"<#{tales.threads[-1].id}>" in begun.text


async def test_a_role_begins_stories_and_nobody_else(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        bo = await manager(friends)
        friends.server.promote(friends.server.member("Cy"), Permission.NOTHING)
        role = friends.server.guild.members[friends.server.member("Cy").user.id].roles[0]
        shown = await asks(bo, friends.general, "storyhost setup starters", role=role)
        assert f"<@&{role.id}>" in shown.text
        refused = await asks(friends.ann, friends.general, "story new", premise=PREMISE)
        assert f"those with the role <@&{role.id}> begin the stories" in refused.text
        begun = await asks(friends.server.member("Cy"), friends.general, "story new", premise=PREMISE)
        assert "begins" in begun.text


async def test_stories_for_adults_begin_behind_discords_own_door(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        await asks(await manager(friends), friends.general, "storyhost setup adults", switch="on")
        refused = await asks(friends.ann, friends.general, "story new", premise=PREMISE)
        assert "age-restricted channels only" in refused.text
        friends.server.age_restrict(friends.general)
        begun = await asks(friends.ann, friends.general, "story new", premise=PREMISE)
        assert "begins" in begun.text


async def test_somebody_who_is_blocked_is_told_so(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        bo = await manager(friends)
        await asks(bo, friends.general, "storyhost setup block", person=friends.ann.user)
        refused = await asks(friends.ann, friends.general, "story new", premise=PREMISE)
        assert refused.private
        assert "have blocked you" in refused.text
        assert friends.general.threads == []
        shown = await asks(bo, friends.general, "storyhost setup show")
        assert f"Blocked: <@{friends.ann.user.id}>" in shown.text
        assert not shown.message or not shown.message.pinged


async def test_only_managers_decide_for_a_server(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        friends.server.promote(friends.ann, Permission.MANAGE_MESSAGES)
        refused = await asks(friends.ann, friends.general, "storyhost setup show")
        assert "Only those who manage this place" in refused.text


async def test_whoever_asks_too_often_is_told_how_long_to_wait(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends:
        friends.doorman = Doorman(Rate(2), Rate(100))
        async with friends.program():
            for _ in range(2):
                await asks(friends.ann, friends.general, "story stories")
            late = await asks(friends.ann, friends.general, "story new", premise=PREMISE)
    assert late.private
    assert late.text == "That was a lot at once. Try again in 30 s."
    assert friends.general.threads == []


async def test_a_story_in_a_forum_is_a_post(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        tales = friends.server.forum("tales")
        seen = await asks(friends.ann, tales, "story new", premise=PREMISE, title="Salt")
        post = tales.threads[-1]
        assert f"<#{post.id}>" in seen.text
        assert (post.name, post.messages[0].content) == ("Salt", "**Salt** is told here. Come along!")
        await friends.until(lambda: bool(questions(post)))
        await asks(friends.ann, post, "story new", premise="A key", title="Sand")
        await friends.until(lambda: len(tales.threads) == 2 and bool(questions(tales.threads[-1])))


async def test_a_story_in_a_post_of_somebody_elses_is_told_right_there(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        tales = friends.server.forum("tales")
        post = friends.ann.open_thread(tales, "Shall we?")
        await asks(friends.ann, post, "story new", premise=PREMISE)
        await friends.until(lambda: bool(questions(post)))
        assert tales.threads == [post]


async def test_a_story_in_a_voice_channel_is_told_in_its_chat(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        lounge = friends.server.voice("lounge")
        seen = await asks(friends.ann, lounge, "story new", premise=PREMISE)
        assert "channels for talking have no threads" in seen.text
        await friends.until(lambda: bool(questions(lounge)))


async def test_a_scene_is_told_again_from_its_own_menu(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        await friends.begins()
        first = friends.scene
        await friends.types(friends.ann, "story vote", number=1)
        await friends.reads("2 · Scene after 1")
        await friends.asked()
        seen = await (await friends.ann.menu(first, "Reroll this scene")).settled()
        assert seen.private
        assert "told again" in seen.text
        await friends.until(lambda: sum("s1w1 " in text for text in friends.texts) == 2)


async def test_another_branch_grows_from_a_scenes_menu(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        await friends.begins()
        first = friends.scene
        await friends.types(friends.ann, "story vote", number=1)
        await friends.reads("2 · Scene after 1")
        await friends.asked()
        seen = await (await friends.ann.menu(first, "Branch from here")).settled()
        assert "Back at scene 1" in seen.text


async def test_a_message_that_tells_no_scene_says_so(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        await friends.begins()
        chatter = friends.ann.message(friends.thread, "What a night!")
        seen = await friends.ann.menu(chatter, "Reroll this scene")
        assert seen.private
        assert "tells no scene" in seen.text


async def test_a_scene_of_another_story_is_not_taken_for_one_of_this(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        await friends.begins()
        first = friends.scene
        await friends.types(friends.ann, "story new", premise="A key under the mat")
        await friends.until(lambda: sum("s1w1 " in text for text in friends.texts) == 2)
        seen = await friends.ann.menu(first, "Branch from here")
        assert "another story" in seen.text or "not open here" in seen.text


async def test_a_scene_is_edited_in_a_form_that_holds_its_words(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        await friends.begins()
        form = await friends.ann.menu(friends.scene, "Edit this scene")
        assert form.modal is not None
        assert "s1w1 " in json.dumps(form.modal)
        written = await (await friends.ann.modal_submit(form, text="The door was open after all.")).settled()
        assert written.private
        assert "Your words are the scene now" in written.text
        await friends.reads("The door was open after all.")


async def test_an_edit_without_words_opens_the_form(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        await friends.begins()
        form = await friends.ann.slash(friends.thread, "story take", mode="edit")
        assert form.modal is not None
        await (await friends.ann.modal_submit(form, text="It was late.")).settled()
        await friends.reads("It was late.")


async def test_a_scene_too_long_for_a_form_says_how_else(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path, ScriptedWriter(words=FORM_CHARS // 5)) as friends, friends.program():
        await friends.begins()
        seen = await friends.ann.slash(friends.thread, "story take", mode="edit")
        assert seen.modal is None
        assert "a form of Discord's takes 4,000" in seen.text


async def test_a_directors_note_is_written_and_cleared_in_a_form(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        await friends.begins()
        form = await friends.ann.slash(friends.thread, "story direct")
        await (await friends.ann.modal_submit(form, text="let the sea be kind")).settled()
        await friends.reads("let the sea be kind")
        again = await friends.ann.slash(friends.thread, "story direct")
        assert "let the sea be kind" in json.dumps(again.modal)
        await (await friends.ann.modal_submit(again, text="")).settled()
        await friends.reads("clears the director")


async def test_a_form_is_not_offered_where_no_story_is(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        for command, options in (("story direct", {}), ("story take", {"mode": "edit"})):
            seen = await asks(friends.ann, friends.general, command, **options)
            assert "There is no story here yet" in seen.text


async def test_people_see_what_is_kept_about_them_and_have_it_deleted(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        await friends.begins()
        await friends.types(friends.bo, "story join")
        await friends.types(friends.ann, "story vote", number=2)
        await friends.reads("1 vote (Ann)")
        shown = await friends.types(friends.ann, "story mydata")
        assert shown.private
        assert "Votes: 1" in shown.text
        assert shown.message is not None
        (file,) = shown.message.attachments
        assert json.loads(file.data)["accounts"] == [{"platform": "discord", "user": str(friends.ann.user.id)}]
        asked = await friends.types(friends.ann, "story mydata", delete="delete")
        assert "cannot be taken back" in asked.text
        done = await friends.types(friends.ann, "story mydata", delete="delete", yes="yes")
        assert "forgotten" in done.text
        await friends.until(lambda: "1 vote (Ann)" not in friends.card.content)


async def test_a_blocked_server_is_left_without_a_word(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends:
        friends.blocked = frozenset({friends.server.id})
        async with friends.program():
            await friends.until(lambda: friends.server.guild not in friends.peer.world.joined)
            friends.server.invite_bot()
            await friends.until(lambda: friends.server.guild not in friends.peer.world.joined)
        assert friends.general.messages == []


async def test_the_time_of_a_servers_stories_runs_while_the_bot_is_not_there(
    database: Database, tmp_path: Path
) -> None:
    async with club(database, tmp_path) as friends:
        async with friends.program():
            await friends.begins()
            friends.server.kick_bot()
            await soon(friends, away=True)
            friends.server.invite_bot()
            await soon(friends, away=False)
            await friends.types(friends.ann, "story vote", number=1)
            await friends.reads("2 · Scene after 1")
        friends.server.kick_bot()
        async with friends.program():
            await soon(friends, away=True)


async def soon(friends: Club, *, away: bool) -> None:
    """Wait until it is noted whether the bot is away: its stories are deleted then, and only then."""
    connection = await asyncpg.connect(friends.database.conninfo)
    realm = str(friends.server.id)

    async def noted() -> bool:
        return (await connection.fetchval("SELECT left_at FROM space WHERE realm = $1", realm) is None) != away

    try:
        await until(noted)
    finally:
        await connection.close()


@pytest.mark.parametrize("first", ["everywhere", "there"])
async def test_commands_are_where_they_belong_and_nowhere_else(database: Database, tmp_path: Path, first: str) -> None:
    async with club(database, tmp_path) as friends:
        there = friends.server.id
        one, other = (None, there) if first == "everywhere" else (there, None)
        async with friends.program(guild=one):
            await friends.until(lambda: told(friends) == {one})
        async with friends.program(guild=other):
            await friends.until(lambda: told(friends) == {other})


def told(friends: Club) -> set[int | None]:
    """Where there are commands."""
    return {place for place, commands in friends.peer.world.commands.items() if commands}


async def test_people_are_shown_the_commands_in_their_language(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        commands = {command["name"]: command for command in friends.peer.world.commands[None]}
    assert commands["Reroll this scene"]["name_localizations"]["de"] == "Diese Szene neu erzählen"
    vote = next(option for option in commands["story"]["options"] if option["name"] == "vote")
    assert vote["name_localizations"] == {"de": "stimme"}
    assert vote["options"][0]["description_localizations"] == {"de": "die der Wahl"}
