"""Chapters and summaries: where a chapter ends, what is put into fewer words next, and how without a model.

A summary belongs to the last scene that it covers, so whoever left the path before that scene never sees it. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NewType
from uuid import UUID

from storyforge_core.domain.answers import ANSWER_CHARS, Problem, json_objects, one_line
from storyforge_core.domain.memory import sentences, telling_words
from storyforge_core.domain.story import SceneId, StoryId
from storyforge_core.domain.writing import Synopsis, ToldScene

ChapterId = NewType("ChapterId", UUID)

FULL = 0.8
"""Of its room, when a chapter ends: the scene that fills it up has to fit as well."""
SHORTEST = 1200
"""Tokens that a chapter has room for at the least: three or four scenes, however small the window is."""
NEVER = -1
"""The room of chapters that only players end."""
CHAPTER_TITLE_CHARS = 60
GIST_CHARS = 240
SUMMARY_CHARS = 900
"""About 150 words: what a chapter of a dozen scenes comes down to."""
FEWEST_SENTENCE = 24
"""Characters; what is shorter, such as “No.”, says nothing by itself."""
SPEECH = '"“„«「『'
_NAMED = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}")
"""A name, in languages that write only names so."""
FAN = 6
"""Summaries that become one of the next layer; twenty thousand scenes are then told in some twenty texts."""
RECENT = 2
"""Chapters, the last ones, that stay by themselves."""
STRETCH = 24
"""Scenes that are put into one summary where no chapter ended, such as in a story older than chapters."""
LONGEST = 48
"""Scenes of a chapter that one summary takes."""
OPEN = 128
"""Scenes that a chapter may have before its beginning is summarised all the same."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A chapter's end, as a change keeps it."""

    title: str
    """As a player gave it; empty where nobody did."""
    at: datetime
    """What was summarised later than this is not read in the chapter that follows: its prompts begin all the same."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter of a path, as people are shown it."""

    number: int
    """Counts from 1 along the path."""
    title: str
    """A player's, or the summary's; empty while there is neither."""
    first: int
    """The number of its first scene."""
    last: int
    """That of its last scene, so far."""
    scenes: int
    summary: str = ""
    closed: bool = True


@dataclass(frozen=True, slots=True)
class Cover:
    """A stretch of a path that has a summary: by depth, from the first scene to the last."""

    layer: int
    """1 is a chapter or a stretch of scenes, each further one puts summaries together."""
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Outline:
    """How far a path has been summarised."""

    story: StoryId
    depth: int
    """Of the last scene."""
    covers: tuple[Cover, ...]
    """One behind the other from the opening on."""
    ended: int | None
    """Where the next chapter ends that has no summary; None where none has ended since."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A stretch of a path in fewer words."""

    scene: SceneId
    """The last one that it covers."""
    layer: int
    """0 is one scene."""
    first: int
    """The depth of the first scene that it covers."""
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Digested:
    """What a model made of a stretch."""

    title: str
    text: str
    gists: tuple[str, ...] = ()
    """A sentence for each scene; none where it gave not as many as there are."""


def full(tokens: int, room: int) -> bool:
    """Whether a chapter of so many tokens ends now."""
    return room != NEVER and tokens >= max(room, SHORTEST) * FULL


def next_cover(outline: Outline) -> Cover | None:
    """What is to be summarised next; None where nothing is."""
    covers = outline.covers
    for layer, run in groupby(covers, key=lambda cover: cover.layer):
        alike = list(run)
        if len(alike) >= FAN + (RECENT if layer == 1 else 0):
            return Cover(layer + 1, alike[0].first, alike[FAN - 1].last)
    first = covers[-1].last + 1 if covers else 0
    if outline.ended is not None:
        whole = outline.ended - first < LONGEST
        return Cover(1, first, outline.ended if whole else first + STRETCH - 1)
    return Cover(1, first, first + STRETCH - 1) if outline.depth - first >= OPEN else None


