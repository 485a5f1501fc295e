"""Questions about a story, answered from what was told on its path, word for word."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

import structlog

from storyforge_core.domain.answers import Problem
from storyforge_core.domain.context import Keep, Part, as_data, estimate, prompt_tokens, shorten, tagged
from storyforge_core.domain.inquiry import Answered, answer_schema, read_answer
from storyforge_core.domain.manifest import Manifest, may_be_same_model
from storyforge_core.domain.memory import (
    Found,
    Question,
    Quote,
    Sought,
    answers,
    covers,
    fits,
    passages,
    quote_from,
    sought,
)
from storyforge_core.domain.replies import Accepted, AnswerShown, ContextShown, Reply, SearchHit, SearchShown, WhyShown
from storyforge_core.domain.runs import Draft
from storyforge_core.domain.story import RoomKey, RunId, Scene
from storyforge_core.domain.writing import Asking, Brief, Message, Remembered
from storyforge_core.engine.inventory import can_be_made_again, take_down
from storyforge_core.engine.lore import LoreBook, with_lore
from storyforge_core.engine.memory import Memory
from storyforge_core.engine.prompting import SMALLEST_WINDOW, render, telling_tokens
from storyforge_core.engine.replay import reads_as_much
from storyforge_core.errors import ModelMissing, ServiceDown
from storyforge_core.ports import Writer

ANSWER_TOKENS = 512
"""For an answer with three quotes."""
SOURCES = 6
"""Scenes that a question is answered from, beside the newest one."""
QUOTES = 3
HITS = 8
ALIKE = "from the same prompt with the same seed."
NEARLY_ALIKE = (
    "with the same seed. Its prompt cannot be made byte for byte as it was: the program's wording has changed, words "
    "were deleted, or the model reads less at once."
)
PATIENCE = 90.0
"""Seconds that a player waits for the model; then the quotes have to speak for themselves."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Words that are looked for in all stories of a realm."""

    words: str
    realm: RoomKey


@dataclass(frozen=True, slots=True)
class Hindsight:
    """A scene that somebody wants to understand."""

    scene: Scene
    draft: Draft | None
    """What it was made from; None where a player wrote it."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What may be known for the next scene."""

    brief: Brief
    book: LoreBook


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A scene that is told once more, and what it was made from."""

    run: RunId
    scene: Scene
    manifest: Manifest
    brief: Brief


Errand = Question | Lookup | Hindsight | Outlook | Rehearsal
"""What takes too long to be done while a story is held."""


@dataclass(frozen=True, slots=True)
class Oracle:
    """Knows what the stories say."""

    memory: Memory
    writer: Writer
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while the model answers: who asks meanwhile gets quotes, and the next scene waits for one answer only."""

    async def look(self, errand: Errand) -> Reply:
        """Do an errand."""
        match errand:
            case Question():
                return await self._answer(errand)
            case Lookup():
                return await self._search(errand)
            case Hindsight():
                return await asyncio.to_thread(_why, errand)
            case Outlook():
                return await self._context(await with_lore(errand.brief, errand.book, self.writer.window))
            case Rehearsal():
                return await self._rehearsed(errand)
            case _:
                assert_never(errand)

    async def _answer(self, question: Question) -> Reply:
        wanted = sought(question.words)
        remembered = await self.memory.recall(question.head.id, 0, question.words, SOURCES)
        found = (*_in_the_head(question.head, wanted), *(each for each in remembered if each.scene != question.head.id))
        told = None if question.busy or not wanted.words else await self._told(question, found)
        if told is not None:
            return AnswerShown(question.words, told.text, told.quotes)
        quotes = dict.fromkeys((*question.known, *_quotes(found, wanted)))
        return AnswerShown(question.words, "", tuple(quotes)[:QUOTES])

    async def _search(self, lookup: Lookup) -> Reply:
        wanted = sought(lookup.words)
        found = await self.memory.search(lookup.realm, lookup.words, HITS) if wanted.words else ()
        hits = (SearchHit(each.story_number, each.story, quote_from(each, wanted)) for each in found if each.covers)
        return SearchShown(lookup.words, tuple(hits))

    async def _context(self, brief: Brief) -> Reply:
        profile = await self.writer.profile()
        answer = telling_tokens(brief.words, self.writer.window)
        planned = await self.memory.window(self.writer.window, answer, profile.model)
        manifest = await asyncio.to_thread(take_down, brief, max(planned, SMALLEST_WINDOW), profile)
        embedder, progress = await self.memory.progress()
        measure = await self.memory.store.measure(profile.model)
        scenes = brief.older + len(brief.path)
        return ContextShown(manifest, self.writer.window, measure, scenes, embedder, progress)

    async def _rehearsed(self, rehearsal: Rehearsal) -> Reply:
        """Say that a scene is told again, and what is otherwise than it was."""
        then, profile = rehearsal.manifest, await self.writer.profile()
        whole = reads_as_much(then, profile) and await asyncio.to_thread(can_be_made_again, then, rehearsal.brief)
        said = f"Scene {rehearsal.scene.number} is told once more, {ALIKE if whole else NEARLY_ALIKE}"
        if not may_be_same_model(profile, then.profile):
            said = f"{said} The model is another one: {then.profile.model} then, {profile.model} now."
        return Accepted(said, rehearsal.run)

    async def _told(self, question: Question, found: tuple[Found, ...]) -> Answered | None:
        """What the model makes of it; None when it is away, answers another one, or proves nothing of what it says."""
        sources = _sources(question, found)
        story = question.story
        brief = Brief(story.premise, story.title, story.genre, story.tone, (), "", "", "", 0, 0, story.seed)
        messages = await asyncio.to_thread(_question_messages, question.words, sources, self.writer.window)
        asking = Asking(brief, messages, question.head.prose, answer_schema(), ANSWER_TOKENS, "answer")
        if self.asking.locked():
            return None
        try:
            async with self.asking, asyncio.timeout(PATIENCE):
                answered = read_answer(await self.writer.ask(asking), sources)
        except (ServiceDown, ModelMissing, TimeoutError) as error:
            answered = Problem(str(error) or "It took too long.")
        if isinstance(answered, Problem):
            structlog.get_logger().info("quotes instead of the model's answer", cause=answered.text)
            return None
        return answered


