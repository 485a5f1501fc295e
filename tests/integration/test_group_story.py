"""Sixty turns of a group on four branches, told by each storyteller, shown in a chat: each branch knows its own only.

What is true at the end of each branch is a row of `TRUE_THERE`.
"""

import re
from collections.abc import Awaitable, Callable

import pytest

from bot.surface import Pace
from storyforge_core.domain.book import Ask, ListFacts, Search, ShowContext, ShowRecap, ShowWhy
from storyforge_core.domain.commands import GoTo, ListLore, ShowPath
from storyforge_core.domain.found import PromisesShown, ShowPromises, ShowState, StateShown
from storyforge_core.domain.replies import (
    AnswerShown,
    ContextShown,
    FactsShown,
    LoreListed,
    PathShown,
    RecapShown,
    SearchShown,
    WhyShown,
)
from storyforge_core.domain.story import Rules
from storyforge_core.engine.inventory import can_be_made_again
from storyforge_core.engine.prompting import SMALLEST_WINDOW, scene_messages
from storyforge_core.ports import Writer
from storyforge_core.providers.offline import OfflineStoryteller
from storyforge_core.providers.ollama import OllamaOptions, OllamaWriter
from storyforge_core.store.database import Database
from tests.fakes import Chat, chat_limits
from tests.game import HOME, Game, game, until
from tests.group import EDIT, FACT, FORKS, TURNS, Group, Place, Scribe, known_at, mark, marks_in
from tests.integration.test_presenting import presenting
from tests.peers.llama import TINY, LlamaPeer, llama_server

MODEL = "salad"
AT_ONCE = Pace(burst=10_000, per=1.0, min_gap=0.001, first_gap=0.001, shared=10_000.0)
"""A chat that takes every edit."""


async def play_and_look(database: Database, teller: Writer, words: int) -> Chat:
    """Play, and look at every branch and every prompt; answers what the chat has shown."""
    chat = Chat(chat_limits(pace=AT_ONCE))
    scribe = Scribe(teller, SMALLEST_WINDOW)
    reader = scribe if isinstance(teller, OfflineStoryteller) else None  # of salad nothing could be found
    async with game(database, scribe, rules=Rules(words=words, choices=2, tie="first"), reader=reader) as played:
        group = Group(played, scribe, read=reader is not None)
        async with presenting(played, database) as presenter:
            await group.begin()
            await presenter.attend(chat, HOME)
            await group.play()
            await presenter.settled(HOME)
        assert len(await played.scenes()) == 1 + TURNS * len(FORKS)
        await findable(played)
        await until(lambda: everything_read(group), 60)
        for branch in FORKS:
            await played.say(GoTo(str(group.told[branch, TURNS].number)))
            scribe.at = (branch, TURNS)
            for true_there in TRUE_THERE:
                await true_there(group, branch)
        await every_prompt_is_of_its_branch(group)
        every_question_is_of_its_branch(scribe)
    return chat


async def findable(played: Game) -> None:
    async def cut() -> bool:
        return not await played.store.uncut(1) and not await played.store.unread("built-in embedder/1", 1)

    await until(cut, 60)


async def everything_read(group: Group) -> bool:
    return not group.read or group.scribe.scenes_read >= 1 + TURNS * len(FORKS)


def path_of(branch: str) -> list[Place]:
    """The turns that lead to the end of a branch."""
    found: list[Place] = []
    turn = TURNS
    while branch:
        found += [(branch, at) for at in range(turn, 0, -1)]
        branch, turn = FORKS[branch]
    return [*reversed(found)]


async def answers_are(group: Group, branch: str) -> None:
    reply = await group.played.say(Ask("Where did the brass lantern stand while Osk kept watch in the rain?"))
    assert isinstance(reply, AnswerShown)
    said = marks_in(str(reply))
    assert mark(branch, EDIT) in said or group.scribe.label == MODEL  # which may well say that it does not know
    assert said <= known_at(branch, TURNS)


async def findings_are(group: Group, branch: str) -> None:
    reply = await group.played.say(Search("brass lantern stood"))
    assert isinstance(reply, SearchShown)
    assert reply.hits
    assert marks_in(str(reply)) <= known_at(branch, TURNS)


async def facts_are(group: Group, branch: str) -> None:
    reply = await group.played.say(ListFacts())
    assert isinstance(reply, FactsShown)
    expected = {mark(at, turn) for at, turn in path_of(branch) if turn == FACT}
    assert marks_in(" ".join(fact.claim.text for fact in reply.facts)) == expected


async def lore_told_is(group: Group, branch: str) -> None:
    reply = await group.played.say(ListLore())
    assert isinstance(reply, LoreListed)
    assert len(reply.entries) == len(FORKS)
    assert {reply.entries[place].lore.title for place in range(len(FORKS)) if place in reply.told} <= known_at(
        branch, TURNS
    )


