"""Votes by signs on a real homeserver: reactions and polls, changed, taken back, and found after an absence."""

from pathlib import Path

from storyforge_core.domain.events import BallotDecided
from storyforge_core.domain.story import Rules
from storyforge_core.store.database import Database
from tests.game import until
from tests.matrixia import ONE, THREE, TWO, Club, answer, club
from tests.peers.synapse import Synapse

LONG = Rules(deadline=86_400)


async def test_the_newest_sign_that_stands_is_the_vote(homeserver: Synapse, database: Database, tmp_path: Path) -> None:
    async with club(homeserver, database, tmp_path) as friends, friends.program():
        ann, room = friends.ann, await friends.meets()
        card = await friends.both_play()
        await ann.until(lambda: len(ann.reactions(room, card.id)) == 3)
        one = await ann.reacts(room, card.id, ONE)
        two = await ann.reacts(room, card.id, TWO)
        await ann.reacts(room, card.id, "🎉")
        await friends.shows(card, "2. Choice 2 of 1 — 1 vote (Ann)")
        await ann.withdraws(room, two)
        await friends.shows(card, "1. Choice 1 of 1 — 1 vote (Ann)")
        await ann.says(room, "!story vote 3", thread=card.thread)
        await ann.withdraws(room, one)
        await ann.says(room, "!story story", thread=card.thread)
        status = await ann.reads(room, "You are at 1 ·")
        assert "3. Choice 3 of 1 — 1 vote (Ann)" in status.text, "it was said in words since"
        assert "Waiting for Bo." in status.text


async def test_at_the_deadline_counts_what_stands_there(
    homeserver: Synapse, database: Database, tmp_path: Path
) -> None:
    async with club(homeserver, database, tmp_path, rules=LONG) as friends:
        ann, bo = friends.ann, friends.bo
        async with friends.program():
            room = await friends.meets()
            card = await friends.both_play()
            gone = await ann.reacts(room, card.id, ONE)
            await friends.shows(card, "1. Choice 1 of 1 — 1 vote (Ann)")
        await ann.withdraws(room, gone)
        await bo.reacts(room, card.id, TWO)
        await bo.reacts(room, card.id, THREE)
        async with friends.program():
            await decide(friends, card.thread)
            assert await winner(friends, card.thread) == 3
            assert len((await decided(friends, card.thread)).ballot.votes) == 1, "Ann's was taken back"
            card = await ann.reads(room, "Choice 1 of 2")
            await bo.reacts(room, card.id, TWO)
            await friends.shows(card, "2. Choice 2 of 2 — 1 vote (Bo)")
            await bo.client.room_leave(room)
            await decide(friends, card.thread)
            await ann.reads(room, "The time is up, but nobody has voted")


async def test_in_an_encrypted_room_all_is_encrypted_but_reactions_and_people_are_told_so_once(
    homeserver: Synapse, database: Database, tmp_path: Path
) -> None:
    async with club(homeserver, database, tmp_path) as friends:
        async with friends.program():
            ann, room = friends.ann, await friends.meets(sealed=True)
            first = await friends.begins()
            told = await ann.reads(room, "This room is encrypted, but reactions are not")
            assert told.thread == first.thread
            await ann.says(room, "!story map", thread=first.thread)
            picture = await ann.reads(room, "The map of “A keeper finds a door”")
            assert (picture.content["msgtype"], picture.thread, picture.sealed) == ("m.image", first.thread, True)
            assert (await ann.downloads(picture.content)).startswith(b"\x89PNG")
            words = await ann.reads(room, "◉ 1 · Scene after 0")
            assert (words.notice, "<pre><code>" in words.html) == (True, True)
            await ann.reacts(room, first.id, TWO)
            await ann.reads(room, "s2w1 ")
        async with friends.program():
            second = await friends.begins("A fox keeps a bell")
            await ann.until(lambda: len(ann.reactions(room, second.id)) == 3)
            await ann.reacts(room, second.id, ONE)
            await ann.until(lambda: any("s2w1 " in text for text in friends.thread(second.thread)))
        assert sum("reactions are not" in text for text in ann.texts(room)) == 1
        assert all(each.sealed for each in ann.messages(room) if each.sender == friends.bot.user)


async def test_a_poll_is_answered_anew_and_closed(homeserver: Synapse, database: Database, tmp_path: Path) -> None:
    async with club(homeserver, database, tmp_path) as friends:
        async with friends.program(polls=True):
            ann, bo, room = friends.ann, friends.bo, await friends.meets(sealed=True)
            card = await friends.both_play()
            poll = await friends.appears("org.matrix.msc3381.poll.start")
            answers = poll["content"]["org.matrix.msc3381.poll.start"]["answers"]
            assert [each["org.matrix.msc1767.text"] for each in answers] == [f"Choice {n} of 1" for n in (1, 2, 3)]
            assert poll["sealed"]
            await ann.sends(room, *answer(poll, "1"))
            await ann.sends(room, *answer(poll, "2"))
            await friends.shows(card, "2. Choice 2 of 1 — 1 vote (Ann)")
            await ann.sends(room, *answer(poll))
            await friends.shows(card, "Waiting for Ann and Bo")
        await ann.sends(room, *answer(poll, "3"))
        async with friends.program(polls=True):
            await friends.shows(card, "3. Choice 3 of 1 — 1 vote (Ann)")
            await bo.sends(room, *answer(poll, "3"))
            await ann.reads(room, "s2w1 ")
            end = await friends.appears("org.matrix.msc3381.poll.end")
            assert end["content"]["m.relates_to"]["event_id"] == poll["event_id"]
            assert not ann.reactions(room, card.id)


async def decide(friends: Club, thread: str) -> None:
    """The time of the open question is up."""
    async with friends.play.store.resume(await friends.playthrough(thread)) as desk:
        assert desk.situation
        assert desk.situation.ballot
        ballot = desk.situation.ballot.id
    await friends.play.forge.deadline(ballot)


async def decided(friends: Club, thread: str) -> BallotDecided:
    async def is_decided() -> bool:
        return any(isinstance(event, BallotDecided) for event in await friends.events(thread))

    await until(is_decided)
    return next(event for event in await friends.events(thread) if isinstance(event, BallotDecided))


async def winner(friends: Club, thread: str) -> int:
    return (await decided(friends, thread)).winner.position
