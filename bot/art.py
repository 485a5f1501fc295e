"""`storyforge art scan`: the pictures of a directory sorted out by their names, and taken in as looks of a story."""

import asyncio
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from storyforge_core.domain.art import ENDINGS, MOST_FILES, Match, Sitter, Sorting, sort_out
from storyforge_core.domain.bible import EntityId
from storyforge_core.domain.changes import LookSet
from storyforge_core.domain.events import Noted
from storyforge_core.domain.looks import MOST_LOOK_BYTES, Held, Reading
from storyforge_core.domain.story import SceneId, StoryId
from storyforge_core.engine.portraits import Sitting, give_look
from storyforge_core.errors import Invalid, NotFound, Refused, SetupError
from storyforge_core.look_ports import Shelf
from storyforge_core.ports import Clock, Desk
from storyforge_core.store.postgres import PostgresStore

SORTS: Mapping[str, str] = {"character": "character", "location": "place", "prop": "prop", "scene": "scene"}
DRY = "Nothing is taken in yet. To take in what is listed with an arrow, run this again with --apply."
NO_STORY = "No story is told yet. Begin one first, and write down who is in it: /story character add Maren"
NOTHING_TOLD = "Nothing is told of that story yet, so there is no scene from which a look could hold."


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A directory sorted out for a story, and what became of it."""

    reading: Reading
    directory: Path
    sorting: Sorting
    newer: Mapping[EntityId, int]
    """Who has a look already that goes before one from the opening on, and since which scene."""
    taken: int | None = None
    """How many looks were taken in; None: nothing was tried."""
    refused: tuple[tuple[str, str], ...] = ()
    """Files that could not be, and why."""


@dataclass(frozen=True, slots=True)
class Scanner:
    """Sorts out a directory, and takes pictures in."""

    store: PostgresStore
    shelf: Shelf
    clock: Clock

    async def scan(self, directory: Path, number: int | None) -> Catalogue:
        """Say what each picture in a directory would be for a story.

        Raises:
            SetupError: the directory or the story is not to be found, or it is open which story is meant.
        """
        directory = await asyncio.to_thread(directory.expanduser)
        files = await asyncio.to_thread(_files, directory)
        reading = await self._reading(number)
        async with self.store.resume(reading.id) as desk:
            here = desk.situation
            if here is None or here.head is None:
                raise SetupError(NOTHING_TOLD)
            entities = await desk.entities(here.story.id)
            sorting = sort_out(files, entities, await desk.scene_ids(here.story.id))
            newer = _newer(await desk.looks(here.head.id), await desk.opening(here.head.id))
            return Catalogue(reading, directory, sorting, newer)

    async def take_in(self, found: Catalogue) -> Catalogue:
        """Take in what is clear, as one step that undo takes back; what is damaged is left out."""
        drawn: list[tuple[Match, bytes]] = []
        refused: list[tuple[str, str]] = []
        for match in found.sorting.matches:
            try:
                data = await asyncio.to_thread(_read, found.directory / match.file)
                drawn.append((match, await self.shelf.drawn(data)))
            except Refused as error:
                refused.append((match.file, str(error)))
        async with self.store.resume(found.reading.id) as desk:
            changes = await self._changes(desk, drawn)
            if changes:
                await desk.apply(changes, "art scan")
                names = ", ".join(match.sitter.name for match, _ in drawn)
                await desk.tell(found.reading.id, Noted(f"Whoever runs the bot has given looks: {names}."))
        return Catalogue(
            found.reading, found.directory, found.sorting, found.newer, len(changes), refused=tuple(refused)
        )

    async def _changes(self, desk: Desk, drawn: Sequence[tuple[Match, bytes]]) -> list[LookSet]:
        here = desk.situation
        if here is None or here.head is None:
            raise SetupError(NOTHING_TOLD)
        opening = await desk.opening(here.head.id)
        scenes = await desk.scene_ids(here.story.id)
        changes: list[LookSet] = []
        for match, data in drawn:
            sitting = _sitting(match.sitter, here.story.id, opening, scenes)
            change = await give_look(desk, self.clock, self.shelf, sitting, data)
            changes += [change] if change is not None else []
        return changes

    async def _reading(self, number: int | None) -> Reading:
        found = await self.store.readings(number)
        if len(found) == 1:
            return found[0]
        if not found:
            raise SetupError(
                NO_STORY if number is None else f"There is no story {number}. Leave --story out for a list."
            )
        listed = "\n".join(f"  --story {each.number}  {each.title[:70]}" for each in found)
        raise SetupError(f"Say which story the pictures are for:\n{listed}")


def as_text(found: Catalogue) -> str:
    """The report for people."""
    return "\n".join(_report(found))


def _report(found: Catalogue) -> Iterator[str]:
    sorting, title = found.sorting, found.reading.title[:70]
    yield f"Story {found.reading.number} · {title}, pictures in {found.directory}"
    width = max((len(match.file) for match in sorting.matches), default=0)
    why = dict(found.refused)
    for match in sorting.matches:
        said = f"left out: {why[match.file]}" if match.file in why else f"→ {_named(match.sitter, found.newer)}"
        yield f"  {match.file:<{width}}  {said}"
    if sorting.unclear:
        yield "Not clear, so left out. Rename files, or send them one by one with /story character look:"
    for files, sitters in sorting.unclear:
        yield f"  {', '.join(files)}  could be {' or '.join(_named(each, {}) for each in sitters)}"
    if sorting.strangers:
        yield "Nobody and nothing in the story is called like these:"
        yield from (f"  {file}" for file in sorting.strangers)
    if not (sorting.matches or sorting.unclear or sorting.strangers):
        yield "  There are no pictures (PNG, JPEG, WebP)."
    if found.taken is not None:
        looks = "One look was" if found.taken == 1 else f"{found.taken} looks were"
        yield f"{looks} taken in. /story undo takes that back."
    elif sorting.matches:
        yield DRY


def _named(sitter: Sitter, newer: Mapping[EntityId, int]) -> str:
    if sitter.entity is None:
        return sitter.name
    since = newer.get(sitter.entity.id)
    also = "" if since is None else f"; has another from scene {since} on, which counts from there"
    return f"{sitter.name} ({SORTS[sitter.kind]}){also}"


def _sitting(sitter: Sitter, story: StoryId, opening: SceneId, scenes: Mapping[int, SceneId]) -> Sitting:
    """A look holds from the opening on: it is how they have always looked."""
    if sitter.entity is None:
        return Sitting(story=story, kind="scene", entity=None, scene=scenes[sitter.number], source="scanned")
    return Sitting(story=story, kind=sitter.kind, entity=sitter.entity.id, scene=opening, source="scanned")


def _newer(held: Sequence[Held], opening: SceneId) -> Mapping[EntityId, int]:
    later = (each for each in held if each.look.scene != opening)
    return {each.look.entity: each.number for each in later if each.look.entity is not None}


def _files(directory: Path) -> list[str]:
    """The pictures below a directory, by their endings.

    Raises:
        SetupError: it is none, or holds too many.
    """
    if not directory.is_dir():
        raise SetupError(f"{directory} is no directory.")
    found = [path for path in directory.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file()]
    if len(found) > MOST_FILES:
        raise SetupError(f"{directory} has {len(found):,} pictures; {MOST_FILES} are the most.")
    return [path.relative_to(directory).as_posix() for path in found]


def _read(file: Path) -> bytes:
    """Read a picture.

    Raises:
        Invalid: it is too large.
        NotFound: it cannot be read.
    """
    try:
        about = file.stat()
        if not stat.S_ISREG(about.st_mode):
            raise NotFound("It is no file.")
        if about.st_size > MOST_LOOK_BYTES:
            raise Invalid(f"It has {about.st_size:,} bytes; {MOST_LOOK_BYTES:,} are the most.")
        return file.read_bytes()
    except OSError as error:
        raise NotFound(f"It cannot be read ({error.strerror}).") from error
