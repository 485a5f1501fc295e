"""What was found by reading scenes: shown, decided where it contradicts itself, taken out, put together."""

from dataclasses import replace
from typing import assert_never

from storyforge_core.domain.bible import MOST_ALIASES, Card, Entity, EntityId, find
from storyforge_core.domain.changes import Change, EntitySet, VerdictSet
from storyforge_core.domain.events import Noted
from storyforge_core.domain.findings import found_entities
from storyforge_core.domain.found import (
    Dispute,
    DisputesShown,
    ForgetPromise,
    FoundCommand,
    ListDisputes,
    MergeEntity,
    OfOne,
    PromisesShown,
    SettleFact,
    ShowPromises,
    ShowState,
    StateShown,
)
from storyforge_core.domain.mentions import plain
from storyforge_core.domain.replies import Accepted, Reply
from storyforge_core.domain.states import Held, disputes, fact_text, holding, newest, of_one, options_of, subjects
from storyforge_core.domain.story import SceneId
from storyforge_core.engine.table import Table, quoted
from storyforge_core.errors import Invalid, NotFound, Refused

STATE_ROWS = 400
"""Assertions, the newest of the path, in which those are looked for who are shown."""
MOST_SHOWN = 20
MOST_DISPUTES = 20


async def handle(table: Table, command: FoundCommand) -> Reply:
    """Show, decide, take out, put together."""
    match command:
        case ShowState():
            return await show_state(table)
        case ShowPromises():
            return PromisesShown(await table.desk.casebook.promises(table.require_head().id))
        case ForgetPromise():
            return await forget_promise(table, command)
        case ListDisputes():
            return DisputesShown(await open_disputes(table))
        case SettleFact():
            return await settle(table, command)
        case MergeEntity():
            return await merge(table, command)
        case _:
            assert_never(command)


async def everyone(table: Table) -> tuple[Entity, ...]:
    """Who and what is known where the story stands: written down, or found by reading."""
    cards = await table.desk.entities(table.here.story.id)
    head = table.here.head
    return found_entities(cards, await table.desk.casebook.sighted(head.id)) if head else cards


async def known_of(table: Table, card: Card) -> tuple[tuple[Held, ...], tuple[Held, ...]]:
    """What holds of somebody where the story stands, and what is in dispute."""
    head = table.here.head
    if head is None:
        return (), ()
    mine = of_one(await table.desk.casebook.newest(head.id, subjects((Entity(EntityId(head.id), card),))), card.names)
    return holding(mine), disputes(mine)


async def show_state(table: Table) -> Reply:
    """See who is where, with what: those of whom scenes said something last."""
    head = table.require_head()
    book = table.desk.casebook
    latest = await book.latest(head.id, STATE_ROWS)
    last = {each.said.cell[0]: place for place, each in reversed(tuple(enumerate(latest)))}
    found = [
        (min(places), who)
        for who in await everyone(table)
        if (places := [last[name] for name in map(plain, who.card.names) if name in last])
    ]
    people = [who for _, who in sorted(found, key=lambda pair: pair[0])[:MOST_SHOWN]]
    held = await book.newest(head.id, subjects(people))
    shown = tuple(OfOne(who.card.name, holding(of_one(held, who.card.names))) for who in people)
    time = next((each for each in holding(held) if each.said.slot == "time"), None)
    return StateShown(tuple(each for each in shown if each.held), time, len(await _disputed(table, head.id)))


async def open_disputes(table: Table) -> tuple[Dispute, ...]:
    """Find where scenes of the path contradict each other, and nobody has decided."""
    head = table.require_head()
    book = table.desk.casebook
    found = [
        Dispute(each.number, options_of(await book.history(head.id, each.said.cell)))
        for each in (await _disputed(table, head.id))[:MOST_DISPUTES]
    ]
    return tuple(found)


async def settle(table: Table, command: SettleFact) -> Reply:
    """Decide which of several values is true: what scenes said after it counts no longer."""
    dispute = next((each for each in await open_disputes(table) if each.number == command.number), None)
    if dispute is None:
        raise NotFound(f"Nothing is in dispute under {command.number}. /story fact disputed lists what is.")
    if not 1 <= command.which <= len(dispute.options):
        raise Invalid(f"Choose one of its {len(dispute.options)} values: /story fact settle {command.number} 1")
    chosen = dispute.options[command.which - 1]
    head = table.require_head()
    later = [
        each
        for each in await table.desk.casebook.history(head.id, chosen.said.cell)
        if each.standing == "disputed" and (each.depth, each.part) > (chosen.depth, chosen.part)
    ]
    story = table.here.story.id
    changes: list[Change] = [VerdictSet(story, "assertion", each.id, "disputed", "struck") for each in later]
    if chosen.standing == "disputed":
        changes.append(VerdictSet(story, "assertion", chosen.id, "disputed", "true"))
    await table.desk.apply(tuple(changes), "fact settle")
    return await _note(table, f"{table.player.name} decides: {quoted(fact_text(chosen.said), 300)}")