async def the_path_is(group: Group, branch: str) -> None:
    reply = await group.played.say(ShowPath())
    assert isinstance(reply, PathShown)
    assert marks_in(str((reply.scenes, reply.chosen))) <= known_at(branch, TURNS)


async def context_is(group: Group, branch: str) -> None:
    reply = await group.played.say(ShowContext())
    assert isinstance(reply, ContextShown)
    assert reply.manifest.estimated + reply.manifest.max_tokens <= group.scribe.window
    assert marks_in(str(reply)) <= known_at(branch, TURNS)


async def why_is(group: Group, branch: str) -> None:
    for place in path_of(branch):
        reply = await group.played.say(ShowWhy(str(group.told[place].number)))
        assert isinstance(reply, WhyShown)
        assert (reply.manifest is None) == (place[1] == EDIT)
        assert reply.same == (place[1] != EDIT)
        assert marks_in(str(reply)) <= known_at(*place)


async def what_happened_is(group: Group, branch: str) -> None:
    reply = await group.played.say(ShowRecap("beginning"))
    assert isinstance(reply, RecapShown)
    assert reply.recap.scenes[-1].number == group.told[branch, TURNS].number
    assert marks_in(str(reply)) <= known_at(branch, TURNS)


async def promises_are(group: Group, branch: str) -> None:
    reply = await group.played.say(ShowPromises())
    assert isinstance(reply, PromisesShown)
    assert marks_in(str(reply)) == {mark(at, turn) for at, turn in path_of(branch) if turn == EDIT and group.read}


async def things_stand(group: Group, branch: str) -> None:
    reply = await group.played.say(ShowState())
    assert isinstance(reply, StateShown)
    cellars = {found for found in FORKS if f"the {found} cellar" in str(reply)}
    assert cellars == ({branch} if group.read else set())


TRUE_THERE: tuple[Callable[[Group, str], Awaitable[None]], ...] = (
    answers_are,
    findings_are,
    facts_are,
    lore_told_is,
    the_path_is,
    context_is,
    why_is,
    what_happened_is,
    promises_are,
    things_stand,
)
"""What has to be true at the end of each branch."""


async def every_prompt_is_of_its_branch(group: Group) -> None:
    """The prompts as they were stored make those that were sent, byte for byte, within the window."""
    sent = {telling.messages for telling in group.scribe.tellings}
    planned = 0
    for (branch, turn), scene in group.told.items():
        async with group.played.store.resume(await group.played.playthrough()) as desk:
            draft = await desk.draft_of(scene.id)
        if turn == EDIT:
            assert draft is None
            continue
        assert draft is not None
        assert draft.brief is not None
        assert draft.manifest is not None
        messages = scene_messages(draft.brief, draft.manifest.window, draft.manifest.max_tokens)
        assert messages in sent
        assert can_be_made_again(draft.manifest, draft.brief)
        assert draft.manifest.estimated + draft.manifest.max_tokens <= group.scribe.window
        assert marks_in(str(messages)) <= known_at(branch, turn)
        planned += bool(draft.brief.plan)
    assert planned == len(FORKS) or group.scribe.label == MODEL  # whose plans may be cut off


def every_question_is_of_its_branch(scribe: Scribe) -> None:
    """Whatever a model was ever asked says nothing of another branch, and what it needs of its own."""
    for messages in scribe.asked_in_the_background:
        assert any(marks_in(str(messages)) <= known_at(branch, TURNS) for branch in FORKS)
    for place, messages in scribe.asked:
        assert marks_in(str(messages)) <= known_at(*place), place
    for branch, (parent, turn) in FORKS.items():
        asked = next(messages for place, messages in reversed(scribe.asked) if place == (branch, TURNS))
        assert mark(branch, TURNS) in marks_in(str(asked)) or len(asked) == 1
        first = next(messages for place, messages in scribe.asked if place == (branch, 1))
        assert not parent or marks_in(str(first)) & {mark(parent, at) for at in range(1, turn + 1)}


@pytest.mark.timeout(300)
async def test_a_group_is_told_sixty_scenes_by_the_built_in_storyteller(database: Database) -> None:
    chat = await play_and_look(database, OfflineStoryteller(), 80)
    shown = "\n".join(chat.texts)
    assert not re.search(r"Must not happen|Who acts:", shown)
    assert all(f"**{number} · " in shown for number in range(1, 2 + TURNS * len(FORKS)))


@pytest.mark.timeout(300)
async def test_a_group_is_told_sixty_scenes_by_a_model(database: Database) -> None:
    async with LlamaPeer(llama_server(TINY)) as peer:
        teller = OllamaWriter(OllamaOptions(peer.url, MODEL, SMALLEST_WINDOW, 24, "5m", 0.8, 20, 10))
        try:
            chat = await play_and_look(database, teller, 50)
        finally:
            await teller.aclose()
    assert all(f"**{number} · " in "\n".join(chat.texts) for number in range(1, 2 + TURNS * len(FORKS)))
