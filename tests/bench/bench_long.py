"""Long paths: what it costs to put a prompt together at their end, and whether it has anything of their siblings."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from bot.storyteller import ollama_options
from bot.wording.markup import Markdown
from bot.wording.replying import reply_text
from bot.wording.treemap import Canvas
from bot.wording.voice import Voice
from storyforge_core.domain.changes import SceneAdded
from storyforge_core.domain.recap import READ, recap
from storyforge_core.domain.replies import RecapShown
from storyforge_core.domain.runs import Draft, Run
from storyforge_core.domain.story import PlaythroughId, SceneId
from storyforge_core.domain.writing import Brief
from storyforge_core.engine.bus import Feed
from storyforge_core.engine.cast import Cast
from storyforge_core.engine.chronicle import Chronicle
from storyforge_core.engine.kit import Kit
from storyforge_core.engine.memory import Memory
from storyforge_core.engine.prompting import scene_messages
from storyforge_core.engine.steps.plan import plan
from storyforge_core.engine.steps.recall import recall
from storyforge_core.memory_ports import Embedder
from storyforge_core.providers.offline import OfflineEmbedder, OfflineStoryteller
from storyforge_core.providers.ollama_embedder import OllamaEmbedder
from storyforge_core.settings import load_settings
from storyforge_core.store.database import Database, connect
from tests.bench.figures import Figure
from tests.bench.ground import deep_scene, deep_story
from tests.bench.timing import measure, timed
from tests.world import World, open_world

CHAPTER = 12
"""Scenes of a chapter of the deep story."""
BRANCHED_AT = 1_000
BRANCHED_MS = 5.0
LATE_MS = ((2_000, 25.0), (19_999, 60.0))
HERE = PlaythroughId(UUID(int=6 << 64))
HINT = "Maren asks word77 who has the brass key"

CHAPTERS = """
    INSERT INTO chapter (id, story_id, scene_id, branch_id, depth, title, closed_at)
    SELECT gen_random_uuid(), story_id, id, branch_id, depth, '', now() FROM scene
     WHERE story_id = $1 AND depth %% {span} = {span} - 1
"""
SUMMARIES = """
    INSERT INTO summary (scene_id, layer, first, story_id, branch_id, depth, title, text, made_at)
    SELECT id, {layer}, depth + 1 - {span}, story_id, branch_id, depth, 'A part of it', left(repeat(prose, 2), 850),
           now() - interval '1 hour'
      FROM scene WHERE story_id = $1 AND depth %% {span} = {span} - 1
"""
PLAYTHROUGH = """
    INSERT INTO playthrough (id, story_id, head_id, note, rules, created_at) VALUES ($1, $2, $3, '', '{}', now())
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where prompts are put together."""

    world: World
    memory: Memory

    def kit(self, playthrough: PlaythroughId) -> tuple[Kit, Run]:
        """What the steps of a run need."""
        run = self.world.new_run(playthrough)
        return Kit(run, self.world.store, Cast.alone(OfflineStoryteller()), self.memory, Feed()), run

    async def prompt(self, playthrough: PlaythroughId, parent: SceneId, hint: str) -> tuple[Brief, str]:
        """What a storyteller is told for the next scene."""
        kit, run = self.kit(playthrough)
        order = replace(run.draft.order, parent=parent, hint=hint)
        draft = await recall(await plan(Draft(order=order), kit), kit)
        assert draft.brief
        assert draft.manifest
        messages = scene_messages(draft.brief, draft.manifest.window, draft.manifest.max_tokens)
        return draft.brief, "\n".join(message.content for message in messages)


async def late(database: Database, times: int, longest: int) -> list[Figure]:
    """How long it takes to put a prompt together late in a story, and to begin a branch there."""
    db = await connect(database.url)
    await db.execute("SET statement_timeout = 0")
    await db.execute(CHAPTERS.replace("%%", "%").format(span=CHAPTER), deep_story())
    for layer in range(1, 5):
        spans = SUMMARIES.replace("%%", "%").format(layer=layer, span=CHAPTER * 6 ** (layer - 1))
        await db.execute(spans, deep_story())
    await db.execute(PLAYTHROUGH, HERE, deep_story(), deep_scene(longest))
    await db.execute("VACUUM ANALYZE chapter, summary, playthrough")
    await db.close()
    world = open_world(database)
    desk = Desk(world, Memory(world.store, OfflineEmbedder()))
    figures = []
    for depth, target in (each for each in LATE_MS if each[0] <= longest):
        cost = await measure(times, partial(desk.prompt, HERE, deep_scene(depth), HINT))
        figures += [
            Figure(f"a prompt put together at scene {depth:,}, 95th percentile", cost.p95, "ms", target),
            Figure("    median", cost.median, "ms"),
            Figure("    of it this program's own work", cost.cpu, "ms"),
        ]
    branched = await measure(times, partial(_branch, world))
    figures.append(Figure(f"a branch begun at scene {BRANCHED_AT:,}", branched.median, "ms", BRANCHED_MS))
    return figures


async def _branch(world: World) -> None:
    scene = world.new_scene(deep_story(), deep_scene(BRANCHED_AT))
    async with world.store.resume(HERE) as desk:
        await desk.apply([SceneAdded(scene, ())], "bench")


async def leaks(desk: Desk, playthrough: PlaythroughId, end: SceneId, asked: Sequence[tuple[str, str]]) -> int:
    """Count lies of sibling branches in summaries, recaps and prompts.

    Args:
        desk: where.
        playthrough: whose head is the end.
        end: of the path.
        asked: questions, and what only a sibling says about them.
    """
    await Chronicle(desk.world.store, OfflineStoryteller(), desk.world.clock).summarise(end)
    async with desk.world.store.resume(playthrough) as opened:
        past = await opened.past(end, READ, fresh=True)
        head = await opened.scene(end)
    voice = Voice(Markdown(), lambda at: f"{at:%H:%M}")
    recaps = [
        reply_text(RecapShown("beginning", None, recap(past, known), head), voice, Canvas(40, 20))
        for known in (0, past.opened, past.older + len(past.path) // 2)
    ]
    told = "\n".join((*recaps, *(synopsis.text for synopsis in past.synopses), *(each.gist for each in past.lines)))
    found = sum(lie in told for _, lie in asked)
    for question, lie in asked:
        _, prompt = await desk.prompt(playthrough, end, question)
        found += lie in prompt
    return found


async def summarise_all(world: World, ends: Sequence[SceneId]) -> float:
    """Summarise the siblings as well: what they say has to be in some summaries to leak; milliseconds for one."""
    chronicle = Chronicle(world.store, OfflineStoryteller(), world.clock)
    times = [(await timed(chronicle.summarise(end)))[0] for end in ends]
    return sum(times) / len(times)


def embedders() -> list[Embedder]:
    """The built-in embedder, and a real one where there is a server."""
    found: list[Embedder] = [OfflineEmbedder()]
    if os.environ.get("OLLAMA_HOST"):
        settings = load_settings(None)
        found.append(OllamaEmbedder(ollama_options(settings, settings.model_for("embedder"))))
    return found
