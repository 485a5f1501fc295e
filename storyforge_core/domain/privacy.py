"""What is kept about a person, and how they are taken out of what stays. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

SOMEBODY = "somebody"
"""Who did what a forgotten person did."""
REMOVED = "(removed)"
"""Stands where a forgotten person's words stood."""

Json = Mapping[str, "Json"] | Sequence["Json"] | str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody on a platform, in the platform's words."""

    platform: str
    user: str


@dataclass(frozen=True, slots=True)
class Part:
    """What somebody is to one story."""

    story: str
    """Its title."""
    state: str
    host: bool


@dataclass(frozen=True, slots=True)
class Said:
    """Something that somebody gave to a story."""

    at: datetime
    story: str
    """Its title."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MyData:
    """All that is kept about one person, oldest first in every list."""

    name: str
    accounts: tuple[Account, ...] = ()
    stories: tuple[Part, ...] = ()
    votes: tuple[Said, ...] = ()
    """The choices they voted for."""
    choices: tuple[Said, ...] = ()
    """Those they wrote in."""
    hints: tuple[Said, ...] = ()
    notes: tuple[Said, ...] = ()
    """Their director's notes."""
    lore: tuple[Said, ...] = ()
    """What they wrote into the lore of stories."""
    scenes: tuple[Said, ...] = ()
    """The titles of scenes that they wrote themselves, as edits."""
    written: tuple[Said, ...] = ()
    """What they wrote down: cards, facts and titles of chapters."""
    looks: tuple[Said, ...] = ()
    """Whom they gave a look, by a picture that they sent or kept."""
    marks: tuple[Said, ...] = ()
    """The titles of the scenes up to which they were told what happened."""
    steps: int = 0
    """How many entries of the audit log are theirs."""


@dataclass(frozen=True)
class Erasure:
    """Takes a person out of stored events, changes and drafts, and leaves everything else as it is.

    The ids of players stay: with the person's name and accounts gone, they lead to nobody.
    """

    players: frozenset[str]
    """The ids of the person."""
    names: frozenset[str]
    """Every name they ever had there."""
    choices: frozenset[str] = frozenset()
    """The ids of choices whose words go."""
    notes: frozenset[str] = frozenset()
    """Director's notes whose words go."""
    lore: frozenset[str] = frozenset()
    """The ids of entries of the lore whose words go."""
    chapters: frozenset[str] = frozenset()
    """The ids of chapters whose titles go."""
    titles: frozenset[str] = frozenset()
    """What those, and the entries of the lore, were called."""
    looks: frozenset[str] = frozenset()
    """The ids of looks that go."""
    hints: bool = False
    """Their hints go."""

    def applied(self, value: Json) -> Json:
        """Take them out of a value as it is stored."""
        if isinstance(value, Mapping):
            return self._fields({key: self.applied(part) for key, part in value.items()})
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [self.applied(part) for part in value]
        return value

    def _fields(self, value: dict[str, Json]) -> dict[str, Json]:
        if value.get("player") in self.players and "name" in value:
            value["name"] = SOMEBODY
        if value.get("by") in self.names:
            value["by"] = SOMEBODY
        if self.hints and value.get("asker") in self.players and "why" in value:
            value["why"] = ""
        if value.get("origin") == "edited" and value.get("writer") in self.names:
            value["writer"] = SOMEBODY
        if value.get("id") in self.choices and "position" in value:
            value["text"] = REMOVED
        value = self._written(value)
        if self.hints and value.get("asker") in self.players and "hint" in value:
            value["hint"] = ""
        if "premise" in value and value.get("note") in self.notes:
            value["note"] = ""
            value |= {"plan": []} if "plan" in value else {}  # what was planned by it says it, too
        order = value.get("order")
        theirs = value.get("asker") in self.players or (isinstance(order, dict) and order.get("asker") in self.players)
        return self._sentences(self._without_hints(value) if self.hints and theirs else value)

    def _written(self, value: dict[str, Json]) -> dict[str, Json]:
        """Take out of changes what they wrote down or gave."""
        if value.get("entry") in self.lore:
            value |= {words: "" for words in ("title", "text") if words in value}
            value |= {side: None for side in ("before", "after") if side in value}
        if value.get("look") in self.looks and "before" in value:
            value |= {"before": None, "after": None}
        if value.get("chapter") in self.chapters:
            sides = {side: value[side] for side in ("before", "after")}
            value |= {side: {**kept, "title": ""} for side, kept in sides.items() if isinstance(kept, dict)}
        return value

    def _without_hints(self, value: dict[str, Json]) -> dict[str, Json]:
        """Take a hint out of what was made from it, for the writer or the illustrator: a draft, or a picture."""
        for name, field in (("brief", "hint"), ("sight", "hint"), ("vision", "prompt")):
            part = value.get(name)
            if isinstance(part, dict):
                part[field] = ""
                part |= {"plan": []} if "plan" in part else {}
        return value

    def _sentences(self, value: dict[str, Json]) -> dict[str, Json]:
        """What was put into words: the sentences of events, and director's notes in both directions of a change."""
        if value.get("kind") == "note_set":
            return value | {side: "" for side in ("before", "after") if value.get(side) in self.notes}
        sentence = value.get("sentence")
        if value.get("kind") == "noted" and isinstance(sentence, str):
            for words in filter(None, (*self.notes, *self.titles)):
                sentence = sentence.replace(words, REMOVED)
            value["sentence"] = self._named.sub(SOMEBODY, sentence) if self.names else sentence
        return value

    @cached_property
    def _named(self) -> re.Pattern[str]:
        """Any of the names, as a word of its own."""
        longest_first = sorted(self.names, key=len, reverse=True)
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
