"""What scenes say becomes known: on their path, told to the storyteller, shown, decided, taken out, put together."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest

from storyforge_core.domain.book import (
    AddEntity,
    AddFact,
    Ask,
    EditEntity,
    ForgetEntity,
    ForgetFact,
    ListEntities,
    ListFacts,
    ShowEntity,
)
from storyforge_core.domain.changes import HeadMoved, SceneAdded
from storyforge_core.domain.commands import (
    BranchFrom,
    Command,
    ContinueStory,
    Edit,
    GoTo,
    Incoming,
    NewStory,
    Redo,
    Undo,
)
from storyforge_core.domain.found import (
    DisputesShown,
    ForgetPromise,
    ListDisputes,
    MergeEntity,
    SettleFact,
    ShowPromises,
    ShowState,
    StateShown,
)
from storyforge_core.domain.pictures import PictureOrder
from storyforge_core.domain.replies import AnswerShown, Declined, EntitiesShown, EntityShown, FactsShown
from storyforge_core.domain.story import Playthrough, Rules, Scene, SceneId
from storyforge_core.domain.writing import Asking
from storyforge_core.engine.app import StoryForge
from storyforge_core.engine.background import Quiet
from storyforge_core.engine.memory import Memory
from storyforge_core.engine.oracle import Oracle
from storyforge_core.engine.prompting import scene_messages
from storyforge_core.engine.reading import Reader
from storyforge_core.engine.steps.plan import known_at, with_bible
from storyforge_core.engine.steps.see import _sight
from storyforge_core.errors import ServiceDown
from storyforge_core.providers.offline import OfflineEmbedder, OfflineStoryteller
from storyforge_core.store.database import Database
from tests.game import ScriptedWriter, game, until
from tests.world import ANN, HOME, World, open_world


class Scribe(ScriptedWriter):
    """Finds in a scene what the test says that it finds there: the words of the scene lead to the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, Mapping[str, object] | str] = {}
        self.read = 0
        self.away = 0
        """For so many questions it is."""

    async def ask(self, asking: Asking) -> str:
        if asking.wanted != "findings":
            return await super().ask(asking)
        self.askings.append(asking)
        self.read += 1
        if self.away:
            self.away -= 1
            raise ServiceDown("The model is away.")
        answer = next((found for words, found in self.found.items() if words in asking.prose), {"entities": []})
        return answer if isinstance(answer, str) else json.dumps(answer)


def says(subject: str, slot: str, value: str, quote: str, **more: str) -> Mapping[str, str]:
    return {"subject": subject, "slot": slot, "value": value, "quote": quote, **more}


def person(name: str, **more: object) -> Mapping[str, object]:
    return {"name": name, "sort": "character", **more}


@dataclass(slots=True)
class Play:
    """A story that the test tells itself, scene by scene, and has read."""

    world: World
    forge: StoryForge
    playthrough: Playthrough
    scribe: Scribe

    async def say(self, command: Command) -> Any:
        incoming = Incoming(uuid4().hex, HOME, ANN, command, self.forge.clock.now())
        return await self.forge.handle(incoming)

    async def ask(self, command: Command) -> Any:
        reply = await self.say(command)
        assert not isinstance(reply, Declined), reply
        return reply

    async def tell(
        self,
        prose: str,
        *said: Mapping[str, str],
        entities: Sequence[Mapping[str, object]] = (),
        promises: Sequence[Mapping[str, object]] = (),
    ) -> Scene:
        """Another scene behind the head, with these words, read."""
        self.scribe.found[prose] = {"entities": entities, "assertions": said, "promises": promises}
        async with self.world.store.resume(self.playthrough.id) as desk:
            assert desk.situation
            head = desk.situation.playthrough.head
            new = replace(self.world.new_scene(self.playthrough.story, head), prose=prose)
            await desk.apply((SceneAdded(new, ()), HeadMoved(self.playthrough.id, head, new.id)), "continue")
            told = await desk.scene(new.id)
        await self.read(told.id)
        return told

    async def read(self, scene: SceneId) -> None:
        await Reader(self.world.store, self.scribe, Quiet()).read(scene)

    async def prompt(self, hint: str = "") -> str:
        """What the storyteller would be told for the next scene."""
        async with self.world.store.resume(self.playthrough.id) as desk:
            assert desk.situation
            assert desk.situation.head
            head = desk.situation.head.id
            brief = replace(await known_at(desk, desk.situation, head, 8192), hint=hint)
            brief = await with_bible(brief, desk, desk.situation, head)
        return scene_messages(brief, 8192, 800)[-1].content


