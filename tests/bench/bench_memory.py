"""What a story remembers: facts planted in scenes of one path and of its siblings, looked for at the path's end."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from storyforge_core.domain.changes import HeadMoved, SceneAdded
from storyforge_core.domain.memory import Cue, Question, sought
from storyforge_core.domain.replies import AnswerShown, SearchShown
from storyforge_core.domain.story import NewScene, Playthrough, SceneId
from storyforge_core.engine.memory import Memory
from storyforge_core.engine.oracle import Lookup, Oracle
from storyforge_core.providers.offline import OfflineStoryteller
from storyforge_core.providers.offline.embedder import NAME, vector_of
from storyforge_core.store.database import Database, connect
from tests.bench import bench_long, bench_names, bench_state
from tests.bench.figures import Figure, Scale
from tests.bench.ground import DEEP, deep_scene, deep_story, fill, ground
from tests.bench.timing import measure
from tests.world import HOME, World, open_world

AT = 5
"""Scenes that count as found."""
MISSED = 5.0
"""Per cent of the facts that may not be among them."""
LATE_MS = ((2_000, 25.0), (DEEP - 1, 60.0))
BRANCHES = 40
ADJECTIVES = [
    "brass",
    "silver",
    "broken",
    "hollow",
    "painted",
    "drowned",
    "stolen",
    "iron",
    "velvet",
    "crooked",
    "gilded",
    "rusty",
    "frozen",
    "woven",
]
NOUNS = [
    "key",
    "bell",
    "lantern",
    "letter",
    "compass",
    "crown",
    "mirror",
    "saddle",
    "violin",
    "ladder",
    "hammer",
    "ribbon",
    "kettle",
    "anchor",
    "candle",
]
PLACES = [
    "mill",
    "chapel",
    "harbour",
    "cellar",
    "orchard",
    "tower",
    "quarry",
    "stable",
    "well",
    "bridge",
    "tavern",
    "attic",
    "ferry",
    "graveyard",
]
PEOPLE = ["Maren", "Osk", "Ione", "Tamsin", "Brede", "Havel", "Lumen", "Corvo", "Petra", "Anselm"]
DOINGS = (
    "{person} walked past the {place} and said nothing of the {noun}.",
    "Rain fell on the {place} until the evening, and somebody sang.",
    "“We should have gone to the {place},” said {person}, and looked at the {adjective} sky.",
    "A {adjective} cart stood before the {place}; nobody could tell whose {noun} was on it.",
    "{person} asked {other} about the weather and got no answer.",
)
FACTS = ("{person} hid the {adjective} {noun} in the {place}.", "The {adjective} {noun} lies under the {place} now.")
QUESTION = "Where is the {adjective} {noun}?"


ALIKE = {
    "brass": "golden-coloured", "silver": "argent", "broken": "shattered", "hollow": "empty", "painted": "coloured",
    "drowned": "sunken", "stolen": "thieved", "iron": "metal", "velvet": "plush", "crooked": "bent",
    "gilded": "gold-plated",
    "rusty": "corroded", "frozen": "icy", "woven": "plaited", "key": "opener of locks", "bell": "chime",
    "lantern": "lamp", "letter": "note", "compass": "direction finder", "crown": "diadem", "mirror": "looking glass",
    "saddle": "riding seat", "violin": "fiddle", "ladder": "steps for climbing", "hammer": "mallet", "ribbon": "band",
    "kettle": "teapot", "anchor": "ship's holdfast", "candle": "taper",
}  # fmt: skip
"""Other words for the same, none of them in any scene."""
PARAPHRASED = "Whereabouts would somebody look for the {adjective} {noun}?"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that one scene of the path says, and perhaps a later one otherwise."""

    question: str
    paraphrased: str
    """The same question in words that no scene has."""
    told: tuple[str, ...]
    """Oldest first."""
    lie: str
    """What a sibling branch says of the same thing."""


def facts(count: int, chance: random.Random) -> list[Fact]:
    """Facts about different things; every fifth one changes."""
    things = [(adjective, noun) for adjective in ADJECTIVES for noun in NOUNS]
    chance.shuffle(things)
    return [_fact(thing, chance, changes=number % 5 == 0) for number, thing in enumerate(things[:count])]