def gist_of(prose: str, limit: int = GIST_CHARS) -> str:
    """The sentence of a scene that says most of what the scene is about, as it stands there."""
    told = [one_line(sentence, len(sentence) + 1) for sentence in sentences(prose)]
    worth_telling = [n for n, sentence in enumerate(told) if FEWEST_SENTENCE <= len(sentence) <= limit]
    if not told:
        return ""
    common: dict[str, int] = {}
    for sentence in told:
        for word in telling_words(sentence):
            common[word] = common.get(word, 0) + 1
    best = max(worth_telling or range(len(told)), key=lambda n: _weight(told[n], common) * _place(n, len(told)))
    return one_line(told[best], limit)


def _weight(sentence: str, common: Mapping[str, int]) -> float:
    """How much a sentence says of what the scene speaks of; who does something says more than what is said aloud."""
    words = telling_words(sentence)
    weight = sum(common[word] for word in words) / (len(words) + 4)
    if any(mark in sentence for mark in SPEECH):
        weight *= 0.4
    return weight * (1.5 if _NAMED.search(sentence) else 1.0)


def _place(place: int, of: int) -> float:
    """What a scene comes to stands at its end."""
    return 1.25 if place >= of * 3 / 4 else 1.0


def abridged(texts: Sequence[str], limit: int = SUMMARY_CHARS) -> str:
    """Texts in fewer words, from the first to the last: as much of each as is fair, in its own words."""
    share = max(limit // max(len(texts), 1) - 1, FEWEST_SENTENCE)
    return one_line(" ".join(filter(None, (gist_of(text, share) for text in texts))), limit)


def plain_digest(scenes: Sequence[ToldScene]) -> Digested:
    """What can be said of scenes without a model: sentences of theirs."""
    gists = tuple(gist_of(scene.prose) for scene in scenes)
    named = next((scene.title for scene in reversed(scenes) if scene.title.strip()), "")
    return Digested(one_line(named, CHAPTER_TITLE_CHARS), abridged([scene.prose for scene in scenes]), gists)


def digest_schema(gists: int) -> Mapping[str, object]:
    """JSON Schema of a summary, with a sentence for each of so many scenes."""
    sentence = {"type": "string", "minLength": 1, "maxLength": GIST_CHARS}
    each = {"scenes": {"type": "array", "items": sentence, "minItems": gists, "maxItems": gists}} if gists else {}
    return {
        "type": "object",
        "properties": {
            "title": {"type": "string", "minLength": 1, "maxLength": CHAPTER_TITLE_CHARS},
            "summary": {"type": "string", "minLength": 1, "maxLength": SUMMARY_CHARS},
            **each,
        },
        "required": ["title", "summary", *each],
        "additionalProperties": False,
    }


def read_digest(answer: str, gists: int) -> Digested | Problem:
    """Find the JSON object in an answer and take the summary out of it."""
    found = next((o for o in json_objects(answer[:ANSWER_CHARS]) if "summary" in o), None)
    if found is None:
        return Problem('There is no complete JSON object with "summary" in it.')
    text, title, each = found["summary"], found.get("title"), found.get("scenes")
    if not isinstance(text, str) or not one_line(text, SUMMARY_CHARS):
        return Problem('"summary" has to be a text of a few sentences.')
    said = [one_line(one, GIST_CHARS) for one in each if isinstance(one, str)] if isinstance(each, list) else []
    whole = len(said) == gists and all(said)
    name = one_line(title, CHAPTER_TITLE_CHARS) if isinstance(title, str) else ""
    return Digested(name, one_line(text, SUMMARY_CHARS), tuple(said) if whole else ())


@dataclass(frozen=True, slots=True)
class Past:
    """What a path holds, from its opening to a scene: at first in fewer words, at last word for word."""

    synopses: tuple[Synopsis, ...]
    """From the opening on, each behind the one before."""
    lines: tuple[ToldScene, ...]
    """The scenes after those, without their prose; of very many the newest."""
    path: tuple[ToldScene, ...]
    """The last ones, whole."""
    older: int
    """How many scenes lie before those in `path`."""
    opened: int
    """How many scenes lie before the chapter that is being told."""
    recent: int
    """How many lie before the chapter before that one."""


NOTHING = Past((), (), (), 0, 0, 0)
"""Before the opening."""
