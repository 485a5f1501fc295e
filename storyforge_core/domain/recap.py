"""What happened on a path since somebody was here, put together from summaries and from the scenes themselves. Pure."""

from dataclasses import dataclass
from typing import Literal

from storyforge_core.domain.chapters import Past, abridged, gist_of
from storyforge_core.domain.context import Keep, Part, estimate, shorten
from storyforge_core.domain.writing import Synopsis, ToldScene

Since = Literal["left", "beginning", "chapter"]
"""Where a recap begins: where the reader left, at the opening, or where the chapter did."""

LINES = 24
"""Scenes that are told one by one; of more the older ones are summed up."""
READ = 40
"""Scenes that are read whole for it at the most."""
RECAP_CHARS = 6000
"""Of all summaries together: as much as one reads before going on."""
FEWEST_CHARS = 160
LINE_CHARS = 200
ENDING_TOKENS = 120
"""Of the last scene: enough to be back in it."""


@dataclass(frozen=True, slots=True)
class Recap:
    """What happened, oldest first."""

    synopses: tuple[Synopsis, ...]
    scenes: tuple[ToldScene, ...]
    """Those behind the summaries, each in a sentence instead of its prose."""
    left_out: int
    """Scenes between both that nobody has summed up yet."""
    ending: str
    """How the last scene ends, word for word."""


def recap(past: Past, known: int) -> Recap:
    """Put together what a path tells behind its first `known` scenes."""
    told = past.older + len(past.path)
    synopses, covered = _summed_up(past, known) if told - known > LINES else ((), known)
    scenes = (*past.lines, *past.path)
    shown = scenes[max(covered - told + len(scenes), 0) :][-LINES:]
    return Recap(
        synopses,
        tuple(map(_in_a_line, shown)),
        told - covered - len(shown),
        _ending(past.path[-1].prose) if past.path else "",
    )


def _ending(prose: str) -> str:
    """The last paragraphs, as many as are short enough; of one that is too long its end."""
    kept = ""
    for paragraph in reversed(prose.strip().split("\n\n")):
        longer = f"{paragraph}\n\n{kept}".strip()
        if estimate(longer) > ENDING_TOKENS:
            break
        kept = longer
    return kept or shorten(Part(prose, Keep.END), ENDING_TOKENS)


def _summed_up(past: Past, known: int) -> tuple[tuple[Synopsis, ...], int]:
    """The summaries that reach further than what is known, and up to where they do."""
    kept: list[Synopsis] = []
    covered = 0
    for synopsis in past.synopses:
        covered += synopsis.scenes
        if covered > known:
            kept.append(synopsis)
    share = max(RECAP_CHARS // max(len(kept), 1), FEWEST_CHARS)
    return tuple(_shorter(synopsis, share) for synopsis in kept), max(covered, known)


def _shorter(synopsis: Synopsis, limit: int) -> Synopsis:
    text = synopsis.text if len(synopsis.text) <= limit else abridged([synopsis.text], limit)
    return Synopsis(synopsis.layer, synopsis.first, synopsis.last, synopsis.scenes, synopsis.title, text)


def _in_a_line(scene: ToldScene) -> ToldScene:
    gist = scene.gist or gist_of(scene.prose, LINE_CHARS)
    return ToldScene(scene.number, scene.title, scene.choice, "", gist)