def _fact(thing: tuple[str, str], chance: random.Random, *, changes: bool) -> Fact:
    adjective, noun = thing
    places = chance.sample(PLACES, 3)
    said = [
        pattern.format(adjective=adjective, noun=noun, place=place, person=chance.choice(PEOPLE))
        for pattern, place in zip((*FACTS, FACTS[0]), places, strict=True)
    ]
    paraphrased = PARAPHRASED.format(adjective=ALIKE[adjective], noun=ALIKE[noun])
    return Fact(
        QUESTION.format(adjective=adjective, noun=noun), paraphrased, tuple(said[: 2 if changes else 1]), said[2]
    )


def filler(chance: random.Random) -> str:
    """A scene in which nothing is to be found, about the same things."""
    return " ".join(
        chance.choice(DOINGS).format(
            person=chance.choice(PEOPLE), other=chance.choice(PEOPLE), place=chance.choice(PLACES),
            noun=chance.choice(NOUNS), adjective=chance.choice(ADJECTIVES),
        )
        for _ in range(14)
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Planted:
    """A story with facts in it."""

    playthrough: Playthrough
    end: SceneId
    facts: Sequence[Fact]
    siblings: Sequence[SceneId]
    """Where the branches end."""


async def plant(world: World, scenes: int, count: int) -> Planted:
    """Tell a path with the facts, and branches off it that say otherwise."""
    chance = random.Random(7)
    told = facts(count, chance)
    main = scenes * 6 // 10
    places = sorted(chance.sample(range(main - 12), sum(len(fact.told) for fact in told)))
    spread = dict(zip(places, _in_order(told, chance), strict=True))
    story = await world.begin()
    line = [world.new_scene(story.story, None)]
    for _ in range(main - 1):
        line.append(world.new_scene(story.story, line[-1].id))
    line = [_saying(scene, spread.get(place, ""), chance) for place, scene in enumerate(line)]
    grown = [SceneAdded(scene, ()) for scene in line]
    lies = [fact.lie for fact in told]
    siblings = []
    for branch in range(BRANCHES):
        parent = line[chance.randrange(main - 12)].id
        own = lies[branch::BRANCHES]
        for step in range(max((scenes - main) // BRANCHES, len(own))):
            new = world.new_scene(story.story, parent)
            parent = new.id
            grown.append(SceneAdded(_saying(new, own[step] if step < len(own) else "", chance), ()))
        siblings.append(parent)
    async with world.store.resume(story.id) as desk:
        await desk.apply([*grown, HeadMoved(story.id, None, line[-1].id)], "bench")
    return Planted(story, line[-1].id, told, siblings)


def _in_order(told: Sequence[Fact], chance: random.Random) -> list[str]:
    """All that is said of the facts, mixed, each old value before its new one."""
    mixed = [(chance.random(), text) for fact in told for text in fact.told[:1]]
    mixed += [(1 + chance.random(), text) for fact in told for text in fact.told[1:]]
    return [text for _, text in sorted(mixed)]


def _saying(scene: NewScene, fact: str, chance: random.Random) -> NewScene:
    return replace(scene, prose=f"{filler(chance)} {fact} {filler(chance)}".replace("  ", " "))


async def _found(memory: Memory, oracle: Oracle, planted: Planted, world: World) -> list[Figure]:
    """Look for every fact at the end of the path."""
    async with world.store.resume(planted.playthrough.id) as desk:
        assert desk.situation
        assert desk.situation.head
        story, head = desk.situation.story, desk.situation.head
    missed, leaks, stale = 0, 0, 0
    for fact in planted.facts:
        found = await memory.recall(planted.end, 4, fact.question, AT)
        missed += not any(fact.told[-1] in each.text for each in found)
        answer = await oracle.look(Question(fact.question, story, head, busy=False))
        searched = await oracle.look(Lookup(fact.question, HOME))
        assert isinstance(answer, AnswerShown)
        assert isinstance(searched, SearchShown)
        said = [quote.text for quote in answer.quotes]
        stale += said[:1] != [fact.told[-1]]
        shown = [*(each.text for each in found), *said, *(hit.quote.text for hit in searched.hits)]
        leaks += any(fact.lie in text for text in shown)
    share = 100 / len(planted.facts)
    return [
        Figure(f"facts not among the {AT} scenes recalled, shared words", missed * share, "%", MISSED),
        Figure("    answers that do not begin with the newest value", stale * share, "%", MISSED),
        Figure("    things told on sibling branches, shown in answers", leaks, "", 0),
        *await _in_prompts(memory, planted, world),
    ]


async def _in_prompts(memory: Memory, planted: Planted, world: World) -> list[Figure]:
    """What of sibling branches gets into summaries, recaps and prompts, all branches being summarised."""
    each = await bench_long.summarise_all(world, planted.siblings)
    asked = [(fact.question, fact.lie) for fact in planted.facts]
    desk = bench_long.Desk(world, memory)
    leaks = await bench_long.leaks(desk, planted.playthrough.id, planted.end, asked)
    return [
        Figure("    likewise in summaries, recaps and prompts", leaks, "", 0),
        Figure("a branch summarised without a model", each, "ms"),
    ]


async def _paraphrased(memory: Memory, planted: Planted) -> Figure:
    """How much is found that is asked for in other words than it was told in."""
    missed = 0
    for fact in planted.facts[::2]:
        found = await memory.recall(planted.end, 4, fact.paraphrased, AT)
        missed += not any(fact.told[-1] in each.text for each in found)
    share = 100 / len(planted.facts[::2])
    name = await memory.embedder.model()
    return Figure(f"    in other words, {name}", missed * share, "%")


async def _times(database: Database, times: int, longest: int) -> list[Figure]:
    """How long it takes to look back over long paths, up to a length."""
    db = await connect(database.url)
    await db.execute("SET statement_timeout = 0")
    await db.execute("DROP INDEX ix_passage_embedding")
    await db.execute(
        """
        INSERT INTO passage (scene_id, part, story_id, branch_id, depth, start, length, words,
                             embedding, embedding_model)
        SELECT id, 0, story_id, branch_id, depth, 0, length(prose),
               to_tsvector('simple', 'word' || depth || ' door ' || array_to_string(
                   ARRAY(SELECT left(md5(random()::text || depth), 5) FROM generate_series(1, 120)), ' ')),
               ARRAY(SELECT random() - 0.5 FROM generate_series(1, 768) WHERE scene.depth >= 0)::halfvec, $1
          FROM scene WHERE story_id = $2 AND depth <= $3
        """,
        NAME,
        deep_story(),
        longest,
    )
    await db.execute("VACUUM ANALYZE passage")
    await db.close()
    store = open_world(database).store
    words = "where does word100 hold the door"
    cue = Cue(sought(words), vector_of(words), NAME)
    figures = []
    for depth, target in (late for late in LATE_MS if late[0] <= longest):
        found = await measure(times, partial(store.recall, deep_scene(depth), 4, cue, 20))
        figures.append(Figure(f"looking back from scene {depth:,}, 95th percentile", found.p95, "ms", target))
    return figures


def bench(scale: Scale) -> list[Figure]:
    """Plant, look, and take the time."""
    return asyncio.run(_measured(scale))


async def _measured(scale: Scale) -> list[Figure]:
    small = scale.starts == 1
    async with ground() as database:
        world = open_world(database)
        planted = await plant(world, 200 if small else 1000, 40 if small else 200)
        figures = []
        memory, *others = (Memory(world.store, embedder) for embedder in bench_long.embedders())
        for each in (*others, memory):
            await each.reread()
            figures.append(await _paraphrased(each, planted))
        figures = [*await _found(memory, Oracle(memory, OfflineStoryteller()), planted, world), *figures]
        figures += await bench_state.leaks(world, database, planted.end, planted.facts)
        await fill(database, DEEP)
        longest = LATE_MS[0][0] if small else DEEP - 1
        looked = await _times(database, scale.times, longest)
        figures += await bench_state.times(database, scale.times, longest)
        late = await bench_long.late(database, scale.times, longest)
        return [*figures, *looked, *late, *bench_names.figures()]
