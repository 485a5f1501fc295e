"""What was found by reading scenes, read along a path, and kept."""

from collections.abc import Sequence

import asyncpg

from storyforge_core.domain.bible import Entity, EntityId, Fact
from storyforge_core.domain.changes import VerdictSet
from storyforge_core.domain.findings import Findings, Sighted
from storyforge_core.domain.promises import Promise
from storyforge_core.domain.states import Cell, Held, Judged, alike
from storyforge_core.domain.states import Slot as Slots
from storyforge_core.domain.story import Scene, SceneId, Story, StoryId
from storyforge_core.ports import Clock
from storyforge_core.state_ports import WINDOW, Origin, Unread
from storyforge_core.store import bible
from storyforge_core.store.casebook_sql import (
    ADD_ASSERTIONS,
    ADD_PROMISES,
    ADD_SIGHTINGS,
    DISPUTED,
    HISTORY,
    KEEP_READING,
    LAST_NUMBERS,
    LATEST,
    NEWEST,
    NUMBERED,
    OF_SCENE,
    PROMISES,
    RIVALS,
    SET_STANDING,
    SIGHTED,
    UNREAD,
)
from storyforge_core.store.codec import ASSERTION, CARD, dump, storable
from storyforge_core.store.statement import Db

SLOTS: tuple[Slots, ...] = ("where", "has", "knows", "condition", "look", "fact", "time")
MOST_PROMISES = 200
"""Of a path, the newest."""
MOST_HISTORY = 50