@pytest.fixture
async def play(database: Database) -> Play:
    world, scribe = open_world(database), Scribe()
    oracle = Oracle(Memory(world.store, OfflineEmbedder()), scribe)
    forge = StoryForge(world.store, world.clock, Rules(), oracle, "off")
    play = Play(world, forge, await world.begin(), scribe)
    await play.tell("It was night.")
    return play


async def begun(play: Play) -> None:
    """Maren has the key at the mill; Osk is not far."""
    await play.tell(
        "Maren came to the mill with the brass key. Osk, who mends nets, slept in the boat.",
        says("Maren", "where", "the mill", "Maren came to the mill", change="begins"),
        says("Maren", "has", "the brass key", "with the brass key"),
        says("Osk", "where", "the boat", "slept in the boat"),
        says("Osk", "where", "the moon", "Osk flew to the moon"),
        entities=[person("Maren"), person("Osk", description="mends nets"), person("Ghost")],
    )


VOW = {"number": 0, "outcome": "open", "text": "Osk will burn the mill", "quote": "swore to burn"}


def block(text: str, name: str) -> str:
    """What stands in a part of a prompt; empty where there is no such part."""
    return text.partition(f"<{name}>\n")[2].partition(f"</{name}>")[0]


async def test_what_a_scene_says_is_told_to_the_storyteller_with_its_scene(play: Play) -> None:
    await begun(play)
    text = await play.prompt()
    assert block(text, "state").splitlines() == [
        "Maren: where: the mill (scene 2); has: the brass key (scene 2)",
        "Osk: where: the boat (scene 2)",
    ]
    assert block(text, "known").strip() == "Osk (character): mends nets"
    assert "moon" not in text
    listed: EntitiesShown = await play.ask(ListEntities("character"))
    assert [(each.card.name, each.seen) for each in listed.found] == [("Maren", 2), ("Osk", 2)]


async def test_nothing_of_it_is_known_on_a_sibling_branch(play: Play) -> None:
    await begun(play)
    await play.tell("Osk swore to burn the mill.", promises=[VOW])
    assert block(await play.prompt(), "promises").strip() == "Osk will burn the mill (scene 3)"
    await play.ask(GoTo("1"))
    await play.tell("Osk and Maren met at the mill.")
    assert (await play.ask(ShowState())).people == ()
    assert (await play.ask(ShowPromises())).promises == ()
    assert (await play.ask(ListEntities("character"))).found == ()
    assert (await play.ask(ListFacts())).found == ()
    text = await play.prompt()
    assert not any(block(text, name) for name in ("state", "promises", "known"))
    await play.ask(GoTo("2"))
    shown: StateShown = await play.ask(ShowState())
    assert [each.name for each in shown.people] == ["Osk", "Maren"]


async def test_what_changes_hands_is_with_the_other_and_a_contradiction_waits_for_players(play: Play) -> None:
    await begun(play)
    await play.tell(
        "Maren gave Osk the brass key. Her hair was black.",
        says("Osk", "has", "the brass key", "gave Osk the brass key", change="begins"),
        says("Maren", "look", "black", "Her hair was black", aspect="hair"),
    )
    await play.tell("Maren's hair was red.", says("Maren", "look", "red", "hair was red", aspect="hair"))
    state = block(await play.prompt(), "state")
    assert "Osk: where: the boat (scene 2); has: the brass key (scene 3)" in state
    assert "Maren: where: the mill (scene 2)\n" in state
    shown: DisputesShown = await play.ask(ListDisputes())
    (dispute,) = shown.disputes
    assert [(each.said.value, each.scene) for each in dispute.options] == [("black", 3), ("red", 4)]
    await play.ask(SettleFact(dispute.number, 2))
    assert "hair red (scene 4)" in block(await play.prompt(), "state")
    await play.ask(GoTo("3"))
    assert "hair black (scene 3)" in block(await play.prompt(), "state")


async def test_whoever_asks_is_told_the_newest_with_its_proof(play: Play) -> None:
    await begun(play)
    gave = says("Osk", "has", "the brass key", "Maren gave Osk the brass key", change="begins")
    await play.tell("Maren gave Osk the brass key.", gave)
    await play.tell("Nothing was said of it by night.")
    answer: AnswerShown = await play.ask(Ask("Who has the brass key?"))
    assert (answer.quotes[0].number, answer.quotes[0].text) == (3, "Maren gave Osk the brass key")
    await play.ask(GoTo("2"))
    answer = await play.ask(Ask("Who has the brass key?"))
    assert "with the brass key" in answer.quotes[0].text


