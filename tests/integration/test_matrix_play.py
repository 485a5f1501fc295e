"""Stories in rooms of a real homeserver: what people type, and what they are answered."""

from pathlib import Path

from bot.platforms.matrix.signs import CARD
from bot.platforms.matrix.wire import API
from storyforge_core.domain.events import BallotDecided
from storyforge_core.store.database import Database
from tests.game import ScriptedWriter
from tests.matrixia import PREMISE, answer, club
from tests.peers.synapse import Synapse

SIGNS_ONLY = '{"room":{"timeline":{"limit":1},"ephemeral":{"types":["m.receipt"]}}}'


async def test_from_an_invitation_to_a_vote_and_a_hint(homeserver: Synapse, database: Database, tmp_path: Path) -> None:
    async with club(homeserver, database, tmp_path) as friends, friends.program():
        await friends.meets()
        card = await friends.begins()
        header = next(each for each in friends.ann.messages(friends.room) if each.id == card.thread)
        assert header.text == f"{PREMISE} is told in this thread, begun by Ann. Come along!"
        assert "React with a number, or type !story vote" in card.text
        await friends.ann.says(friends.room, "!story vote 2", thread=card.thread)
        scene = await friends.ann.reads(friends.room, "s2w1 ")
        assert not [each for each in friends.ann.messages(friends.room) if each.notice and "vote" in each.text], "quiet"
        await friends.ann.reads(friends.room, "Choice 1 of 2")
        for words, message in (("How nice!", header.id), ("the light goes out", scene.id)):
            await friends.ann.says(
                friends.room, words, "", **{"m.relates_to": {"m.in_reply_to": {"event_id": message}}}
            )
        await friends.ann.reads(friends.room, "s3w1 ")
        assert friends.play.writer.tellings[-1].brief.hint == "the light goes out"


async def test_each_way_to_call_the_bot_is_understood_and_talk_is_left_alone(
    homeserver: Synapse, database: Database, tmp_path: Path
) -> None:
    async with club(homeserver, database, tmp_path) as friends, friends.program():
        ann, room = friends.ann, await friends.meets()
        card = await friends.both_play()
        for talk in ("vote 1", "I would vote 1", "the keeper is odd"):
            await ann.says(room, talk, thread=card.thread)
        await ann.says(room, "!story vote 1", thread=card.thread, msgtype="m.notice")
        asked = await ann.says(room, "!story vote 2", thread=card.thread)
        replaced = {"msgtype": "m.text", "body": "!story vote 1"}
        relation = {"rel_type": "m.replace", "event_id": asked}
        await ann.says(room, "* !story vote 1", "", **{"m.new_content": replaced, "m.relates_to": relation})
        await ann.says(room, "Keeper: nonsense", thread=card.thread)
        answer = await ann.reads(room, "There is no command “nonsense”")
        assert answer.notice
        assert "!story help" in answer.text
        assert answer.thread == card.thread
        await friends.shows(card, "2. Choice 2 of 1 — 1 vote (Ann)")
        form = {"command": "story", "arguments": {"command": "vote", "words": "3"}}
        called = {"org.matrix.msc4391.command": form, "m.mentions": {"user_ids": [friends.bot.user]}}
        await ann.says(room, "/story vote 3", thread=card.thread, **called)
        await friends.shows(card, "3. Choice 3 of 1 — 1 vote (Ann)")


async def test_two_bots_do_not_answer_each_other_for_ever(
    homeserver: Synapse, database: Database, tmp_path: Path
) -> None:
    async with club(homeserver, database, tmp_path) as friends, friends.program():
        room = await friends.meets()
        for number in range(15):
            await friends.bo.says(room, f"!story nonsense {number}")
        asked = await friends.ann.says(room, "!story help vote")
        await friends.ann.reads(room, "Vote for a choice by its number.")
        assert sum("There is no command" in text for text in friends.ann.texts(room)) == 12
        read = await friends.ann.asks("GET", f"{API}/sync?filter={SIGNS_ONLY}&timeout=0")
        receipts = read["rooms"]["join"][room]["ephemeral"]["events"]
        assert any(friends.bot.user in kinds["m.read"] for each in receipts for kinds in each["content"].values())
        assert asked in {event for each in receipts for event in each["content"]}


