"""Tell the head scene again, longer, or in a player's words: always as another take, the old one stays."""

from typing import assert_never

from storyforge_core.domain.answers import one_line
from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.changes import Change, HeadMoved
from storyforge_core.domain.commands import Edit, Extend, Reroll, ShowTakes
from storyforge_core.domain.events import HeadSet, Task
from storyforge_core.domain.pictures import painted_by_itself
from storyforge_core.domain.replies import Accepted, Reply, TakesShown
from storyforge_core.domain.runs import Order
from storyforge_core.domain.story import Choice, ChoiceId, NewScene, Scene, SceneId
from storyforge_core.engine.handlers.moving import move_head, named
from storyforge_core.engine.painting import paint_by_itself
from storyforge_core.engine.table import Table
from storyforge_core.engine.turn import closing, order, show
from storyforge_core.errors import Invalid, NotFound

Retelling = Reroll | Extend | Edit | ShowTakes
"""The commands that are handled here."""


async def handle(table: Table, command: Retelling) -> Reply:
    """Tell the head scene another way."""
    match command:
        case Reroll():
            return await reroll(table, command)
        case Extend():
            return await extend(table, command)
        case Edit():
            return await edit(table, command)
        case ShowTakes():
            return await takes(table, command)
        case _:
            assert_never(command)


async def reroll(table: Table, command: Reroll) -> Reply:
    """Tell the head scene again."""
    base = await _meant(table, command.scene)
    return await _again(table, "reroll", base, command.hint, "The scene is told again; the old take stays.")


async def extend(table: Table, command: Extend) -> Reply:
    """Make the head scene longer."""
    return await _again(
        table, "extend", table.require_head(), command.hint, "The scene goes on; the shorter take stays."
    )


async def _meant(table: Table, words: str) -> Scene:
    """The scene that is named, or the head."""
    head = table.require_head()
    return await named(table, words) if words.strip() else head


async def _again(table: Table, task: Task, base: Scene, hint: str, sentence: str) -> Reply:
    table.require_quiet()
    head = table.require_head()
    ballot = table.here.ballot
    if ballot is not None:
        await table.desk.apply(_withdrawing(ballot), task)
    wanted = Order(
        task=task,
        parent=base.parent,
        choice=base.choice,
        chosen=(await table.desk.choice_texts((base,)))[0],
        hint=hint.strip(),
        base=base.id,
        head=head.id,
        ballot=ballot.id if ballot is not None else None,
        seed=table.clock.seed(),
        by=table.player.name,
        asker=table.player.id,
        words=table.here.playthrough.rules.words,
    )
    run = await order(table.desk, table.here.playthrough.id, wanted, table.clock)
    return Accepted(sentence, run)


def _withdrawing(ballot: Ballot | None) -> tuple[Change, ...]:
    return () if ballot is None else (closing(ballot, "withdrawn"),)


async def edit(table: Table, command: Edit) -> Reply:
    """Put a player's prose in the place of a scene; its choices stay."""
    table.require_quiet()
    head = await _meant(table, command.scene)
    prose = command.prose.strip()
    if not prose:
        msg = "Write the scene as it shall read: /story take edit The door was open after all."
        raise Invalid(msg)
    told = NewScene(
        id=SceneId(table.clock.new_id()),
        story=head.story,
        parent=head.parent,
        choice=head.choice,
        title=head.title,
        prose=prose,
        origin="edited",
        writer=one_line(table.player.name, 60),
        created_at=table.at,
    )
    choices = await _copied(table, head, told.id)
    chosen = (await table.desk.choice_texts((head,)))[0]
    shown = await show(
        table.desk,
        table.here,
        told,
        choices,
        table.clock,
        chosen=chosen,
        command="edit",
        withdrawn=_withdrawing(table.here.ballot),
        lore=await table.desk.lore_told(head.id),
    )
    if painted_by_itself(table.here.playthrough.rules.pictures, table.pictures, voted=False):
        await paint_by_itself(table.desk, table.here.playthrough.id, shown, table.clock)
    return Accepted("Your words are the scene now; the old take stays.")


async def _copied(table: Table, head: Scene, scene: SceneId) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            id=ChoiceId(table.clock.new_id()),
            scene=scene,
            position=choice.position,
            text=choice.text,
            author=choice.author,
        )
        for choice in await table.desk.choices(head.id)
    )


async def takes(table: Table, command: ShowTakes) -> Reply:
    """List the takes of the head scene, or move to one."""
    head = table.require_head()
    found = await table.desk.takes(head)
    if command.number is None:
        return TakesShown(found, head.id)
    chosen = next((scene for scene in found if scene.take == command.number), None)
    if chosen is None:
        msg = f"There is no take {command.number} of this scene; it has {len(found)}. See them: /story takes"
        raise NotFound(msg)
    if chosen.id == head.id:
        return Accepted(f"Take {chosen.take} is the one you are reading.")
    table.require_quiet()
    moved = HeadMoved(table.here.playthrough.id, head.id, chosen.id)
    await move_head(table, (moved,), chosen, "takes", HeadSet(chosen, "take", table.player.name, head.id))
    return Accepted(f"Take {chosen.take} it is.")
