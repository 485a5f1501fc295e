"""What people mean for the bot: words behind one of its signs or names, a filled-in form, a reply to a scene. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import unquote

from bot.catalog.row import HINT_CHARS, Parsed, Row
from bot.catalog.table import begins, find
from bot.catalog.typed import parse
from bot.platforms.matrix.content import EDIT, Json, answered, inner, listed, relation, text

FORM = "org.matrix.msc4391.command"
"""A command that was picked from a list (MSC4391); in the message beside its words, which are worth less."""
_SIGN = re.compile(r"[:,]\s*")
_QUOTED = re.compile(r"(?:>[^\n]*\n)+\n?")
_PILL = re.compile(r"""<a\s[^>]*?href=["']https://matrix\.to/#/([^"'?]+)[^>]*>(.*?)</a>""", re.DOTALL)
_LINK = re.compile(r"\[([^\]]*)\]\(https://matrix\.to/#/([^)?]+)[^)]*\)")
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Me:
    """What people may call the bot."""

    user: str
    name: str = ""
    """As it is shown in the room."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A reply to something the bot said; to a scene, it says what shall happen next."""

    message: str
    words: str


def meant(content: Json, me: Me) -> Parsed | Hint | None:
    """Read what a message, or what is written to a picture, asks of the bot; None when it is not meant for it.

    Edits are not: what was said first was done. Notices are not: they come from other bots.
    """
    if text(relation(content), "rel_type") == EDIT:
        return None
    if text(content, "msgtype") == "m.image":
        words = caption(content)
        return parse(words) or _called(content, words, me)
    if text(content, "msgtype") != "m.text":
        return None
    if FORM in content and "m.mentions" in content:
        return _filled_in(content, me)
    words = _own_words(content)
    return parse(words) or _called(content, words, me) or _reply(content, words, me)


def _filled_in(content: Json, me: Me) -> Parsed | None:
    """Read a form; one that is for another bot has words that are for it, too."""
    form = inner(content, FORM)
    if me.user not in _mentioned(content):
        return None
    given = inner(form, "arguments")
    return parse(f"!{text(form, 'command')} {text(given, 'command')} {text(given, 'words')}")


def _called(content: Json, words: str, me: Me) -> Parsed | None:
    """Read what stands behind the bot's name. A name without any sign may be a word like any other."""
    words = _LINK.sub(lambda link: link[1] if _means(link[2], me) else link[0], words)
    pills = tuple(_pills(content, me))
    for name in sorted({*pills, *_names(me)}, key=len, reverse=True):
        if _plain(words[: len(name)]) != _plain(name):
            continue
        rest = words[len(name) :]
        sign = _SIGN.match(rest)
        if not sign and rest[:1].strip():
            continue
        rest = (rest[sign.end() :] if sign else rest).strip()
        if sign or name in pills or name.startswith("@") or me.user in _mentioned(content) or _names_command(rest):
            return parse(rest) or parse(f"!story {rest}")
    return None


def _names_command(words: str) -> bool:
    return parse(words) is not None or (bool(words) and isinstance(find(begins(words)[0]), Row))


def _reply(content: Json, words: str, me: Me) -> Hint | None:
    """Read a reply; somebody whose client mentions people may leave the bot out, to talk about a scene."""
    message = answered(content)
    if not message or not words or ("m.mentions" in content and me.user not in _mentioned(content)):
        return None
    return Hint(message, words[:HINT_CHARS])


def caption(content: Json) -> str:
    """What somebody wrote to a picture; some programs put its file name there."""
    body = text(content, "body")
    return body.strip() if text(content, "filename") not in {"", body} else ""


def _own_words(content: Json) -> str:
    """What somebody wrote, without what old clients quote before a reply."""
    body = text(content, "body")
    quoted = _QUOTED.match(body) if answered(content) else None
    return (body[quoted.end() :] if quoted else body).strip()


def _names(me: Me) -> Iterator[str]:
    local = me.user[1:].partition(":")[0]
    yield from (me.user, f"@{local}", local)
    if me.name.strip():
        yield from (me.name.strip(), f"@{me.name.strip()}")


def _pills(content: Json, me: Me) -> Iterator[str]:
    """The names under which a message links to the bot."""
    for address, shown in _PILL.findall(text(content, "formatted_body")):
        if _means(address, me) and (name := unescape(_TAG.sub("", shown)).strip()):
            yield name


def _means(address: str, me: Me) -> bool:
    return unquote(unescape(address)) == me.user


def _mentioned(content: Json) -> tuple[str, ...]:
    return listed(inner(content, "m.mentions"), "user_ids")


def _plain(words: str) -> str:
    return unicodedata.normalize("NFKC", words).casefold()
