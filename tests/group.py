"""A group of three that plays one story on four branches, and plants on each what no other branch may ever hear of."""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from types import MappingProxyType

from storyforge_core.domain.book import AddEntity, AddFact
from storyforge_core.domain.commands import (
    AddLore,
    BranchFrom,
    ChangeRules,
    CloseBallot,
    Command,
    ContinueStory,
    Direct,
    Edit,
    Extend,
    GoTo,
    Join,
    NewStory,
    Redo,
    Reroll,
    Speaker,
    Undo,
    Vote,
    WriteIn,
)
from storyforge_core.domain.replies import Declined, Reply
from storyforge_core.domain.story import Scene
from storyforge_core.domain.writing import Asking, Message, Profile, Telling, WriterEvent
from storyforge_core.ports import Writer
from tests.game import ANN, BO, CY, Game, ScriptedWriter

TURNS = 15
FORKS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {"mill": ("", 0), "harbour": ("", 0), "chapel": ("mill", 5), "tower": ("harbour", 6)}
)
"""For each branch the branch and the turn it leaves from; the first two leave from the opening."""
VOWS = MappingProxyType(
    {"mill": "mend the wheel of", "harbour": "sink every boat at", "chapel": "ring bells in", "tower": "burn down"}
)
FACT, EDIT = 4, 6
"""The turns in which a fact is written down, and in which a player writes the scene."""
MARK = re.compile(r"zq[a-z]+\d\d", re.IGNORECASE)

Place = tuple[str, int]
"""A branch and a turn."""


def mark(branch: str, turn: int) -> str:
    """A word that is said on one branch only, from one turn on."""
    return f"zq{branch}{turn:02}"


def marks_in(text: str) -> set[str]:
    """The words of that kind that a text has."""
    return {found.lower() for found in MARK.findall(text)}


def known_at(branch: str, turn: int) -> set[str]:
    """Those that may be known there: of this branch up to now, and of those it comes from up to where it left them."""
    if not branch:
        return set()
    return {mark(branch, at) for at in range(1, turn + 1)} | known_at(*FORKS[branch])


class Scribe(ScriptedWriter):
    """Has another storyteller tell, and keeps what that was asked, and where the story stood then."""

    def __init__(self, teller: Writer, window: int) -> None:
        super().__init__()
        self._teller = teller
        self.label = teller.label
        self.window = window
        self.at: Place = ("", 0)
        self.asked: list[tuple[Place, Sequence[Message]]] = []
        self.asked_in_the_background: list[Sequence[Message]] = []
        """When nobody waits: the story may stand elsewhere by then."""
        self.scenes_read = 0

    async def profile(self) -> Profile:
        return await self._teller.profile()

    async def tell(self, telling: Telling) -> AsyncGenerator[WriterEvent, None]:
        self.tellings.append(telling)
        self.asked.append((self.at, telling.messages))
        async with aclosing(self._teller.tell(telling)) as events:
            async for event in events:
                yield event  # noqa: ASYNC119  # the port has callers close it

    async def ask(self, asking: Asking) -> str:
        if asking.wanted in {"summary", "findings"}:
            self.asked_in_the_background.append(asking.messages)
            self.scenes_read += asking.wanted == "findings"
        else:
            self.asked.append((self.at, asking.messages))
        return await self._teller.ask(asking)


