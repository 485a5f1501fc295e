"""A scene: what comes of the choice, how the story moves on, and what has to be decided next."""

from collections.abc import Sequence
from dataclasses import dataclass

from storyforge_core.domain.writing import Brief
from storyforge_core.providers.offline.banks import Beat
from storyforge_core.providers.offline.cast import Cast, assemble
from storyforge_core.providers.offline.dice import Dice
from storyforge_core.providers.offline.hooks import next_hook, taken_option
from storyforge_core.providers.offline.template import render
from storyforge_core.providers.offline.text import word_count
from storyforge_core.providers.offline.verbs import verbs
from storyforge_core.providers.offline.weave import chosen_deed, direct, hint_at

_ROUND = ("place", "talk", "thought", "tone", "place", "thing", "talk", "thought")


@dataclass(frozen=True, slots=True)
class _Desk:
    """What is needed to write one scene."""

    brief: Brief
    cast: Cast
    dice: Dice

    def say(self, template: str) -> str:
        return render(template, self.cast.slots, self.dice)

    def fresh(self, beats: Sequence[Beat]) -> list[Beat]:
        return [beat for beat in beats if beat.mark not in self.cast.told]

    def beat(self, kind: str) -> str:
        """A beat that this path has not heard, from the closest bank that has one; used up, any."""
        stock = [bank.beats.get(kind, ()) for bank in self.cast.banks]
        fresh = [self.fresh(beats) for beats in stock if self.fresh(beats)]
        if fresh:
            near = fresh[0] if self.dice.roll(f"near/{kind}", 3) or len(fresh) == 1 else fresh[-1]
            return self.say(self.dice.pick(kind, near).text)
        every = [beat for beats in stock for beat in beats]
        return self.say(self.dice.pick(kind, every).text) if every else ""


def scene_of(brief: Brief) -> str:
    """The whole text of a scene; for an extension only the new words, with the white space that joins them."""
    desk = _desk(brief)
    if brief.extend.strip():
        return go_on(brief, brief.extend)
    start = [*_opening(desk)] if not brief.path else [_consequence(desk)]
    return "\n\n".join(_filled(desk, start))


def go_on(brief: Brief, told: str) -> str:
    """New words that follow on `told` directly, to the next decision."""
    desk = _desk(brief, told)
    text = "\n\n".join(_filled(desk, [desk.beat("bridge")]))
    return _join(told) + text


def _join(told: str) -> str:
    if not told or told[-1:].isspace():
        return "" if not told or told.rstrip()[-1:] in '.!?…”’"*' else "… "
    return "\n\n" if told[-1:] in '.!?…”’"*' else "… "


def _desk(brief: Brief, told: str = "") -> _Desk:
    path = "\x1f".join(f"{scene.title}/{scene.choice}/{len(scene.prose)}" for scene in brief.path)
    key = [str(brief.seed), brief.premise, brief.genre, brief.tone, brief.chosen, brief.hint, brief.note, path, told]
    dice = Dice("\x1e".join(key))
    return _Desk(brief, assemble(brief, dice, told), dice)


def _opening(desk: _Desk) -> list[str]:
    premise, cast = desk.cast.premise, desk.cast
    kind = "event" if premise.event else "phrase" if premise.phrase else "quote" if premise.text else "blank"
    slots = {**cast.slots, "event": premise.event, "phrase": premise.phrase}
    first = render(desk.dice.pick("first", desk.cast.banks[-1].beats[f"open_{kind}"]).text, slots, desk.dice)
    known = "i" if cast.person == "i" else "they" if cast.person == "they" else "named" if premise.name else "one"
    hero = desk.say(desk.dice.pick("hero", cast.banks[-1].beats[f"hero_{known}"]).text)
    setting = desk.beat("opening")
    wonder = "" if premise.thing else desk.say(cast.wonder.intro)
    return [
        _joined(first, hero),
        _joined(setting, wonder),
        _joined(desk.say(cast.friend.intro), desk.say(cast.thing.intro)),
    ]


def _consequence(desk: _Desk) -> str:
    """The first paragraph behind a choice: it is really done, and something comes of it."""
    if not desk.brief.chosen.strip():
        return desk.beat("bridge")
    acted = chosen_deed(desk.brief.chosen, desk.cast, desk.dice)
    option = taken_option(desk.brief, desk.cast)
    if option:
        return _joined(acted.sentence, desk.say(desk.dice.pick("then", option.then)))
    outcomes = verbs().outcomes.get(verbs().classes.get(acted.verb, ""), ())
    fresh = [text for text in outcomes if text.split("{")[0][:40] not in desk.cast.told]
    return _joined(acted.sentence, desk.say(desk.dice.pick("then", fresh)) if fresh else desk.beat("outcome"))


def _filled(desk: _Desk, start: Sequence[str]) -> list[str]:
    """Paragraphs around the fixed parts of a scene, up to the wanted length."""
    brief = desk.brief
    hook = desk.say(next_hook(brief, desk.cast, desk.dice).beat.text)
    head = [
        part
        for part in [*start, hint_at(brief.hint, desk.cast, desk.dice), direct(brief.note, desk.cast, desk.dice)]
        if part
    ]
    plot = _plot_beat(desk) if brief.path else ""
    budget = brief.words - word_count(" ".join([*head, hook]))
    middle: list[str] = []
    if plot and budget > word_count(plot) * 0.6:
        middle.append(plot)
        budget -= word_count(plot)
    for kind in desk.dice.shuffled("round", _ROUND) * 3:
        if budget < 12:
            break
        beat = desk.beat(kind)
        if beat and beat not in middle and word_count(beat) < budget + brief.words * 0.2:
            middle.append(beat)
            budget -= word_count(beat)
    return [*head, *middle, hook]


def _plot_beat(desk: _Desk) -> str:
    """The next turn of the plot that is under way, or the first of a new one."""
    return ""


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
