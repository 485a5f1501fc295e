"""Text made safe to show: what a model or a player wrote cannot ping, mask a link, or disguise itself. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Protocol, assert_never

from bot.surface import Markup
from storyforge_core.domain.answers import one_line

ZERO_WIDTH = "\u200b"
"""Put inside whatever a chat program would act upon: it looks the same and does nothing."""

_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
_MARKS_ON_A_LETTER = 2
"""Vietnamese needs two accents on one letter; a tower of them covers other people's lines."""
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters other than tab and line feed
    r"\u202a-\u202e\u2066-\u2069"  # direction embeddings, overrides and isolates: they can turn a text around
    r"\u00ad\u180e\u200b\u2060-\u2064\ufeff\ufff9-\ufffb"  # zero width, and not part of any word or emoji
    r"\ud800-\udfff]"  # halves of characters
)
_LINE_BREAKS = str.maketrans({"\u2028": "\n", "\u2029": "\n", "\x85": "\n"})
_ACTED_UPON = re.compile(
    r"(?<=@)(?=[^\s@\u200b])"  # @everyone, @here, @room, @user:server, and the user in a matrix.to address
    r"|(?<=<)(?=[@#/a-z])"  # <@user>, <@&role>, <#channel>, </command:…>, <id:…>, HTML
    r"|(?<=\])(?=[(\[:])"  # [text](address), [text][label], [label]: address
    r"|(?<=matrix)(?=:)"  # matrix:u/user:server
    r"|(?<=matrix\.to/)(?=#)"  # a link to a room or person is shown as its name
)
_MEANINGFUL = re.compile(r"([\\*_~|`\[\]<>#])")


def clean(text: str) -> str:
    """Take out what cannot be seen but acts: control characters, direction overrides, halves of characters.

    Goes character by character, so the clean form of a growing text grows at its end only.
    """
    return _UNSEEN.sub("", text.translate(_LINE_BREAKS))


def neutral(text: str) -> str:
    """Make pings and masked links inert; the text looks the same."""
    return _ACTED_UPON.sub(ZERO_WIDTH, text)


def line(text: str, limit: int) -> str:
    """One clean line of at most `limit` characters, cut between words."""
    return _without_towers(one_line(clean(text), limit))


def isolated(text: str) -> str:
    """Keep a ready line that is written from right to left from turning the words around it."""
    if any(unicodedata.bidirectional(char) in {"R", "AL", "AN"} for char in text):
        return f"{_ISOLATE}{text}{_END_ISOLATE}"
    return text


def _without_towers(text: str) -> str:
    kept: list[str] = []
    height = 0
    for char in unicodedata.normalize("NFC", text):
        height = height + 1 if unicodedata.category(char) == "Mn" else 0
        if height <= _MARKS_ON_A_LETTER:
            kept.append(char)
    return "".join(kept)


class Flavour(Protocol):
    """How a kind of platform writes emphasis, and how words of others are put between ours."""

    def strong(self, text: str) -> str:
        """Set ready text in bold."""

    def soft(self, text: str) -> str:
        """Set ready text apart, quieter than its surroundings."""

    def literal(self, text: str) -> str:
        """Show words of others, line breaks included, exactly as they were written."""

    def block(self, text: str) -> str:
        """Show lines of our own in columns."""


@dataclass(frozen=True, slots=True)
class Markdown:
    """Discord's and Matrix's common part of Markdown."""

    def strong(self, text: str) -> str:
        """Set ready text in bold."""
        return f"**{text}**" if text else ""

    def soft(self, text: str) -> str:
        """Set ready text in italics."""
        return f"*{text}*" if text else ""

    def literal(self, text: str) -> str:
        """Escape every mark and make pings inert."""
        return neutral(_MEANINGFUL.sub(r"\\\1", clean(text)))

    def block(self, text: str) -> str:
        """Fence lines in; the words in them cannot end the fence."""
        inert = clean(text).replace("``", f"`{ZERO_WIDTH}`")
        return f"```\n{neutral(inert)}\n```"


@dataclass(frozen=True, slots=True)
class Plain:
    """Text that is shown as it is."""

    def strong(self, text: str) -> str:
        """Nothing to add."""
        return text

    def soft(self, text: str) -> str:
        """Nothing to add."""
        return text

    def literal(self, text: str) -> str:
        """Only clean it."""
        return clean(text)

    def block(self, text: str) -> str:
        """Only clean it."""
        return clean(text)


def flavour(markup: Markup) -> Flavour:
    """The flavour of a platform."""
    match markup:
        case "markdown":
            return Markdown()
        case "plain":
            return Plain()
        case _:
            assert_never(markup)
