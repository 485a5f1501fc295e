"""What the built-in storyteller finds in a scene: plain English sentences about who goes where and who gets what."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from storyforge_core.domain.memory import sentences
from storyforge_core.domain.writing import Brief
from storyforge_core.providers.offline.cast import Cast, assemble
from storyforge_core.providers.offline.dice import Dice

MOST = 12

_NAME: Final = r"([A-Z][a-z]{2,})"
_AFTER: Final = (
    "and|to|in|on|at|with|of|for|but|from|into|out|away|back|up|down|that|who|which|as|again|while|before|after|then|by"
)
_THING: Final = rf"((?:the|a|an|his|her|their) [a-z]+(?: (?!(?:{_AFTER})\b)[a-z]+)?)"
_PATTERNS: Final = (
    (
        "where",
        "begins",
        re.compile(
            rf"\b{_NAME} (?:went|walked|ran|climbed|came|rode|rowed|hurried|returned|drove|moved)"
            rf"(?: (?:back|down|up|out|over|away))? (?:to|into|onto|inside) {_THING}"
        ),
    ),
    ("where", "is", re.compile(rf"\b{_NAME} (?:is|was|sat|stood|waited|slept|lived) (?:in|at|on|inside) {_THING}")),
    ("has", "begins", re.compile(rf"\b{_NAME} (?:took|pocketed|picked up|stole|grabbed|caught) {_THING}")),
    ("has", "is", re.compile(rf"\b{_NAME} (?:has|had|held|carried) {_THING}")),
    ("has", "ends", re.compile(rf"\b{_NAME} (?:lost|dropped|threw away|put down) {_THING}")),
)
_GAVE: Final = re.compile(rf"\b{_NAME} gave (?:{_NAME} {_THING}|{_THING} to {_NAME})")
_IDIOMS: Final = """
    breath choice dream feeling fever go hiccups idea laugh look mind moment nap nerve notion point rest say seat sleep
    smile step thought time try turn view voice walk way while word
"""
_NOTHING_HELD: Final = frozenset(_IDIOMS.split())
"""What one has, takes or loses in English without holding anything."""
_SPEECH: Final = re.compile(r"[\"“„«][^\"”“»]*[\"”“»]")
_VOW: Final = re.compile(r"\b(?:promised|swore|vowed)\b")
_DREAM: Final = re.compile(r"\b(?:dreamt|dreamed|dream)\b")
_ROLE: Final = re.compile(r"^, ((?:who|the|an?) [^,.;:]{4,80})[,.;:]")


def findings_of(brief: Brief, prose: str) -> Mapping[str, object]:
    """What a scene says, in the form of the answer that is wanted."""
    cast = assemble(brief, Dice(f"{brief.premise}\x1f{prose}"), prose)
    said = [*_held(cast, prose), *_told(prose)][:MOST]
    people = dict.fromkeys([*_cast_names(cast, prose), *(str(each["subject"]) for each in said)])
    entities = [_entity(name, "character", prose) for name in people]
    if _there(cast.thing.name, prose):
        entities.append(_entity(cast.thing.name, "prop", prose))
    return {"entities": entities[:MOST], "assertions": said, "promises": list(_promises(prose))}


def _cast_names(cast: Cast, prose: str) -> list[str]:
    return [name for name in (cast.slots["name"], cast.friend.name) if _there(name, prose)]


def _there(name: str, prose: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", prose) is not None


def _entity(name: str, sort: str, prose: str) -> Mapping[str, object]:
    behind = prose.partition(name)[2] if sort == "character" else ""
    role = _ROLE.match(behind)
    return {"name": name, "sort": sort, "also": [], "description": role.group(1) if role else "", "voice": ""}


def _held(cast: Cast, prose: str) -> Iterator[Mapping[str, object]]:
    """What the protagonist carries, where the scene names both."""
    hero, thing = cast.slots["name"], cast.thing.name
    quote = next((each for each in sentences(prose) if _there(thing, each)), "")
    if quote and _there(hero, prose):
        yield _assertion(hero, "has", thing, quote, "is")


def _told(prose: str) -> Iterator[Mapping[str, object]]:
    """What sentences outside of anybody's speech say."""
    for sentence in sentences(_SPEECH.sub(lambda said: " " * len(said.group()), prose)):
        for slot, turn, pattern in _PATTERNS:
            for name, value in pattern.findall(sentence):
                if slot != "has" or value.rpartition(" ")[2] not in _NOTHING_HELD:
                    yield _assertion(name, slot, value, _quote(sentence), turn)
        for giver, first, thing, other, second in _GAVE.findall(sentence):
            yield _assertion(giver, "has", thing or other, _quote(sentence), "ends")
            yield _assertion(first or second, "has", thing or other, _quote(sentence), "begins")


def _quote(sentence: str) -> str:
    """The longest stretch of a sentence without speech in it."""
    return max(re.split(r"\s{3,}", sentence), key=len).strip()


def _promises(prose: str) -> Iterator[Mapping[str, object]]:
    for sentence in sentences(_SPEECH.sub(lambda said: " " * len(said.group()), prose)):
        if _VOW.search(sentence):
            yield {"number": 0, "outcome": "open", "text": _quote(sentence), "quote": _quote(sentence)}


def _assertion(subject: str, slot: str, value: str, quote: str, turn: str) -> Mapping[str, object]:
    return {
        "subject": subject,
        "slot": slot,
        "aspect": "",
        "value": value,
        "quote": quote,
        "manner": "dreamt" if _DREAM.search(quote) else "told",
        "change": turn,
    }
