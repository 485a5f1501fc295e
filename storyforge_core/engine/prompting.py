"""Prompts: what a writer is told, in an order that keeps the beginning the same from scene to scene.

One system and one user message, then the turns of the question about the choices: templates of small models demand
that roles alternate. The choices are asked in the same conversation, so that a server with a prompt cache reads only
the question anew.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import resources
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import TypeVar

from storyforge_core.domain.answers import CHOICE_CHARS, Problem
from storyforge_core.domain.context import (
    MARGIN,
    MESSAGE_TOKENS,
    Keep,
    Part,
    as_data,
    estimate,
    prompt_tokens,
    shorten,
    squeeze,
    tagged,
)
from storyforge_core.domain.lore import ActiveLore
from storyforge_core.domain.manifest import Piece, PieceName, digest_of
from storyforge_core.domain.writing import Brief, Message, Remembered, Synopsis, ToldScene
from storyforge_core.engine.older import Older, chapter_room, earlier, older, synopses_block

SMALLEST_WINDOW = 4096
"""Below this rules, newest scene, answer and the question about it do not fit together; also Ollama's own default."""
TOKENS_PER_WORD = 2
"""English takes about 1.35, German and French 1.6 to 2; models also overshoot the length they are asked for."""
CHOICE_TOKENS = 96
"""For one choice of 90 characters in a script with a token per character."""
QUESTION_TOKENS = 224
"""What `choices.md` takes when it is filled in; a test holds it below this."""

MEMORY_SHARE, MEMORY_TOKENS = 10, 1024
"""Of the window, a tenth for passages of older scenes; four of them are as many as a scene can take up."""
BIBLE_SHARE, BIBLE_TOKENS = 12, 768
"""The same for what is written down about those who are named: a dozen people and facts."""
STATE_SHARE, STATE_TOKENS = 16, 512
"""The same for where and how everybody is: a line or two for each of a dozen."""
PROMISES_SHARE, PROMISES_TOKENS = 32, 256
"""The same for what the story owes its readers: half a dozen promises."""
PLAN_TOKENS = 320
"""For the plan of a scene; kept only where scenes are planned."""
LORE_SHARE = 4
"""Of the room for a prompt one part in so many goes to the lore, at the most."""
WORLD_SHARE = 4
"""The same for title, premise, genre and tone, when the room for older scenes is planned."""
WISHES_TOKENS = 160
"""What choice, hint and note usually take; longer ones cost older scenes."""

REPAIR_TOKENS = CHOICE_TOKENS + 96
"""For an unusable answer and what is wrong with it, if the question has to be asked twice."""


Text = TypeVar("Text")


def _read_templates() -> Mapping[str, Template]:
    """All prompts; read when the module is, since an event loop must not wait for files."""
    files = (resources.files(__package__) / "prompts").iterdir()
    return MappingProxyType({Path(file.name).stem: Template(file.read_text(encoding="utf-8")) for file in files})


_TEMPLATES = _read_templates()


