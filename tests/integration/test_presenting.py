"""The presenter on the real store, bus and engine: what a chat shows of a story that is really being played."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace

from bot.presenter.presenter import Presenter
from storyforge_core.domain.commands import BranchFrom, ContinueStory, NewStory, ShowStories, Undo, Vote
from storyforge_core.domain.events import Recorded
from storyforge_core.domain.pictures import HungPicture, InHand
from storyforge_core.domain.runs import Run
from storyforge_core.domain.space import Space
from storyforge_core.domain.story import PlaythroughId, Room, RoomKey
from storyforge_core.store.database import Database
from storyforge_core.store.ledger import PostgresLedger
from tests.fakes import Chat, chat_limits
from tests.game import ANN, HOME, Game, ScriptedWriter, game, until

ATTIC = RoomKey("terminal", "attic", "here")


@asynccontextmanager
async def presenting(play: Game, database: Database) -> AsyncIterator[Presenter]:
    ledger = PostgresLedger(database, play.forge.clock)
    async with aclosing(Presenter(play.store, ledger, play.bus, play.gallery)) as presenter:
        play.bus.on_events(presenter.wake)
        yield presenter


async def test_a_chat_shows_the_whole_game(database: Database) -> None:
    chat = Chat(chat_limits())
    async with game(database) as play, presenting(play, database) as presenter:
        await play.say(NewStory("A keeper finds a door", title="Salt"))
        await presenter.attend(chat, HOME)
        for command in (Vote(1), BranchFrom(), Undo()):
            await presenter.settled(HOME)
            await play.say(command)
        await presenter.settled(HOME)
    assert [text.splitlines()[0] for text in chat.texts] == [
        "**Salt**",
        "**1 · Scene after 0**",
        "**Decided.**",
        "**2 · Scene after 1**",
        "What happens next?",
        "Ann goes back to **1 · Scene after 0**. Another choice here begins a new branch; the old one stays.",
        "What happens next?",
        "Ann took a step back. The story stands at **2 · Scene after 1**.",
        "**What happens next?**",
    ]


async def test_a_restarted_program_goes_on_in_the_same_messages(database: Database) -> None:
    chat = Chat(chat_limits())
    writer = ScriptedWriter(words=40)
    async with game(database, writer) as play:
        async with presenting(play, database) as presenter:
            writer.gate.clear()
            await play.say(NewStory("A keeper finds a door"))
            await presenter.attend(chat, HOME)
            await until(lambda: _sees(chat, "s1w10"))
        async with presenting(play, database) as presenter:
            await presenter.attend(chat, HOME)
            writer.gate.set()
            await presenter.settled(HOME)
        (scene,) = await play.scenes()
    assert len(chat.texts) == 3
    assert scene.prose in chat.texts[1]


async def test_two_rooms_of_one_story_see_the_same(database: Database) -> None:
    here, there = Chat(chat_limits()), Chat(chat_limits(300))
    async with game(database) as play, presenting(play, database) as presenter:
        await play.say(NewStory("A keeper finds a door"))
        await presenter.attend(here, HOME)
        await presenter.settled(HOME)
        await _open_in(play, ATTIC)
        await presenter.attend(there, ATTIC)
        await play.say(ContinueStory(), ANN)
        await presenter.settled(HOME)
        await presenter.settled(ATTIC)
        last = (await play.scenes())[-1].prose
    assert sum(last in text for text in here.texts) == 1
    assert sum(last in text for text in there.texts) == 1
    assert not any("1 · Scene after 0" in text.splitlines()[0] for text in there.texts[1:])


@dataclass
class Sudden:
    """A story that somebody has go on in the very moment in which it is asked what is being written."""

    play: Game
    gone_on: bool = False

    async def events(self, playthrough: PlaythroughId, after: int, limit: int) -> tuple[Recorded, ...]:
        return await self.play.store.events(playthrough, after, limit)

    async def room(self, key: RoomKey) -> Room:
        return await self.play.store.room(key)

    async def space(self, key: RoomKey) -> Space:
        return await self.play.store.space(key)

    async def picture_in(self, key: RoomKey, message: str) -> HungPicture | None:
        return await self.play.store.picture_in(key, message)

    async def in_hand(self, playthrough: PlaythroughId) -> InHand | None:
        return await self.play.store.in_hand(playthrough)

    async def hosts(self, playthrough: PlaythroughId, platform: str) -> tuple[str, ...]:
        return await self.play.store.hosts(playthrough, platform)

    async def live_run(self, playthrough: PlaythroughId) -> Run | None:
        if not self.gone_on:
            self.gone_on = True
            await self.play.say(ContinueStory())
        return await self.play.store.live_run(playthrough)


async def test_a_scene_that_begins_while_a_room_is_looked_at_is_shown_by_one(database: Database) -> None:
    chat = Chat(chat_limits(), latency=0.02)
    writer = ScriptedWriter(words=40)
    async with game(database, writer) as play:
        await play.play(NewStory("A keeper finds a door"))
        writer.gate.clear()
        ledger = PostgresLedger(database, play.forge.clock)
        async with aclosing(Presenter(Sudden(play), ledger, play.bus, play.gallery)) as presenter:
            play.bus.on_events(presenter.wake)
            await presenter.attend(chat, HOME)
            await until(lambda: _sees(chat, "s2w10"))
            assert presenter._stage.streams["chat"] == 1
            writer.gate.set()
            await presenter.settled(HOME)
            assert presenter._stage.streams["chat"] == 0


async def _sees(chat: Chat, words: str) -> bool:
    return any(words in text for text in chat.texts)


async def _open_in(play: Game, room: RoomKey) -> None:
    """Show the only story in another room."""
    await replace(play, room=room).say(ShowStories("1"))