async def test_in_the_room_itself_commands_are_for_the_newest_story(
    homeserver: Synapse, database: Database, tmp_path: Path
) -> None:
    async with club(homeserver, database, tmp_path) as friends, friends.program():
        ann, room = friends.ann, await friends.meets()
        first = await friends.begins()
        await ann.says(room, "!story new A fox keeps a bell", thread=first.thread)
        await ann.reads(room, "A fox keeps a bell is told in this thread")
        await ann.until(lambda: len([each for each in ann.messages(room) if "What happens next?" in each.text]) == 2)
        second = await friends.asked()
        assert first.thread != second.thread
        assert (await ann.reads(room, "It is told in a thread of its own")).thread == first.thread
        await ann.says(room, "!story story")
        status = await ann.reads(room, "You are at 1 · Scene after 0")
        assert status.notice
        assert not status.thread
        assert "A fox keeps a bell" in status.text
        talk = await ann.says(room, "Who is hungry?")
        await ann.says(room, "!story vote 1", thread=talk)
        assert (await ann.reads(room, "This thread is yours")).thread == talk


async def test_a_whole_room_can_be_the_place_of_a_story(
    homeserver: Synapse, database: Database, tmp_path: Path
) -> None:
    async with club(homeserver, database, tmp_path, ScriptedWriter(1200)) as friends:
        async with friends.program(stories="room", polls=True):
            ann, room = friends.ann, await friends.meets()
            await ann.says(room, f"!story new {PREMISE}")
            card = await friends.asked()
            assert not card.thread
            poll = await friends.appears("org.matrix.msc3381.poll.start")
            await ann.says(room, "!story story", thread=card.id)
            assert (await ann.reads(room, "You are at 1 ·")).thread == card.id, "answered where it was asked"
            await ann.says(room, "!story path")
            assert "s1w1200" not in (await ann.reads(room, "The file has all of it.")).text
            assert b"s1w1200" in await ann.downloads((await ann.reads(room, "All of it.")).content)
        async with friends.program(stories="room", polls=True):
            await ann.sends(room, *answer(poll, "2"))
            await ann.reads(room, "s2w1 ")
        polls = [event for event in ann.events[room] if event["type"] == poll["type"]]
        assert [event["content"][CARD] == card.id for event in polls] in ([True], [True, False]), (
            "one for each question"
        )


async def test_what_is_somebodys_own_is_answered_to_them_alone(
    homeserver: Synapse, database: Database, tmp_path: Path
) -> None:
    async with club(homeserver, database, tmp_path) as friends, friends.program():
        bo, room = friends.bo, await friends.meets()
        await friends.both_play()
        await bo.says(room, "!story mydata")
        await bo.until(lambda: bool(bo.client.invited_rooms))
        (alone,) = bo.client.invited_rooms
        await bo.joins(alone)
        summary = await bo.reads(alone, "What is kept about you")
        assert summary.sealed
        assert (await bo.reads(alone, "All of it.")).content["filename"] == "mydata.json"
        await bo.reads(room, "look at our direct room")
        assert not [text for text in bo.texts(room) if "What is kept" in text]
        await bo.says(alone, "!story link me")
        await bo.reads(alone, "With your other account type: !story link ")


async def test_powers_of_the_room_are_powers_over_the_story(
    homeserver: Synapse, database: Database, tmp_path: Path
) -> None:
    async with club(homeserver, database, tmp_path) as friends, friends.program():
        ann, bo, room = friends.ann, friends.bo, await friends.meets(version="12")
        await bo.says(room, f"!story new {PREMISE}")
        card = await friends.asked()
        await ann.says(room, "!story join", thread=card.thread)
        await bo.says(room, "!story setup starters managers", thread=card.thread)
        await ann.reads(room, "manage")
        await ann.says(room, "!story close 3", thread=card.thread)
        await ann.reads(room, "s2w1 ")
        decided = [event for event in await friends.events(card.thread) if isinstance(event, BallotDecided)]
        assert [event.by for event in decided] == ["Ann"]
        await ann.says(room, "!story setup adults on")
        await ann.reads(room, "Matrix knows no rooms that only adults can join")
        await ann.says(room, "!story setup starters managers")
        await ann.reads(room, "Stories are begun by managers")
        await bo.says(room, "!story new Another one")
        await bo.reads(room, "those who manage it begin the stories")
        assert not [text for text in bo.texts(room) if "Another one is told" in text]
