"""Verbs: what is one, its past tense, and what comes of doing it."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

_DOUBLED = re.compile(r"^[^aeiou]*[aeiou][bdgklmnprt]$|[^aeiou][aeiou]l$")


@dataclass(frozen=True, slots=True)
class Verbs:
    """All verbs the storyteller knows."""

    auxiliaries: Mapping[str, str]
    irregular: Mapping[str, str]
    classes: Mapping[str, str]
    """Verb to its class: `unlock` → `open`."""
    outcomes: Mapping[str, tuple[str, ...]]
    """Class to what tends to come of it."""
    pasts: Mapping[str, str]
    """Past tense to verb: `opened` → `open`."""

    def knows(self, word: str) -> bool:
        """Whether the word is a verb as in a command: `open`."""
        return word in self.classes

    def past(self, verb: str) -> str:
        """`open` → `opened`."""
        if verb in self.irregular:
            return self.irregular[verb]
        if verb.endswith("e"):
            return verb + "d"
        if verb.endswith("y") and verb[-2:-1] not in set("aeiou"):
            return verb[:-1] + "ied"
        if _DOUBLED.search(verb) or verb in {"admit", "prefer", "regret", "unwrap", "unzip"}:
            return verb + verb[-1] + "ed"
        return verb + "ed"

    def of_third_person(self, word: str) -> str:
        """`opens` → `open`; empty when the word is no verb of that form."""
        if word.endswith("ies"):
            candidates = [word[:-3] + "y", word[:-1]]
        elif word.endswith("es"):
            candidates = [word[:-1], word[:-2]]
        else:
            candidates = [word[:-1]] if word.endswith("s") else []
        return next((verb for verb in candidates if self.knows(verb)), "")

    def told(self, word: str) -> str:
        """The past of a verb as it stands in a sentence (`opens`, `is`, `opened`); empty for other words."""
        if word in self.auxiliaries:
            return self.auxiliaries[word]
        verb = self.of_third_person(word)
        if verb:
            return self.past(verb)
        return word if word in self.pasts else ""


@cache
def verbs() -> Verbs:
    """The verbs of the word bank."""
    data = tomllib.loads((files(__package__) / "words" / "verbs.toml").read_text(encoding="utf-8"))
    classes = dict.fromkeys(data["other"].split(), "other")
    classes |= dict.fromkeys(data["irregular"], "other")
    for name, entry in data["classes"].items():
        classes |= {verb: name for verb in entry["verbs"].split() if classes.get(verb, "other") == "other"}
    outcomes = {name: tuple(entry["then"]) for name, entry in data["classes"].items()}
    bare = Verbs(data["auxiliaries"], data["irregular"], classes, outcomes, {})
    return replace(bare, pasts={bare.past(verb): verb for verb in classes})
