"""What players see of the raw words of a language model, piece by piece."""

import re

from storyforge_core.domain.streams import LOOK_BACK, echo, first_sentence, is_loop, may_overlap, skip_overlap

_TAGS = ("<think>", "</think>", "<thinking>", "</thinking>")
_TAG = re.compile("|".join(_TAGS))


class Thoughts:
    """Takes `<think>…</think>` out of a text that arrives in pieces."""

    def __init__(self) -> None:
        self._held = ""
        self._inside = False

    def feed(self, text: str) -> str:
        """Take the next piece, give what is not a thought; what may be half a tag is held back."""
        text, start, spoken = self._held + text, 0, ""
        for tag in _TAG.finditer(text):
            spoken += self._unless_inside(text[start : tag.start()])
            self._inside = not tag.group().startswith("</")
            start = tag.end()
        end = _half_tag(text, start)
        self._held = text[end:]
        return spoken + self._unless_inside(text[start:end])

    def rest(self) -> str:
        """Give what was held back when no more comes."""
        return self._unless_inside(self._held)

    def _unless_inside(self, text: str) -> str:
        return "" if self._inside else text


class Prose:
    """The words of one telling: without thoughts, without what was told already, without endless repetition.

    What only repeats earlier words is held back until it either goes somewhere new, and is given then, or proves to be
    a loop: then the telling is over at the end of the sentence, and players have seen the phrase twice, not forever.
    """

    def __init__(self, told: str) -> None:
        self._told = told
        self._thoughts = Thoughts()
        self._joining: str | None = ""
        """New words that may still repeat the last ones told; None once that is settled."""
        self._tail = told[-LOOK_BACK:]
        self._echo = ""
        self.looping = False
        self.silent = True
        """Whether nothing has been given yet."""

    @property
    def echoing(self) -> bool:
        """Whether the last words only repeat earlier ones."""
        return bool(self._echo)

    def feed(self, text: str) -> str:
        """Take the next piece, give what can be shown of all pieces so far."""
        spoken = self._thoughts.feed(text)
        return self._new(self._join(spoken)) if spoken else ""

    def rest(self) -> str:
        """Give what was held back when no more comes."""
        spoken = self._thoughts.rest()
        joined = skip_overlap(self._told, self._joining + spoken) if self._joining is not None else spoken
        self._joining = None
        shown = self._new(joined)
        return shown + self._release()

    def last_sentence(self) -> str:
        """Give what is needed to end a loop cleanly; the rest of it is dropped."""
        return first_sentence(self._release())

    def _join(self, spoken: str) -> str:
        if self._joining is None:
            return spoken
        self._joining += spoken
        if may_overlap(self._told, self._joining):
            return ""
        joined, self._joining = skip_overlap(self._told, self._joining), None
        return joined

    def _new(self, text: str) -> str:
        if not text:
            return ""
        self._tail = (self._tail + text)[-LOOK_BACK:]
        size, distance = echo(self._tail)
        if size:
            self._echo += text
            self.looping = is_loop(size, distance)
            return ""
        self.silent = False
        return self._release() + text

    def _release(self) -> str:
        held, self._echo = self._echo, ""
        return held


def _half_tag(text: str, start: int) -> int:
    """Where a tag may have begun whose end has not arrived yet; the length of the text if nowhere."""
    at = text.rfind("<", start)
    return at if at >= 0 and any(tag.startswith(text[at:]) for tag in _TAGS) else len(text)
