"""A model of a model: it makes mistakes about what holds, as often as was measured of real ones. It is not one.

StateTrack-Bench found that of a story's contradictions 88.6 % are by models that know better when they are asked, and
that saying again at the end of the prompt what holds makes up to 24.4 points of the difference. The rest is assumed.
"""

import json
import random
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from storyforge_core.domain.context import estimate
from storyforge_core.domain.writing import Asking, Finding, Finished, Message, Profile, Telling, Words, WriterEvent

NEAR_TOKENS = 800
"""From the end of a prompt: its task, and the notes before it."""
NEAR, FAR, GONE = 0.06, 0.304, 0.6
"""How often it says otherwise than what stands near the end, farther back, or nowhere. 24.4 points are measured."""
FORGOTTEN = 0.114
"""Of its mistakes, those that it also makes when it is asked: measured."""
_NOTES = re.compile(r"<(known|state|plan)>\n.*?\n</\1>", re.DOTALL)
FOLLOWED = 0.95
"""How often it says what a plan says, right or wrong: assumed."""
RAIN = "Rain came over the hill, as it had on the day of the {n}th cart, and nobody had a word to say about it."


@dataclass(frozen=True, slots=True)
class Held:
    """Something that holds in a story, and what would contradict it."""

    subject: str
    says: str
    right: str
    wrong: tuple[str, ...]

    def put(self, value: str) -> str:
        """It, or something else, in a sentence."""
        return f"{self.subject} {self.says} {value}."

    def contradicted(self, prose: str) -> bool:
        """Whether a sentence that names the subject says otherwise and not what holds."""
        about = [each for each in prose.replace("\n", " ").split(". ") if self.subject.lower() in each.lower()]
        return any(self.right not in each and any(other in each for other in self.wrong) for each in about)


class Forgetful:
    """Tells what holds or something else, by chance, and plans likewise.

    Args:
        holds: what its stories are about.
        seed: with another one it makes other mistakes.
        careless: it plans as carelessly as it tells, instead of as well as it answers.
        notes: only what is in notes counts as said again near the end, and no passage of a scene that came back.
    """

    label = "forgetful"
    window = 4096

    def __init__(self, holds: Sequence[Held], seed: int, *, careless: bool = False, notes: bool = False) -> None:
        self._holds = holds
        self._seed = seed
        self._careless = careless
        self._notes = notes

    async def profile(self) -> Profile:
        """It has no options."""
        return Profile(self.label)

    async def tell(self, telling: Telling) -> AsyncGenerator[WriterEvent, None]:
        """Tell of the rain, and of whatever was asked for."""
        told = len(telling.brief.path) + telling.brief.older
        rain = [RAIN.format(n=told * 10 + number) for number in range(4)]
        claims = [self._claim(held, telling) for held in self._asked_for(telling.brief.hint)]
        yield Words(" ".join((*rain, *claims)))
        yield Finished("stop")

    async def ask(self, asking: Asking) -> str:
        """Choices that do not matter, or a plan that says again what it believes to hold."""
        if asking.wanted != "plan":
            return json.dumps({"title": "Rain", "choices": ["Go on", "Go back", "Stay"]})
        avoid = [self._restated(held, asking) for held in self._asked_for(asking.brief.hint)]
        return json.dumps({"beats": ["They speak of it."], "who": [], "avoid": list(filter(None, avoid))})

    async def check(self) -> Sequence[Finding]:
        """Nothing can be wrong with it."""
        return ()

    async def aclose(self) -> None:
        """Nothing to let go of."""

    def _asked_for(self, hint: str) -> list[Held]:
        return [held for held in self._holds if held.subject in hint]

    def _claim(self, held: Held, telling: Telling) -> str:
        chance = random.Random(f"{self._seed} {len(telling.brief.path)} tells {held.subject}")
        plan = " ".join(telling.brief.plan)
        planned = next((value for value in held.wrong if held.put(value) in plan), "")
        if planned:
            return held.put(planned if chance.random() < FOLLOWED else held.right)
        wrong = chance.random() < self._slips(held, telling.messages)
        return held.put(chance.choice(held.wrong) if wrong else held.right)

    def _restated(self, held: Held, asking: Asking) -> str:
        chance = random.Random(f"{self._seed} {len(asking.brief.path)} plans {held.subject}")
        slips = self._slips(held, asking.messages)
        if slips == GONE:
            return ""
        wrong = chance.random() < slips * (1 if self._careless else FORGOTTEN)
        return held.put(chance.choice(held.wrong) if wrong else held.right)

    def _slips(self, held: Held, messages: Sequence[Message]) -> float:
        """How often it says otherwise after such a prompt."""
        prompt, right = messages[-1].content, held.put(held.right)
        place = prompt.rfind(right)
        if place < 0:
            return GONE
        said_again = not self._notes or any(right in note.group() for note in _NOTES.finditer(prompt))
        return NEAR if said_again and estimate(prompt[place:]) <= NEAR_TOKENS else FAR
