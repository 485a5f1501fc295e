"""What was found by reading scenes, in words."""

from collections.abc import Iterable, Mapping
from typing import assert_never

from bot.wording.voice import Voice, counted, lines, paragraphs
from storyforge_core.domain.found import Dispute, DisputesShown, FoundReply, OfOne, PromisesShown, StateShown
from storyforge_core.domain.promises import Outcome, Promise
from storyforge_core.domain.states import Assertion, Held, Slot

VALUE_CHARS = 200
QUOTE_CHARS = 200
SLOTS: Mapping[Slot, str] = {
    "where": "Where",
    "has": "Has",
    "knows": "Knows",
    "condition": "Condition",
    "look": "Looks",
    "time": "Time",
    "fact": "Also",
}
OUTCOMES: Mapping[Outcome, str] = {"open": "Open", "kept": "Kept", "broken": "Broken"}
NOTHING = "Nothing was found yet. Scenes are read in the background, some time after they are told."


def found_text(reply: FoundReply, voice: Voice) -> str:
    """Word what was asked of it."""
    match reply:
        case StateShown():
            return _state(reply, voice)
        case PromisesShown():
            return _promises(reply, voice)
        case DisputesShown():
            return _disputes(reply, voice)
        case _:
            assert_never(reply)


def held_lines(held: Iterable[Held], voice: Voice, *, proofs: bool) -> tuple[str, ...]:
    """What holds of somebody, a line for each thing that can be said of somebody."""
    all_held = tuple(held)
    rows = []
    for slot, name in SLOTS.items():
        values = [_value(each, voice, proofs=proofs) for each in all_held if each.said.slot == slot]
        if values:
            rows.append(f"{name}: {'; '.join(values)}")
    return tuple(rows)


def fact_row(held: Held, voice: Voice) -> str:
    """What a scene says, with its number, as a row of a list."""
    said = held.said
    name = voice.name(said.subject) if said.subject else ""
    about = " ".join(filter(None, (said.slot if said.slot != "fact" else "", said.aspect)))
    text = ": ".join(filter(None, (name, voice.words(about, VALUE_CHARS), voice.words(said.value, VALUE_CHARS))))
    return f"{held.number}. {text}{_proof(held, voice)} (scene {held.scene}, found by reading)"


def dispute_note(disputes: Iterable[Held], voice: Voice) -> str:
    """Say what of somebody is in dispute."""
    about = [f"{_about(each.said, voice)} (/story fact settle {each.number})" for each in disputes]
    return f"In dispute: {', '.join(about)}" if about else ""


def _state(reply: StateShown, voice: Voice) -> str:
    if not reply.people and reply.time is None:
        return NOTHING
    time = f"Time: {_value(reply.time, voice, proofs=False)}" if reply.time else ""
    waiting = f"{counted(reply.disputes, 'value')} in dispute: /story fact disputed" if reply.disputes else ""
    return paragraphs(lines(voice.flavour.strong("How things stand"), time), *_people(reply.people, voice), waiting)


def _people(people: Iterable[OfOne], voice: Voice) -> list[str]:
    return [
        lines(voice.flavour.strong(voice.name(each.name)), *held_lines(each.held, voice, proofs=False))
        for each in people
    ]


def _promises(reply: PromisesShown, voice: Voice) -> str:
    if not reply.promises:
        return "The story has promised nothing yet, as far as scenes were read."
    parts = []
    for outcome, name in OUTCOMES.items():
        rows = [_promise(each, voice) for each in reply.promises if each.outcome == outcome]
        parts.append(lines(voice.flavour.strong(name), *rows) if rows else "")
    return paragraphs(*parts)


def _promise(promise: Promise, voice: Voice) -> str:
    ended = f", {promise.outcome} in scene {promise.ended}" if promise.ended else ""
    quote = voice.words(promise.proof or promise.quote, QUOTE_CHARS)
    return f"{promise.number}. {voice.words(promise.text, VALUE_CHARS)} — “{quote}” (scene {promise.scene}{ended})"


def _disputes(reply: DisputesShown, voice: Voice) -> str:
    if not reply.disputes:
        return "No scenes contradict each other on the way here, as far as they were read."
    first = reply.disputes[0].number
    return paragraphs(*(_dispute(each, voice) for each in reply.disputes), f"Decide: /story fact settle {first} 1")


def _dispute(dispute: Dispute, voice: Voice) -> str:
    said = dispute.options[0].said
    heading = f"{dispute.number}. {voice.name(said.subject)}: {_about(said, voice)}"
    values = [
        f"{place}) {voice.words(each.said.value, VALUE_CHARS)}{_proof(each, voice)} (scene {each.scene})"
        for place, each in enumerate(dispute.options, start=1)
    ]
    return lines(voice.flavour.strong(heading), *values)


def _about(said: Assertion, voice: Voice) -> str:
    name = SLOTS[said.slot].lower() if said.slot != "fact" else ""
    return " ".join(filter(None, (name, voice.words(said.aspect, VALUE_CHARS)))) or "a fact"


def _value(held: Held, voice: Voice, *, proofs: bool) -> str:
    said = held.said
    value = voice.words(" ".join(filter(None, (f"{said.aspect}:" if said.aspect else "", said.value))), VALUE_CHARS)
    return f"{value}{_proof(held, voice) if proofs else ''} (scene {held.scene})"


def _proof(held: Held, voice: Voice) -> str:
    return f" — “{voice.words(held.said.quote, QUOTE_CHARS)}”"