@dataclass
class Group:
    """Ann, who hosts, Bo and Cy."""

    played: Game
    scribe: Scribe
    read: bool = False
    """What scenes say is found out."""
    told: dict[Place, Scene] = field(default_factory=dict)
    """What each turn has come to."""

    async def begin(self) -> None:
        """Have the opening told, and sit down."""
        await self._do(NewStory("A brass lantern is carried about", title="The Lantern"))
        for speaker in (BO, CY):
            await self._do(Join(), speaker)
        await self._do(AddEntity("character", "Osk", "is afraid of heights"))
        await self._note("", 0)

    async def play(self) -> None:
        """Sixty turns."""
        for branch, fork in FORKS.items():
            await self.go(*fork)
            for turn in range(1, TURNS + 1):
                self.scribe.at = (branch, turn)
                await _turn(self, branch, turn)
                await self._note(branch, turn)

    async def go(self, branch: str, turn: int) -> None:
        """Stand where a turn has led to."""
        await self._do(BranchFrom(str(self.told[branch, turn].number)))
        self.scribe.at = (branch, turn)

    async def vote(self, *numbers: int) -> None:
        """All three vote; the last vote decides."""
        for speaker, number in zip((BO, CY, ANN), numbers, strict=False):
            await self._do(Vote(number), speaker)

    async def write_in(self, speaker: Speaker, text: str) -> None:
        """One has an idea of their own, and the others like it."""
        await self._do(WriteIn(text), speaker)
        status = await self.played.status()
        assert status.ballot is not None
        place = next(choice.position for choice in status.ballot.choices if choice.text == text)
        for other in {ANN, BO, CY} - {speaker}:
            await self._do(Vote(place), other)

    async def do(self, *commands: Command) -> None:
        """Ann does one thing after another."""
        for command in commands:
            await self._do(command)

    async def _do(self, command: Command, speaker: Speaker = ANN) -> Reply:
        reply = await self.played.play(command, speaker)
        assert not isinstance(reply, Declined), (command, reply)
        return reply

    async def _note(self, branch: str, turn: int) -> None:
        head = (await self.played.status()).head
        assert head is not None
        assert head.number == len(self.told) + 1
        self.told[branch, turn] = head

    @property
    def head(self) -> Scene:
        """What was told last."""
        return list(self.told.values())[-1]


async def _fact(group: Group, said: str) -> None:
    quote = " ".join(group.head.prose.split()[:10])
    await group.do(AddFact(f"Osk has seen {said}", quote))
    await group.vote(1, 1, 1)


async def _directed(group: Group, said: str) -> None:
    await group.do(Direct(f"let it smell of {said}"))
    await group.vote(2, 2, 2)
    await group.do(Direct())


async def _undone(group: Group, said: str) -> None:
    del said
    await group.do(Undo(), Redo())
    await group.vote(1, 2, 1)


async def _elsewhere_and_back(group: Group, said: str) -> None:
    del said
    await group.do(GoTo("1"), GoTo(str(group.head.number)))
    await group.vote(2, 1, 2)


async def _closed(group: Group, said: str) -> None:
    del said
    await group.vote(1, 2)
    await group.do(CloseBallot(2))


async def _lore(group: Group, said: str) -> None:
    await group.do(AddLore(f"The bell of {said} rings for the dead.", keys=f"bell of {said}", title=said))
    await group.do(ContinueStory(f"Osk hears the bell of {said}"))


async def _planned(group: Group, said: str) -> None:
    await group.do(ChangeRules("planner", "on"), ContinueStory(f"Osk looks for {said}"), ChangeRules("planner", "off"))


Move = Callable[[Group, str], Awaitable[None]]
MOVES: Mapping[int, Move] = MappingProxyType(
    {
        1: lambda group, said: group.write_in(BO, f"Carry the lantern to {said}"),
        2: lambda group, _: group.vote(1, 1, 1),
        3: lambda group, said: group.do(ContinueStory(f"Osk finds a letter from {said}")),
        FACT: _fact,
        5: _directed,
        EDIT: lambda group, said: group.do(
            Edit(
                f"The brass lantern stood in {said} now, while Osk kept watch in the rain. Osk promised to "
                f"{VOWS[said[2:-2]]} {said}. Then Osk went into the {said[2:-2]} cellar."
            )
        ),
        7: _closed,
        8: _lore,
        9: _undone,
        10: lambda group, said: group.do(Reroll(f"a stranger comes from {said}")),
        11: _elsewhere_and_back,
        12: lambda group, said: group.do(Extend(f"somebody sings of {said}")),
        13: lambda group, said: group.write_in(CY, f"Ask Osk about {said}"),
        14: _planned,
        15: lambda group, said: group.do(ContinueStory(f"the road leads to {said}")),
    }
)
"""What the group does in each turn; each makes one scene."""


async def _turn(group: Group, branch: str, turn: int) -> None:
    await MOVES[turn](group, mark(branch, turn))
