"""Word banks: what the storyteller knows of each genre, read from `words/*.toml`."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from storyforge_core.providers.offline.template import mark

GENRES = ("sea", "space", "mystery", "horror", "fantasy", "caper", "romance")
MOTIFS = ("seadoor", "door", "animal")


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody or something that is introduced once and named from then on."""

    name: str
    intro: str


@dataclass(frozen=True, slots=True)
class Beat:
    """One to three sentences that belong together."""

    text: str
    mark: str
    """By this the beat is known again in prose that was told."""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """A choice at the end of a scene and what comes of it."""

    do: str
    then: tuple[str, ...]
    leads: tuple[str, ...] = ()
    """Names of the hooks that may follow; any free one when empty."""


@dataclass(frozen=True, slots=True)
class Hook:
    """The end of a scene: something that has to be decided."""

    beat: Beat
    options: tuple[Option, ...]
    name: str = ""
    """A named hook comes only where an option leads to it, or in an opening."""
    first: bool = False
    """Whether it may end an opening."""


@dataclass(frozen=True, slots=True)
class Bank:
    """Everything for one genre or motif."""

    names: tuple[str, ...] = ()
    """What players may call the genre; the beginning of a word is enough."""
    words: frozenset[str] = frozenset()
    """Words of a premise that call for this bank."""
    needs: frozenset[str] = frozenset()
    """Words that all have to be in the premise, instead."""
    heroes: tuple[str, ...] = ()
    women: tuple[str, ...] = ()
    men: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    """The first three fit any story of the kind."""
    friends: tuple[Known, ...] = ()
    things: tuple[Known, ...] = ()
    wonders: tuple[Known, ...] = ()
    tone: str = ""
    """What stories of the kind sound like when nobody asks for a tone."""
    beats: Mapping[str, tuple[Beat, ...]] = field(default_factory=dict)
    plots: tuple[tuple[Beat, ...], ...] = ()
    hooks: tuple[Hook, ...] = ()


@cache
def bank(name: str) -> Bank:
    """One word bank."""
    data = tomllib.loads((files(__package__) / "words" / f"{name}.toml").read_text(encoding="utf-8"))
    return Bank(
        names=tuple(data.get("names", ())),
        words=frozenset(" ".join(data.get("words", ())).split()),
        needs=frozenset(data.get("needs", ())),
        heroes=tuple(data.get("heroes", ())),
        women=tuple(data.get("women", ())),
        men=tuple(data.get("men", ())),
        places=tuple(data.get("places", ())),
        friends=_known(data.get("friends", ())),
        things=_known(data.get("things", ())),
        wonders=_known(data.get("wonders", ())),
        tone=data.get("tone", ""),
        beats={kind: tuple(_beat(text) for text in texts) for kind, texts in data.get("beats", {}).items()},
        plots=tuple(tuple(_beat(text, title) for title, text in plot["beats"]) for plot in data.get("plots", ())),
        hooks=tuple(_hook(entry) for entry in data.get("hooks", ())),
    )


def _known(entries: Sequence[Sequence[str]]) -> tuple[Known, ...]:
    return tuple(Known(name, intro) for name, intro in entries)


def _beat(text: str, title: str = "") -> Beat:
    return Beat(" ".join(text.split()), mark(" ".join(text.split())), title)


def _hook(entry: Mapping[str, Any]) -> Hook:
    return Hook(
        beat=_beat(entry["text"], entry["title"]),
        options=tuple(Option(o["do"], tuple(o["then"]), tuple(o.get("leads", ()))) for o in entry["options"]),
        name=entry.get("name", ""),
        first=entry.get("first", False),
    )


def layers(genre: str, premise: str) -> tuple[Bank, ...]:
    """The banks for a story, the closest first: a motif of its premise, its genres, what fits everywhere."""
    words = frozenset(re.findall(r"\w+", premise.lower()))
    motifs = [bank(name) for name in MOTIFS if _calls_for(bank(name), words)]
    return (*motifs[:1], *_genres(genre.lower(), words), bank("general"))


def _calls_for(motif: Bank, words: frozenset[str]) -> bool:
    return motif.needs <= words if motif.needs else bool(motif.words & words)


def _genres(genre: str, words: frozenset[str]) -> tuple[Bank, ...]:
    """At most two: those that the players name, then those that the premise sounds like."""
    banks = [bank(name) for name in GENRES]
    named = [each for each in banks if any(re.search(rf"\b{re.escape(name)}", genre) for name in each.names)]
    sounding = sorted((each for each in banks if each.words & words), key=lambda each: -len(each.words & words))
    return (*named, *(each for each in sounding if each not in named))[:2]
