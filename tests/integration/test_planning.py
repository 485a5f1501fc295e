"""Scenes that are planned before they are told: by a model that can, by one that cannot, and by none."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from storyforge_core.domain.book import AddEntity, ShowContext, ShowWhy
from storyforge_core.domain.commands import (
    ChangeRules,
    ContinueStory,
    Direct,
    Extend,
    ForgetMe,
    NewStory,
    Reroll,
    ShowPath,
)
from storyforge_core.domain.replies import Accepted, ContextShown, PathShown, WhyShown
from storyforge_core.domain.story import Rules
from storyforge_core.domain.writing import Asking
from storyforge_core.engine.steps import outline
from storyforge_core.errors import ServiceDown
from storyforge_core.providers.offline import OfflineStoryteller
from storyforge_core.store.database import Database
from tests.game import ANN, Game, ScriptedWriter, game, until

PLAN = {"who": ["Maren"], "beats": ["Maren opens the sluice", "The bell answers"], "avoid": ["Osk has no key"]}
LINES = ("Who acts: Maren", "1. Maren opens the sluice", "2. The bell answers", "Must not happen: Osk has no key")


class Planner(ScriptedWriter):
    """Plans every scene alike, unless something else is to be said; its choices are those of every scripted writer."""

    def __init__(self) -> None:
        super().__init__()
        self.planned: list[Asking] = []
        self.plans: list[str | Exception] = []
        """For each plan in turn: this instead of a good one."""

    async def ask(self, asking: Asking) -> str:
        if asking.wanted != "plan":
            return await super().ask(asking)
        self.planned.append(asking)
        if self.hold is not None:
            await self.hold.wait()
        answer = self.plans.pop(0) if self.plans else json.dumps(PLAN)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def planner() -> Planner:
    return Planner()


@pytest.fixture
async def played(database: Database, planner: Planner) -> AsyncIterator[Game]:
    async with game(database, planner, rules=Rules(planner=True)) as opened:
        yield opened


async def why(played: Game, scene: str = "") -> WhyShown:
    reply = await played.say(ShowWhy(scene))
    assert isinstance(reply, WhyShown)
    return reply


async def told(planner: Planner) -> bool:
    return bool(planner.tellings)


async def test_a_scene_follows_its_plan_and_why_shows_it_when_it_is_told(played: Game, planner: Planner) -> None:
    await played.play(NewStory("A mill at night"))
    await played.say(Direct("keep it slow"))
    await played.play(ContinueStory("open the sluice"))
    question = planner.planned[-1].messages[-1].content
    prompt = planner.tellings[-1].messages[-1].content
    assert "keep it slow" in question
    assert "open the sluice" in question
    assert "<plan>" not in question
    assert "<plan>\n" + "\n".join(LINES) + "\n</plan>" in prompt
    assert planner.planned[-1].messages[0] == planner.tellings[-1].messages[0]
    shown = await why(played)
    assert shown.plan == LINES
    assert shown.same
    assert shown.manifest is not None
    assert "plan" in [piece.name for piece in shown.manifest.pieces]


async def test_nobody_in_the_room_and_no_later_scene_reads_a_plan(played: Game, planner: Planner) -> None:
    planner.plans = [json.dumps({"beats": ["The miller did it"], "who": [], "avoid": [], "promise": ""})]
    await played.play(NewStory("A mill at night"))
    await played.play(ContinueStory())
    assert "The miller did it" not in str(await played.events())
    path = await played.say(ShowPath())
    assert isinstance(path, PathShown)
    assert "The miller did it" not in str(path)
    assert "The miller did it" not in str([telling.messages for telling in planner.tellings[1:]])
    assert "The miller did it" not in str([asked.messages for asked in planner.planned[1:]])


@pytest.mark.parametrize(
    "plans", [["no plan", "still none"], [ServiceDown("It is away.")], ['{"beats": []}', '{"beats": [7]}']]
)
async def test_without_a_plan_the_scene_is_told_all_the_same(
    played: Game, planner: Planner, plans: list[str | Exception]
) -> None:
    planner.plans = plans
    await played.play(NewStory("A mill at night"))
    assert len(await played.scenes()) == 1
    assert (await why(played)).plan == ()
    assert "<plan>\n" not in planner.tellings[-1].messages[-1].content


async def test_a_plan_is_asked_for_once_more_when_it_cannot_be_read(played: Game, planner: Planner) -> None:
    planner.plans = ["Well, first of all"]
    await played.play(NewStory("A mill at night"))
    assert planner.planned[1].messages[-2].content == "Well, first of all"
    assert (await why(played)).plan == LINES


async def test_nobody_waits_long_for_a_plan(played: Game, planner: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outline, "PATIENCE", 0.05)
    planner.hold = asyncio.Event()
    await played.say(NewStory("A mill at night"))
    await until(lambda: told(planner))
    planner.hold.set()
    await played.quiet()
    assert (await why(played)).plan == ()


async def test_a_story_plans_only_while_its_settings_say_so(played: Game, planner: Planner) -> None:
    await played.play(NewStory("A mill at night"))
    await played.play(ChangeRules("planner", "off"))
    await played.play(ContinueStory())
    assert (len(planner.planned), (await why(played)).plan) == (1, ())
    await played.play(ChangeRules("planner", "on"))
    await played.play(Reroll())
    assert (len(planner.planned), (await why(played)).plan) == (2, LINES)
    await played.play(Extend())
    assert (len(planner.planned), (await why(played)).plan) == (2, ())


async def test_context_keeps_room_for_a_plan_that_is_not_made_yet(played: Game) -> None:
    await played.play(NewStory("A mill at night"))
    seen = await played.say(ShowContext())
    assert isinstance(seen, ContextShown)
    await played.play(ContinueStory())
    told = (await why(played)).manifest
    assert told is not None
    assert tuple(piece for piece in told.pieces if piece.name != "plan") == seen.manifest.pieces


async def test_a_secret_gets_into_no_plan(played: Game, planner: Planner) -> None:
    await played.play(NewStory("Maren keeps a mill"))
    await played.say(AddEntity("character", "Maren", "keeps the mill", "she drowned once"))
    await played.play(ContinueStory())
    assert "she drowned once" in planner.tellings[-1].messages[-1].content
    assert "keeps the mill" in planner.planned[-1].messages[-1].content
    assert "she drowned once" not in planner.planned[-1].messages[-1].content


async def test_whoever_is_forgotten_takes_along_what_was_planned_by_their_hint(played: Game) -> None:
    await played.play(NewStory("A mill at night"))
    await played.play(ContinueStory("open the sluice"))
    alone = replace(ANN, private=True)
    assert isinstance(await played.say(ForgetMe(everything=True, sure=True), alone), Accepted)
    shown = await why(played)
    assert shown.order is not None
    assert (shown.order.hint, shown.plan) == ("", ())


async def test_the_built_in_storyteller_plans_what_it_tells(database: Database) -> None:
    async with game(database, OfflineStoryteller(), rules=Rules(planner=True)) as played:  # type: ignore[arg-type]  # a writer
        await played.play(NewStory("A lighthouse keeper finds a door in the sea"))
        await played.play(ContinueStory())
        for number, scene in enumerate(await played.scenes(), start=1):
            plan = (await why(played, str(number))).plan
            beat = next(line for line in plan if line.startswith("1. ")).removeprefix("1. ").rstrip("…")
            assert scene.prose.startswith(beat)
            assert any(line.startswith("Must not happen: Anybody decides to ") for line in plan)
