"""Write down what is true in the story: who and what there is, and facts with the words that prove them."""

from dataclasses import replace
from typing import assert_never

from storyforge_core.domain.answers import one_line
from storyforge_core.domain.bible import (
    FACT_CHARS,
    MOST_ALIASES,
    MOST_ENTITIES,
    MOST_FACTS,
    TEXT_CHARS,
    Card,
    Claim,
    Entity,
    EntityId,
    FactId,
    find,
    new_name,
)
from storyforge_core.domain.book import (
    AddEntity,
    AddFact,
    AliasEntity,
    EditEntity,
    ForgetEntity,
    ForgetFact,
    ListEntities,
    ListFacts,
    ShowEntity,
)
from storyforge_core.domain.changes import EntitySet, FactSet
from storyforge_core.domain.events import Noted
from storyforge_core.domain.inquiry import exact
from storyforge_core.domain.mentions import Names, plain
from storyforge_core.domain.replies import Accepted, EntitiesShown, EntityShown, FactsShown, Reply
from storyforge_core.domain.states import holding
from storyforge_core.domain.story import Scene
from storyforge_core.engine.handlers.found import everyone, forget_found, forget_sighted, known_of, written
from storyforge_core.engine.table import Table, quoted
from storyforge_core.errors import Invalid, NotFound, Refused

Writing = (
    AddEntity | ShowEntity | EditEntity | ListEntities | ForgetEntity | AliasEntity | AddFact | ListFacts | ForgetFact
)
"""The commands that are handled here."""
PROVING = 500
"""Scenes, the newest of the path, in which a quote is looked for."""
LISTED, MOST_LISTED = 400, 60
"""Assertions of the path that are looked at for the list of facts, and those of them that are shown."""


async def handle(table: Table, command: Writing) -> Reply:  # noqa: PLR0911 - a line a command
    """Write down, look up, forget."""
    match command:
        case AddEntity():
            return await add(table, command)
        case ShowEntity():
            return await show(table, command)
        case EditEntity():
            return await edit(table, command)
        case ListEntities():
            return await list_them(table, command)
        case ForgetEntity():
            return await forget(table, command)
        case AliasEntity():
            return await alias(table, command)
        case AddFact():
            return await add_fact(table, command)
        case ListFacts():
            return await list_facts(table)
        case ForgetFact():
            return await forget_fact(table, command)
        case _:
            assert_never(command)


async def add(table: Table, command: AddEntity) -> Reply:
    """Write somebody or something down."""
    known = await _entities(table)
    if len(known) >= MOST_ENTITIES:
        raise Refused(f"{MOST_ENTITIES} are written down already. Forget one first: /story {command.sort} forget")
    description, secret, voice = _texts(command)
    card = Card(command.sort, new_name(known, command.name, command.sort), (), description, secret, voice)
    await _set(table, EntityId(table.clock.new_id()), None, card, f"{command.sort} add")
    return await _note(table, f"{table.player.name} writes {card.name} down, a {card.sort}.")


async def show(table: Table, command: ShowEntity) -> Reply:
    """See what is written down; a secret only where nobody else reads what a host is told."""
    entity = find(await everyone(table), command.name, command.sort)
    card = entity.card
    told = table.host and table.speaker.private
    head = table.here.head
    names = Names(card.names)
    facts = () if head is None else await table.desk.facts(head.id)
    about = tuple(fact for fact in facts if names.mentions(fact.claim.text))
    held, disputed = await known_of(table, card)
    return EntityShown(
        card if told else replace(card, secret=""),
        guarded=bool(card.secret) and not told,
        facts=about,
        seen=entity.seen,
        held=held,
        disputes=disputed,
    )


async def list_them(table: Table, command: ListEntities) -> Reply:
    """List those of one sort, written down or found by reading."""
    of_sort = [each for each in await everyone(table) if each.card.sort == command.sort]
    cards = tuple(replace(each.card, secret="") for each in of_sort if not each.seen)
    return EntitiesShown(command.sort, cards, tuple(each for each in of_sort if each.seen))


async def list_facts(table: Table) -> Reply:
    """List what players wrote down, and what was found by reading, the newest first."""
    head = table.require_head()
    latest = await table.desk.casebook.latest(head.id, LISTED)
    found = holding(latest)
    return FactsShown(await table.desk.facts(head.id), found[:MOST_LISTED], len(found) > MOST_LISTED)


async def edit(table: Table, command: EditEntity) -> Reply:
    """Write down otherwise what is said."""
    entity = find(await everyone(table), command.name, command.sort)
    description, secret, voice = _texts(command)
    if not description and not secret and not voice:
        raise Invalid(f"Say what it shall read: /story {command.sort} edit {entity.card.name} text=“…” or secret=“…”")
    card = entity.card
    card = replace(
        card,
        description=description or card.description,
        secret=secret or card.secret,
        voice=voice or card.voice,
    )
    await table.desk.apply((written(table, entity, card),), f"{command.sort} edit")
    return await _note(table, f"{table.player.name} writes down something else about {card.name}.")


