"""What the story knows, in words: answers with their proofs, and what a search found."""

from bot.wording.voice import TITLE_CHARS, Voice, counted, lines, paragraphs
from storyforge_core.domain.memory import Quote
from storyforge_core.domain.replies import AnswerShown, SearchHit, SearchShown

QUESTION_CHARS = 300
QUOTE_CHARS = 400
NOT_TOLD = "The story does not say, as far as it has been told on the way here."
AS_TOLD = "This is what the story says:"


def answer(reply: AnswerShown, voice: Voice) -> str:
    """An answer, and the scenes that prove it."""
    asked = voice.flavour.strong(voice.words(reply.question, QUESTION_CHARS))
    if not reply.quotes:
        return paragraphs(asked, NOT_TOLD)
    said = voice.flavour.literal(reply.text) or AS_TOLD
    return paragraphs(asked, said, lines(*(_quote(quote, voice) for quote in reply.quotes)))


def found(reply: SearchShown, voice: Voice) -> str:
    """The scenes that have what was looked for, under their stories."""
    if not reply.hits:
        return f"Nothing told here has “{voice.words(reply.words, QUESTION_CHARS)}” in it."
    stories = dict.fromkeys((hit.story, hit.story_title) for hit in reply.hits)
    listed = [_in_story(number, title, reply.hits, voice) for number, title in stories]
    return paragraphs(voice.flavour.strong(counted(len(reply.hits), "scene")), *listed)


def _in_story(number: int, title: str, hits: tuple[SearchHit, ...], voice: Voice) -> str:
    heading = f"{voice.words(title, TITLE_CHARS)} (/story stories {number})"
    return lines(heading, *(_quote(hit.quote, voice) for hit in hits if hit.story == number))


def _quote(quote: Quote, voice: Voice) -> str:
    return f"“{voice.words(quote.text, QUOTE_CHARS)}” — {quote.number} · {voice.words(quote.title, TITLE_CHARS)}"
