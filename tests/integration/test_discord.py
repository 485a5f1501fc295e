"""A story on Discord, from the first command to the next scene, through the wire."""

import asyncio
import re
from pathlib import Path

import pytest

from storyforge_core.domain.commands import Incoming, Speaker, Vote
from storyforge_core.domain.story import RoomKey
from storyforge_core.errors import SetupError
from storyforge_core.store.database import Database
from tests.discordia import PREMISE, club
from tests.game import ScriptedWriter
from tests.peers.discord.state import Flag, Permission

SCENE = " ".join(f"s1w{word}" for word in range(1, 41)) + "."


async def test_two_people_play_a_story_in_its_own_thread(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        seen = await friends.ann.slash(friends.general, "story new", premise=PREMISE, title="Salt")
        await seen.settled()
        assert seen.private
        assert f"<#{friends.thread.id}>" in seen.text
        assert friends.thread.name == "Salt"
        card = await friends.asked()
        await friends.types(friends.bo, "story join")
        voted = await (await friends.ann.click(card, "1. Choice 1 of 1")).settled()
        assert voted.private
        assert "Your vote is with 1" in voted.text
        friends.bo.react(card, "2️⃣")
        await friends.reads("Decided.")
        await friends.reads("2 · Scene after 1")
        await friends.until(lambda: any(message.buttons for message in friends.thread.messages))
    assert sum("s1w1 " in text for text in friends.texts) == 1


async def test_a_scene_grows_in_one_message_that_disturbs_nobody(database: Database, tmp_path: Path) -> None:
    writer = ScriptedWriter(words=40)
    writer.pace = 0.05
    async with club(database, tmp_path, writer) as friends, friends.program():
        await friends.begins()
        told = friends.scene
        shown = [version.content for version in told.history]
        assert len(shown) > 3
        assert SCENE in shown[-1]
        assert Flag.SILENT in told.flags
        lengths = [len(text) for text in shown[1:-1]]
        assert lengths == sorted(lengths)


async def test_a_question_offers_a_keycap_for_each_choice(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        card = await friends.begins()
        await friends.until(lambda: len(card.reactions) == 3)
        assert list(card.reactions) == ["1️⃣", "2️⃣", "3️⃣"]
        assert [button["label"] for button in card.buttons][-1] == "✍️ Write your own"


async def test_the_pen_opens_a_form_for_a_choice_of_ones_own(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        card = await friends.begins()
        await friends.types(friends.bo, "story join")
        form = await friends.ann.click(card, "✍️ Write your own")
        written = await (await friends.ann.modal_submit(form, text="Knock three times")).settled()
        assert written.private
        assert "Knock three times" in written.text
        await friends.until(lambda: any(button["label"] == "4. Knock three times" for button in card.buttons))
        await friends.until(lambda: "4️⃣" in card.reactions)


async def test_a_program_that_is_started_again_goes_on_in_the_same_message(database: Database, tmp_path: Path) -> None:
    writer = ScriptedWriter(words=40)
    writer.gate.clear()
    async with club(database, tmp_path, writer) as friends:
        async with friends.program():
            await friends.told_to()
            await friends.reads("s1w10")
        async with friends.program():
            writer.gate.set()
            await friends.asked()
        assert sum("s1w1 " in text for text in friends.texts) == 1
        assert SCENE in friends.scene.content


async def test_a_button_works_in_a_program_that_did_not_make_it(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends:
        async with friends.program():
            card = await friends.begins()
        async with friends.program():
            await (await friends.ann.click(card, "2. Choice 2 of 1")).settled()
            await friends.reads("2 · Scene after 1")
        assert "*→ Choice 2 of 1*" in "\n".join(friends.texts)


async def test_a_reaction_counts_that_was_made_while_the_program_was_away(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends:
        async with friends.program():
            card = await friends.begins()
            await friends.until(lambda: len(card.reactions) == 3)
        friends.ann.react(card, "3️⃣")
        async with friends.program():
            await friends.reads("2 · Scene after 1")
        assert "*→ Choice 3 of 1*" in "\n".join(friends.texts)


async def test_a_reaction_that_counted_does_not_undo_a_later_vote(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends:
        async with friends.program():
            card = await friends.begins()
            await friends.types(friends.bo, "story join")
            friends.ann.react(card, "3️⃣")
            await friends.until(lambda: "1 vote (Ann)" in card.content)
            await friends.types(friends.ann, "story vote", number=1)
        async with friends.program():
            await friends.types(friends.bo, "story vote", number=1)
            await friends.reads("wins with 2 of 2 votes")


async def test_a_reaction_counts_again_when_it_is_made_again(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        card = await friends.begins()
        await friends.types(friends.bo, "story join")
        for keycap, choice in (("1️⃣", 1), ("2️⃣", 2), ("1️⃣", 1)):
            friends.ann.unreact(card, keycap)
            friends.ann.react(card, keycap)
            await friends.reads(f"{choice}. Choice {choice} of 1 — 1 vote")


async def test_a_message_that_is_deleted_while_it_grows_is_written_anew(database: Database, tmp_path: Path) -> None:
    writer = ScriptedWriter(words=40)
    writer.gate.clear()
    async with club(database, tmp_path, writer) as friends, friends.program():
        await friends.told_to()
        await friends.reads("s1w10")
        friends.ann.delete(friends.scene)
        writer.gate.set()
        await friends.asked()
        assert SCENE in friends.scene.content


async def test_the_last_frame_is_shown_however_often_discord_fails(database: Database, tmp_path: Path) -> None:
    writer = ScriptedWriter(words=40)
    writer.gate.clear()
    async with club(database, tmp_path, writer) as friends, friends.program():
        await friends.told_to()
        await friends.reads("s1w10")
        friends.peer.trouble("PATCH /channels/*/messages/*", "error", status=502, times=1)
        friends.peer.trouble("PATCH /channels/*/messages/*", "storm", seconds=0.2, times=4)
        writer.gate.set()
        await friends.asked()
        assert SCENE in friends.scene.content


async def test_an_archived_thread_is_opened_again(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        card = await friends.begins()
        friends.ann.archive(friends.thread)
        room = RoomKey("discord", str(friends.thread.id), str(friends.server.id))
        ann = Speaker("discord", str(friends.ann.user.id), "Ann")
        await friends.play.forge.handle(Incoming("from elsewhere", room, ann, Vote(2), friends.play.forge.clock.now()))
        await friends.until(lambda: "Decided." in card.content)
        assert not friends.thread.archived


async def test_without_permission_to_write_the_asker_is_told_what_is_missing(
    database: Database, tmp_path: Path
) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        friends.server.forbid(friends.general, Permission.SEND_MESSAGES)
        seen = await (await friends.ann.slash(friends.general, "story new", premise=PREMISE)).settled()
        assert "allow me: Send Messages" in seen.text
        assert friends.general.threads == []


async def test_without_threads_the_story_is_told_in_the_channel(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        friends.server.forbid(friends.general, Permission.CREATE_PUBLIC_THREADS)
        seen = await (await friends.ann.slash(friends.general, "story new", premise=PREMISE)).settled()
        assert "Create Public Threads" in seen.text
        await friends.until(lambda: any(message.buttons for message in friends.general.messages))


async def test_a_story_between_two_is_told_in_direct_messages(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        seen = await (await friends.ann.slash(friends.ann.direct, "story new", premise=PREMISE)).settled()
        assert "between the two of us" in seen.text
        await friends.until(lambda: any(message.buttons for message in friends.ann.direct.messages))
        card = next(message for message in friends.ann.direct.messages if message.buttons)
        friends.ann.react(card, "1️⃣")
        await friends.until(lambda: any("2 · Scene after 1" in each.content for each in friends.ann.direct.messages))


async def test_nobody_is_pinged_by_what_is_written(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        premise = f"@everyone and @here meet {friends.bo.user.mention} at a door"
        await (await friends.ann.slash(friends.general, "story new", premise=premise)).settled()
        await friends.asked()
        await friends.types(friends.ann, "story write", choice="@everyone come")
        await friends.reads("2 · Scene after 1")
        written = (*friends.general.messages, *friends.thread.messages)
        assert {name for message in written for name in message.pinged} == set()


async def test_a_question_that_is_decided_takes_no_more_votes(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        card = await friends.begins()
        old = [dict(part) for part in card.components]
        await (await friends.ann.click(card, "1. Choice 1 of 1")).settled()
        await friends.reads("2 · Scene after 1")
        await friends.until(lambda: any(message.buttons for message in friends.thread.messages))
        card.components = old  # as somebody sees it whose Discord has not caught up
        late = await (await friends.bo.click(card, "2. Choice 2 of 1")).settled()
        assert "That question is decided" in late.text


async def test_arguments_are_completed_with_what_the_story_has(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        await friends.begins()
        offered = {
            command: [each["name"] for each in await friends.ann.autocomplete(friends.thread, command, option, typed)]
            for command, option, typed in (
                ("story go", "scene", "after"),
                ("story vote", "number", ""),
                ("storyhost ban", "player", ""),
                ("story takes", "number", ""),
                ("story stories", "story", "keeper"),
                ("story help", "command", "by its"),
            )
        }
    assert offered == {
        "story go": ["1 · Scene after 0"],
        "story vote": ["1 · Choice 1 of 1", "2 · Choice 2 of 1", "3 · Choice 3 of 1"],
        "storyhost ban": ["Ann"],
        "story takes": ["1 · Scene after 0"],
        "story stories": [f"1 · {PREMISE}"],
        "story help": ["vote · Vote for a choice by its number"],
    }


async def test_the_map_comes_as_a_picture_with_words_and_as_text(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        await friends.begins()
        seen = await friends.types(friends.bo, "story map")
        await friends.until(lambda: any(message.attachments for message in seen.followups))
        answers = [seen.message, *seen.followups]
    (picture,) = (file for message in answers if message for file in message.attachments)
    assert picture.data.startswith(b"\x89PNG")
    assert "1 scene in all" in picture.description
    assert any("Scene after 0" in message.content for message in answers if message)


async def test_help_is_given_to_the_asker_only(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        every = await (await friends.bo.slash(friends.general, "story help")).settled()
        one = await (await friends.bo.slash(friends.general, "story help", command="vote")).settled()
    assert every.private
    assert "direct" in every.text
    assert "/story vote 2" in one.text


async def test_a_long_path_comes_as_a_file(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path, ScriptedWriter(words=1500)) as friends, friends.program():
        await friends.begins()
        seen = await friends.types(friends.bo, "story path")
        assert seen.message is not None
        (file,) = seen.message.attachments
        assert b"s1w1500." in file.data
        assert "The file has all of it." in seen.message.content


async def test_what_goes_wrong_inside_is_admitted_with_a_number_to_ask_for(
    database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        friends.peer.trouble("POST /channels/*/messages", "error", status=400)
        seen = await (await friends.ann.slash(friends.general, "story new", premise=PREMISE)).settled()
        (reference,) = re.findall(r"as ([0-9a-f]{8})\.", seen.text)
    assert reference in capfd.readouterr().err


async def test_the_bot_is_invited_with_no_more_rights_than_it_needs(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        (link,) = friends.welcomed
    assert "scope=bot+applications.commands" in link
    assert "permissions=309237746752" in link


async def test_commands_are_told_once_and_again_only_when_they_changed(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends:
        for _ in range(2):
            async with friends.program():
                pass
        told = [each for each in friends.peer.requests if each.method == "PUT" and each.path.endswith("/commands")]
        assert len(told) == 1
        friends.memory.write_text("other commands")
        async with friends.program():
            pass
        told = [each for each in friends.peer.requests if each.method == "PUT" and each.path.endswith("/commands")]
        assert len(told) == 2


async def test_a_wrong_token_is_said_in_a_sentence(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends:
        with pytest.raises(SetupError, match="does not accept DISCORD_TOKEN"):
            await asyncio.wait_for(friends.service("wrong").run(), 10)


@pytest.mark.parametrize(("code", "sentence"), [(4004, "does not accept DISCORD_TOKEN"), (4014, "refuses the events")])
async def test_a_refusal_of_the_gateway_is_said_in_a_sentence(
    database: Database, tmp_path: Path, code: int, sentence: str
) -> None:
    async with club(database, tmp_path) as friends:
        running = asyncio.create_task(friends.service().run())
        await friends.peer.connected()
        friends.peer.gateway.close(code)
        with pytest.raises(SetupError, match=sentence):
            await asyncio.wait_for(running, 10)


async def test_an_event_that_cannot_be_read_does_not_end_the_story(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        card = await friends.begins()
        before = friends.peer.gateway.identified
        for session in friends.peer.gateway.sessions.values():
            session.tell("MESSAGE_REACTION_ADD", {"nonsense": True})
        await friends.until(lambda: friends.peer.gateway.identified > before)
        await (await friends.ann.click(card, "1. Choice 1 of 1")).settled()
        await friends.reads("2 · Scene after 1")


async def test_a_reply_that_pings_the_bot_is_a_hint_for_the_next_scene(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        await friends.begins()
        friends.ann.reply(friends.scene, "the light goes out")
        await friends.reads("2 · Scene after 1")
        assert friends.play.writer.tellings[-1].brief.hint == "the light goes out"


async def test_a_reply_that_cannot_be_followed_is_answered_with_a_reason(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        await friends.begins()
        await friends.types(friends.bo, "story join")
        friends.bo.reply(friends.scene, "the light goes out")
        await friends.reads("The others have not decided yet")


async def test_one_server_can_have_the_commands_at_once(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends:
        running = asyncio.create_task(friends.service(guild=friends.server.id).run())
        await friends.peer.connected()
        assert [place for place, commands in friends.peer.world.commands.items() if commands] == [friends.server.id]
        running.cancel()
        await asyncio.wait({running})


async def test_a_server_the_bot_is_not_invited_to_yet_holds_nothing_up(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends:
        running = asyncio.create_task(friends.service(guild=1234567890).run())
        await friends.peer.connected()
        assert not running.done()
        running.cancel()
        await asyncio.wait({running})
