"""A scene as it stands in a room: the texts of its messages, while it grows and when it is told. Pure."""

from dataclasses import dataclass
from typing import Self

from bot.presenter.pages import Laid, Page, finished, growing, head_room
from bot.surface import Limits
from bot.wording import happenings
from bot.wording.markup import clean
from bot.wording.voice import Voice, paragraphs
from storyforge_core.domain.events import SceneTold, Task

_GAP = 2
"""The blank line between a scene and what stands above or below it."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is being written for a room."""

    task: Task
    chosen: str
    by: str
    place: int = 0
    """How many others are written before it."""
    words: int = 0
    """How long it is to become; 0 while nobody has said."""

    @classmethod
    def of(cls, told: SceneTold) -> Self:
        """What had been asked for, as far as a told scene shows it."""
        return cls("continue" if told.chosen else "open", told.chosen, "")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One message's text, and how much of the whole prose it and those before it show."""

    text: str
    shown: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """How a platform shows a scene."""

    limits: Limits
    voice: Voice

    def blank(self, assignment: Assignment) -> tuple[Sheet, ...]:
        """What stands there until the first words come; nothing where it could not be replaced."""
        lead = self._lead(assignment)
        if self.limits.edits == "rewrite":
            return (Sheet(paragraphs(lead, happenings.placeholder(assignment.place))),)
        return (Sheet(lead),) if lead else ()

    def laid(self, words: str, before: Laid) -> Laid:
        """Divide the words so far among messages, knowing how fewer of them were."""
        return growing(clean(words), self.limits, head_room(self.limits), before)

    def growing(self, laid: Laid, assignment: Assignment) -> tuple[Sheet, ...]:
        """Show the words so far."""
        return _under(self._lead(assignment), laid.pages) or self.blank(assignment)

    def paused(self, laid: Laid, note: str, assignment: Assignment) -> tuple[Sheet, ...]:
        """Show the words so far and a note below them; nothing where it does not fit or could not be taken away."""
        sheets = self.growing(laid, assignment)
        noted = self._over(sheets, note)
        return noted if self.limits.edits == "rewrite" and len(noted) == len(sheets) else ()

    def told(self, told: SceneTold, assignment: Assignment) -> tuple[Sheet, ...]:
        """Show a finished scene with its number and title; they come last where what was shown can only grow."""
        pages = finished(clean(told.scene.prose), self.limits, head_room(self.limits))
        if self.limits.edits == "append":
            sheets = _under(self._lead(assignment), pages)
            return self._over(sheets, happenings.scene_signature(told, self.voice))
        head = happenings.scene_head(told, self.voice, self._head_chars())
        return self._over(_under(head, pages), happenings.scene_foot(told, self.voice))

    def broken_off(self, words: str, reason: str, assignment: Assignment) -> tuple[Sheet, ...]:
        """Show the words that there are, and under them why there are no more."""
        pages = finished(clean(words), self.limits, head_room(self.limits))
        return self._over(_under(self._lead(assignment), pages), reason)

    def message(self, text: str) -> tuple[Sheet, ...]:
        """Show a ready text of our own, in as many messages as it takes."""
        return tuple(Sheet(page.text, page.end) for page in finished(text, self.limits))

    def _head_chars(self) -> int:
        return max(head_room(self.limits) - _GAP, 1)

    def _lead(self, assignment: Assignment) -> str:
        return happenings.scene_lead(assignment.task, assignment.chosen, assignment.by, self.voice, self._head_chars())

    def _over(self, sheets: tuple[Sheet, ...], foot: str) -> tuple[Sheet, ...]:
        """Put a text below the last message, or into one of its own."""
        if not foot:
            return sheets
        if not sheets:
            return (Sheet(foot),)
        last = Sheet(paragraphs(sheets[-1].text, foot), sheets[-1].shown)
        if self.limits.most is None or self.limits.size(last.text) <= self.limits.most:
            return (*sheets[:-1], last)
        return (*sheets, Sheet(foot, last.shown))


def _under(head: str, pages: tuple[Page, ...]) -> tuple[Sheet, ...]:
    if not pages:
        return (Sheet(head),) if head else ()
    first, *rest = pages
    return (Sheet(paragraphs(head, first.text), first.end), *(Sheet(page.text, page.end) for page in rest))
