"""What a premise says: who, what happened, and to what."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from storyforge_core.providers.offline.lexicon import lexicon
from storyforge_core.providers.offline.text import is_latin, lower_first, tidy, without_slots
from storyforge_core.providers.offline.verbs import verbs

Person = Literal["she", "he", "they"]

_LEAST_WORDS = 2
_LONGEST_SUBJECT = 14
_LONGEST_THING = 4
_POSSESSIVE = re.compile("['\u2019]s?$")
_PEOPLE = ("ist", "ess", "eer")


@dataclass(frozen=True, slots=True)
class Premise:
    """A premise taken apart; parts that cannot be found are empty."""

    text: str
    """The premise on one line, shortened."""
    event: str = ""
    """A template of what happened, to go behind a comma: `a lighthouse keeper found a door in the sea`."""
    phrase: str = ""
    """As a thing, when it names no deed: `a heist in a museum of clouds`."""
    name: str = ""
    """The protagonist's own name."""
    role: str = ""
    """What the protagonist is: `lighthouse keeper`."""
    person: Person | None = None
    found: str = ""
    """What the protagonist comes upon, without its article: `door in the sea`."""
    thing: str = ""
    """The same in one or two words when it is a single lifeless thing: `door`."""


def parse(text: str) -> Premise:
    """Take a premise apart by simple rules of English; others keep only their text."""
    line = without_slots(tidy(_first_sentence(text)))
    words = line.rstrip(".!?… ").split()
    if len(words) < _LEAST_WORDS or not _looks_english(words):
        return Premise(line, name=_given_name(words))
    when, words = _main_clause(words)
    at = _verb_at(words)
    if at is None:
        return _noun_phrase(line, words)
    subject, verb, rest = words[:at], words[at], words[at + 1 :]
    role = _role(subject)
    many = subject[0].lower() == "the" and not verbs().told(verb.lower())
    found = _object(rest) or _lifeless(subject)
    return Premise(
        text=line,
        event=" ".join([*_opened(subject), _past(verb), *_about_hero(subject[0], _in_past(rest)), *when]),
        name=_given_name(words) or _proper_subject(subject),
        role="" if subject[0].lower() in lexicon("not_one") else role,
        person="they" if many else _person(subject, words),
        found=found,
        thing=_thing(found),
    )


def _first_sentence(text: str) -> str:
    sentences = [part for part in re.split(r"(?<=[.!?])\s+|\n", text.strip()) if part.strip()]
    return sentences[0] if sentences else ""


def _main_clause(words: list[str]) -> tuple[list[str], list[str]]:
    """`In a town of mirrors, a girl …` → the circumstances, to be told last, and the rest."""
    comma = next((at for at, word in enumerate(words) if word.endswith(",")), None)
    if words[0].lower() not in lexicon("circumstances") or comma is None:
        return [], words
    if len(words) <= comma + _LEAST_WORDS:
        return [], words
    start = [*words[:comma], words[comma].rstrip(",")]
    told = [verbs().told(word) or word for word in start]
    return [lower_first(told[0]), *told[1:]], words[comma + 1 :]


def _looks_english(words: list[str]) -> bool:
    first, low = words[0].lower(), {word.lower() for word in words}
    if low & lexicon("foreign"):
        return False
    known = (
        lexicon("determiners")
        | lexicon("numbers")
        | {"i", "we", "of", "in", "on", "with", "and", "is", "are", "at", "to", "from"}
    )
    return is_latin(" ".join(words)) and (first in known or bool(low & known))


def _verb_at(words: list[str]) -> int | None:
    """The first verb that fits the subject; relative clauses are passed over, the past comes second."""
    first = words[0].lower()
    plural = (
        first in lexicon("numbers") | {"i", "we"}
        or "and" in words[1:3]
        or (first not in lexicon("determiners") and first.endswith("s"))
    )
    places = [at for at in range(1, min(len(words), _LONGEST_SUBJECT)) if _may_be_verb(words, at)]
    low = [word.lower() for word in words]
    present = [at for at in places if verbs().told(low[at]) and low[at] not in verbs().pasts]
    past = [at for at in places if low[at] in verbs().pasts and low[at] not in {"named", "called"}]
    bare = [at for at in places if verbs().knows(low[at])]
    late = [at for at in bare if at > 1 and first in {"the", "all", "my", "our", "some", "many"}]
    guessed = [
        at for at in places if low[at].endswith("s") and low[at + 1 : at + 2] and low[at + 1] in lexicon("articles")
    ]
    return next(iter([*(sorted([*bare, *present]) if plural else present), *past, *late, *guessed]), None)


def _may_be_verb(words: list[str], at: int) -> bool:
    before = words[at - 1].lower()
    return before not in lexicon("determiners") | lexicon("prepositions") | {"who", "that", "which"} or before in {
        "everyone",
        "nobody",
        "it",
        "there",
    }


def _past(word: str) -> str:
    low = word.lower()
    return verbs().told(low) or verbs().past(low if verbs().knows(low) else low.removesuffix("s"))