class PostgresCasebook:
    """See `state_ports.Casebook`."""

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def entities(self, story: StoryId) -> tuple[Entity, ...]:
        """Read who and what players wrote down."""
        return await bible.entities(self._db, story)

    async def facts(self, end: SceneId) -> tuple[Fact, ...]:
        """Read the facts that players wrote down and that hold at a scene."""
        return await bible.facts(self._db, end)

    async def sighted(self, end: SceneId) -> tuple[Sighted, ...]:
        """Read who and what was found on the path, the oldest first."""
        rows = await SIGHTED.rows(self._db, scene=end)
        return tuple(
            Sighted(Entity(EntityId(row["id"]), CARD.validate_json(row["card"]), row["number"]), row["struck"])
            for row in rows
        )

    async def newest(self, end: SceneId, subjects: Sequence[str], window: int = WINDOW) -> tuple[Held, ...]:
        """Read the newest assertion of each cell of some subjects, by their plain names; "" is the time.

        Of each subject and slot, only the newest `window` assertions are looked at: what was last said of a cell
        before them is not told, and nothing else is told instead.
        """
        names = [storable(name) for name in subjects]
        rows = await NEWEST.rows(self._db, scene=end, subjects=names, slots=list(SLOTS), window=window)
        return tuple(map(_held, rows))

    async def latest(self, end: SceneId, limit: int) -> tuple[Held, ...]:
        """Read the newest assertions of the path, of each cell the newest one."""
        return tuple(map(_held, await LATEST.rows(self._db, scene=end, limit=limit)))

    async def disputed(self, end: SceneId) -> tuple[Held, ...]:
        """Read the assertions of the path that are in dispute, also those that later ones have overtaken."""
        return tuple(map(_held, await DISPUTED.rows(self._db, scene=end)))

    async def history(self, end: SceneId, cell: Cell) -> tuple[Held, ...]:
        """Read what the path says of one cell, the newest first, without what was struck."""
        subject, slot, which = storable(cell)
        values = {"subject": subject, "slot": slot, "which": which, "limit": MOST_HISTORY}
        return tuple(map(_held, await HISTORY.rows(self._db, scene=end, **values)))

    async def numbered(self, end: SceneId, number: int) -> Held | None:
        """Find an assertion of the path; None where there is none, or it was struck."""
        row = await NUMBERED.row(self._db, scene=end, number=number)
        return _held(row) if row else None

    async def rivals(self, held: Held) -> tuple[Held, ...]:
        """Find what is in dispute with an assertion, on all that follows it."""
        return tuple(map(_held, await RIVALS.rows(self._db, id=held.id, number=held.number)))

    async def promises(self, end: SceneId) -> tuple[Promise, ...]:
        """Read the promises of the path, the newest first, each with what became of it there."""
        rows = await PROMISES.rows(self._db, scene=end, limit=MOST_PROMISES)
        return tuple(Promise(**row) for row in rows)

    async def unread(self, scene: SceneId) -> Unread | None:
        """Find a scene to be read; None when it is gone, or was read."""
        row = await UNREAD.row(self._db, scene=scene)
        if row is None:
            return None
        told = {name.removeprefix("scene_"): value for name, value in row.items() if name.startswith("scene_")}
        of = {name.removeprefix("story_"): value for name, value in row.items() if name.startswith("story_")}
        return Unread(Scene(**told), Story(**of))

    async def keep(self, scene: Scene, findings: Findings, origin: Origin) -> None:
        """Store what was found; of a scene that was read before, only what is new."""
        await bible.HOLD_STORY.run(self._db, story=scene.story)
        now = self._clock.now()
        made = {"model": storable(origin.model), "template": origin.template, "vocabulary": origin.vocabulary}
        await KEEP_READING.run(self._db, scene=scene.id, at=now, **made)
        numbers = await LAST_NUMBERS.row(self._db, story=scene.story)
        assert numbers is not None  # noqa: S101 - it has no condition
        there = await OF_SCENE.row(self._db, scene=scene.id)
        assert there is not None  # noqa: S101 - neither has this
        await self._add_sightings(scene, findings, frozenset(there["names"]))
        await self._add_assertions(scene, findings, numbers["facts"], there)
        await self._add_promises(scene, findings, numbers["promises"], frozenset(there["promises"]))

    async def _add_sightings(self, scene: Scene, findings: Findings, there: frozenset[str]) -> None:
        new = [card for card in findings.seen if card.name not in there]
        ids = [self._clock.new_id() for _ in new]
        if new:
            await ADD_SIGHTINGS.run(self._db, scene=scene.id, ids=ids, cards=[dump(CARD, card) for card in new])

    async def _add_assertions(self, scene: Scene, findings: Findings, last: int, there: asyncpg.Record) -> None:
        old = {tuple(each) for each in zip(there["subjects"], there["slots"], there["values"], strict=True)}
        new = [
            each for each in findings.said if (storable(each.said.cell)[0], each.said.slot, each.said.value) not in old
        ]
        if not new:
            return
        cells = [storable(each.said.cell) for each in new]
        await ADD_ASSERTIONS.run(
            self._db,
            scene=scene.id,
            ids=[self._clock.new_id() for _ in new],
            numbers=[last + place for place, _ in enumerate(new, start=1)],
            parts=[there["last"] + place for place, _ in enumerate(new, start=1)],
            subjects=[subject for subject, _, _ in cells],
            slots=[slot for _, slot, _ in cells],
            which=[which for _, _, which in cells],
            bodies=[dump(ASSERTION, each.said) for each in new],
            standings=[each.standing for each in new],
            against=[storable(each.against) for each in new],
            rivals=_rivals(new, last),
        )

    async def _add_promises(self, scene: Scene, findings: Findings, last: int, there: frozenset[str]) -> None:
        new = [each for each in findings.pledges if f"{each.outcome} {each.text}" not in there]
        if not new:
            return
        numbers: list[int | None] = []
        for each in new:
            last += each.outcome == "open"
            numbers.append(last if each.outcome == "open" else None)
        await ADD_PROMISES.run(
            self._db,
            scene=scene.id,
            ids=[self._clock.new_id() for _ in new],
            numbers=numbers,
            of=[each.of for each in new],
            outcomes=[each.outcome for each in new],
            texts=[storable(each.text) for each in new],
            quotes=[storable(each.quote) for each in new],
        )


async def set_standing(db: Db, change: VerdictSet) -> object:
    """Write what players decided; answers nothing where it is no longer what it was."""
    values = {"id": change.id, "before": change.before, "after": change.after}
    return await SET_STANDING[change.what].value(db, **values)


def _identity(judged: Judged) -> tuple[str, str, str]:
    """What of a scene is not kept twice."""
    return storable(judged.said.cell)[0], judged.said.slot, storable(judged.said.value)


def _rivals(judged: Sequence[Judged], last: int) -> list[int]:
    """The number of what each is in dispute with; that of the same scene has only just got its own."""
    numbers: dict[tuple[Cell, str], int] = {}
    rivals = []
    for number, each in enumerate(judged, start=last + 1):
        own = numbers.get((each.said.cell, alike(each.against)), 0)
        rivals.append(each.rival or (own if each.standing == "disputed" else 0))
        numbers[each.said.cell, alike(each.said.value)] = number
    return rivals


def _held(row: asyncpg.Record) -> Held:
    values = dict(row)
    return Held(said=ASSERTION.validate_json(values.pop("body")), **values)
