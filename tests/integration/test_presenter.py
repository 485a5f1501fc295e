"""What people in a room see, from the events of a story: in order, once, and to the last word."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest

from bot.presenter import Presenter
from bot.surface import Frame, MessageGone, RoomGone, SlowDown, SurfaceDown, SurfaceError
from storyforge_core.domain.ballot import Ballot, Vote
from storyforge_core.domain.events import (
    BallotChanged,
    BallotDecided,
    BallotOpened,
    BallotWaits,
    HeadSet,
    Noted,
    SceneTold,
    StoryBegan,
    StoryOpened,
    Task,
    WritingFailed,
    WritingQueued,
    WritingStopped,
)
from storyforge_core.domain.runs import Draft, Order, Run
from storyforge_core.domain.story import (
    BallotId,
    BranchId,
    Choice,
    ChoiceId,
    Member,
    PlayerId,
    PlaythroughId,
    RoomKey,
    Rules,
    RunId,
    Scene,
    SceneId,
    StoryId,
)
from tests.fakes import NOON, Chat, Events, Ledger, Speech, Speeches, chat_limits, in_virtual_time

HERE = RoomKey("chat", "cellar")
THERE = RoomKey("chat", "attic")
ANN, BO = (Member(player=PlayerId(uuid4()), name=name, state="joined") for name in ("Ann", "Bo"))
STORY = PlaythroughId(UUID(int=2))
HEADING = "**1 · The cold door**\n*→ Open the door*"
WORDS = [f"word{number} " for number in range(300)]


def scene(prose: str, number: int = 1) -> Scene:
    return Scene(
        id=SceneId(uuid4()),
        story=StoryId(uuid4()),
        number=number,
        parent=None,
        choice=None,
        branch=BranchId(uuid4()),
        depth=0,
        take=1,
        title="The cold door",
        prose=prose,
        origin="told",
        writer="a model",
        created_at=NOON,
    )


def ballot(*votes: tuple[Member, int], options: Sequence[str] = ("Open the door", "Wait")) -> Ballot:
    here = SceneId(UUID(int=1))
    choices = tuple(
        Choice(id=ChoiceId(UUID(int=100 + place)), scene=here, position=place, text=text)
        for place, text in enumerate(options, start=1)
    )
    return Ballot(
        id=BallotId(UUID(int=7)),
        playthrough=STORY,
        scene=here,
        choices=choices,
        votes=tuple(Vote(member.player, choices[number - 1].id, NOON) for member, number in votes),
        opened_at=NOON,
        deadline=NOON + timedelta(minutes=5),
    )


def opened(asked: Ballot, *, again: bool = False) -> BallotOpened:
    return BallotOpened(asked, Rules(), (ANN, BO), again)


def changed(asked: Ballot) -> BallotChanged:
    return BallotChanged(asked, Rules(), (ANN, BO), "Ann")


@dataclass
class Room:
    """A chat room in which one story is presented, and the means to make things happen in it."""

    chat: Chat = field(default_factory=lambda: Chat(chat_limits()))
    ledger: Ledger = field(default_factory=Ledger)
    store: Events = field(default_factory=Events)
    speeches: Speeches = field(default_factory=Speeches)
    playthrough: PlaythroughId = STORY

    def __post_init__(self) -> None:
        self.store.bind(HERE, self.playthrough)
        self.presenter = self.program()

    def program(self) -> Presenter:
        return Presenter(self.store, self.ledger, self.speeches)

    async def start(self) -> None:
        await self.presenter.attend(self.chat, HERE)

    async def kill(self) -> None:
        """End the program as a kill would: nothing more is said, and only the ledger remembers."""
        for show in self.presenter._shows.values():
            show._task.cancel()
            show._drop()
        await asyncio.sleep(0)
        self.presenter = self.program()

    async def restart(self) -> None:
        await self.kill()
        await self.start()

    def happens(self, *events: Any) -> None:
        self.store.tell(self.playthrough, *events)
        self.presenter.wake(self.playthrough)

    async def shows(self, *events: Any) -> None:
        self.happens(*events)
        await self.presenter.settled(HERE)

    def writing(self, task: Task = "continue", chosen: str = "Open the door") -> tuple[RunId, Speech]:
        run = RunId(uuid4())
        order = Order(
            task=task,
            parent=None,
            choice=None,
            chosen=chosen,
            hint="",
            base=None,
            head=None,
            ballot=None,
            seed=1,
            by="Ann",
        )
        self.store.runs[self.playthrough] = Run(
            id=run, playthrough=self.playthrough, status="running", stage="write", draft=Draft(order=order),
            attempts=1, created_at=NOON,
        )  # fmt: skip
        self.happens(WritingQueued(run, task, chosen, "Ann", 0))
        return run, self.speeches.of(run)

    def told(self, run: RunId, speech: Speech) -> SceneTold:
        speech.end()
        self.store.runs.clear()
        return SceneTold(run, scene(speech.text.strip()), "Open the door")

    async def whole_turn(self, gap: float = 0.02) -> str:
        """Write a scene word by word and tell it; answers the prose."""
        run, speech = self.writing()
        await speech.say_slowly(WORDS, gap)
        await self.shows(self.told(run, speech))
        return speech.text.strip()


def visible(text: str) -> str:
    return "".join(text.split())


def present(story: Coroutine[Any, Any, None]) -> None:
    in_virtual_time(story)


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


def test_a_message_whose_answer_was_lost_is_not_posted_twice() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        room.chat.lost_answers = 1
        room.happens(Noted("Ann joined."))
        await asyncio.sleep(1)
        await room.restart()
        await room.presenter.settled(HERE)
        assert room.chat.texts == ["Ann joined."]

    present(story())


def test_events_are_shown_once_across_restarts() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        await room.shows(StoryBegan("Salt", "A lighthouse keeper", "Ann"), Noted("Ann joined."))
        await room.restart()
        await room.shows(Noted("Bo joined."))
        assert room.chat.texts[1:] == ["Ann joined.", "Bo joined."]

    present(story())


def test_a_deleted_message_is_replaced() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        run, speech = room.writing()
        speech.say("The door ")
        await asyncio.sleep(2)
        room.chat.messages[0].gone = True
        speech.say("was open.")
        await room.shows(room.told(run, speech))
        assert room.chat.texts == [f"{HEADING}\n\nThe door was open."]

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


def test_a_request_without_an_answer_is_given_up_and_repeated() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        room.chat.lost_answers = 2
        await room.shows(Noted("Ann joined."))
        assert room.chat.texts == ["Ann joined."]

    present(story())


def test_a_dead_room_does_not_hold_up_another() -> None:
    async def story() -> None:
        room = Room()
        room.store.bind(THERE, room.playthrough)
        room.chat.closed.add(THERE)
        await room.presenter.attend(room.chat, THERE)
        await room.start()
        await room.shows(Noted("Ann joined."))
        assert room.chat.texts == ["Ann joined."]
        with pytest.raises(RoomGone):
            await room.presenter.settled(THERE)

    present(story())


def test_a_platform_that_is_away_does_not_hold_up_another_room() -> None:
    async def story() -> None:
        room = Room()
        room.store.bind(THERE, room.playthrough)
        broken = Chat(chat_limits())
        broken.failures.extend([SurfaceDown("away")] * 10_000)
        await room.presenter.attend(broken, THERE)
        await room.start()
        await room.shows(Noted("Ann joined."))
        assert room.chat.texts == ["Ann joined."]
        await room.presenter.aclose()

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


def test_twenty_votes_in_a_second_are_one_card_and_few_edits() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        await room.shows(opened(ballot()))
        for number in range(20):
            room.happens(changed(ballot((ANN, 1 + number % 2))))
            await asyncio.sleep(0.05)
        await room.presenter.settled(HERE)
        (card,) = room.chat.messages
        assert "2. Wait — 1 vote (Ann)" in card.text
        assert len(card.frames) <= 4

    present(story())


def test_card_edits_are_at_least_a_second_and_a_half_apart() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        await room.shows(opened(ballot()))
        for number in range(30):
            await asyncio.sleep(0.3)
            room.happens(changed(ballot((ANN, 1 + number % 2))))
        await room.presenter.settled(HERE)
        times = [when for when, _, _ in room.chat.when]
        assert len(times) > 4
        assert min(late - early for early, late in pairwise(times)) > 1.49

    present(story())


def test_a_decided_ballot_loses_its_buttons_and_names_the_winner() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        asked = ballot((ANN, 1), (BO, 1))
        await room.shows(opened(ballot()))
        assert len(room.chat.messages[0].frames[-1].choices) == 2
        await room.shows(BallotDecided(asked, asked.choices[0], (), ""))
        last = room.chat.messages[0].frames[-1]
        assert not last.choices
        assert "**1. Open the door** wins with 2 of 2 votes." in last.text

    present(story())


def test_a_card_is_kept_up_to_date_across_a_kill() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        await room.shows(opened(ballot()))
        room.happens(changed(ballot((BO, 2))))
        await asyncio.sleep(0)
        await room.restart()
        await room.presenter.settled(HERE)
        (card,) = room.chat.messages
        assert "2. Wait — 1 vote (Bo)" in card.text

    present(story())


def test_the_question_is_taken_back_when_the_group_moves_on() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        await room.shows(opened(ballot()))
        await room.shows(HeadSet(scene("Long ago."), "branch", "Ann", None), opened(ballot(), again=True))
        assert "No longer asked" in room.chat.texts[0]
        assert "Waiting for Ann and Bo." in room.chat.texts[-1]
        assert room.chat.messages[-1].frames[-1].choices

    present(story())


def test_where_nothing_can_be_edited_votes_are_lines_and_a_decision_follows() -> None:
    async def story() -> None:
        room = Room(Chat(chat_limits(None, edits="append", markup="plain")))
        await room.start()
        await room.shows(opened(ballot()))
        await room.shows(changed(ballot((ANN, 1))))
        decided = ballot((ANN, 1), (BO, 1))
        await room.shows(changed(decided), BallotDecided(decided, decided.choices[0], (), ""))
        assert room.chat.texts[1:] == ["1 has 1 vote. Waiting for Bo.", "1. Open the door wins with 2 of 2 votes."]

    present(story())


def test_a_room_that_opens_an_old_story_is_not_told_all_of_it_again() -> None:
    async def story() -> None:
        room = Room()
        room.happens(StoryBegan("Salt", "A keeper", "Ann"), Noted("Long ago."), StoryOpened("Salt", scene("The end.")))
        await room.start()
        await room.presenter.settled(HERE)
        assert room.chat.texts == ["**Salt** is open here, at 1 · The cold door.\nThe end."]

    present(story())


def test_a_room_that_changes_to_another_story_leaves_the_old_one() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        await room.shows(Noted("Ann joined."))
        other = PlaythroughId(uuid4())
        room.store.bind(HERE, other)
        room.store.tell(other, StoryBegan("Pepper", "A cook", "Bo"))
        await room.presenter.attend(room.chat, HERE)
        room.happens(Noted("Nobody reads this here."))
        await room.presenter.settled(HERE)
        assert room.chat.texts == ["Ann joined.", "**Pepper**\nA cook\n*Begun by Bo.*"]

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
        assert room.chat.texts == ["*→ Open the door*\n\nThe door was open."]

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


def test_a_database_that_is_away_for_a_while_doubles_nothing() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        room.ledger.outages = 5
        await room.shows(Noted("Ann joined."), Noted("Bo joined."))
        assert room.chat.texts == ["Ann joined.", "Bo joined."]
        assert not room.ledger.outages

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


def test_a_room_that_closes_while_a_scene_is_written_ends_its_presentation() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        run, speech = room.writing()
        speech.say("The door ")
        await asyncio.sleep(2)
        room.chat.closed.add(HERE)
        room.happens(room.told(run, speech))
        with pytest.raises(RoomGone):
            await room.presenter.settled(HERE)

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


def test_the_typing_sign_is_shown_until_the_first_words() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        _, speech = room.writing()
        await asyncio.sleep(20)
        assert len(room.chat.typed) == 3
        speech.say("The door ")
        await asyncio.sleep(20)
        assert len(room.chat.typed) == 3
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


def test_a_host_is_called_when_only_they_can_decide() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        tied = ballot((ANN, 1), (BO, 2))
        await room.shows(opened(tied), BallotWaits(tied, tuple(choice.id for choice in tied.choices)))
        assert room.chat.texts[-1] == "A tie between 1 and 2. The host decides: /story close 1 or /story close 2."

    present(story())