def _opened(subject: list[str]) -> list[str]:
    first = subject[0]
    if first.lower() in {"i", "we"}:
        return ["{hero}", *subject[1:]]
    known = first.lower() in lexicon("determiners") | lexicon("numbers")
    return [lower_first(first) if known else first, *subject[1:]]


def _in_past(rest: list[str]) -> list[str]:
    """Later verbs of the sentence follow the first into the past."""
    cues = lexicon("cues")
    told = [verbs().told(word) for word in rest]
    return [
        past if (past and at and rest[at - 1].lower().rstrip(",") in cues) or word in {"has", "is"} else word
        for at, (word, past) in enumerate(zip(rest, told, strict=True))
    ]


def _about_hero(first: str, rest: list[str]) -> list[str]:
    """A premise in the first person is told in the third."""
    if first.lower() not in {"i", "we"}:
        return rest
    seen = {
        "my": "{her}",
        "our": "{her}",
        "me": "{him}",
        "us": "{him}",
        "myself": "{herself}",
        "i": "{she}",
        "we": "{she}",
    }
    return [seen.get(word.lower(), word) for word in rest]


def _role(subject: list[str]) -> str:
    """`A lighthouse keeper who hates the sea` → `lighthouse keeper`; `A baker's oven` → `baker`, whose story it is."""
    words = subject[1:] if subject[0].lower() in lexicon("determiners") | lexicon("numbers") else subject
    kept: list[str] = []
    for word in words:
        if word.lower() in lexicon("breaks") | lexicon("prepositions"):
            break
        kept.append(_POSSESSIVE.sub("", word.rstrip(",")))
        if _POSSESSIVE.search(word):
            break
    while kept and kept[-1].endswith("ly"):
        kept.pop()
    if not kept or kept[-1].lower() in lexicon("lifeless") or any(word[:1].isupper() for word in kept):
        return ""
    return " ".join(kept[1:] if kept[0] in lexicon("singulars") and len(kept) > 1 else kept[-3:])


def _lifeless(subject: list[str]) -> str:
    """What a premise is about that has nobody in it: `A brass lantern is carried about` → `brass lantern`."""
    words = [word.rstrip(",").lower() for word in subject]
    return " ".join(words[1:]) if words[0] in lexicon("articles") and words[-1] in lexicon("lifeless") else ""


def _proper_subject(subject: list[str]) -> str:
    if subject[0].lower() in lexicon("determiners") | lexicon("numbers") | {"i", "we"}:
        return ""
    named = [word.rstrip(",") for word in subject if word[:1].isupper() and word.lower() not in lexicon("titles")]
    if "and" in subject and len(named) > 1:
        return " and ".join(named[:2])
    return named[0] if named else ""


def _given_name(words: list[str]) -> str:
    """`… named Jonas …` → `Jonas`."""
    for word, following in pairwise(words):
        if word.lower() in {"named", "called"} and following[:1].isupper():
            return following.strip(",.;:")
    return ""


def _person(subject: list[str], words: list[str]) -> Person | None:
    first = subject[0].lower()
    if first in {"i", "we"}:
        return None if first == "i" else "they"
    if first in lexicon("numbers") or (_role(subject).endswith("s") and first not in {"a", "an"}) or "and" in subject:
        return "they"
    nouns = {word.lower().strip(",.;:") for word in subject}
    spoken = {word.lower().strip(",.;:") for word in words} & {"she", "her", "herself", "he", "him", "his", "himself"}
    women, men = (nouns | spoken) & lexicon("women"), (nouns | spoken) & lexicon("men")
    if not women and not men:
        return None
    return "she" if len(women) >= len(men) else "he"


def _object(rest: list[str]) -> str:
    """The first thing behind the verb: `a door in the sea that …` → `door in the sea`."""
    start = next((at for at, word in enumerate(rest) if word.lower() in lexicon("articles")), None)
    if start is None:
        return ""
    kept: list[str] = []
    for word in rest[start + 1 :]:
        if word.lower() in lexicon("breaks") or verbs().of_third_person(word.lower()):
            break
        kept.append(word.rstrip(",;:"))
        if word.endswith((",", ";", ":")):
            break
    return " ".join(kept[:8]) if len(kept) > 0 else ""


def _thing(found: str) -> str:
    words = found.split()
    head_end = next((at for at, word in enumerate(words) if at and word.lower() in lexicon("prepositions")), len(words))
    head = words[:head_end]
    if not head or len(head) > _LONGEST_THING:
        return ""
    noun = head[-1].lower()
    plural = noun.endswith("s") and not noun.endswith("ss")
    alive = noun in lexicon("alive") or noun.endswith(_PEOPLE)
    deed = noun in lexicon("no_things") or noun.endswith(("ing", "ed", "ly"))
    if plural or alive or deed or not noun.isalpha():
        return ""
    return " ".join(head) if len(head) <= _LEAST_WORDS and head[0].islower() else head[-1]


def _noun_phrase(line: str, words: list[str]) -> Premise:
    bare = line.rstrip(".!?… ")
    known = words[0].lower() in lexicon("determiners") | lexicon("numbers")
    start = 1 if words[0].lower() in lexicon("articles") else 0
    found = _object(words) if start else ""
    return Premise(line, phrase=lower_first(bare) if known else "", found=found, name=_given_name(words))