async def forget_found(table: Table, number: int) -> Reply | None:
    """Take out what a scene is said to say; None where no such thing was found by reading."""
    held = await table.desk.casebook.numbered(table.require_head().id, number)
    if held is None:
        return None
    story = table.here.story.id
    freed = await table.desk.casebook.rivals(held)
    changes = (
        VerdictSet(story, "assertion", held.id, held.standing, "struck"),
        *(VerdictSet(story, "assertion", each.id, "disputed", "true") for each in freed),
    )
    await table.desk.apply(changes, "fact forget")
    return await _note(table, f"{table.player.name} takes back: {quoted(fact_text(held.said), 300)}")


async def forget_sighted(table: Table, entity: Entity) -> Reply:
    """Take somebody out who was found by reading; later scenes do not bring them back."""
    sighted = await table.desk.casebook.sighted(table.require_head().id)
    same = [each for each in sighted if plain(each.entity.card.name) == plain(entity.card.name) and not each.struck]
    story = table.here.story.id
    changes = tuple(VerdictSet(story, "sighting", each.entity.id, "true", "struck") for each in same)
    await table.desk.apply(changes, f"{entity.card.sort} forget")
    return await _note(table, f"{table.player.name} takes {entity.card.name} out of what was found by reading.")


async def forget_promise(table: Table, command: ForgetPromise) -> Reply:
    """Take out what is no promise."""
    promises = await table.desk.casebook.promises(table.require_head().id)
    found = next((each for each in promises if each.number == command.number), None)
    if found is None:
        raise NotFound(f"There is no promise {command.number} here. /story promise list shows them.")
    change = VerdictSet(table.here.story.id, "promise", found.id, "true", "struck")
    await table.desk.apply((change,), "promise forget")
    return await _note(table, f"{table.player.name} takes back a promise: {quoted(found.text, 300)}")


async def merge(table: Table, command: MergeEntity) -> Reply:
    """Let one be another: names, facts and state follow, since all of them go by names."""
    known = await everyone(table)
    gone, kept = find(known, command.name, command.sort), find(known, command.into, command.sort)
    if gone.id == kept.id:
        raise Invalid(f"{kept.card.name} is called so already. Say who else it is: into=“…”")
    aliases = tuple(dict.fromkeys((*kept.card.aliases, *gone.card.names)))
    if len(aliases) > MOST_ALIASES:
        raise Refused(f"{kept.card.name} would have more than {MOST_ALIASES} other names; take some away first.")
    card = replace(
        kept.card,
        aliases=aliases,
        description=kept.card.description or gone.card.description,
        secret=kept.card.secret or gone.card.secret,
        voice=kept.card.voice or gone.card.voice,
    )
    story = table.here.story.id
    removed = () if gone.seen else (EntitySet(story, gone.id, gone.card, None),)
    await table.desk.apply((*removed, written(table, kept, card)), f"{command.sort} merge")
    return await _note(table, f"{table.player.name} lets {gone.card.name} and {card.name} be one.")


def written(table: Table, entity: Entity, card: Card) -> EntitySet:
    """Write a card: anew for somebody who was found by reading and is written down by this."""
    story = table.here.story.id
    if entity.seen:
        return EntitySet(story, EntityId(table.clock.new_id()), None, card)
    return EntitySet(story, entity.id, entity.card, card)


async def _disputed(table: Table, head: SceneId) -> tuple[Held, ...]:
    """What is still in dispute: the newest of its cell."""
    book = table.desk.casebook
    found = await book.disputed(head)
    names = dict.fromkeys(each.said.cell[0] for each in found)
    now = newest(await book.newest(head, tuple(names))) if found else {}
    return tuple(each for each in found if each.said.cell in now and now[each.said.cell].id == each.id)


async def _note(table: Table, sentence: str) -> Reply:
    await table.desk.tell(table.here.playthrough.id, Noted(sentence))
    return Accepted(sentence)
