"""A scene: what comes of the choice, how the story moves on, and what has to be decided next."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from storyforge_core.domain.writing import Brief
from storyforge_core.providers.offline.banks import Beat, bank
from storyforge_core.providers.offline.cast import Cast, assemble
from storyforge_core.providers.offline.dice import Dice
from storyforge_core.providers.offline.hooks import next_hook, taken_option
from storyforge_core.providers.offline.template import mark, render
from storyforge_core.providers.offline.text import ends_sentence, word_count
from storyforge_core.providers.offline.tone import tone_of
from storyforge_core.providers.offline.verbs import verbs
from storyforge_core.providers.offline.weave import chosen_deed, direct, hint_at

_SCENERY = ("place", "thought", "tone")
_COMPANY = ("talk", "thing")
_ROUNDS = 12
_LULLS = 5
"""One scene in so many leaves the plot alone, so that a reroll can be another story."""
_BEATS_OF_A_PARAGRAPH = 4
_WITHOUT_HOOK = 0.75
"""Share of a scene that choice and plot may take before its hook."""
_ROOMY = 120
"""Words from which an opening has room for its setting."""


@dataclass(frozen=True, slots=True)
class _Desk:
    """What lies ready for writing one scene."""

    brief: Brief
    cast: Cast
    dice: Dice

    def say(self, template: str) -> str:
        return render(template, self.cast.slots, self.dice)

    def beat(self, kind: str, beside: str = "") -> str:
        """A beat that this path has not heard, mostly from a close bank; when all were, one of long ago."""
        heard = self.cast.told + beside
        stock = [each.beats.get(kind, ()) for each in self.cast.banks]
        fresh = [tuple(beat for beat in beats if beat.mark not in heard) for beats in stock]
        filled = [beats for beats in fresh if beats] or [_longest_ago(beats, heard) for beats in stock if beats]
        if not filled:
            return ""
        label = f"{kind}/{len(beside)}"
        near = 0 if self.dice.roll(f"{label}/near", 3) else len(filled) - 1
        return self.say(self.dice.pick(label, filled[near]).text)


def scene_of(brief: Brief) -> str:
    """The whole text of a scene; for an extension only the new words, with the white space that joins them."""
    if brief.extend.strip():
        return go_on(brief, brief.extend)
    desk = _desk(brief)
    if not brief.path:
        return "\n\n".join(_filled(desk, _opening(desk), ""))
    first = _joined(_consequence(desk), _steered(desk))
    return "\n\n".join(_filled(desk, [first], _plot_beat(desk, first)))


def go_on(brief: Brief, told: str) -> str:
    """New words that follow on `told` directly, to the next decision."""
    desk = _desk(brief, told)
    wish = _steered(desk) if told == brief.extend else ""  # else it is told already
    gap = "" if told[-1:].isspace() else "\n\n"
    rest = "\n\n".join(_filled(desk, [_joined(desk.beat("bridge"), wish)], ""))
    return (gap if ends_sentence(told) else "… ") + rest


def _desk(brief: Brief, told: str = "") -> _Desk:
    path = "\x1f".join(f"{scene.title}/{scene.choice}/{len(scene.prose)}" for scene in brief.path)
    parts = (str(brief.seed), brief.premise, brief.genre, brief.tone, brief.chosen, brief.hint, brief.note, path, told)
    dice = Dice("\x1e".join(parts))
    return _Desk(brief, assemble(brief, dice, told), dice)


def _opening(desk: _Desk) -> list[str]:
    """Who, what, where, and with whom."""
    premise, cast = desk.cast.premise, desk.cast
    frames = bank("frames").beats
    kind = "event" if premise.event else "phrase" if premise.phrase else "quote" if premise.text else "blank"
    slots = {**cast.slots, "event": desk.say(premise.event), "phrase": premise.phrase}
    first = render(desk.dice.pick("first", frames[f"open_{kind}"]).text, slots, desk.dice)
    hero = desk.say(desk.dice.pick("hero", frames[f"hero_{_acquaintance(cast)}"]).text)
    wonder = "" if premise.thing else desk.say(cast.wonder.intro)
    settings = next(each.beats["opening"] for each in cast.banks if "opening" in each.beats)
    setting = desk.say(desk.dice.pick("setting", settings).text)
    roomy = desk.brief.words > _ROOMY
    return [
        _joined(first, hero),
        _joined(setting if roomy else "", wonder, _steered(desk)),
        _joined(desk.say(cast.thing.intro) if roomy else "", desk.say(cast.friend.intro)),
    ]


def _acquaintance(cast: Cast) -> str:
    """How the protagonist has to be introduced."""
    if cast.person == "they":
        return "they"
    if cast.premise.event and (cast.premise.name or cast.premise.role):
        return "named" if cast.premise.name else "one"
    return "other"


def _steered(desk: _Desk) -> str:
    hint = hint_at(desk.brief.hint, desk.cast, desk.dice)
    return _joined(hint, direct(desk.brief.note, desk.cast, desk.dice))


def _consequence(desk: _Desk) -> str:
    if not desk.brief.chosen.strip():
        return desk.beat("bridge")
    acted = chosen_deed(desk.brief.chosen, desk.cast, desk.dice)
    option = taken_option(desk.brief, desk.cast)
    if option:
        return _joined(acted.sentence, desk.say(desk.dice.pick("then", option.then)))
    outcomes = verbs().outcomes.get(verbs().classes.get(acted.verb, ""), ())
    fresh = [text for text in outcomes if mark(text) not in desk.cast.told]
    return _joined(acted.sentence, desk.say(desk.dice.pick("then", fresh)) if fresh else desk.beat("outcome"))


def _plot_beat(desk: _Desk, first: str) -> str:
    """The next turn of the plot under way, or the first of one that this path has not met; empty without room."""
    told = desk.cast.told
    plots = [(each, plot) for each in desk.cast.banks for plot in each.plots]
    begun = [plot for _, plot in plots if any(b.mark in told for b in plot) and not all(b.mark in told for b in plot)]
    unmet = [(each, plot) for each, plot in plots if not any(beat.mark in told for beat in plot)]
    near = [plot for each, plot in unmet if each is not bank("general")] or [plot for _, plot in unmet]
    if not (begun or near) or not desk.dice.roll("lull", _LULLS):
        return ""
    plot = begun[0] if begun else desk.dice.pick("plot", near)
    beat = desk.say(next(beat for beat in plot if beat.mark not in told).text)
    return beat if word_count(f"{first} {beat}") < desk.brief.words * _WITHOUT_HOOK else ""


def _filled(desk: _Desk, lead: Sequence[str], turn: str) -> list[str]:
    """The fixed parts of a scene with scenery and company between them, up to the wanted length."""
    hook = desk.say(next_hook(desk.brief, desk.cast, desk.dice).beat.text)
    scenery: list[str] = []
    company: list[str] = []
    wanted = desk.brief.words - word_count(" ".join([*lead, turn, hook]))
    for kind in _kinds(desk):
        beside = " ".join([*lead, turn, *scenery, *company])
        beat = desk.beat(kind, beside)
        if not beat or beat in beside or word_count(beat) > wanted + desk.brief.words * 0.15:
            continue
        (company if kind in _COMPANY else scenery).append(beat)
        wanted -= word_count(beat)
        if wanted < desk.brief.words * 0.08:
            break
    return [part for part in [*lead, *_paragraphs(scenery), turn, *company, hook] if part]


def _kinds(desk: _Desk) -> list[str]:
    """Kinds of beats in the order in which they are asked for."""
    tone = tone_of(desk.brief, desk.cast.banks)
    first = desk.dice.shuffled("kinds", ["place", "talk", "thought", tone])
    return [*first, "thing", *(["place", "talk", tone, "thought"] * _ROUNDS)]


def _paragraphs(beats: Sequence[str]) -> list[str]:
    """Scenery in paragraphs of about as many beats each."""
    count = ceil(len(beats) / _BEATS_OF_A_PARAGRAPH)
    cuts = [round(at * len(beats) / count) for at in range(count + 1)] if count else []
    return [" ".join(beats[start:end]) for start, end in pairwise(cuts)]


def _longest_ago(beats: Sequence[Beat], heard: str) -> tuple[Beat, ...]:
    """Those that were told longest ago, half of them."""
    return tuple(sorted(beats, key=lambda beat: heard.rfind(beat.mark))[: ceil(len(beats) / 2)])


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
