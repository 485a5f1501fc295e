"""What players write down as true: named in prompts where it matters, on the branches where it holds, and undone."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from storyforge_core.domain.book import (
    AddEntity,
    AddFact,
    AliasEntity,
    EditEntity,
    ForgetEntity,
    ForgetFact,
    ListEntities,
    ListFacts,
    ShowContext,
    ShowEntity,
)
from storyforge_core.domain.changes import EntitySet
from storyforge_core.domain.commands import BranchFrom, Command, ContinueStory, Edit, GoTo, NewStory, Redo, Undo
from storyforge_core.domain.events import Noted
from storyforge_core.domain.replies import (
    Accepted,
    ContextShown,
    Declined,
    EntitiesShown,
    EntityShown,
    FactsShown,
)
from storyforge_core.errors import Refused
from storyforge_core.store.database import Database
from tests.game import ANN, BO, Game, game


@pytest.fixture
async def played(database: Database) -> AsyncIterator[Game]:
    async with game(database) as opened:
        await opened.play(NewStory("A mill at night"))
        yield opened


async def done(played: Game, command: Command) -> str:
    reply = await played.say(command)
    assert isinstance(reply, Accepted), reply
    return reply.sentence


async def refused(played: Game, command: Command) -> str:
    reply = await played.say(command)
    assert isinstance(reply, Declined), reply
    return reply.sentence


async def names(played: Game) -> list[str]:
    reply = await played.say(ListEntities("character"))
    assert isinstance(reply, EntitiesShown)
    assert not any(card.secret for card in reply.cards)
    return [card.name for card in reply.cards]


async def facts(played: Game) -> list[str]:
    reply = await played.say(ListFacts())
    assert isinstance(reply, FactsShown)
    return [fact.claim.text for fact in reply.facts]


async def prompt(played: Game, hint: str = "") -> str:
    await played.play(ContinueStory(hint))
    return played.writer.tellings[-1].messages[-1].content


async def test_who_is_named_comes_into_the_prompt_and_nobody_else(played: Game) -> None:
    await done(played, AddEntity("character", "Maren", "keeps the mill", "she drowned once"))
    await done(played, AddEntity("character", "Osk", "mends nets"))
    await done(played, AliasEntity("character", "Maren", "the miller"))
    text = await prompt(played, "the Miller wakes")
    block = text[text.index("<known>\n") : text.index("</known>")]
    assert "Maren (character, also called the miller): keeps the mill" in block
    assert "Secret, which nobody says or guesses yet: she drowned once" in block
    assert "Osk" not in block
    assert text.index("</scene>") < text.index("<known>\n") < text.index("Write the next scene")
    assert "<known>\n" not in await prompt(played)
    assert "mends nets" in await prompt(played, "Osk's net tears")


async def test_a_fact_holds_from_the_scene_that_proves_it_and_on_no_other_branch(played: Game) -> None:
    await done(played, AddEntity("character", "Osk"))
    await played.play(ContinueStory())
    await played.say(Edit("Osk hid the key, and\nwent to bed."))
    said = await done(played, AddFact("Osk has the key", "hid the key, and went"))
    assert "from scene 3 on" in said
    await played.play(ContinueStory())
    assert await facts(played) == ["Osk has the key"]
    assert "Osk has the key (scene 3)" in await prompt(played, "Osk dreams")
    await played.say(BranchFrom("1"))
    assert await facts(played) == []
    assert "Osk has the key" not in await prompt(played, "Osk dreams")


async def test_a_quote_has_to_stand_in_the_story(played: Game) -> None:
    await played.say(Edit("Osk hid the key."))
    assert "word for word" in await refused(played, AddFact("Osk has the key", "Osk ate the key"))
    await done(played, AddFact("Osk hid the key."))
    reply = await played.say(ListFacts())
    assert isinstance(reply, FactsShown)
    assert reply.facts[0].claim.quote == "Osk hid the key."
    await done(played, AddFact("It is Tuesday"))
    assert "already" in await refused(played, AddFact("it is  tuesday"))


async def test_what_is_written_down_is_undone_and_done_again(played: Game) -> None:
    await done(played, AddEntity("character", "Maren", "keeps the mill"))
    await done(played, EditEntity("character", "maren", "burnt the mill"))
    await played.say(Undo())
    shown = await played.say(ShowEntity("character", "MAREN"))
    assert isinstance(shown, EntityShown)
    assert shown.card.description == "keeps the mill"
    await played.say(Undo())
    assert await names(played) == []
    await played.say(Redo())
    await done(played, ForgetEntity("character", "Maren"))
    assert await names(played) == []
    await played.say(Undo())
    assert await names(played) == ["Maren"]
    await done(played, AddFact("It is Tuesday"))
    await done(played, ForgetFact(1))
    await played.say(Undo())
    assert await facts(played) == ["It is Tuesday"]


async def test_a_secret_is_shown_to_the_host_where_nobody_reads_along(played: Game) -> None:
    await done(played, AddEntity("character", "Maren", "keeps the mill", "she drowned once"))
    drowned = "she drowned once"
    for speaker, told in ((replace(ANN, private=True), drowned), (ANN, ""), (replace(BO, private=True), "")):
        shown = await played.say(ShowEntity("character", "Maren"), speaker)
        assert isinstance(shown, EntityShown)
        assert (shown.card.secret, shown.guarded) == (told, not told)
    assert not any("drowned" in event.sentence for event in await played.events() if isinstance(event, Noted))


async def test_names_are_one_persons_only(played: Game) -> None:
    await done(played, AddEntity("character", "Maren"))
    await done(played, AddEntity("place", "The Mill"))
    assert "called so already" in await refused(played, AddEntity("prop", " maren "))
    assert "called so already" in await refused(played, AliasEntity("character", "Maren", "the mill"))
    assert "is a place" in await refused(played, ShowEntity("prop", "the mill"))
    assert "/story character list" in await refused(played, ShowEntity("character", "Nobody"))
    assert "needs a name" in await refused(played, AddEntity("character", "…"))
    assert "Say what it shall read" in await refused(played, EditEntity("character", "Maren"))
    assert "no longer be called" in await _twice(played)


async def _twice(played: Game) -> str:
    await done(played, AliasEntity("character", "Maren", "Mimi"))
    return await done(played, AliasEntity("character", "Maren", "mimi"))


async def test_a_fact_of_another_branch_cannot_be_forgotten_from_here(played: Game) -> None:
    await played.play(ContinueStory())
    await done(played, AddFact("It is Tuesday"))
    await played.say(GoTo("1"))
    assert "/story fact list" in await refused(played, ForgetFact(1))
    await played.say(GoTo("2"))
    assert "It is Tuesday" in await done(played, ForgetFact(1))


async def test_context_shows_what_is_known(played: Game) -> None:
    await done(played, AddEntity("place", "The mill", "older than it looks"))
    seen = await played.say(ShowContext())
    assert isinstance(seen, ContextShown)
    assert "known" in [piece.name for piece in seen.manifest.pieces]


async def test_two_who_write_at_once_do_not_write_over_each_other(played: Game) -> None:
    await done(played, AddEntity("character", "Maren", "keeps the mill"))
    async with played.store.resume(await played.playthrough()) as desk:
        assert desk.situation is not None
        story = desk.situation.story.id
        (maren,) = await desk.entities(story)
        other = replace(maren.card, description="sells boats")
        with pytest.raises(Refused):
            await desk.apply((EntitySet(story, maren.id, other, replace(other, name="Mara")),), "character edit")