def telling_tokens(words: int, window: int) -> int:
    """Tokens to allow for a scene of about this many words; a third of the window at most, the story needs the rest."""
    return min(words * TOKENS_PER_WORD + 64, window // 3)


def choices_tokens(count: int, window: int) -> int:
    """Tokens to allow for an answer with a title and this many choices."""
    return min(CHOICE_TOKENS * (count + 1), window // 4)


def scene_messages(brief: Brief, window: int, max_tokens: int) -> tuple[Message, ...]:
    """Ask for a scene, or for more of one, within the window minus the answer and the question that follows it.

    Args:
        brief: what may be known; its path may be long, only what fits is read.
        window: tokens that prompt and answer may take together, at least `SMALLEST_WINDOW`.
        max_tokens: what the answer may take.
    """
    near, before = _fitted(brief, window, max_tokens)
    return _conversation(near, before.text)


def whole_scenes(brief: Brief, window: int, max_tokens: int) -> int:
    """How many of the newest scenes of the path that prompt has whole; it does not matter what is remembered."""
    near, before = _fitted(brief, window, max_tokens)
    return len(near.path) + len(before.scenes)


def room_for_chapter(brief: Brief, window: int, max_tokens: int, wanted: int) -> int:
    """Tokens that a chapter has room for in prompts like that one; `wanted` is what the story's settings say."""
    return chapter_room(_planned(brief, window, max_tokens), wanted)


def pieces(brief: Brief, window: int, max_tokens: int) -> tuple[Piece, ...]:
    """What that prompt is put together from, in its order."""
    near, before = _fitted(brief, window, max_tokens)
    kept = {each.number: each for each in near.remembered}
    listed = [
        _piece("rules", _TEMPLATES["system"].template),
        _piece("world", _world(near)),
        _summed("so_far", before.so_far),
        _summed("chapters", before.chapters),
        _short("earlier", earlier(before.lines), len(before.lines)),
        *(_of_scene("scene", scene, text) for scene, text in before.scenes),
        *(_of_scene("newest", scene, _told(scene)) for scene in near.path),
        *(replace(_piece("lore", _lore((entry,))), title=entry.title) for entry in near.lore),
        _piece("chosen", tagged("chosen", near.chosen)),
        _piece("begun", tagged("begun", near.extend)),
        *(_of_scene("remembered", each, _remembered((each,)), each.why) for _, each in sorted(kept.items())),
        _piece("known", _listed("known", near.known)),
        _piece("state", _listed("state", near.state)),
        _piece("promises", _listed("promises", near.promises)),
        _piece("plan", _listed("plan", near.plan)),
        _piece("direction", tagged("direction", near.note)),
        _piece("wish", tagged("wish", near.hint)),
        _piece("task", _TEMPLATES[_template(near)].template),
    ]
    return tuple(piece for piece in listed if piece.tokens)


def _piece(name: PieceName, text: str) -> Piece:
    return Piece(name, estimate(text), digest_of(text))


def _short(name: PieceName, text: str, scenes: int) -> Piece:
    return replace(_piece(name, text), scenes=scenes)


def _summed(name: PieceName, synopses: Sequence[tuple[Synopsis, str]]) -> Piece:
    return _short(name, synopses_block(name, synopses), sum(each.scenes for each, _ in synopses))


def _of_scene(name: PieceName, scene: ToldScene | Remembered, text: str, why: str = "") -> Piece:
    return replace(_piece(name, text), scene=scene.number, title=scene.title, why=why)


def material(brief: Brief, window: int, max_tokens: int) -> tuple[Message, str]:
    """The system message of that prompt, and what its other message says up to its task."""
    near, before = _fitted(brief, window, max_tokens)
    story = _story(near, before.text)
    return _conversation(near, "")[0], story + tagged("begun", near.extend) + _wishes(near)


def template_digests() -> tuple[tuple[str, str], ...]:
    """The prompts of ours by name, each with its digest: another wording makes another prompt."""
    return tuple(sorted((name, digest_of(template.template)) for name, template in _TEMPLATES.items()))


def lore_tokens(brief: Brief, window: int) -> int:
    """Tokens that the lore may take in the prompt for a scene."""
    return _room(brief, window, telling_tokens(brief.words, window)) // LORE_SHARE


def lore_cost(text: str) -> int:
    """Tokens that one entry of the lore takes; the frame around all of them is in it, as if each had one."""
    return estimate(tagged("lore", as_data(text))) if text.strip() else 0


def choices_messages(brief: Brief, prose: str, window: int, max_tokens: int) -> tuple[Message, ...]:
    """Ask for a title and choices at the end of `prose`, as the next turn of the conversation that told it."""
    told = scene_messages(brief, window, telling_tokens(brief.words, window))
    question = Message("user", _question(brief.choices))
    left = window - max_tokens - prompt_tokens((*told, question)) - MESSAGE_TOKENS - REPAIR_TOKENS
    new_prose = as_data(prose.removeprefix(brief.extend).lstrip())
    return (*told, Message("assistant", shorten(Part(new_prose, Keep.END), left)), question)


def repair_messages(messages: tuple[Message, ...], answer: str, problem: Problem) -> tuple[Message, ...]:
    """Ask once more after an answer that could not be used; of an endless answer only the beginning is shown."""
    shown = shorten(Part(as_data(answer)), CHOICE_TOKENS)
    return (*messages, Message("assistant", shown), Message("user", render("repair", problem=problem.text)))


def render(name: str, **values: str) -> str:
    """Fill in a prompt of `prompts/`; a missing or an unknown value is a mistake of ours, so a `KeyError`."""
    template = _TEMPLATES[name]
    if astray := values.keys() ^ set(template.get_identifiers()):
        raise KeyError(f"prompt {name}.md and its values disagree on {', '.join(sorted(astray))}")
    return template.substitute(values).strip()


def _fitted(brief: Brief, window: int, max_tokens: int) -> tuple[Brief, Older]:
    """What has to be in the prompt, with lore, what is remembered and known, and the older scenes that fit beside it.

    The room for lore and for what is remembered and known is kept free even when nothing is told of it: what it is
    changes with every scene, and the older scenes, at the beginning of the prompt, must not change with it.
    """
    room = _room(brief, window, max_tokens)
    lore_room = min(brief.lore_room, room // LORE_SHARE)
    near = _fit(_near(brief), room - lore_room)
    left = room - lore_room - prompt_tokens(_conversation(near, ""))
    memory = _memory_room(window) if brief.path else 0
    before = Older()
    if brief.path:
        before = older(brief, _planned(brief, window, max_tokens), left - memory - _notes_room(brief, window))
    near, left = _with_notes(near, brief, window, left)
    remembered = _within(brief.remembered, _remembered, min(left, memory))
    return replace(near, lore=_affordable(brief.lore, lore_room), remembered=remembered), before


def _planned(brief: Brief, window: int, max_tokens: int) -> int:
    """Tokens for older scenes in prompts like this one if nothing in it is unusually long.

    It goes by what stays from scene to scene: title and premise, the settings, the book.
    """
    room = _room(brief, window, max_tokens)
    frame = sum(estimate(_TEMPLATES[name].template) + MESSAGE_TOKENS for name in ("system", "scene")) + MARGIN
    world = min(estimate(_world(brief)), room // WORLD_SHARE)
    kept_free = min(brief.lore_room, room // LORE_SHARE) + _memory_room(window) + sum(_note_rooms(window))
    return max(room - frame - world - kept_free - telling_tokens(brief.words, window) - WISHES_TOKENS, 0)


def _memory_room(window: int) -> int:
    """Tokens for passages of older scenes."""
    return min(window // MEMORY_SHARE, MEMORY_TOKENS)


def _notes_room(brief: Brief, window: int) -> int:
    """Tokens that are kept free for what is known, how things stand, what was promised and what is planned."""
    return sum(_note_rooms(window)) + _plan_room(brief)


def _plan_room(brief: Brief) -> int:
    """Tokens that are kept free for a plan, whether one was made or not, so that nothing else depends on it."""
    return PLAN_TOKENS if brief.plan or brief.planned else 0


def _note_rooms(window: int) -> tuple[int, int, int]:
    """Tokens for how things stand, for what is known and for what was promised."""
    return (
        min(window // STATE_SHARE, STATE_TOKENS),
        min(window // BIBLE_SHARE, BIBLE_TOKENS),
        min(window // PROMISES_SHARE, PROMISES_TOKENS),
    )


def _with_notes(near: Brief, brief: Brief, window: int, left: int) -> tuple[Brief, int]:
    """The brief with as much of its notes as fits, what matters most first, and the tokens that are left then."""
    for_state, for_known, for_promises = _note_rooms(window)
    state = _within(brief.state, partial(_listed, "state"), min(left, for_state))
    left -= estimate(_listed("state", state))
    known = _within(brief.known, partial(_listed, "known"), min(left, for_known))
    left -= estimate(_listed("known", known))
    promises = _within(brief.promises, partial(_listed, "promises"), min(left, for_promises))
    left -= estimate(_listed("promises", promises))
    # The plan is last: what holds comes before what is meant to happen.
    plan = _within(brief.plan, partial(_listed, "plan"), min(left, PLAN_TOKENS))
    left -= _plan_room(brief)
    return replace(near, known=known, state=state, promises=promises, plan=plan), left


def _room(brief: Brief, window: int, max_tokens: int) -> int:
    """Tokens for a prompt: what the answer and the question after it leave."""
    return window - max_tokens - QUESTION_TOKENS - choices_tokens(brief.choices, window) - REPAIR_TOKENS


def _within(texts: tuple[Text, ...], as_block: Callable[[tuple[Text, ...]], str], room: int) -> tuple[Text, ...]:
    """Those that matter most, as many as fit."""
    kept: tuple[Text, ...] = ()
    for each in texts:
        if estimate(as_block((*kept, each))) <= room:
            kept = (*kept, each)
    return kept


def _affordable(lore: Sequence[ActiveLore], room: int) -> tuple[ActiveLore, ...]:
    """As much as fits of what was chosen, the last ones first: another writer's window may have been larger."""
    kept: list[ActiveLore] = []
    for entry in reversed(lore):
        room -= lore_cost(entry.text)
        if room >= 0:
            kept.append(entry)
    return tuple(reversed(kept))


def _near(brief: Brief) -> Brief:
    """The brief with only the newest scene, and with players' and models' words made harmless."""
    brief = replace(brief, lore=(), remembered=(), known=(), state=(), promises=(), plan=())
    return _with_texts(replace(brief, path=brief.path[-1:]), lambda parts: tuple(as_data(part.text) for part in parts))


def _fit(brief: Brief, room: int) -> Brief:
    """The brief with its texts shortened so far that the conversation about it takes at most `room` tokens."""
    outline = _with_texts(brief, lambda parts: tuple(part.text and "x" for part in parts))
    frame = prompt_tokens(_conversation(outline, ""))
    return _with_texts(brief, lambda parts: squeeze(parts, room - frame))


def _with_texts(brief: Brief, change: Callable[[tuple[Part, ...]], tuple[str, ...]]) -> Brief:
    """The brief with every text that has to be in a prompt changed together."""
    scene = brief.path[-1] if brief.path else ToldScene(0, "", "", "")
    starts = (brief.title, brief.premise, brief.genre, brief.tone, brief.chosen, brief.note, brief.hint)
    ends = (brief.extend, scene.prose)
    parts = (*map(Part, (*starts, scene.title, scene.choice)), *(Part(text, Keep.END) for text in ends))
    title, premise, genre, tone, chosen, note, hint, scene_title, choice, extend, prose = change(parts)
    newest = replace(scene, title=scene_title, choice=choice, prose=prose)
    path = (newest,) if brief.path else ()
    brief = replace(brief, title=title, premise=premise, genre=genre, tone=tone, path=path)
    return replace(brief, chosen=chosen, note=note, hint=hint, extend=extend)


def _conversation(brief: Brief, older: str) -> tuple[Message, ...]:
    """System and user message for a brief that fits; stable parts first, what changes with every scene last."""
    return (Message("system", render("system", world=_world(brief))), Message("user", _task(brief, older)))


def _world(brief: Brief) -> str:
    world = [("title", brief.title), ("premise", brief.premise), ("genre", brief.genre), ("tone", brief.tone)]
    return "".join(tagged(tag, text) for tag, text in world)


def _template(brief: Brief) -> str:
    """Which of our prompts a brief is for."""
    return "extend" if brief.extend else "scene" if brief.path else "opening"


def _task(brief: Brief, older: str) -> str:
    story, wishes, words = _story(brief, older), _wishes(brief), str(brief.words)
    match _template(brief):
        case "extend":
            return render("extend", story=story, begun=tagged("begun", brief.extend), wishes=wishes, words=words)
        case "scene":
            return render("scene", story=story, wishes=wishes, words=words)
        case _:
            return render("opening", wishes=story + wishes, words=words)


def _story(brief: Brief, older: str) -> str:
    """What was told, what is true of it, and what the players have decided."""
    return older + "".join(map(_told, brief.path)) + _lore(brief.lore) + tagged("chosen", brief.chosen)


def _wishes(brief: Brief) -> str:
    """What to keep to, and what is wished for."""
    notes = (
        _listed("known", brief.known)
        + _listed("state", brief.state)
        + _listed("promises", brief.promises)
        + _listed("plan", brief.plan)
    )
    return _remembered(brief.remembered) + notes + tagged("direction", brief.note) + tagged("wish", brief.hint)


def _question(count: int) -> str:
    example = {"title": "…", "choices": ["…"] * count}
    return render(
        "choices", count=str(count), choice_chars=str(CHOICE_CHARS), example=json.dumps(example, ensure_ascii=False)
    )


def _told(scene: ToldScene) -> str:
    return tagged("chosen", scene.choice) + tagged("scene", f"{scene.number}. {scene.title}\n{scene.prose}")


def _remembered(remembered: tuple[Remembered, ...]) -> str:
    """Passages in the order in which they were told."""
    texts = [f"{each.number}. {each.title}\n{each.text.strip()}" for each in sorted(remembered, key=_told_at)]
    return tagged("remembered", as_data("\n\n".join(texts)))


def _listed(tag: str, lines: tuple[str, ...]) -> str:
    return tagged(tag, as_data("\n".join(lines)))


def _told_at(remembered: Remembered) -> int:
    return remembered.number


def _lore(lore: Sequence[ActiveLore]) -> str:
    return tagged("lore", "\n\n".join(as_data(entry.text).strip() for entry in lore if entry.text.strip()))