async def test_a_picture_shows_how_somebody_looks_by_then(play: Play) -> None:
    await play.ask(AddEntity("character", "Maren", "long red hair, tall"))
    await begun(play)
    cut = says("Maren", "look", "cropped", "cut off her braid", aspect="hair", change="begins")
    told = await play.tell("Maren cut off her braid.", cut)
    async with play.world.store.resume(play.playthrough.id) as desk:
        after, _ = await _sight(PictureOrder(scene=told.id, number=3, seed=1), desk)
        assert told.parent
        before, _ = await _sight(PictureOrder(scene=told.parent, number=2, seed=1), desk)
    assert after.who[0].look == "now hair cropped; otherwise long red hair, tall"
    assert before.who[0].look == "long red hair, tall"


async def test_a_decision_is_undone_and_done_again(play: Play) -> None:
    await begun(play)
    await play.tell("Maren was in the cellar.", says("Maren", "where", "the cellar", "was in the cellar"))
    (dispute,) = (await play.ask(ListDisputes())).disputes
    await play.ask(SettleFact(dispute.number, 1))
    assert (await play.ask(ListDisputes())).disputes == ()
    entity: EntityShown = await play.ask(ShowEntity("character", "Maren"))
    assert [each.said.value for each in entity.held if each.said.slot == "where"] == ["the mill"]
    await play.ask(Undo())
    assert (await play.ask(ListDisputes())).disputes == (dispute,)
    assert (await play.ask(ShowEntity("character", "Maren"))).disputes != ()
    await play.ask(Redo())
    assert (await play.ask(ListDisputes())).disputes == ()
    assert isinstance(await play.say(SettleFact(dispute.number, 1)), Declined)


async def test_what_is_taken_out_frees_what_contradicted_it(play: Play) -> None:
    await begun(play)
    await play.tell("Maren was in the cellar.", says("Maren", "where", "the cellar", "was in the cellar"))
    facts: FactsShown = await play.ask(ListFacts())
    assert not [each for each in facts.found if each.said.cell[:2] == ("maren", "where")]
    (dispute,) = (await play.ask(ListDisputes())).disputes
    await play.ask(ForgetFact(dispute.options[0].number))
    assert "Maren: where: the cellar (scene 3)" in block(await play.prompt(), "state")
    await play.ask(Undo())
    assert (await play.ask(ListDisputes())).disputes == (dispute,)


async def test_what_players_write_wins_and_what_they_take_out_stays_out(play: Play) -> None:
    await play.ask(AddEntity("character", "Maren", "keeps the mill, grey eyes", voice="slow"))
    await begun(play)
    told = await play.tell(
        "Maren's eyes were brown. She had a lamp. Ilse waited.",
        says("Maren", "look", "brown", "eyes were brown", aspect="eyes"),
        says("Maren", "has", "a lamp", "She had a lamp."),
        entities=[person("Maren", description="a spy"), person("Ilse")],
    )
    text = await play.prompt()
    assert "Maren (character): keeps the mill, grey eyes Voice: slow" in text
    assert "brown" not in block(text, "state") + block(text, "known")
    facts: FactsShown = await play.ask(ListFacts())
    lamp = next(each for each in facts.found if each.said.value == "a lamp")
    await play.ask(ForgetFact(lamp.number))
    await play.ask(ForgetEntity("character", "Ilse"))
    await again(play, told)
    assert "lamp" not in block(await play.prompt("Maren wakes"), "state")
    await play.tell("Ilse came back.", entities=[person("Ilse")])
    assert [each.card.name for each in (await play.ask(ListEntities("character"))).found] == ["Osk"]
    await play.ask(Undo())
    await play.ask(Undo())
    assert "Ilse" in [each.card.name for each in (await play.ask(ListEntities("character"))).found]


async def again(play: Play, scene: Scene) -> None:
    """Have a scene read once more, as if nobody knew that it had been."""
    async with play.world.store.casebook() as book:
        await book._db.execute("DELETE FROM reading WHERE scene_id = $1", scene.id)
    await play.read(scene.id)


async def test_reading_a_scene_again_adds_nothing(play: Play) -> None:
    await begun(play)
    told = await play.tell("Osk swore to burn the mill.", says("Osk", "knows", "a way", "to burn"), promises=[VOW])
    before = [await play.ask(command) for command in (ListFacts(), ListEntities("character"), ShowPromises())]
    await again(play, told)
    await play.read(told.id)
    assert play.scribe.read == 4, "what is known to be read is not read again"
    assert [await play.ask(each) for each in (ListFacts(), ListEntities("character"), ShowPromises())] == before


