"""Who and what a story is about: found again in what was told, chosen by dice where nothing was told yet."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from storyforge_core.domain.writing import Brief
from storyforge_core.providers.offline.banks import GENRES, MOTIFS, Bank, Known, bank, layers
from storyforge_core.providers.offline.dice import Dice
from storyforge_core.providers.offline.premise import Person, Premise, parse
from storyforge_core.providers.offline.text import as_sentence, with_article

_PRONOUNS: Mapping[Person, Mapping[str, str]] = {
    "she": {"she": "she", "her": "her", "him": "her", "hers": "hers", "herself": "herself", "was": "was"},
    "he": {"she": "he", "her": "his", "him": "him", "hers": "his", "herself": "himself", "was": "was"},
    "they": {"she": "they", "her": "their", "him": "them", "hers": "theirs", "herself": "themselves", "was": "were"},
}
_CHANCES: tuple[Person, ...] = ("she", "she", "he")
_SCENES_REMEMBERED = 24
_NEUTRAL_PLACES = 3


@dataclass(frozen=True, slots=True)
class Cast:
    """What stays the same along a path."""

    premise: Premise
    banks: tuple[Bank, ...]
    slots: Mapping[str, str]
    friend: Known
    thing: Known
    wonder: Known
    person: Person
    told: str
    """What the path has told, as far as it is remembered."""


def assemble(brief: Brief, dice: Dice, prose: str = "") -> Cast:
    """The cast of the story on this path; `prose` is told after it."""
    premise = parse(brief.premise)
    banks = layers(brief.genre, f"{brief.premise} {brief.title}")
    scenes = (*brief.path[:1], *brief.path[1:][-_SCENES_REMEMBERED:])
    told = "\n".join([*(scene.prose for scene in scenes), brief.extend, prose])

    def recall(label: str, candidates: Sequence[Known]) -> Known:
        free = [known for known in candidates if known.name not in brief.premise] or list(candidates)
        found = [known for known in free if re.search(rf"\b{re.escape(known.name)}\b", told, re.IGNORECASE)]
        return min(found, key=lambda known: told.find(known.name)) if found else dice.pick(label, free)

    friend = _stranger(told, premise, banks) or recall("friend", _all(banks, lambda each: each.friends))
    thing = recall("thing", _all(banks, lambda each: each.things))
    own = Known(f"the {premise.thing}", "") if premise.thing else None
    wonder = own or recall("wonder", _all(banks, lambda each: each.wonders))
    fixed = Dice(f"{brief.premise}\x1f{brief.genre}")
    name, person = _protagonist(premise, banks, friend.name, fixed)
    slots = {
        **_PRONOUNS[person],
        **_hero_slots(premise, banks, person, name, fixed),
        "friend": friend.name,
        "thing": thing.name,
        "wonder": wonder.name,
        "matter": f"the {premise.found}" if premise.found else wonder.name,
        "place": _place(banks, brief.premise, told, dice),
        "premise": as_sentence(premise.text),
    }
    return Cast(premise, banks, slots, friend, thing, wonder, person, told)


def _stranger(told: str, premise: Premise, banks: Sequence[Bank]) -> Known | None:
    """The companion in prose of another hand: whoever is named most, when nobody of ours is."""
    ours = {known.name for each in banks for known in each.friends}
    if any(name in told for name in ours):
        return None
    named = re.findall(r"(?<=[a-z,] )[A-Z][a-z]{2,}\b", told)
    others = Counter(name for name in named if name not in premise.text)
    return Known(others.most_common(1)[0][0], "") if others else None


def _all(banks: Sequence[Bank], part: Callable[[Bank], tuple[Known, ...]]) -> tuple[Known, ...]:
    """The entries of the closest bank that has any."""
    return next(part(each) for each in banks if part(each))


def _protagonist(premise: Premise, banks: Sequence[Bank], friend: str, fixed: Dice) -> tuple[str, Person]:
    """A name and a pronoun that go together."""
    pets = bank("animal")
    tame = premise.role.split()[-1:] and premise.role.split()[-1].lower() in pets.words
    near = pets if tame else next(each for each in banks if each.women and each is not pets)
    women = [name for name in near.women if name != friend]
    men = [name for name in near.men or bank("general").men if name != friend]
    guessed: Person = fixed.pick("person", _CHANCES)
    person = premise.person or _person_called(premise.name) or guessed
    if premise.name:
        return premise.name, person
    first = fixed.pick("name", men if person == "he" else women)
    if person != "they":
        return first, person
    second = fixed.pick("second", men)
    return f"{first} and {second}" if "two" in premise.event.split()[:1] else f"{first}, {second} and company", person


def _person_called(name: str) -> Person | None:
    every = [bank(each) for each in (*GENRES, *MOTIFS, "general")]
    if name in {man for each in every for man in each.men}:
        return "he"
    known = name.endswith("a") or name in {woman for each in every for woman in each.women}
    return "she" if known else None


def _hero_slots(premise: Premise, banks: Sequence[Bank], person: Person, name: str, fixed: Dice) -> dict[str, str]:
    role = premise.role or fixed.pick("role", next(each.heroes for each in banks if each.heroes))
    short = f"the {role.split()[-1]}"
    if person == "they":
        group = short if premise.role else premise.name or "the two of them"
        return {"hero": group, "name": name, "role": group, "a_role": group}
    return {"hero": name, "name": name, "role": short, "a_role": with_article(role)}


def _place(banks: Sequence[Bank], premise: str, told: str, dice: Dice) -> str:
    """A place the premise names, or the first the story has named, or a new one."""
    places = [place for each in banks for place in each.places]
    low = f" {premise.lower()}"
    named = next((place for place in places if f" {place.removeprefix('the ')}" in low), "")
    if named:
        return named
    found = [(told.find(place), place) for place in places if place in told]
    closest = next(each.places for each in banks if each.places)
    return min(found)[1] if found else dice.pick("place", closest[:_NEUTRAL_PLACES])
