"""What is written down as true, in words."""

from collections.abc import Mapping
from typing import assert_never

from bot.wording.found import dispute_note, fact_row, held_lines
from bot.wording.voice import Voice, lines, paragraphs
from storyforge_core.domain.bible import Card, Fact, Sort
from storyforge_core.domain.replies import EntitiesShown, EntityShown, FactsShown

TEXT_CHARS = 500
MANY: Mapping[Sort, str] = {"character": "Characters", "place": "Places", "prop": "Things"}
GUARDED = "It has a secret, which a host is shown where nobody else reads along."


def bible_text(reply: EntityShown | EntitiesShown | FactsShown, voice: Voice) -> str:
    """Word what was asked of it."""
    match reply:
        case EntityShown():
            return _card(reply, voice)
        case EntitiesShown():
            return _cards(reply, voice)
        case FactsShown():
            return _facts(reply, voice)
        case _:
            assert_never(reply)


def _card(reply: EntityShown, voice: Voice) -> str:
    shown = reply.card
    also = f"Also called {voice.names(shown.aliases)}." if shown.aliases else ""
    secret = f"Secret: {voice.words(shown.secret, TEXT_CHARS)}" if shown.secret else GUARDED if reply.guarded else ""
    return paragraphs(
        lines(
            voice.flavour.strong(voice.name(shown.name)),
            voice.words(shown.description, TEXT_CHARS) or "Nothing else is written down.",
            also,
            f"Voice: {voice.words(shown.voice, TEXT_CHARS)}" if shown.voice else "",
            secret,
            f"Found by reading, in scene {reply.seen}. It is written down once you edit it." if reply.seen else "",
        ),
        lines(*held_lines(reply.held, voice, proofs=True), dispute_note(reply.disputes, voice)),
        lines(*(_fact(fact, voice) for fact in reply.facts)),
    )


def _cards(reply: EntitiesShown, voice: Voice) -> str:
    if not reply.cards and not reply.found:
        return f"None are written down yet. Write one down: /story {reply.sort} add"
    rows = (_row(shown, voice) for shown in reply.cards)
    found = (f"{_row(each.card, voice)} (found by reading, scene {each.seen})" for each in reply.found)
    return lines(voice.flavour.strong(MANY[reply.sort]), *rows, *found)


def _facts(reply: FactsShown, voice: Voice) -> str:
    if not reply.facts and not reply.found:
        return "No facts are written down on the way here. Write one down: /story fact add Osk has the brass key"
    found = (fact_row(each, voice) for each in reply.found)
    older = "Older ones that were found by reading are not listed." if reply.older else ""
    return lines(voice.flavour.strong("Facts"), *(_fact(fact, voice) for fact in reply.facts), *found, older)


def _row(shown: Card, voice: Voice) -> str:
    name = voice.name(shown.name)
    return f"{name}: {voice.words(shown.description, TEXT_CHARS)}" if shown.description else name


def _fact(fact: Fact, voice: Voice) -> str:
    text = voice.words(fact.claim.text, TEXT_CHARS)
    quote = voice.words(fact.claim.quote, TEXT_CHARS)
    proof = f" — “{quote}”" if quote and fact.claim.quote != fact.claim.text else ""
    return f"{fact.number}. {text}{proof} (scene {fact.scene})"
