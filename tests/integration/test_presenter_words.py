"""A scene in a chat room: it grows as it is written, and ends whole, whatever goes wrong."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from bot.surface import Frame, MessageGone, SlowDown, SurfaceDown, SurfaceError
from storyforge_core.domain.events import (
    SceneTold,
    WritingFailed,
    WritingQueued,
    WritingStopped,
)
from storyforge_core.domain.story import (
    RoomKey,
    RunId,
)
from tests.fakes import Chat, Speech, chat_limits
from tests.stage import HEADING, HERE, WORDS, Room, present, scene, visible


def test_a_scene_grows_in_one_message_and_ends_with_its_heading() -> None:
    async def story() -> None:
        room = Room(Chat(chat_limits(4096)))
        await room.start()
        prose = await room.whole_turn()
        (message,) = room.chat.messages
        assert message.text == f"{HEADING}\n\n{prose}"
        assert len(message.frames) > 4

    present(story())


class Auditor(Chat):
    """Compares each frame with what has been saved by then."""

    speech: Speech
    unsaved: bool = False

    async def edit(self, room: RoomKey, message: str, frame: Frame) -> None:
        told = set(self.speech.text[: self.speech.saved].split())
        self.unsaved = self.unsaved or not told >= {word for word in frame.text.split() if word.startswith("word")}
        await super().edit(room, message, frame)


def test_nothing_is_shown_that_a_restart_would_not_know() -> None:
    async def story() -> None:
        chat = Auditor(chat_limits())
        room = Room(chat)
        await room.start()
        _, chat.speech = room.writing()
        await chat.speech.say_slowly(WORDS, 0.02)
        await asyncio.sleep(2)
        assert len(chat.messages[0].frames) > 3
        assert not chat.unsaved
        await room.presenter.aclose()

    present(story())


def test_the_stream_is_never_held_up_by_a_slow_chat() -> None:
    async def story() -> None:
        room = Room(Chat(chat_limits(), latency=3.0))
        await room.start()
        _, speech = room.writing()
        began = asyncio.get_running_loop().time()
        await speech.say_slowly(WORDS, 0.02)
        assert asyncio.get_running_loop().time() - began == pytest.approx(6.0)
        assert len(room.chat.messages[0].frames) <= 3
        await room.presenter.aclose()

    present(story())


def test_the_last_words_do_not_wait_for_the_choices() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        run, speech = room.writing()
        for word in WORDS[:60]:
            speech.say(word)
            await asyncio.sleep(0.02)
        speech.conclude()
        await asyncio.sleep(0.1)
        assert visible(speech.text) in visible(room.chat.messages[0].text)
        await asyncio.sleep(3)
        await room.shows(room.told(run, speech))
        assert room.chat.messages[0].text.startswith(HEADING)

    present(story())


def test_complete_words_are_not_tried_again_before_the_platform_wants_them() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        run, speech = room.writing()
        speech.say("The door ")
        await asyncio.sleep(2)
        room.chat.failures.append(SlowDown("Slowly.", 5.0))
        speech.say("was open.")
        speech.conclude()
        await asyncio.sleep(4)
        assert "open" not in room.chat.messages[0].text
        await asyncio.sleep(2)
        assert "open" in room.chat.messages[0].text
        await room.shows(room.told(run, speech))

    present(story())


def test_the_platform_is_never_asked_for_more_than_it_takes() -> None:
    async def story() -> None:
        room = Room(Chat(chat_limits(), latency=0.075, window=5))
        await room.start()
        await room.whole_turn()
        assert room.chat.refused == 0

    present(story())


@pytest.mark.parametrize("cap", [100, 300, 2000])
def test_a_long_scene_goes_on_in_further_messages(cap: int) -> None:
    async def story() -> None:
        room = Room(Chat(chat_limits(cap)))
        await room.start()
        prose = await room.whole_turn()
        assert len(room.chat.messages) > 1
        assert visible(prose) in visible("".join(room.chat.texts))

    present(story())


def test_the_next_message_is_opened_before_the_full_one_is_trimmed() -> None:
    async def story() -> None:
        room = Room(Chat(chat_limits(300)))
        await room.start()
        await room.whole_turn()
        seen: dict[str, str] = {}
        lost = 0
        longest = 0
        for _, message, text in room.chat.when:
            seen[message] = text
            words = len(visible("".join(seen.values())))
            lost = max(lost, longest - words)
            longest = max(longest, words)
        assert lost == 0

    present(story())


def test_a_chat_that_cannot_edit_gets_the_finished_scene() -> None:
    async def story() -> None:
        room = Room(Chat(chat_limits(edits="none", markup="plain")))
        await room.start()
        prose = await room.whole_turn()
        assert visible(prose) in visible("".join(room.chat.texts))
        assert all(len(message.frames) == 1 for message in room.chat.messages)

    present(story())


def test_where_messages_only_grow_the_heading_comes_last() -> None:
    async def story() -> None:
        room = Room(Chat(chat_limits(None, edits="append", markup="plain")))
        await room.start()
        prose = await room.whole_turn()
        assert room.chat.texts == [f"→ Open the door\n\n{prose}\n\n— 1 · The cold door"]

    present(story())


def test_a_scene_is_finished_in_its_message_after_a_kill() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        run, speech = room.writing()
        speech.say("The door was ")
        await asyncio.sleep(3)
        await room.restart()
        speech.say("open.")
        await asyncio.sleep(3)
        assert [visible(text)[-16:] for text in room.chat.texts] == ["Thedoorwasopen."[-16:]] or len(
            room.chat.texts
        ) == 1
        await room.shows(room.told(run, speech))
        assert room.chat.texts == [f"{HEADING}\n\nThe door was open."]

    present(story())


def test_a_scene_that_was_told_while_the_program_was_down_is_finished_in_its_message() -> None:
    async def story() -> None:
        room = Room(Chat(chat_limits(100)))
        await room.start()
        run, speech = room.writing()
        for word in WORDS[:60]:
            speech.say(word)
        await asyncio.sleep(5)
        before = len(room.chat.messages)
        assert before > 2
        await room.kill()
        room.happens(room.told(run, speech))
        await room.start()
        await room.presenter.settled(HERE)
        assert len(room.chat.messages) == before
        assert visible(speech.text) in visible("".join(room.chat.texts))

    present(story())


@pytest.mark.parametrize("trouble", [SlowDown("wait", 7.0), SurfaceDown("away"), MessageGone("deleted")])
def test_the_last_frame_is_shown_whatever_goes_wrong(trouble: SurfaceError) -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        run, speech = room.writing()
        speech.say("The door was open.")
        await asyncio.sleep(2)
        room.chat.failures.extend([trouble] * (1 if isinstance(trouble, MessageGone) else 6))
        await room.shows(room.told(run, speech))
        assert room.chat.messages[-1].text.endswith("The door was open.")
        assert not room.chat.failures
        assert all(row.final for row in room.ledger.rows.values())

    present(story())


def test_a_failed_run_keeps_the_words_it_told() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        run, speech = room.writing()
        speech.say("The door was ")
        await asyncio.sleep(2)
        speech.end()
        await room.shows(WritingFailed(run, "The model went away. Try /story continue."))
        assert room.chat.texts == ["*→ Open the door*\n\nThe door was\n\nThe model went away. Try /story continue."]

    present(story())


def test_after_a_kill_a_failed_run_leaves_the_words_in_the_room_alone() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        run, speech = room.writing()
        speech.say("The door was ")
        await asyncio.sleep(2)
        await room.kill()
        room.speeches.runs.clear()
        room.store.runs.clear()
        room.happens(WritingFailed(run, "The model went away."))
        await room.start()
        await room.presenter.settled(HERE)
        assert room.chat.texts == ["*→ Open the door*\n\nThe door was", "The model went away."]
        assert all(row.final for row in room.ledger.rows.values())

    present(story())


def test_a_run_stopped_before_its_first_word_says_who_stopped_it() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        run, _ = room.writing("open", "")
        await asyncio.sleep(2)
        assert room.chat.texts == ["…"]
        await room.shows(WritingStopped(run, "Ann"))
        assert room.chat.texts == ["Ann stopped this before it was told."]

    present(story())


def test_a_waiting_run_shows_its_place() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        room.happens(WritingQueued(RunId(uuid4()), "open", "", "Ann", 2))
        await asyncio.sleep(1)
        assert room.chat.texts == ["2 other scenes are written before this one …"]
        await room.presenter.aclose()

    present(story())


def test_the_newest_words_are_shown_before_the_program_ends() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        _, speech = room.writing()
        speech.say("The door ")
        await asyncio.sleep(2)
        speech.say("was open.")
        await asyncio.sleep(0.01)
        await room.presenter.aclose()
        (text,) = room.chat.texts
        assert text.startswith("*→ Open the door*\n\nThe door was open.")
        assert text.endswith("*⏸ I have to go for a moment. It goes on right here when I'm back.*")

    present(story())


def test_what_a_model_writes_pings_nobody() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        run, speech = room.writing(chosen="Ask @everyone")
        speech.say("Hello @everyone and <@123>, read [this](https://example.org).")
        await room.shows(replace(room.told(run, speech), chosen="Ask @everyone"))
        for frame in room.chat.messages[0].frames:
            assert not any(ping in frame.text for ping in ("@everyone", "<@1", "]("))

    present(story())


def test_words_go_on_after_the_platform_asked_for_a_rest() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        _, speech = room.writing()
        speech.say("The door ")
        await asyncio.sleep(2)
        room.chat.failures.append(SlowDown("wait", 4.0))
        speech.say("was ")
        await asyncio.sleep(2)
        assert not room.chat.failures
        assert room.chat.texts == ["*→ Open the door*\n\nThe door"]
        speech.say("open.")
        await asyncio.sleep(4)
        assert room.chat.texts == ["*→ Open the door*\n\nThe door was open."]
        await room.presenter.aclose()

    present(story())


def test_a_message_too_many_says_that_the_scene_ends_above() -> None:
    async def story() -> None:
        room = Room(Chat(chat_limits(100)))
        await room.start()
        run, speech = room.writing()
        speech.say("word " * 30)
        await asyncio.sleep(3)
        assert len(room.chat.messages) > 1
        speech.end()
        await room.shows(SceneTold(run, scene("Short."), ""))
        assert room.chat.texts[0].endswith("Short.")
        assert set(room.chat.texts[1:]) == {"(The scene ends above.)"}

    present(story())


def test_words_that_move_up_are_there_before_they_go_below() -> None:
    async def story() -> None:
        room = Room(Chat(chat_limits(100)))
        await room.start()
        run, speech = room.writing()
        speech.say(f"{'word ' * 14}end.")
        await asyncio.sleep(3)
        (_, below) = room.chat.messages
        assert "end." in below.text
        await room.shows(SceneTold(run, scene("Short to the end."), ""))
        shown = [text for _, _, text in room.chat.when]
        assert next(text for text in shown if "to the end." in text or "ends above" in text).endswith("to the end.")

    present(story())


def test_a_run_that_fell_silent_and_went_on_elsewhere_is_followed_again() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        run, speech = room.writing()
        speech.say("The door ")
        speech.end()
        await asyncio.sleep(2)
        room.speeches.runs[run] = again = Speech()
        again.say("The door was open.")
        await asyncio.sleep(3)
        assert room.chat.texts == ["*→ Open the door*\n\nThe door was open."]
        await room.presenter.aclose()

    present(story())


def test_the_typing_sign_is_shown_until_the_first_words_and_in_long_silences() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        _, speech = room.writing()
        await asyncio.sleep(20)
        assert len(room.chat.typed) == 3
        speech.say("The door ")
        await asyncio.sleep(7)
        assert len(room.chat.typed) == 3
        await asyncio.sleep(13)
        assert len(room.chat.typed) == 5
        await room.presenter.aclose()

    present(story())


def test_a_players_own_scene_is_shown_at_once() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        edited = replace(scene("It was never open."), origin="edited", writer="Ann", take=2)
        await room.shows(SceneTold(None, edited, ""))
        assert room.chat.texts == ["**1 · The cold door**\n\nIt was never open.\n\n*take 2 · edited by Ann*"]

    present(story())
