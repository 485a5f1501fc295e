"""A group plays sixty turns on four branches and asks the story on each: what it says is true there, and only there."""

from dataclasses import dataclass

from storyforge_core.domain.book import AddEntity, AddFact, Ask, ListFacts, Search, ShowContext, ShowWhy
from storyforge_core.domain.commands import BranchFrom, ContinueStory, GoTo, NewStory
from storyforge_core.domain.replies import AnswerShown, ContextShown, FactsShown, SearchShown, WhyShown
from storyforge_core.domain.writing import Telling
from storyforge_core.store.database import Database
from tests.game import Game, ScriptedWriter, game, until

BRANCHES = ("mill", "harbour", "chapel", "tower")
TURNS = 15
WEATHER = "The rain came over the hill and went again, and nobody said anything that mattered for a while. " * 12


class Novelist(ScriptedWriter):
    """Tells long scenes about the weather, and in each as well what the hint says, as a story does."""

    def text(self, telling: Telling) -> str:
        return f"{WEATHER}{telling.brief.hint} {WEATHER}"


@dataclass
class Branch:
    """One way through the story."""

    place: str
    end: str = ""
    """The number of its last scene."""


async def told(played: Game, branch: Branch) -> None:
    """Fifteen turns: where the lantern is, early on; then only weather, but for a bell at a place of its own."""
    await played.play(ContinueStory(f"Osk carried the brass lantern to the {branch.place}."))
    if branch.place == "tower":
        await played.say(AddFact("Osk has climbed the tower", "Osk carried the brass lantern to the tower"))
    for turn in range(2, TURNS + 1):
        await played.play(ContinueStory(f"A bell rang {turn} times at the {branch.place}." if turn == 8 else ""))
    branch.end = str((await played.scenes())[-1].number)


async def asked(played: Game, question: str) -> str:
    reply = await played.say(Ask(question))
    assert isinstance(reply, AnswerShown)
    return " ".join(quote.text for quote in reply.quotes)


async def findable(played: Game) -> None:
    async def cut() -> bool:
        return not await played.store.uncut(1) and not await played.store.unread("built-in embedder/1", 1)

    await until(cut, 60)


async def test_sixty_turns_on_four_branches_stay_true_to_themselves(database: Database) -> None:
    writer = Novelist(words=10**6)
    async with game(database, writer) as played:
        await played.play(NewStory("A lantern is carried about"))
        await played.say(AddEntity("character", "Osk", "is afraid of heights"))
        branches = [Branch(place) for place in BRANCHES]
        for branch in branches:
            await told(played, branch)
            await played.say(BranchFrom("1"))
        await findable(played)
        assert len(await played.scenes()) == 1 + TURNS * len(BRANCHES)
        for branch in branches:
            await played.say(GoTo(branch.end))
            await true_here(played, branch)


async def true_here(played: Game, branch: Branch) -> None:
    """Answers, searches, facts, prompts and what is told of them are those of this branch."""
    others = [place for place in BRANCHES if place != branch.place]
    answer = await asked(played, "Where did Osk carry the brass lantern?")
    assert f"to the {branch.place}." in answer
    assert not any(place in answer for place in others)
    found = await played.say(Search("brass lantern"))
    assert isinstance(found, SearchShown)
    assert {hit.quote.text for hit in found.hits} == {f"Osk carried the brass lantern to the {branch.place}."}
    facts = await played.say(ListFacts())
    assert isinstance(facts, FactsShown)
    assert len(facts.facts) == (branch.place == "tower")
    await played.play(ContinueStory("Osk looks for the brass lantern"))
    prompt = played.writer.tellings[-1].messages[-1].content
    assert f"Osk carried the brass lantern to the {branch.place}." in prompt
    assert "is afraid of heights" in prompt
    assert ("has climbed the tower" in prompt) == (branch.place == "tower")
    assert not any(f"to the {place}" in prompt or f"at the {place}" in prompt for place in others)
    why, context = await played.say(ShowWhy()), await played.say(ShowContext())
    assert isinstance(why, WhyShown)
    assert isinstance(context, ContextShown)
    assert why.manifest is not None
    assert why.same
    assert [piece.why for piece in why.manifest.pieces if piece.name == "remembered"]
    assert context.scenes == TURNS + 2
    window = played.writer.window
    assert why.manifest.estimated + why.manifest.max_tokens <= window
