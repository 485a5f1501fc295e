"""What a story remembers: scenes in passages, what is looked for in them, and which words matter. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from storyforge_core.domain.story import Scene, SceneId, Story

BUILT_IN_READER = "built-in embedder"
"""Who reads scenes without a model begins its name with this."""
EMBEDDING_SIZE = 768
"""Numbers in a vector: those of `nomic-embed-text` and most other small embedders; part of the column's type."""
PASSAGE_CHARS = 900
"""A scene of 150 words is one passage: longer ones blur what they are about, shorter ones lose who is meant."""
MOST_TERMS = 24
"""More words than any question has; a cue made of a whole page would find everything."""
TERM_CHARS = 40
WHOLE_WORD = 4
"""Letters from which a word also finds longer ones that begin with it, as `lamp` finds `lamps`."""
ENOUGH = 0.5
"""Share of a question's weight that a passage has to speak of to be an answer."""
AS_GOOD = 0.8
"""Share of the best answer's weight from which a newer one counts as much."""

Purpose = Literal["document", "query"]
"""What a text is to an embedder: something to be found, or what it is looked for by."""
Vector = Sequence[float]
"""`EMBEDDING_SIZE` numbers."""

_WORD = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(r"[.!?…\u3002\uff01\uff1f][\"'”’»)\]』」]*(?:\s+|(?<=[\u3002\uff01\uff1f』」]))|\n+")  # noqa: RUF001 - other scripts' marks
_COMMON_WORDS = """
    a about after again all also am an and any are as at be because been before being but by can could did do does doing
    down during each few for from further had has have having he her here hers herself him himself his how i if in into
    is it its itself just me more most my myself no nor not now of off on once only or other our ours out over own same
    she should so some such tell than that the their theirs them themselves then there these they this those through to
    too under until up us very was we were what when where which while who whom whose why will with would you your yours
"""
_COMMON = frozenset(_COMMON_WORDS.split())
"""English words that say nothing of what is asked. Of other languages' the path itself knows that they are common."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a scene's prose, short enough to be about one thing."""

    part: int
    """Counts from 0 within the scene."""
    start: int
    """Characters of the prose before it."""
    text: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A passage that the embedder in use has not read yet."""

    scene: SceneId
    part: int
    text: str


@dataclass(frozen=True, slots=True)
class Sought:
    """The words that are looked for."""

    words: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...] = ()
    """Words that stand side by side: who asks for a brass key is not helped by a key and some brass."""


@dataclass(frozen=True, slots=True)
class Cue:
    """What is looked for: by its words, and by its meaning where an embedder could be asked."""

    sought: Sought
    vector: Vector | None = None
    model: str = ""
    """The embedder that made the vector: what another one made cannot be compared with it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that was found."""

    scene: SceneId
    number: int
    """The scene's."""
    title: str
    """The scene's."""
    part: int
    text: str
    covers: float
    """0 to 1: how many of the words looked for it has, rare ones weighing more than common ones."""
    fits: float
    """0 to 1: the same with the words that have to stand side by side."""
    story: str = ""
    """The title of its story, where several were searched."""
    story_number: int = 0
    """What people type to open that story."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of all stories the embedder in use has read."""

    read: int
    passages: int


@dataclass(frozen=True, slots=True)
class Question:
    """What a player wants to know of a story."""

    words: str
    story: Story
    head: Scene
    """The story is known up to here."""
    busy: bool
    """A scene is being written, and the model is not to be kept from it."""
    known: tuple["Quote", ...] = ()
    """What proves that things stand so now as the question wants to know, the newest first."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What a scene says, word for word."""

    number: int
    """The scene's."""
    title: str
    text: str


def passages(prose: str) -> tuple[Passage, ...]:
    """Cut prose into passages, between sentences where it can be; put together they are the prose."""
    starts = [0]
    while len(prose) - starts[-1] > PASSAGE_CHARS:
        starts.append(_cut(prose, starts[-1]))
    return tuple(
        Passage(part, start, prose[start:end]) for part, (start, end) in enumerate(pairwise([*starts, len(prose)]))
    )


def telling_words(text: str) -> tuple[str, ...]:
    """The words of a text that say what it is about, in order and each once."""
    words = (word.lower() for word in _WORD.findall(unicodedata.normalize("NFKC", text)))
    telling = (word[:TERM_CHARS] for word in words if word not in _COMMON and (len(word) > 1 or word > "\u2e7f"))
    return tuple(dict.fromkeys(telling))


def sought(text: str) -> Sought:
    """What a text looks for."""
    words = [word.lower()[:TERM_CHARS] for word in _WORD.findall(unicodedata.normalize("NFKC", text))]
    telling = telling_words(text)
    pairs = dict.fromkeys(pair for pair in pairwise(words) if set(pair) <= set(telling))
    return Sought(telling[:MOST_TERMS], tuple(pairs)[:MOST_TERMS])


def covers(text: str, wanted: Sought) -> float:
    """The share of the words looked for that a text has, as a search would find them."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).lower())
    return sum(any(_is_form(word, stem(term)) for word in words) for term in wanted.words) / max(len(wanted.words), 1)


def fits(text: str, wanted: Sought) -> float:
    """The same with the words that have to stand side by side."""
    beside = list(pairwise(_WORD.findall(unicodedata.normalize("NFKC", text).lower())))
    pairs = sum(
        any(_is_form(one, stem(first)) and _is_form(other, stem(second)) for one, other in beside)
        for first, second in wanted.pairs
    )
    found = covers(text, wanted) * len(wanted.words) + pairs
    return found / max(len(wanted.words) + len(wanted.pairs), 1)


def stem(word: str) -> str:
    """The word without the `s` that most English plurals end with."""
    return word[:-1] if len(word) >= WHOLE_WORD and word.endswith("s") and not word.endswith("ss") else word


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text, without blank space around them."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    pieces = (text[start:end].strip() for start, end in pairwise([0, *ends, len(text)]))
    return tuple(piece for piece in pieces if piece)


def quote_from(found: Found, wanted: Sought) -> Quote:
    """The sentence of a passage that speaks of most of what was looked for; of several the last, for it is newest."""
    best = max(reversed(sentences(found.text) or (found.text.strip(),)), key=lambda text: fits(text, wanted))
    return Quote(found.number, found.title, best)


def answers(found: Sequence[Found]) -> tuple[Found, ...]:
    """Those passages that speak of what was asked: the best, and among equally good ones the newest first."""
    best = max((each.covers for each in found), default=0.0)
    if best < ENOUGH:
        return ()
    good_enough = max(each.fits for each in found) * AS_GOOD
    good = [each for each in found if each.fits >= good_enough]
    return tuple(sorted(good, key=lambda each: each.number, reverse=True))


def one_per_scene(found: Iterable[Found], limit: int) -> tuple[Found, ...]:
    """The first passage of each scene, as many as are wanted."""
    first: dict[SceneId, Found] = {}
    for each in found:
        first.setdefault(each.scene, each)
    return tuple(first.values())[:limit]


def _is_form(word: str, root: str) -> bool:
    return word.startswith(root) if len(root) >= WHOLE_WORD else word in {root, f"{root}s"}


def _cut(prose: str, start: int) -> int:
    """Where the passage that begins at `start` ends: behind a sentence, else behind a word, else inside one."""
    least, most = start + PASSAGE_CHARS // 3, start + PASSAGE_CHARS
    ends = [match.end() for match in _SENTENCE_END.finditer(prose, least, most)]
    if ends:
        return ends[-1]
    space = prose.rfind(" ", least, most)
    return most if space < 0 else space + 1