async def forget(table: Table, command: ForgetEntity) -> Reply:
    """Take somebody or something out again."""
    entity = find(await everyone(table), command.name, command.sort)
    if entity.seen:
        return await forget_sighted(table, entity)
    await _set(table, entity.id, entity.card, None, f"{command.sort} forget")
    return await _note(table, f"{table.player.name} takes {entity.card.name} out of what is written down.")


async def alias(table: Table, command: AliasEntity) -> Reply:
    """Give another name, or take it away again."""
    entity = find(await everyone(table), command.name, command.sort)
    card = entity.card
    kept = tuple(each for each in card.aliases if plain(each) != plain(command.alias))
    if kept == card.aliases:
        if len(kept) >= MOST_ALIASES:
            raise Refused(f"{card.name} has {MOST_ALIASES} other names already; typed again, one is taken away.")
        kept = (*kept, new_name(await _entities(table), command.alias, command.sort))
        said = f"{table.player.name} lets {card.name} also be called {kept[-1]}."
    else:
        said = f"{table.player.name} lets {card.name} no longer be called {one_line(command.alias, TEXT_CHARS)}."
    await table.desk.apply((written(table, entity, replace(card, aliases=kept)),), f"{command.sort} alias")
    return await _note(table, said)


async def add_fact(table: Table, command: AddFact) -> Reply:
    """Write down what holds from the scene on that proves it, or from here on where a player says so."""
    head = table.require_head()
    text = one_line(command.text, FACT_CHARS)
    if not text:
        raise Invalid("Say what holds, such as: /story fact add Osk has the key quote=“He pocketed the key.”")
    known = await table.desk.facts(head.id)
    if len(known) >= MOST_FACTS:
        raise Refused(f"{MOST_FACTS} facts are written down already. Forget one first: /story fact forget 1")
    if any(plain(fact.claim.text) == plain(text) for fact in known):
        raise Refused("That is written down already: /story fact list")
    path = await table.desk.path(head.id, PROVING)
    scene, quote = _proof(path, command.quote.strip() or text)
    if command.quote.strip() and not quote:
        raise Refused("No scene on the way here has these words. Quote one word for word, or leave the quote out.")
    claim = Claim(text, quote)
    change = FactSet(table.here.story.id, FactId(table.clock.new_id()), scene.id, None, claim)
    await table.desk.apply((change,), "fact add")
    said = quoted(text, FACT_CHARS)
    return await _note(table, f"{table.player.name} writes down, from scene {scene.number} on: {said}")


async def forget_fact(table: Table, command: ForgetFact) -> Reply:
    """Take a fact out again."""
    known = await table.desk.facts(table.require_head().id)
    fact = next((fact for fact in known if fact.number == command.number), None)
    if fact is None and (found := await forget_found(table, command.number)) is not None:
        return found
    if fact is None:
        raise NotFound(f"There is no fact {command.number} here. /story fact list shows those that hold.")
    path = await table.desk.path(table.require_head().id, PROVING)
    scene = next((scene for scene in path if scene.number == fact.scene), None)
    if scene is None:
        raise Refused(f"That fact is older than {PROVING} scenes; go back to where it holds to forget it.")
    await table.desk.apply((FactSet(table.here.story.id, fact.id, scene.id, fact.claim, None),), "fact forget")
    return await _note(table, f"{table.player.name} takes back: {quoted(fact.claim.text, FACT_CHARS)}")


def _proof(path: tuple[Scene, ...], quote: str) -> tuple[Scene, str]:
    """The newest scene that says so, and its words; else the head, and none."""
    proofs = ((scene, found) for scene in reversed(path) if (found := exact(quote, scene.prose)))
    return next(proofs, (path[-1], ""))


def _texts(command: AddEntity | EditEntity) -> tuple[str, str, str]:
    return (
        one_line(command.description, TEXT_CHARS),
        one_line(command.secret, TEXT_CHARS),
        one_line(command.voice, TEXT_CHARS),
    )


async def _entities(table: Table) -> tuple[Entity, ...]:
    return await table.desk.entities(table.here.story.id)


async def _set(table: Table, entity: EntityId, before: Card | None, after: Card | None, command: str) -> None:
    await table.desk.apply((EntitySet(table.here.story.id, entity, before, after),), command)


async def _note(table: Table, sentence: str) -> Reply:
    await table.desk.tell(table.here.playthrough.id, Noted(sentence))
    return Accepted(sentence)