async def test_two_who_are_one_are_put_together_and_apart_again(play: Play) -> None:
    await begun(play)
    await play.tell(
        "The stranger had a lamp.",
        says("The stranger", "has", "a lamp", "had a lamp"),
        entities=[person("The stranger", description="wet to the skin")],
    )
    await play.ask(AddFact("The stranger is afraid of dogs"))
    await play.ask(MergeEntity("character", "the stranger", "Maren"))
    shown: EntityShown = await play.ask(ShowEntity("character", "the stranger"))
    assert (shown.card.name, shown.card.aliases, shown.seen) == ("Maren", ("The stranger",), 0)
    assert shown.card.description == "wet to the skin"
    assert {each.said.value for each in shown.held if each.said.slot == "has"} == {"the brass key", "a lamp"}
    assert [fact.claim.text for fact in shown.facts] == ["The stranger is afraid of dogs"]
    await play.ask(Undo())
    shown = await play.ask(ShowEntity("character", "the stranger"))
    assert (shown.card.name, shown.seen) == ("The stranger", 3)
    assert isinstance(await play.say(MergeEntity("character", "Maren", "Maren")), Declined)


async def test_what_is_edited_is_written_down(play: Play) -> None:
    await begun(play)
    await play.ask(EditEntity("character", "Osk", voice="hoarse"))
    listed: EntitiesShown = await play.ask(ListEntities("character"))
    assert [(card.name, card.description, card.voice) for card in listed.cards] == [("Osk", "mends nets", "hoarse")]
    assert [each.card.name for each in listed.found] == ["Maren"]


async def test_promises_are_kept_on_their_path_only(play: Play) -> None:
    await begun(play)
    await play.tell("Osk swore to burn the mill.", promises=[VOW])
    kept = {"number": 1, "outcome": "kept", "text": "", "quote": "The mill was burning"}
    await play.tell("The mill was burning, and Osk laughed.", promises=[kept])
    (promise,) = (await play.ask(ShowPromises())).promises
    assert (promise.outcome, promise.scene, promise.ended) == ("kept", 3, 4)
    assert not block(await play.prompt(), "promises")
    await play.ask(GoTo("3"))
    (promise,) = (await play.ask(ShowPromises())).promises
    assert (promise.outcome, promise.ended) == ("open", 0)
    await play.ask(ForgetPromise(promise.number))
    assert (await play.ask(ShowPromises())).promises == ()
    assert isinstance(await play.say(ForgetPromise(promise.number)), Declined)


async def test_bad_answers_are_repaired_once_and_then_nothing_is_kept(play: Play) -> None:
    play.scribe.found["Nonsense"] = "I would rather not."
    await play.tell("It went on.")
    asked = play.scribe.read
    play.scribe.found["It ended"] = "{"
    async with play.world.store.resume(play.playthrough.id) as desk:
        new = replace(play.world.new_scene(play.playthrough.story, None), prose="It ended.")
        await desk.apply((SceneAdded(new, ()),), "new")
    await play.read(new.id)
    assert play.scribe.read == asked + 2
    assert "cannot be used" in play.scribe.askings[-1].messages[-1].content
    await play.read(new.id)
    assert play.scribe.read == asked + 2


async def test_the_built_in_storyteller_finds_what_plain_sentences_say(play: Play) -> None:
    teller = OfflineStoryteller()
    told = await play.tell("It was late.")
    for prose in (
        "A lighthouse keeper named Maren took the brass key. Then Maren walked to the old mill.",
        "At the mill Maren gave Osk the brass key, and Osk swore to bring it back.",
    ):
        async with play.world.store.resume(play.playthrough.id) as desk:
            new = replace(play.world.new_scene(play.playthrough.story, told.id), prose=prose)
            await desk.apply((SceneAdded(new, ()), HeadMoved(play.playthrough.id, told.id, new.id)), "continue")
            told = await desk.scene(new.id)
        await Reader(play.world.store, teller, Quiet()).read(told.id)
    text = await play.prompt()
    assert block(text, "state").splitlines() == [
        "Maren: where: the old mill (scene 3)",
        "Osk: has: the brass key (scene 4)",
    ]
    assert "Osk swore to bring it back" in block(text, "promises")


async def test_a_scene_is_read_in_the_background_while_the_model_comes_and_goes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storyforge_core.store.jobs.EMBEDDER_BACK_IN", 0)
    scribe = Scribe()
    scribe.away = 1
    scribe.found["Osk"] = {"entities": [person("Osk")], "assertions": [says("Osk", "where", "the boat", "in the boat")]}
    async with game(database, scribe, reader=scribe) as played:
        await played.play(NewStory("A mill at night"))
        await played.play(ContinueStory())
        await played.say(Edit("Osk slept in the boat."))

        async def known() -> bool:
            shown = await played.say(ShowState())
            return isinstance(shown, StateShown) and bool(shown.people)

        await until(known)
        await played.play(ContinueStory())
        assert "Osk: where: the boat (scene 3)" in played.writer.tellings[-1].messages[-1].content
        await played.say(BranchFrom("1"))
        assert not await known()
        assert scribe.read >= 3
