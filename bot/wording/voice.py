"""How the bot speaks on one platform: its markup, its way of saying a time, and short ways to quote people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.surface import Surface
from bot.wording.markup import Flavour, flavour, isolated, line
from storyforge_core.domain.story import Choice, Scene

NAME_CHARS = 40
TITLE_CHARS = 80
NAMES_LISTED = 6
COMMAND = "/story"
COMMANDS: Mapping[str, str] = {"matrix": "!story"}
"""How a command begins where the chat's own programs would take `/story` for one of theirs."""
_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"))


def plain_mention(kind: str, address: str) -> str:
    """Name a channel, a role or a person where nothing better is known than its id."""
    return f"{kind} {address}"


@dataclass(frozen=True, slots=True)
class Voice:
    """One platform's way of putting things."""

    flavour: Flavour
    moment: Callable[[datetime], str]
    mention: Callable[[str, str], str] = plain_mention
    """Names a channel, a role or a person by the platform's id; its first argument says which of them it is."""
    command: str = COMMAND
    """How a command begins when somebody types it."""

    def words(self, text: str, limit: int) -> str:
        """Quote what somebody wrote, on one line and inert."""
        return isolated(self.flavour.literal(line(text, limit)))

    def name(self, text: str) -> str:
        """Name a player."""
        return self.words(text, NAME_CHARS) or "somebody"

    def names(self, names: Sequence[str]) -> str:
        """Name several players in a sentence."""
        return listed(self.crowd(names))

    def crowd(self, names: Sequence[str]) -> Sequence[str]:
        """Name players one by one; of many, the last ones are counted."""
        shown = [self.name(name) for name in names[:NAMES_LISTED]]
        if len(names) > NAMES_LISTED:
            shown[-1] = f"{len(names) - NAMES_LISTED + 1} others"
        return shown

    def choice(self, choice: Choice, limit: int) -> str:
        """Show a choice with the number people type for it."""
        return f"{choice.position}. {self.words(choice.text, limit)}"

    def heading(self, scene: Scene, limit: int = TITLE_CHARS) -> str:
        """Name a scene by number and title."""
        number = f"{scene.number} · "
        title = self.words(scene.title, max(limit - len(number), 1))
        return f"{number}{title}" if title else f"Scene {scene.number}"


def voice_of(surface: Surface) -> Voice:
    """The voice for a platform."""
    return Voice(flavour(surface.limits.markup), surface.moment, command=COMMANDS.get(surface.name, COMMAND))


def clock_and_distance(at: datetime, now: datetime) -> str:
    """Say a time in words, such as `18:30, in 5 minutes`, in the time zone of `at`."""
    return f"{clock(at, now)}, {distance(at - now)}"


def clock(at: datetime, now: datetime) -> str:
    """Say a time as a clock shows it, with the day unless it is near, in the time zone of `at`."""
    return f"{at:%H:%M}" if abs(at - now) < timedelta(hours=12) else f"{at:%d %B, %H:%M}"


def distance(delta: timedelta) -> str:
    """Say how far away something is: `in 5 minutes`, `2 hours ago`."""
    seconds = delta.total_seconds()
    size, unit = next(((size, unit) for size, unit in _UNITS if abs(seconds) >= size), (1, "second"))
    span = counted(round(abs(seconds) / size), unit)
    return f"in {span}" if seconds >= 0 else f"{span} ago"


def counted(number: int, noun: str) -> str:
    """Count something: `1 vote`, `2 votes`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(items: Sequence[str], last: str = "and") -> str:
    """Put ready words in a row: `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""


def lines(*texts: str) -> str:
    """Put texts below each other; empty ones leave no gap."""
    return "\n".join(text for text in texts if text)


def paragraphs(*texts: str) -> str:
    """Put texts below each other with a blank line between; empty ones leave no gap."""
    return "\n\n".join(text for text in texts if text)


def within(make: Callable[[int], str], limit: int) -> str:
    """Make a text with as much room for its words as fits into `limit` characters, marks and escapes included."""
    size = limit
    made = make(size)
    while len(made) > limit and size > 1:
        size = max(1, size - (len(made) - limit))
        made = make(size)
    return made
