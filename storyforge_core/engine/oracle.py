"""Questions about a story, answered from what was told on its path, word for word."""

import asyncio
from dataclasses import dataclass

import structlog

from storyforge_core.domain.answers import Problem
from storyforge_core.domain.inquiry import Answered, answer_schema, read_answer
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
from storyforge_core.domain.replies import AnswerShown, Reply, SearchHit, SearchShown
from storyforge_core.domain.story import RoomKey, Scene
from storyforge_core.domain.writing import Asking, Brief, Remembered
from storyforge_core.engine.memory import Memory
from storyforge_core.engine.prompting import ANSWER_TOKENS, question_messages
from storyforge_core.errors import ModelMissing, ServiceDown
from storyforge_core.ports import Writer

SOURCES = 6
"""Scenes that a question is answered from, beside the newest one."""
QUOTES = 3
HITS = 8
PATIENCE = 90.0
"""Seconds that a player waits for the model; then the quotes have to speak for themselves."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Words that are looked for in all stories of a realm."""

    words: str
    realm: RoomKey


Errand = Question | Lookup
"""What takes too long to be done while a story is held."""


@dataclass(frozen=True, slots=True)
class Oracle:
    """Knows what the stories say."""

    memory: Memory
    writer: Writer

    async def look(self, errand: Errand) -> Reply:
        """Answer a question, or search."""
        return await (self._answer(errand) if isinstance(errand, Question) else self._search(errand))

    async def _answer(self, question: Question) -> Reply:
        wanted = sought(question.words)
        remembered = await self.memory.recall(question.head.id, 0, question.words, SOURCES)
        found = (*_in_the_head(question.head, wanted), *(each for each in remembered if each.scene != question.head.id))
        told = None if question.busy or not wanted.words else await self._told(question, found)
        if told is not None:
            return AnswerShown(question.words, told.text, told.quotes)
        return AnswerShown(question.words, "", _quotes(found, wanted))

    async def _search(self, lookup: Lookup) -> Reply:
        wanted = sought(lookup.words)
        found = await self.memory.search(lookup.realm, lookup.words, HITS) if wanted.words else ()
        hits = (SearchHit(each.story_number, each.story, quote_from(each, wanted)) for each in found if each.covers)
        return SearchShown(lookup.words, tuple(hits))

    async def _told(self, question: Question, found: tuple[Found, ...]) -> Answered | None:
        """What the model makes of it; None when it is away, or proves nothing of what it says."""
        sources = _sources(question.head, found)
        story = question.story
        brief = Brief(story.premise, story.title, story.genre, story.tone, (), "", "", "", 0, 0, story.seed)
        messages = await asyncio.to_thread(question_messages, question.words, sources, self.writer.window)
        asking = Asking(brief, messages, question.head.prose, answer_schema(), ANSWER_TOKENS, "answer")
        try:
            async with asyncio.timeout(PATIENCE):
                answered = read_answer(await self.writer.ask(asking), sources)
        except (ServiceDown, ModelMissing, TimeoutError) as error:
            answered = Problem(str(error) or "It took too long.")
        if isinstance(answered, Problem):
            structlog.get_logger().info("quotes instead of the model's answer", cause=answered.text)
            return None
        return answered


def _in_the_head(head: Scene, wanted: Sought) -> tuple[Found, ...]:
    """The newest scene as if it had been found: it may not have been read yet."""
    return tuple(
        Found(
            head.id, head.number, head.title, each.part, each.text, covers(each.text, wanted), fits(each.text, wanted)
        )
        for each in passages(head.prose)
    )


def _sources(head: Scene, found: tuple[Found, ...]) -> tuple[Remembered, ...]:
    """What the model may quote: the newest scene, then what matters most."""
    older = (Remembered(each.number, each.title, each.text) for each in found if each.scene != head.id)
    return (Remembered(head.number, head.title, head.prose), *older)


def _quotes(found: tuple[Found, ...], wanted: Sought) -> tuple[Quote, ...]:
    quotes = dict.fromkeys(quote_from(each, wanted) for each in answers(found))
    return tuple(quotes)[:QUOTES]
