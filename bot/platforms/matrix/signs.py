"""What people give instead of words: reactions with numbers, and answers to polls (MSC3381). Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.platforms.matrix.content import ANNOTATION, REFERENCE, Json, dated, inner, listed, relation, text
from bot.platforms.matrix.places import Place
from bot.questions import OpenCard, position_of
from bot.wording.markup import clean, neutral

REACTION: Final = "m.reaction"
POLL: Final = "org.matrix.msc3381.poll.start"
ANSWER: Final = "org.matrix.msc3381.poll.response"
POLL_END: Final = "org.matrix.msc3381.poll.end"
PLAIN: Final = "org.matrix.msc1767.text"
CARD: Final = "app.storyforge.card"
"""In a poll: the message that asks the same question."""
QUESTION: Final = "What happens next?"


@dataclass(frozen=True, slots=True)
class Sign:
    """Something that somebody put under a question, or answered to its poll."""

    event: str
    under: str
    """The message, or the poll."""
    user: str
    position: int | None
    """The choice it is for; None for an answer that takes back the ones before it."""
    at: datetime


def reacted(event: Json) -> Sign | None:
    """Read a reaction; None for those that are no numbers."""
    related = relation(inner(event, "content"))
    position = position_of(text(related, "key"))
    if text(related, "rel_type") != ANNOTATION or position is None:
        return None
    return Sign(text(event, "event_id"), text(related, "event_id"), text(event, "sender"), position, dated(event))


def answered(event: Json) -> Sign | None:
    """Read an answer to a poll; one that chooses nothing takes back what was chosen before."""
    content = inner(event, "content")
    related = relation(content)
    if text(related, "rel_type") != REFERENCE:
        return None
    chosen = (*listed(inner(content, ANSWER), "answers"), "")[0]
    position = int(chosen) if len(chosen) == 1 and chosen.isascii() and chosen.isdecimal() else None
    return Sign(text(event, "event_id"), text(related, "event_id"), text(event, "sender"), position, dated(event))


def poll(card: OpenCard) -> dict[str, Any]:
    """Ask a question as a poll, beside the card that asks it."""
    place = Place.of(card.room)
    answers = {str(choice.position): _words(choice.text) for choice in card.choices}
    below = {"rel_type": "m.thread", "event_id": place.thread, "is_falling_back": True}
    related = below if place.thread else {"rel_type": REFERENCE, "event_id": card.message}
    return {
        POLL: {
            "question": {PLAIN: QUESTION, "body": QUESTION, "msgtype": "m.text"},
            "kind": "org.matrix.msc3381.poll.disclosed",
            "max_selections": 1,
            "answers": [{"id": number, PLAIN: words} for number, words in answers.items()],
        },
        PLAIN: "\n".join((QUESTION, *(f"{number}. {words}" for number, words in answers.items()))),
        CARD: card.message,
        "m.mentions": {},
        "m.relates_to": related,
    }


def offered(content: Json) -> frozenset[int]:
    """Read which choices a poll offers."""
    answers = inner(content, POLL).get("answers")
    ids = [text(answer, "id") for answer in answers if isinstance(answer, dict)] if isinstance(answers, list) else []
    return frozenset(int(each) for each in ids if each.isascii() and each.isdecimal())


def poll_end(poll: str) -> dict[str, Any]:
    """Close a poll."""
    related = {"rel_type": REFERENCE, "event_id": poll}
    return {POLL_END: {}, PLAIN: "Decided.", "m.mentions": {}, "m.relates_to": related}


def _words(words: str) -> str:
    return neutral(clean(words))
