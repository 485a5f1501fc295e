"""Finds known names in prose: the longest first, in any script, with possessives, and no other word like them. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_WORD = re.compile(r"[^\W_]+")
_UNPARTED = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Scripts that put no blanks between words."""
ARTICLES = frozenset({"the", "a", "an"})
"""The mill is a mill; other languages have articles that are words or names of another."""
_POSSESSIVE = "s"
"""Behind an apostrophe it is a word of its own; behind a German name it is part of it."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A place in a text where a name stands."""

    start: int
    end: int
    name: str
    """As it is known."""


@dataclass(slots=True)
class _Node:
    """Names that begin with the same words."""

    names: list[str] = field(default_factory=list)
    following: dict[str, "_Node"] = field(default_factory=dict)


class Names:
    """A vocabulary of names, made once and looked for in many texts."""

    def __init__(self, names: Iterable[str]) -> None:
        self._root = _Node()
        unparted = []
        for name in dict.fromkeys(names):
            if _UNPARTED.search(name):
                unparted.append(name)
            elif words := _words(plain(name)):
                self._add(words, name)
        longest_first = sorted(unparted, key=len, reverse=True)
        self._unparted = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def mentions(self, text: str) -> tuple[Mention, ...]:
        """Find every place where a name stands, the longest where several begin."""
        found = [*self._in_words(text), *self._in_characters(text)]
        return tuple(sorted(found, key=lambda mention: mention.start))

    def _add(self, words: Sequence[str], name: str) -> None:
        node = self._root
        for word in words:
            node = node.following.setdefault(word, _Node())
        node.names.append(name)

    def _in_words(self, text: str) -> Iterator[Mention]:
        said = _WORD.findall(text)
        first = {word for word in set(said) if _next(self._root.following, word)}  # few words of a text begin a name
        places = [place for place, word in enumerate(said) if word in first]
        spans = [match.span() for match in _WORD.finditer(text)] if places else []
        passed = 0
        for at in places:
            found = self._longest(text, spans, at) if at >= passed else None
            if found is not None:
                name, words = found
                yield Mention(spans[at][0], spans[at + words - 1][1], name)
                passed = at + words

    def _longest(self, text: str, spans: Sequence[tuple[int, int]], at: int) -> tuple[str, int] | None:
        """The name of most words that begins with a word of the text, and how many words it has."""
        node: _Node | None = self._root
        best: tuple[str, int] | None = None
        for steps in range(1, len(spans) - at + 1):
            start, end = spans[at + steps - 1]
            node = _next(node.following, text[start:end]) if node else None
            if node is None:
                break
            said = text[spans[at][0] : end]
            name = next((name for name in node.names if _is_meant(name, said)), None)
            best = (name, steps) if name else best
        return best

    def _in_characters(self, text: str) -> Iterator[Mention]:
        if self._unparted is not None:
            yield from (Mention(match.start(), match.end(), match.group()) for match in self._unparted.finditer(text))


def plain(name: str) -> str:
    """A name for comparing: letter case, forms of letters, blank space and an article before it aside."""
    words = unicodedata.normalize("NFKC", name).casefold().split()
    return " ".join(words[1:] if len(words) > 1 and words[0] in ARTICLES else words)


def _words(name: str) -> list[str]:
    return [_folded(word) for word in _WORD.findall(name)]


def _folded(word: str) -> str:
    return word.casefold() if word.isascii() else unicodedata.normalize("NFKC", word).casefold()


def _next(following: Mapping[str, _Node], word: str) -> _Node | None:
    """The node that a word leads to; a name may have an `s` at its end."""
    folded = _folded(word)
    return following.get(folded) or (following.get(folded[:-1]) if folded.endswith(_POSSESSIVE) else None)


def _is_meant(name: str, said: str) -> bool:
    """A name that is written with a capital is no common word written without: Hope, and hope."""
    one_word = not any(char.isspace() for char in name.strip())
    return not (one_word and name[:1].isupper() and said[:1].islower())
