"""A scene put into the words of a picture: what a model answered made usable, and a stand-in for when it did not."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from storyforge_core.domain.answers import ANSWER_CHARS, Problem, json_objects, one_line
from storyforge_core.domain.bible import Entity, EntityId, Sort, named
from storyforge_core.domain.mentions import plain
from storyforge_core.domain.pictures import Figure, Sight, Vision

PART_CHARS = 240
ALT_CHARS = 300
PROMPT_CHARS = 1200
LOOK_CHARS = 160
MOST_FIGURES = 3
"""More people than that no image model keeps apart."""
MOST_PROPS = 3
FRAMINGS = ("close-up", "medium shot", "wide shot", "bird's-eye view", "low angle")
PARTS = ("who", "action", "where", "light")
"""What a picture is told of, in this order: image models heed what comes first."""
STYLE = "painterly storybook illustration, rich light"
"""Where the story says nothing of its own."""

_SENTENCE = re.compile(r"[^.!?…\n]+[.!?…]*")
_SPEECH = re.compile(r"[\"“„«][^\"”“»]*[\"”“»]")


def known_figures(
    entities: Sequence[Entity], prose: str, seen: Mapping[EntityId, str] = MappingProxyType({})
) -> tuple[Figure, ...]:
    """Those characters that a scene names, as everybody may read of them: never with what is secret.

    Args:
        entities: who and what is known.
        prose: the scene's.
        seen: how they look now by what scenes say; it comes before what is written down of how they look in general.
    """
    return _known(entities, prose, "character", seen)[:MOST_FIGURES]


def known_place(entities: Sequence[Entity], prose: str) -> str:
    """The place that a scene names first; empty where it names none that is written down."""
    return next((_figure(place) for place in _known(entities, prose, "place", {})), "")


def sitters(entities: Sequence[Entity], prose: str) -> tuple[Entity, ...]:
    """Everybody and everything that a scene, or who asks for its picture, names and that it may show."""
    there = named(entities, prose)
    most: Mapping[Sort, int] = {"character": MOST_FIGURES, "place": 1, "prop": MOST_PROPS}
    by_sort = ([each for each in there if each.card.sort == sort][:few] for sort, few in most.items())
    return tuple(each for some in by_sort for each in some)


def _known(entities: Sequence[Entity], prose: str, sort: Sort, seen: Mapping[EntityId, str]) -> tuple[Figure, ...]:
    there = [entity for entity in named(entities, prose) if entity.card.sort == sort]
    return tuple(Figure(each.card.name, _look(each.card.description, seen.get(each.id, ""))) for each in there)


def _look(described: str, now: str) -> str:
    both = f"now {now}; otherwise {described}" if now and described else now or described
    return one_line(both, LOOK_CHARS)


def vision_schema(names: Sequence[str] = ()) -> Mapping[str, object]:
    """JSON Schema of an answer; lengths are bounded so that it ends. It says who of some can be seen."""
    text = {"type": "string", "minLength": 1, "maxLength": PART_CHARS}
    visible = {"type": "array", "items": {"type": "string", "enum": list(names)}, "maxItems": len(names)}
    return {
        "type": "object",
        "properties": {
            **dict.fromkeys(PARTS, text),
            "framing": {"type": "string", "enum": list(FRAMINGS)},
            "alt": {"type": "string", "minLength": 1, "maxLength": ALT_CHARS},
            **({"visible": visible} if names else {}),
        },
        "required": [*PARTS, "framing", "alt", *(["visible"] if names else [])],
        "additionalProperties": False,
    }


def read_vision(answer: str, sight: Sight) -> Vision | Problem:
    """Find the JSON object in an answer, and make a prompt of it."""
    found = next((each for each in json_objects(answer[:ANSWER_CHARS]) if "where" in each), None)
    if found is None:
        return Problem(f'There is no complete JSON object with "{", ".join(PARTS)}", "framing" and "alt" in it.')
    for name in (*PARTS, "alt"):
        if not isinstance(found.get(name), str) or not one_line(str(found[name]), PART_CHARS):
            return Problem(f'"{name}" has to be a text of a few words.')
    framing = found.get("framing")
    if framing not in FRAMINGS:
        return Problem(f'"framing" has to be one of {", ".join(FRAMINGS)}.')
    parts = [one_line(str(found[name]), PART_CHARS).rstrip(" .,;") for name in PARTS]
    prompt = _prompt([f"{framing}: {parts[0]}", *parts[1:]], sight)
    return Vision(prompt, one_line(str(found["alt"]), ALT_CHARS), _seen(found.get("visible"), sight.names))


def _seen(answered: object, names: Sequence[str]) -> tuple[str, ...] | None:
    """Who can be seen, as far as the answer says so in a way that can be read; it is no worse a picture without."""
    if not isinstance(answered, list):
        return None
    said = {plain(each) for each in answered if isinstance(each, str)}
    return tuple(name for name in names if plain(name) in said)


def fallback_vision(sight: Sight) -> Vision:
    """Put a scene into words without a model: its title, who is known to be there, and what is told first.

    The same every time for the same scene; what people say in it is nothing that can be seen.
    """
    told = [one_line(part, PART_CHARS) for part in _SENTENCE.findall(_SPEECH.sub("", sight.prose))]
    whole = [part for part in told if len(part) > 15 and not part[0].islower()]  # noqa: PLR2004 - shorter shows nothing
    seen = (whole or told)[:4]  # what is left of a sentence around somebody's words begins small
    wish = [one_line(sight.hint, PART_CHARS)] if sight.hint else []
    people = [_figure(figure) for figure in sight.who]
    where = [sight.where] if sight.where else []
    alt = f"{sight.title}: {seen[0]}" if seen else sight.title
    return Vision(_prompt([*wish, *people, *where, sight.title, *seen], sight), one_line(alt, ALT_CHARS))


def _figure(figure: Figure) -> str:
    return f"{figure.name}: {figure.look}" if figure.look else figure.name


def _prompt(parts: list[str], sight: Sight) -> str:
    """Put parts together, those left out that show what is to be avoided, and the style last."""
    avoided = [word for word in re.split(r"[,;]\s*", sight.avoid.casefold()) if word.strip()]
    clean = [part for part in parts if part and not any(_names(part, word.strip()) for word in avoided)]
    style = ", ".join(filter(None, (sight.style or STYLE, sight.genre, sight.tone)))
    return one_line(". ".join(part.rstrip(".") for part in (*clean, f"Style: {style}")) + ".", PROMPT_CHARS)


def _names(part: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}", part.casefold()) is not None
