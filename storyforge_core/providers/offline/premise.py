"""What a premise says: who, what happened, and to what."""

import re
from dataclasses import dataclass
from typing import Literal

from storyforge_core.providers.offline.text import lower_first, tidy, without_slots
from storyforge_core.providers.offline.verbs import verbs

Person = Literal["she", "he", "they"]

_DETERMINERS = {"a", "an", "the", "my", "our", "his", "her", "their", "your", "some", "one", "every", "another", "this",
                "everyone", "everybody", "someone", "somebody", "nobody", "it", "there"}  # fmt: skip
_SINGULARS = {"last", "only", "first", "second", "next", "best", "worst"}
_NOT_ONE = {"everyone", "everybody", "someone", "somebody", "nobody", "it", "there"}
_NUMBERS = {"two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "several", "many", "all", "both"}
_BREAKS = {"who", "that", "which", "and", "but", "when", "while", "where", "because", "until", "before", "after", "so",
           "or", "as", "if", "for", "only", "to", "into"}  # fmt: skip
_PREPOSITIONS = {"in", "of", "on", "from", "with", "at", "under", "behind", "inside", "beneath", "near", "by", "into",
                 "above", "below", "between", "beyond", "without", "about", "named", "called", "full", "made"}  # fmt: skip
_TITLES = {"captain", "doctor", "dr", "dr.", "professor", "queen", "king", "sir", "lady", "lord", "detective", "princess",
           "prince", "old", "young", "sister", "brother", "aunt", "uncle", "inspector", "mr", "mrs", "ms", "mr.", "mrs.",
           "saint", "father", "mother", "major", "sergeant", "commander", "baron", "count", "duke"}  # fmt: skip
_WOMEN = {"she", "her", "hers", "herself", "woman", "girl", "queen", "princess", "wife", "widow", "mother", "sister",
          "daughter", "grandmother", "aunt", "witch", "nun", "lady", "duchess", "heiress", "actress", "waitress", "bride"}  # fmt: skip
_MEN = {"he", "him", "his", "himself", "man", "boy", "king", "prince", "husband", "widower", "father", "brother", "son",
        "grandfather", "uncle", "wizard", "monk", "lord", "duke", "groom", "waiter", "watchman", "fisherman"}  # fmt: skip
_ALIVE = re.compile(
    r"\b(baker|thief|ghosts?|king|queen|wom[ae]n|m[ae]n|boy|girl|dragon|cat|dog|horse|wolf|stranger|sister|brother|daughter|son|"
    r"witch|wizard|robot|alien|killer|husband|wife|twin|baby|child|friend|enemy|rival|mayor|captain|detective|octopus|whale|fox|"
    r"bear|bird|raven|vampire|monster|mermaid|devil|god|goddess|angel|demon|prince|princess|knight|neighbou?r|lover|mother|father|"
    r"[a-z]+(?:ist|ess|eer))$"
)
_NOT_THINGS = re.compile(
    r"^(love|night|day|morning|year|week|time|way|war|trouble|life|death|age|month|hour|summer|winter|past|future|truth|world|"
    r"mistake|secret|sea|job|end|first|second|last|dead|danger|heist|murder|race|game|town|city|country|others?|place)$"
)


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
    if len(words) < 2 or not _looks_english(words):
        return Premise(line, name=_given_name(words))
    when, words = _main_clause(words)
    at = _verb_at(words)
    if at is None:
        return _noun_phrase(line, words)
    subject, verb, rest = words[:at], words[at], words[at + 1 :]
    role = _role(subject)
    many = subject[0].lower() == "the" and not verbs().told(verb.lower())
    found = _object(rest)
    return Premise(
        text=line,
        event=" ".join([*_opened(subject), _past(verb), *_about_hero(subject[0], _in_past(rest)), *when]),
        name=_given_name(words) or _proper_subject(subject),
        role="" if subject[0].lower() in _NOT_ONE else role,
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
    if (
        words[0].lower() not in {"when", "after", "while", "in", "on", "at", "during", "under", "if", "once"}
        or comma is None
    ):
        return [], words
    if len(words) < comma + 3:
        return [], words
    start = [*words[:comma], words[comma].rstrip(",")]
    told = [verbs().told(word) or word for word in start]
    return [lower_first(told[0]), *told[1:]], words[comma + 1 :]


def _looks_english(words: list[str]) -> bool:
    first, low = words[0].lower(), {word.lower() for word in words}
    if low & {"der", "das", "ein", "eine", "und", "le", "les", "des", "une", "el", "los", "il", "un", "och", "het"}:
        return False
    known = _DETERMINERS | _NUMBERS | {"i", "we", "of", "in", "on", "with", "and", "is", "are", "at", "to", "from"}
    return line_is_ascii(words) and (first in known or bool(low & known))


def line_is_ascii(words: list[str]) -> bool:
    """Whether the words are written in plain Latin letters, give or take typographic marks."""
    return all(ord(char) < 0x250 or char in "‘’–—…" for word in words for char in word)


def _verb_at(words: list[str]) -> int | None:
    """The first verb that fits the subject; relative clauses are passed over, the past comes second."""
    first = words[0].lower()
    plural = (
        first in _NUMBERS | {"i", "we"} or "and" in words[1:3] or (first not in _DETERMINERS and first.endswith("s"))
    )
    places = [at for at in range(1, min(len(words), 14)) if _may_be_verb(words, at)]
    low = [word.lower() for word in words]
    present = [at for at in places if verbs().told(low[at]) and low[at] not in verbs().pasts]
    past = [at for at in places if low[at] in verbs().pasts and low[at] not in {"named", "called"}]
    bare = [at for at in places if verbs().knows(low[at])]
    late = [at for at in bare if at > 1 and first in {"the", "all", "my", "our", "some", "many"}]
    return next(iter([*(sorted([*bare, *present]) if plural else present), *past, *late]), None)


def _may_be_verb(words: list[str], at: int) -> bool:
    before = words[at - 1].lower()
    return before not in _DETERMINERS | _PREPOSITIONS | {"who", "that", "which"} or before in {
        "everyone",
        "nobody",
        "it",
        "there",
    }


def _past(word: str) -> str:
    low = word.lower()
    return verbs().told(low) or verbs().past(low)


def _opened(subject: list[str]) -> list[str]:
    first = subject[0]
    if first.lower() in {"i", "we"}:
        return ["{hero}", *subject[1:]]
    known = first.lower() in _DETERMINERS | _NUMBERS
    return [lower_first(first) if known else first, *subject[1:]]


def _in_past(rest: list[str]) -> list[str]:
    """Later verbs of the sentence follow the first into the past."""
    cues = {"and", "but", "that", "who", "which", "it", "he", "she", "they", "when", "then"}
    told = [verbs().told(word) for word in rest]
    return [
        past if past and at and rest[at - 1].lower().rstrip(",") in cues or word in {"has", "is"} else word
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
    """`A lighthouse keeper who hates the sea` → `lighthouse keeper`."""
    words = subject[1:] if subject[0].lower() in _DETERMINERS | _NUMBERS else subject
    kept: list[str] = []
    for word in words:
        if word.lower() in _BREAKS | _PREPOSITIONS:
            break
        kept.append(word.rstrip(","))
    while kept and kept[-1].endswith("ly"):
        kept.pop()
    if not kept or any(word[:1].isupper() for word in kept):
        return ""
    return " ".join(kept[1:] if kept[0] in _SINGULARS and len(kept) > 1 else kept[-3:])


def _proper_subject(subject: list[str]) -> str:
    if subject[0].lower() in _DETERMINERS | _NUMBERS | {"i", "we"}:
        return ""
    named = [word.rstrip(",") for word in subject if word[:1].isupper() and word.lower() not in _TITLES]
    if "and" in subject and len(named) > 1:
        return " and ".join(named[:2])
    return named[0] if named else ""


def _given_name(words: list[str]) -> str:
    """`… named Jonas …` → `Jonas`."""
    for word, following in zip(words, words[1:], strict=False):
        if word.lower() in {"named", "called"} and following[:1].isupper():
            return following.strip(",.;:")
    return ""


def _person(subject: list[str], words: list[str]) -> Person | None:
    first = subject[0].lower()
    if first in {"i", "we"}:
        return None if first == "i" else "they"
    if first in _NUMBERS or (_role(subject).endswith("s") and first not in {"a", "an"}) or "and" in subject:
        return "they"
    nouns = {word.lower().strip(",.;:") for word in subject}
    spoken = {word.lower().strip(",.;:") for word in words} & {"she", "her", "herself", "he", "him", "his", "himself"}
    women, men = (nouns | spoken) & _WOMEN, (nouns | spoken) & _MEN
    if not women and not men:
        return None
    return "she" if len(women) >= len(men) else "he"


def _object(rest: list[str]) -> str:
    """The first thing behind the verb: `a door in the sea that …` → `door in the sea`."""
    start = next((at for at, word in enumerate(rest) if word.lower() in {"a", "an", "the"}), None)
    if start is None:
        return ""
    kept: list[str] = []
    for word in rest[start + 1 :]:
        if word.lower() in _BREAKS or verbs().of_third_person(word.lower()):
            break
        kept.append(word.rstrip(",;:"))
        if word.endswith((",", ";", ":")):
            break
    return " ".join(kept[:8]) if len(kept) > 0 else ""


def _thing(found: str) -> str:
    words = found.split()
    head_end = next((at for at, word in enumerate(words) if at and word.lower() in _PREPOSITIONS), len(words))
    head = words[:head_end]
    if not head or len(head) > 4:
        return ""
    noun = head[-1].lower()
    plural = noun.endswith("s") and not noun.endswith("ss")
    if (
        plural
        or not noun.isalpha()
        or _ALIVE.search(noun)
        or _NOT_THINGS.match(noun)
        or noun.endswith(("ing", "ed", "ly"))
    ):
        return ""
    return " ".join(head[-2:]) if len(head) == 2 and head[0].islower() else head[-1]


def _noun_phrase(line: str, words: list[str]) -> Premise:
    bare = line.rstrip(".!?… ")
    known = words[0].lower() in _DETERMINERS | _NUMBERS
    start = 1 if words[0].lower() in {"a", "an", "the"} else 0
    found = _object(words) if start else ""
    return Premise(line, phrase=lower_first(bare) if known else "", found=found, name=_given_name(words))
