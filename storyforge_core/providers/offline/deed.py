"""Players' words as something that happens: `Open the door` → `opened the door`."""

import re
from dataclasses import dataclass
from typing import Literal

from storyforge_core.providers.offline.premise import line_is_ascii
from storyforge_core.providers.offline.text import lower_first, tidy, without_slots
from storyforge_core.providers.offline.verbs import verbs

_STARTS = re.compile(
    r"^(?:i will|i'll|i’ll|i|we will|we'll|we’ll|we|let's|let’s|let us|you|please|then|now)\s+(?=\S)", re.IGNORECASE
)
_PHRASE_STARTS = {"a", "an", "another", "some", "two", "three", "four", "five", "more", "many", "several"}
_BRINGING = {"add", "introduce", "include", "use", "more"}
_CLAUSE_STARTS = {"a", "an", "the", "my", "our", "his", "her", "their", "it", "they", "he", "she", "someone", "somebody",
                  "everyone", "everybody", "something", "nobody", "nothing", "two", "three", "some", "all"}  # fmt: skip
_SPEAKERS = {"my": "{her}", "your": "{her}", "our": "{her}", "me": "{him}", "us": "{him}", "myself": "{herself}",
             "yourself": "{herself}", "ourselves": "{herself}", "i": "{she}", "you": "{him}", "mine": "{hers}"}  # fmt: skip
_QUESTIONS = {"who", "whose", "what", "where", "why", "how", "when", "whether", "if", "which"}
_JOINTS = {"and", "then", "but", "or"}
_NOUNS_TOO = {"light", "watch", "key", "sail", "fish", "look", "walk", "tip", "face", "plant", "ring", "answer", "cut", "show",
              "drink", "paint", "cover", "smell", "sound", "wave", "dance", "love", "fear", "hope", "wish", "rest"}  # fmt: skip


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
    line = tidy(words, 160)
    bare = line.strip("‘’'*_ ").rstrip(".!… ")
    speech = Deed("speech", without_slots(line))
    if line[:1] in "‘'’" or line.endswith("?") or not bare or not line_is_ascii(bare.split()):
        return speech
    if hero and bare.lower().startswith(f"{hero.lower()} "):
        bare = bare[len(hero) + 1 :]
    else:
        bare = _STARTS.sub("", bare)
    tokens = bare.split()
    return _command(tokens) or _clause(tokens) or _phrase(tokens) or speech


def _command(tokens: list[str]) -> Deed | None:
    comma = "," if tokens[0].endswith(",") else ""
    first = tokens[0].lower().rstrip(",")
    if first in _BRINGING and len(tokens) > 1 and first != "use":
        return None
    if first in {"don't", "don’t", "never"} or (first == "do" and tokens[1:2] == ["not"]):
        rest = tokens[2:] if first == "do" else tokens[1:]
        return Deed("did", " ".join(["did not", *_rest(rest, ())]), "wait") if rest else None
    if first.endswith("ly") and len(tokens) > 1 and not verbs().knows(first):
        inner = _command(tokens[1:])
        return Deed("did", f"{first} {inner.text}", inner.verb) if inner else None
    verb = _verb(first, tokens)
    if not verb:
        return None
    past = first if first in verbs().pasts and not verbs().knows(first) else verbs().past(verb)
    return Deed("did", " ".join([past + comma, *_rest(tokens[1:], _JOINTS)]), verb)


def _verb(first: str, tokens: list[str]) -> str:
    """The verb a command starts with; an unknown word counts as one when an object follows."""
    if verbs().knows(first):
        return first
    known = verbs().pasts.get(first) or verbs().of_third_person(first)
    if known:
        return known
    follows = tokens[1].lower() if len(tokens) > 1 else ""
    objects = {
        "the",
        "a",
        "an",
        "my",
        "his",
        "her",
        "their",
        "it",
        "them",
        "him",
        "up",
        "down",
        "at",
        "into",
        "through",
    }
    plain = first.isalpha() and first.isascii() and first not in _CLAUSE_STARTS | _PHRASE_STARTS and len(first) > 2
    prepositions = {"with", "from", "into", "under", "behind", "inside", "what", "who", "where", "not", "yes", "maybe"}
    return first if plain and follows in objects and first not in prepositions and not first.endswith("ing") else ""


def _rest(tokens: list[str], joints: set[str] | tuple[str, ...]) -> list[str]:
    """The words behind the verb, with speakers turned to the protagonist and joined verbs to the past."""
    told: list[str] = []
    asked = False
    for at, token in enumerate(tokens):
        before = tokens[at - 1].lower().rstrip(",") if at else ""
        core = token.rstrip(",;:.!")
        tail = token[len(core) :]
        low = core.lower()
        asked = asked or low in _QUESTIONS
        if asked and (past := _reported(low, before)):
            told.append(past + tail)
        elif low in _SPEAKERS:
            told.append(_SPEAKERS[low] + tail)
        elif before in {"i", "we"} and verbs().knows(low):
            told.append(verbs().past(low) + tail)
        elif before in joints and verbs().knows(low) and not (low in _NOUNS_TOO and at == len(tokens) - 1):
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
    if first not in _CLAUSE_STARTS and not tokens[0][:1].isupper():
        return None
    furthest = 10 if first in _CLAUSE_STARTS else 3
    for at in range(1, min(len(tokens), furthest)):
        past = verbs().told(tokens[at].lower())
        if past and tokens[at - 1].lower() not in {"the", "a", "an", "of", "in"}:
            subject = [lower_first(tokens[0]) if first in _CLAUSE_STARTS else tokens[0], *tokens[1:at]]
            text = " ".join([*map(without_slots, subject), past, *_rest(tokens[at + 1 :], ())])
            return Deed("happened", text)
    return None


def _phrase(tokens: list[str]) -> Deed | None:
    first = tokens[0].lower()
    if first in _BRINGING - {"more"} and len(tokens) > 1:
        return Deed("phrase", without_slots(" ".join(tokens[1:])))
    if first in _PHRASE_STARTS or (first == "the" and len(tokens) < 6):
        return Deed("phrase", without_slots(lower_first(" ".join(tokens))))
    return None
