"""Markdown that stops half-way, made whole: every part of a text renders as it would in the middle of it. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

Then = Literal["more", "end"]
"""What follows a part: more of the same paragraph, or nothing that belongs to it."""

RESERVE = 28
"""Characters that marks carried over from the part before can take, opened and closed again, and a closed fence."""
HEAVY = re.compile(r"[\\*_~|`@<\]#:]")
"""Characters that may come out as two: escaped, closed again, or with something invisible behind them."""

_TOKEN = re.compile(r"\\(?:.|$)|`+|\*+|_+|~~|\|\||\n\s*\n", re.DOTALL)
_PARAGRAPH = re.compile(r"\n\s*\n")
_FENCE = "```"


@dataclass(frozen=True, slots=True)
class Healed:
    """A part of a text that is valid by itself."""

    text: str
    carried: tuple[str, ...]
    """The marks that were closed here and have to be opened again in the next part."""


@dataclass(frozen=True, slots=True)
class _Open:
    mark: str
    at: int
    """Its place among the pieces put out."""
    escaped: str
    """What stands there instead when nothing closes it."""


def heal(text: str, carried: tuple[str, ...], then: Then) -> Healed:
    """Close what is open at the end, and escape the marks that never find their partner.

    The result has at most `RESERVE` characters more than the text, plus one for each of its `HEAVY` ones.
    """
    return _Healer(text, then).run(carried)


class _Healer:
    def __init__(self, text: str, then: Then) -> None:
        self._text = text
        self._then = then
        self._out: list[str] = []
        self._open: list[_Open] = []
        self._ahead: tuple[str, ...] = ()
        """Marks at the very end: nothing of what they mark is there yet."""

    def run(self, carried: tuple[str, ...]) -> Healed:
        at = 0
        for mark in carried:
            if mark.startswith("`"):
                at = self._code(mark, 0, "")
            else:
                self._push(mark, "")
        while found := _TOKEN.search(self._text, at):
            self._out.append(self._text[at : found.start()])
            at = self._token(found)
        self._out.append(self._text[at:])
        return self._end()

    def _token(self, found: re.Match[str]) -> int:
        token = found.group()
        if token[0] == "\\":
            self._out.append(token if len(token) > 1 else "\\\\")
        elif token[0] == "\n":
            self._abandon(0)
            self._out.append(token)
        elif token[0] == "`":
            return self._code(token, found.end(), _escaped(token))
        else:
            self._marks(token, found)
        return found.end()

    def _code(self, mark: str, start: int, escaped: str) -> int:
        """Take over code as it is; answer where the text goes on behind it."""
        if len(mark) > len(_FENCE):
            self._out.append(escaped)
            return start
        fence = mark == _FENCE
        if fence:
            self._abandon(0)
        paragraph = None if fence else _PARAGRAPH.search(self._text, start)
        limit = paragraph.start() if paragraph else len(self._text)
        end = self._text.find(mark, start, limit)
        opening = mark if escaped or not fence else f"{mark}\n"
        if end > start:
            self._out.append(f"{opening}{self._text[start:end]}{mark}")
            return end + len(mark)
        if fence or (paragraph is None and self._then == "more"):
            return self._unclosed_code(mark, opening, start)
        self._out.append(escaped)
        return start

    def _unclosed_code(self, mark: str, opening: str, start: int) -> int:
        rest = self._text[start:].rstrip()
        if rest:
            self._out.append(f"{opening}{rest}\n{mark}" if mark == _FENCE else f"{opening}{rest}{mark}")
        self._ahead = (mark,)
        return len(self._text)

    def _marks(self, token: str, found: re.Match[str]) -> None:
        before = self._text[found.start() - 1] if found.start() else " "
        after = self._text[found.end()] if found.end() < len(self._text) else ""
        if token[0] == "_" and before.isalnum() and after.isalnum():
            self._out.append(token)
            return
        rest = token
        if not before.isspace():
            while rest and (closed := self._close(rest)):
                rest = rest[closed:]
        if not after and self._then == "more":
            self._ahead = () if before.isalnum() else _split(rest)
        elif rest and after and not after.isspace() and not before.isalnum():
            self._open_all(rest)
        else:
            self._out.append(_escaped(rest))

    def _close(self, run: str) -> int:
        """Close the innermost mark that the run can close; answer how many characters that took."""
        for place in range(len(self._open) - 1, -1, -1):
            mark = self._open[place].mark
            if run.startswith(mark) and self._has_content(self._open[place]):
                self._abandon(place + 1)
                self._open.pop()
                self._out.append(mark)
                return len(mark)
        return 0

    def _open_all(self, run: str) -> None:
        for mark in _split(run):
            if len(mark) > 2 or any(mark == known.mark for known in self._open):  # noqa: PLR2004 - ** and __ are longest
                self._out.append(_escaped(mark))
            else:
                self._push(mark, _escaped(mark))

    def _push(self, mark: str, escaped: str) -> None:
        self._open.append(_Open(mark, len(self._out), escaped))
        self._out.append(mark)

    def _has_content(self, mark: _Open) -> bool:
        return any(piece.strip() for piece in self._out[mark.at + 1 :])

    def _abandon(self, place: int) -> None:
        """Give up on the marks from this place in the stack on."""
        for mark in self._open[place:]:
            self._out[mark.at] = mark.escaped
        del self._open[place:]

    def _end(self) -> Healed:
        if self._then == "end":
            self._abandon(0)
            return Healed("".join(self._out), ())
        carried = (*(mark.mark for mark in self._open), *self._ahead)
        while self._open and not self._has_content(self._open[-1]):
            self._out[self._open.pop().at] = ""
        text = "".join(self._out)
        closing = "".join(mark.mark for mark in reversed(self._open))
        return Healed(f"{text.rstrip()}{closing}" if closing else text, carried)


def _split(run: str) -> tuple[str, ...]:
    """Take a run of one character apart into marks: `***` is bold and italic; longer ones are none."""
    if len(run) <= 2:  # noqa: PLR2004 - one mark
        return (run,) if run else ()
    return (run[:2], run[2:]) if len(run) == 3 else (run,)  # noqa: PLR2004 - two marks


def _escaped(run: str) -> str:
    return "\\" + "\\".join(run) if run else ""
