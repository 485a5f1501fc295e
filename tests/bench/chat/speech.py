"""Tokens that tell their own number, and how late people see them."""

import asyncio
import re
import statistics
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bot.presenter.healing import heal
from bot.surface import Markup
from bot.wording.markup import ZERO_WIDTH

SENTENCE = 13
"""Tokens of one."""
STRESSED = 40
"""Of so many tokens, some in a row are in italics and some are bold."""
_STARTS, _ENDS = {20: "*", 30: "**"}, {25: "*", 33: "**"}
_UNSEEN = re.compile(rf"[\s\\*{ZERO_WIDTH}]")
_WORD = re.compile(r"\bz([0-9a-f]{1,3})\b")


def word(number: int) -> str:
    """A token of about the length that English ones have."""
    start, end = _STARTS.get(number % STRESSED, ""), _ENDS.get(number % STRESSED, "")
    return f"{start}z{number:x}{'.' if number % SENTENCE == SENTENCE - 1 else ''}{end} "


def saying(tokens: int) -> str:
    """So many tokens."""
    return "".join(map(word, range(tokens)))


def words_in(text: str) -> list[int]:
    """The numbers of the tokens that stand in a text."""
    return [int(found, 16) for found in _WORD.findall(text)]


@dataclass(slots=True)
class Speech:
    """What one model says: so many tokens, evenly, whether or not somebody keeps up."""

    tokens: int
    rate: float
    """Tokens a second."""
    asked: int
    """Tokens that were asked for; models are not that obedient."""
    said: list[float] = field(default_factory=list)
    """When each token was said, by the clock of the loop."""

    async def each(self, say: Callable[[str], object]) -> None:
        """Say everything, one token at a time."""
        clock = asyncio.get_running_loop().time
        began = clock()
        for number in range(self.tokens):
            await asyncio.sleep(began + number / self.rate - clock())
            self.said.append(clock())
            say(word(number))

    async def chunks(self) -> AsyncIterator[str]:
        """The tokens as a bot gets them from its model: they wait for it while it waits for something else."""
        waiting: asyncio.Queue[str | None] = asyncio.Queue()
        speaking = asyncio.create_task(self.each(waiting.put_nowait))
        speaking.add_done_callback(lambda _: waiting.put_nowait(None))
        while (chunk := await waiting.get()) is not None:
            yield chunk

    @property
    def text(self) -> str:
        """Everything it says."""
        return saying(self.tokens)


@dataclass(frozen=True, slots=True)
class Sight:
    """A frame as readers see it."""

    at: float
    message: str
    text: str


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene as it was read; times in seconds."""

    lags: Sequence[float]
    """How long after it was said each token was seen."""
    requests: int
    refused: int

    @property
    def first(self) -> float:
        """From the first token to the first text."""
        return self.lags[0]

    @property
    def last(self) -> float:
        """From the last token to the frame that has it."""
        return self.lags[-1]


class Misread(AssertionError):
    """What was shown is not what was said."""


def read(speech: Speech, sights: Sequence[Sight], requests: int, refused: int) -> Scene:
    """Follow the frames of a scene.

    Raises:
        Misread: a token never came, or words that stood there before were gone.
    """
    lags: list[float] = []
    for sight in sights:
        shown = max(words_in(sight.text), default=-1)
        lags += [sight.at - speech.said[number] for number in range(len(lags), shown + 1)]
    if len(lags) != speech.tokens:
        raise Misread(f"{len(lags)} of {speech.tokens} tokens were shown")
    return Scene(lags, requests, refused)


def faithful(speech: Speech, sights: Iterable[Sight], markup: Markup = "markdown") -> None:
    """See that every frame is whole, that none takes words back, and that in the end all that was said stands there.

    Raises:
        Misread: otherwise.
    """
    shown: dict[str, str] = {}
    most = 0
    for sight in sights:
        if markup == "markdown" and heal(sight.text, (), "end").text != sight.text:
            raise Misread(f"a frame with marks that are not closed: {sight.text}")
        shown[sight.message] = sight.text
        together = max((number + 1 for text in shown.values() for number in words_in(text)), default=0)
        if together < most:
            raise Misread(f"{most} tokens stood there, then {together}")
        most = together
    if [number for text in shown.values() for number in words_in(text)] != list(range(speech.tokens)):
        raise Misread("not every token stands there once, in order")
    if _visible(speech.text) not in _visible("".join(shown.values())):
        raise Misread("the last frames are not what was said")


def _visible(text: str) -> str:
    """What is left when marks, escapes and blanks are taken away."""
    return _UNSEEN.sub("", text)


@dataclass(frozen=True, slots=True)
class Summary:
    """Several scenes together; times in seconds."""

    scenes: Sequence[Scene]

    @property
    def first(self) -> float:
        """The longest that anybody waited for the first text."""
        return max(scene.first for scene in self.scenes)

    @property
    def mean(self) -> float:
        """Of all tokens of all scenes."""
        return statistics.fmean(lag for scene in self.scenes for lag in scene.lags)

    @property
    def p95(self) -> float:
        """Of all tokens of all scenes."""
        return statistics.quantiles((lag for scene in self.scenes for lag in scene.lags), n=20)[-1]

    @property
    def last(self) -> float:
        """From a scene's last token to the frame that has it, on average."""
        return statistics.fmean(scene.last for scene in self.scenes)

    @property
    def worst_last(self) -> float:
        """The same at its longest."""
        return max(scene.last for scene in self.scenes)

    @property
    def requests(self) -> float:
        """Of one scene."""
        return statistics.fmean(scene.requests for scene in self.scenes)

    @property
    def refused(self) -> float:
        """Requests of one scene that were refused for their number."""
        return statistics.fmean(scene.refused for scene in self.scenes)
