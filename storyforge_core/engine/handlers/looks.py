"""Show how people, places and things look, and have them look like a picture from a scene on."""

from typing import assert_never

from storyforge_core.domain.answers import one_line
from storyforge_core.domain.bible import NAME_CHARS, Entity, EntityId, find
from storyforge_core.domain.book import EntityLook, ForgetLook, KeepLook, ListLooks
from storyforge_core.domain.changes import LookSet
from storyforge_core.domain.events import Noted
from storyforge_core.domain.look_replies import LookLine, LookShown, LooksListed
from storyforge_core.domain.looks import KINDS, LookSource, only, visible
from storyforge_core.domain.mentions import plain
from storyforge_core.domain.pictures import Picture
from storyforge_core.domain.replies import Accepted, Reply
from storyforge_core.domain.story import Scene
from storyforge_core.engine.handlers.moving import named
from storyforge_core.engine.portraits import Portraits, Sitting, give_look, held_by
from storyforge_core.engine.table import Table
from storyforge_core.errors import Invalid, NotFound, Refused

Looking = EntityLook | KeepLook | ListLooks | ForgetLook
"""The commands that are handled here."""

THE_SCENE = "the scene"
"""What a look of the scene itself is called."""
NO_FILE = (
    "A file can be named only by who sits at the machine. Send the picture itself: on Discord with the command, on "
    "Matrix with the command as its caption, or the command as a reply to the picture."
)


async def handle(table: Table, command: Looking) -> Reply:
    """Look, keep, list, forget."""
    match command:
        case EntityLook():
            return await look(table, command)
        case KeepLook():
            return await keep(table, command)
        case ListLooks():
            return await list_all(table)
        case ForgetLook():
            return await forget(table, command)
        case _:
            assert_never(command)


async def look(table: Table, command: EntityLook) -> Reply:
    """Show a look; with a picture, give it from here on."""
    entity = find(await _entities(table), command.name, command.sort)
    if command.picture:
        return await _give(table, entity, table.require_head(), command.picture, "given")
    if command.file:
        raise Invalid(NO_FILE)
    held = held_by(await table.desk.looks(table.require_head().id), entity.id)
    if held is None:
        raise NotFound(
            f"{entity.card.name} has no look here yet. Send a picture with /story {command.sort} look, or keep the "
            f"scene's: /story paint keep {entity.card.name}"
        )
    shelf = _portraits(table).shelf
    picture = await shelf.read(held.look.file, held.look.sha256)
    place = str(shelf.place(held.look.file))
    return LookShown(entity.card.name, held.number, held.look.source, place, picture or b"")


async def keep(table: Table, command: KeepLook) -> Reply:
    """Have somebody look as on a scene's picture, from that scene on."""
    scene = await named(table, command.scene) if command.scene.strip() else table.require_head()
    pictures = await table.desk.pictures(scene.id)
    if not pictures:
        raise NotFound(f"Scene {scene.number} has no picture. Have one painted: /story paint")
    entity = await _meant(table, command.name, pictures[0])
    portraits = _portraits(table)
    found = await portraits.gallery.fitting(pictures[0].kept, None)
    if found is None:
        raise Refused("The file of that picture is not there any more. Have it painted once more: /story paint again")
    return await _give(table, entity, scene, await portraits.shelf.drawn(found[0]), "kept")


async def list_all(table: Table) -> Reply:
    """List who has a look here."""
    held = await table.desk.looks(table.require_head().id)
    lacking = await _portraits(table).shelf.lacking([each.look.file for each in held])
    known: dict[EntityId | None, str] = {entity.id: entity.card.name for entity in await _entities(table)}
    known[None] = THE_SCENE
    lines = (
        LookLine(known[each.look.entity], each.number, each.look.file not in lacking)
        for each in held
        if each.look.entity in known
    )
    return LooksListed(tuple(sorted(lines, key=lambda line: line.name.casefold())))


async def forget(table: Table, command: ForgetLook) -> Reply:
    """Take a look away; the one before it on the way here holds again."""
    whose, name = await _whose(table, command.name)
    head = table.require_head()
    held = held_by(await table.desk.looks(head.id), whose)
    if held is None:
        raise NotFound(f"{name[0].upper()}{name[1:]} has no look here.")
    await table.desk.apply((LookSet(held.look.id, held.look, None),), "look forget")
    older = held_by(await table.desk.looks(head.id), whose)
    now = f"The one from scene {older.number} holds again." if older else "Pictures go by words alone."
    said = f"{table.player.name} takes the look of {name} away that held from scene {held.number} on. {now}"
    return await _note(table, said)


async def _whose(table: Table, name: str) -> tuple[EntityId | None, str]:
    """Whose look is meant, by any name; that of the scene itself, unless somebody is called so."""
    known = await _entities(table)
    if plain(name) == plain(THE_SCENE) and not any(plain(name) in map(plain, each.card.names) for each in known):
        return None, THE_SCENE
    entity = _called(known, name)
    return entity.id, entity.card.name


async def _give(table: Table, entity: Entity, scene: Scene, data: bytes, source: LookSource) -> Reply:
    sitting = Sitting(
        story=table.here.story.id,
        kind=KINDS[entity.card.sort],
        entity=entity.id,
        scene=scene.id,
        source=source,
        by=table.player.id,
    )
    change = await give_look(table.desk, table.clock, _portraits(table).shelf, sitting, data)
    name = entity.card.name
    if change is None:
        return Accepted(f"{name} looks like that already.")
    await table.desk.apply((change,), f"{entity.card.sort} look")
    how = "a look" if source == "given" else "the look of the picture"
    said = f"{table.player.name} gives {name} {how}: from scene {scene.number} on, pictures show it."
    return await _note(table, said)


async def _meant(table: Table, name: str, picture: Picture) -> Entity:
    """Whom a picture shows.

    Raises:
        NotFound: nobody is called so.
        Invalid: it shows several, or nobody that the story knows.
    """
    known = await _entities(table)
    if name.strip():
        return _called(known, name)
    seen = visible(known, picture.vision)
    entity = only(seen)
    if entity is not None:
        return entity
    if not seen:
        raise Invalid("Nobody on that picture is written down. Say whose look it is: /story paint keep Maren")
    names = ", ".join(each.card.name for each in seen)
    raise Invalid(f"That picture shows {names}. Say whose look it is: /story paint keep {seen[0].card.name}")


def _called(known: tuple[Entity, ...], name: str) -> Entity:
    """Find somebody or something by any name.

    Raises:
        NotFound: there is nobody of that name.
    """
    found = next((each for each in known if plain(name) in map(plain, each.card.names)), None)
    if found is None:
        called = one_line(name, NAME_CHARS)
        raise NotFound(
            f"Nobody and nothing called “{called}” is written down. Write them down first, such as: "
            f"/story character add {called}"
        )
    return found


def _portraits(table: Table) -> Portraits:
    if table.portraits is None:
        raise Invalid("There is no place for looks here.")
    return table.portraits


async def _entities(table: Table) -> tuple[Entity, ...]:
    return await table.desk.entities(table.here.story.id)


async def _note(table: Table, sentence: str) -> Reply:
    await table.desk.tell(table.here.playthrough.id, Noted(sentence))
    return Accepted(sentence)
