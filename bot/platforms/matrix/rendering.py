"""The presenter's Markdown as Matrix wants it: HTML that can do nothing, and plain words for whoever reads no HTML.

What is read is the part of Markdown that is written here and on Discord. There are no links, pictures, lists or
entities in it: an address stands there as it is, and clients make it pressable. Pure.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType

SPOILER = "data-mx-spoiler"
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
TAGS: Final = {"p", "br", "strong", "em", "u", "del", "code", "pre", "blockquote", "span", *_HEADINGS}
SCHEMES: Final = {"http", "https", "matrix", "mailto"}
_BARS = re.compile(r"(?<!\\)\|\|")
_LETTER = re.compile(r"\S")
_HIDDEN = "\u2588"
_BREAK_BEHIND_TAG = re.compile(r"(?<=>)\n")


@dataclass(frozen=True, slots=True)
class Rendered:
    """One text in both forms."""

    plain: str
    html: str
    """Empty where it would say no more than the plain words."""


def rendered(markdown: str) -> Rendered:
    """Render a text in both forms."""
    tokens = _READER.parse(markdown)
    html = nh3.clean(
        _READER.renderer.render(tokens, _READER.options, {}),
        tags=TAGS,
        attributes={"span": {SPOILER}},
        url_schemes=SCHEMES,
    )
    return Rendered(_plain(tokens), _lean(html) if _has_marks(tokens) else "")


def plain(markdown: str) -> str:
    """Read a text without its marks; what is hidden until it is pressed is blacked out."""
    return _plain(_READER.parse(markdown))


def _lean(html: str) -> str:
    """Leave out breaks that are not shown, and the mark of a paragraph that is the only one."""
    lean = _BREAK_BEHIND_TAG.sub("", html)
    alone = lean.startswith("<p>") and lean.endswith("</p>") and lean.count("<p>") == 1
    return lean[len("<p>") : -len("</p>")] if alone else lean


def _has_marks(tokens: Sequence[Token]) -> bool:
    inline = [child for token in tokens for child in token.children or ()]
    return any(token.type not in _UNMARKED for token in (*tokens, *inline))


def _plain(tokens: Sequence[Token]) -> str:
    return "\n\n".join(_blocks(tokens))


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    """Read block by block; lines of a quotation keep their mark."""
    depth = 0
    for token in tokens:
        if token.type in {"blockquote_open", "blockquote_close"}:
            depth += token.nesting
        text = _words(token.children or ()) if token.type == "inline" else token.content.rstrip("\n")
        if token.type in {"inline", "fence"} and text:
            yield "\n".join(f"{'> ' * depth}{line}" for line in text.split("\n"))


def _words(tokens: Sequence[Token]) -> str:
    said: list[str] = []
    hidden = 0
    for token in tokens:
        if token.attrGet(SPOILER) is not None or token.type == "spoiler_close":
            hidden += token.nesting
        text = "\n" if token.type in {"softbreak", "hardbreak"} else token.content
        said.append(_LETTER.sub(_HIDDEN, text) if hidden else text)
    return "".join(said)


def _spoiler(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the reader's way of calling a rule
    """Read `||words||`, which are hidden until somebody presses them."""
    if not state.src.startswith("||", state.pos):
        return False
    closing = _BARS.search(state.src, state.pos + 3, state.posMax)
    if closing is None:
        return False
    if not silent:
        state.push("spoiler_open", "span", 1).attrSet(SPOILER, "")
        end, state.pos, state.posMax = state.posMax, state.pos + 2, closing.start()
        state.md.inline.tokenize(state)
        state.posMax = end
        state.push("spoiler_close", "span", -1)
    state.pos = closing.end()
    return True


class _Marks(StateInline):
    """Marks begin and end where the presenter has made sure that they do, also beside the signs of Chinese."""

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: FBT001, N802, N803 - the reader's names
        length = super().scanDelims(start, canSplitWord).length
        before = self.src[start - 1] if start else " "
        after = self.src[start + length] if start + length < self.posMax else " "
        within = not canSplitWord and before.isalnum() and after.isalnum()
        opens = not after.isspace() and not before.isalnum()
        return Scanned(opens, not before.isspace() and not within, length)


class _Inline(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        state = _Marks(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


def _reader() -> MarkdownIt:
    reader = MarkdownIt("zero", {"breaks": True})
    reader.inline = _Inline()
    reader.configure("zero")
    reader.enable(["fence", "blockquote", "heading", "newline", "escape", "backticks", "strikethrough", "emphasis"])
    reader.inline.ruler.before("emphasis", "spoiler", _spoiler)
    reader.inline.add_terminator_char("|")
    reader.core.ruler.push("discord", _as_on_discord)
    return reader


def _as_on_discord(state: StateCore) -> None:
    """Underline what is underlined on Discord, strike out with the tag that all clients know, keep all of a block."""
    for fence in (block for block in state.tokens if block.info):
        fence.content, fence.info = f"{fence.info}\n{fence.content}", ""
    for token in (child for block in state.tokens for child in block.children or ()):
        token.tag = "u" if token.markup == "__" else "del" if token.tag == "s" else token.tag


_UNMARKED: Final = {"paragraph_open", "paragraph_close", "inline", "text", "softbreak", "hardbreak"}
_READER: Final = _reader()
