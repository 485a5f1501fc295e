"""Look at a scene, and put it into the words of a picture. No picture waits for a model that cannot."""

import asyncio
import json
from dataclasses import replace

import structlog

from storyforge_core.domain.answers import Problem
from storyforge_core.domain.bible import Entity, named
from storyforge_core.domain.context import Keep, Part, as_data, shorten
from storyforge_core.domain.findings import found_entities
from storyforge_core.domain.looks import likenesses, visible
from storyforge_core.domain.pictures import PictureDraft, PictureOrder, Sight, Vision
from storyforge_core.domain.ratings import MEANT, avoided, covered
from storyforge_core.domain.states import MOST_HERE, looks, subjects
from storyforge_core.domain.visions import (
    FRAMINGS,
    PARTS,
    fallback_vision,
    known_figures,
    known_place,
    read_vision,
    sitters,
    vision_schema,
)
from storyforge_core.domain.writing import Asking, Brief, Message
from storyforge_core.engine.kit import Easel
from storyforge_core.engine.prompting import render, repair_messages
from storyforge_core.errors import ModelMissing, NotFound, ServiceDown
from storyforge_core.ports import Desk, Writer

PATIENCE = 240.0
"""Seconds for both questions together; the model may have to be loaded first."""
ANSWER_TOKENS = 500
QUESTION_TOKENS = 600
"""What `visualize.md` takes when nothing is filled in, and then some."""


async def see(draft: PictureDraft, easel: Easel) -> PictureDraft:
    """Fill in what there is to be seen, and how it is put for the illustrator."""
    async with easel.store.resume(easel.run.playthrough) as desk:
        sight, known = await _sight(draft.order, desk)
    vision = draft.order.vision or await _vision(sight, easel.visualizer)
    seen = tuple(each.card.name for each in visible(known, vision))
    return replace(draft, sight=sight, vision=replace(vision, seen=seen))


async def _sight(order: PictureOrder, desk: Desk) -> tuple[Sight, tuple[Entity, ...]]:
    """Gather what a picture may show: what the scene tells everybody, and what everybody can read of those in it."""
    here = desk.situation
    if here is None:
        raise NotFound("This story is gone.")
    scene = await desk.scene(order.scene)
    rules = here.playthrough.rules
    entities = found_entities(await desk.entities(here.story.id), await desk.casebook.sighted(scene.id))
    told = f"{order.hint}\n{scene.prose}"  # whom the asker wants to see may be there as well
    known = sitters(entities, told)
    people = named(entities, told)[:MOST_HERE]
    held = await desk.casebook.newest(scene.id, subjects(people))
    sight = Sight(
        title=scene.title,
        prose=scene.prose,
        genre=here.story.genre,
        tone=here.story.tone,
        style=rules.style,
        avoid=avoided(rules.rating, rules.avoid),
        hint=order.hint,
        seed=order.seed,
        workflow=rules.workflow,
        who=known_figures(entities, told, looks(people, held)),
        where=known_place(entities, told),
        names=tuple(each.card.name for each in known),
        likenesses=likenesses(known, await desk.looks(scene.id)),
        rating=rules.rating,
        covered=covered(rules.rating, rules.spoilers),
    )
    return sight, known


async def _vision(sight: Sight, writer: Writer | None) -> Vision:
    found: Vision | Problem = Problem("no language model is set up for pictures")
    if writer is not None:
        try:
            async with asyncio.timeout(PATIENCE):
                found = await _ask(sight, writer)
        except (ServiceDown, ModelMissing, TimeoutError) as error:
            found = Problem(str(error))
    if isinstance(found, Problem):
        structlog.get_logger().info("a plain description instead of the model's", cause=found.text)
        return fallback_vision(sight)
    return found


async def _ask(sight: Sight, writer: Writer) -> Vision | Problem:
    messages = (Message("user", await asyncio.to_thread(question, sight, writer.window)),)
    asking = Asking(_brief(sight), messages, sight.prose, vision_schema(sight.names), ANSWER_TOKENS)
    answer = await writer.ask(asking)
    found = read_vision(answer, sight)
    if isinstance(found, Problem):
        repaired = await asyncio.to_thread(repair_messages, messages, answer, found)
        found = read_vision(await writer.ask(replace(asking, messages=repaired)), sight)
    return found


def question(sight: Sight, window: int) -> str:
    """Ask for a picture of a scene, within the window minus the answer and a repair; the end of the scene matters."""
    room = window - 2 * ANSWER_TOKENS - QUESTION_TOKENS
    people = "; ".join(f"{figure.name} ({figure.look or 'looks unknown'})" for figure in sight.who)
    texts = {"genre": sight.genre, "tone": sight.tone, "wish": sight.hint, "avoid": sight.avoid, "people": people}
    texts |= {"place": sight.where, "known": "; ".join(sight.names), "title": sight.title}
    texts |= {"audience": MEANT[sight.rating]}
    prose = shorten(Part(as_data(sight.prose), Keep.END), room // 2)
    material = "\n".join(f"<{tag}>{as_data(text)}</{tag}>" for tag, text in texts.items() if text)
    form = {**dict.fromkeys(PARTS, "…"), "framing": FRAMINGS[2], "alt": "…"}
    example = json.dumps(form | ({"visible": ["…"]} if sight.names else {}), ensure_ascii=False)
    scene = f"{material}\n<scene>\n{prose}\n</scene>"
    return render("visualize", material=scene, example=example, framings=", ".join(FRAMINGS))


def _brief(sight: Sight) -> Brief:
    """What the port wants besides the messages: the seed."""
    return Brief(
        premise="",
        title=sight.title,
        genre=sight.genre,
        tone=sight.tone,
        path=(),
        chosen="",
        hint=sight.hint,
        note="",
        words=0,
        choices=0,
        seed=sight.seed,
    )