def _why(errand: Hindsight) -> WhyShown:
    draft = errand.draft
    manifest = None if draft is None else draft.manifest
    same = bool(draft and draft.brief and manifest and can_be_made_again(manifest, draft.brief))
    plan = draft.brief.plan if draft and draft.brief else ()
    return WhyShown(errand.scene, manifest, None if draft is None else draft.order, same, plan)


def _in_the_head(head: Scene, wanted: Sought) -> tuple[Found, ...]:
    """The newest scene as if it had been found: it may not have been read yet."""
    return tuple(
        Found(
            head.id, head.number, head.title, each.part, each.text, covers(each.text, wanted), fits(each.text, wanted)
        )
        for each in passages(head.prose)
    )


def _sources(question: Question, found: tuple[Found, ...]) -> tuple[Remembered, ...]:
    """What the model may quote: the newest scene, then what is known to hold, then what matters most."""
    head = question.head
    known = (Remembered(each.number, each.title, each.text) for each in question.known)
    older = (Remembered(each.number, each.title, each.text) for each in found if each.scene != head.id)
    return (Remembered(head.number, head.title, head.prose), *known, *older)


def _quotes(found: tuple[Found, ...], wanted: Sought) -> tuple[Quote, ...]:
    quotes = dict.fromkeys(quote_from(each, wanted) for each in answers(found))
    return tuple(quotes)[:QUOTES]


def _question_messages(question: str, sources: Sequence[Remembered], window: int) -> tuple[Message, ...]:
    """Ask what a story says about something, with as many of its passages as fit, those that matter most first."""
    asked = tagged("question", as_data(question))
    frame = prompt_tokens((Message("user", render("ask", sources="", question=asked)),))
    room = window - ANSWER_TOKENS - frame
    first, *others = sources
    kept = [replace(first, text=shorten(Part(first.text, Keep.END), room // 2))]
    for each in others:
        if estimate(_parts((*kept, each))) <= room:
            kept.append(each)
    return (Message("user", render("ask", sources=_parts(kept), question=asked)),)


def _parts(sources: Sequence[Remembered]) -> str:
    return "".join(tagged("part", as_data(f"Scene {each.number}. {each.title}\n{each.text}")) for each in sources)
