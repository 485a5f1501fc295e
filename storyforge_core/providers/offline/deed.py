"""Players' words as something that happens: `Open the door` → `opened the door`."""

import re
from dataclasses import dataclass
from typing import Literal

from storyforge_core.providers.offline.lexicon import lexicon, speakers
from storyforge_core.providers.offline.text import is_latin, lower_first, tidy, without_slots
from storyforge_core.providers.offline.verbs import verbs

_STARTS = re.compile(
    r"^(?:i will|i\u2019ll|i|we will|we\u2019ll|we|let\u2019s|let us|you|please|then|now)\s+(?=\S)", re.IGNORECASE
)
_QUOTE_MARKS = "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}'"
_LONGEST_CHOICE = 160
_LONGEST_SUBJECT = 10
_LONGEST_NAME = 3
_LONGEST_PHRASE = 6
_SHORTEST_VERB = 3


@dataclass(frozen=True, slots=True)
class Deed:
    """What players' words come to.

    `did` goes behind the protagonist (`opened the door`), `happened` is a whole clause, `phrase` is a thing,
    `speech` are words as they were typed. Pronouns are slots of a template.
    """

    kind: Literal["did", "happened", "phrase", "speech"]
    text: str
    verb: str = ""


def deed(words: str, hero: str = "") -> Deed:
    """Understand a choice, a write-in or a hint."""
    line = tidy(words, _LONGEST_CHOICE)
    bare = line.strip(f"{_QUOTE_MARKS}*_ ").rstrip(".!… ")
    speech = Deed("speech", without_slots(line))
    if line[:1] in _QUOTE_MARKS or line.endswith("?") or not bare or not is_latin(bare):
        return speech
    named = bool(hero) and bare.lower().startswith(f"{hero.lower()} ")
    tokens = (bare[len(hero) :] if named else _STARTS.sub("", bare)).split()
    return _command(tokens) or _clause(tokens) or _phrase(tokens) or speech


def _command(tokens: list[str]) -> Deed | None:
    comma = "," if tokens[0].endswith(",") else ""
    first = tokens[0].lower().rstrip(",")
    if first in lexicon("bringing") and len(tokens) > 1 and first != "use":
        return None
    if first in {"don\u2019t", "never"} or (first == "do" and tokens[1:2] == ["not"]):
        rest = tokens[2:] if first == "do" else tokens[1:]
        return Deed("did", " ".join(["did not", *_rest(rest, frozenset())]), "wait") if rest else None
    if first.endswith("ly") and len(tokens) > 1 and not verbs().knows(first):
        inner = _command(tokens[1:])
        return Deed("did", f"{first} {inner.text}", inner.verb) if inner else None
    verb = _verb(first, tokens)
    if not verb:
        return None
    past = first if first in verbs().pasts and not verbs().knows(first) else verbs().past(verb)
    return Deed("did", " ".join([past + comma, *_rest(tokens[1:], lexicon("joints"))]), verb)


def _verb(first: str, tokens: list[str]) -> str:
    """The verb a command starts with; an unknown word counts as one when an object follows."""
    if verbs().knows(first):
        return first
    known = verbs().pasts.get(first) or verbs().of_third_person(first)
    if known:
        return known
    follows = tokens[1].lower() if len(tokens) > 1 else ""
    starts = lexicon("clause_starts") | lexicon("phrase_starts") | lexicon("no_commands")
    plain = first.isalpha() and first.isascii() and len(first) >= _SHORTEST_VERB and not first.endswith("ing")
    return first if plain and first not in starts and follows in lexicon("objects") else ""


def _rest(tokens: list[str], joints: frozenset[str]) -> list[str]:
    """The words behind the verb, with speakers turned to the protagonist and joined verbs to the past."""
    told: list[str] = []
    asked = False
    for at, token in enumerate(tokens):
        before = tokens[at - 1].lower().rstrip(",") if at else ""
        core = token.rstrip(",;:.!")
        tail = token[len(core) :]
        low = core.lower()
        asked = asked or low in lexicon("questions")
        finite = low in lexicon("finite") and before not in lexicon("articles")
        if (asked or finite) and (past := _reported(low, before)):
            told.append(past + tail)
        elif low in speakers():
            told.append(speakers()[low] + tail)
        elif (before in {"i", "we"} and verbs().knows(low)) or (
            before in joints and verbs().knows(low) and not (low in lexicon("nouns_too") and at == len(tokens) - 1)
        ):
            told.append(verbs().past(low) + tail)
        else:
            told.append(without_slots(token))
    return told


def _reported(word: str, before: str) -> str:
    """A verb inside an indirect question, in the past: `ask who it is` → `asked who it was`."""
    bare = before in {"they", "we", "you", "i"} and verbs().knows(word)
    return verbs().past(word) if bare else verbs().told(word) if word not in verbs().pasts else ""


def _clause(tokens: list[str]) -> Deed | None:
    """`a storm arrives` → `a storm arrived`."""
    first = tokens[0].lower()
    if first not in lexicon("clause_starts") and not tokens[0][:1].isupper():
        return None
    furthest = _LONGEST_SUBJECT if first in lexicon("clause_starts") else _LONGEST_NAME
    for at in range(1, min(len(tokens), furthest)):
        past = verbs().told(tokens[at].lower())
        if past and tokens[at - 1].lower() not in {"the", "a", "an", "of", "in"}:
            subject = [lower_first(tokens[0]) if first in lexicon("clause_starts") else tokens[0], *tokens[1:at]]
            text = " ".join([*map(without_slots, subject), past, *_rest(tokens[at + 1 :], frozenset())])
            return Deed("happened", text)
    return None


def _phrase(tokens: list[str]) -> Deed | None:
    first = tokens[0].lower()
    if first in lexicon("bringing") - {"more"} and len(tokens) > 1:
        return Deed("phrase", without_slots(" ".join(tokens[1:])))
    if first in lexicon("phrase_starts") or (first == "the" and len(tokens) < _LONGEST_PHRASE):
        return Deed("phrase", without_slots(lower_first(" ".join(tokens))))
    return None
