"""Small questions about English words."""

import re
import unicodedata

_OPEN, _CLOSE = "\N{LEFT SINGLE QUOTATION MARK}", "\N{RIGHT SINGLE QUOTATION MARK}"
_SINGLE_QUOTES = str.maketrans(dict.fromkeys("“„«", _OPEN) | dict.fromkeys('”»"', _CLOSE))
_BEYOND_LATIN = 0x250
_SILENT_H = ("hour", "honest", "honour", "honor", "heir")
_YOU_SOUND = ("uni", "use", "usu", "eu", "one", "once", "ufo", "uto", "ura")


def tidy(text: str, limit: int = 140) -> str:
    """Players' words on one line, at most `limit` characters, without control or double quote marks."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    line = re.sub(r"(?<=\w)'(?=\w)", _CLOSE, line.translate(_SINGLE_QUOTES))
    if len(line) <= limit:
        return line
    cut = line[:limit]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip(" ,;:-\N{EN DASH}\N{EM DASH}")


def without_slots(text: str) -> str:
    """Players' words as they can stand in a template: nothing in them is a slot."""
    return text.translate(str.maketrans("{}[]|", "()()/"))


def with_article(noun: str) -> str:
    """`owl` → `an owl`."""
    low = noun.lower()
    vowel = low.startswith(_SILENT_H) or (low[:1] in "aeiou" and not low.startswith(_YOU_SOUND))
    return f"{'an' if vowel else 'a'} {noun}"


def lower_first(text: str) -> str:
    """Undo the capital of a sentence's first word."""
    return text[:1].lower() + text[1:]


def word_count(text: str) -> int:
    """Words as people count them."""
    return len(text.split())


def title_case(text: str) -> str:
    """`the door in the sea` → `The Door in the Sea`."""
    small = {"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"}
    words = text.split()
    return " ".join(w if i and w in small else w[:1].upper() + w[1:] for i, w in enumerate(words))


def pieces(text: str) -> list[str]:
    """Words with the space behind each; together they are the text."""
    return re.findall(r"\s*\S+\s*", text)


def ends_sentence(text: str) -> bool:
    """Whether nothing more is needed before a new sentence."""
    return text.rstrip()[-1:] in {
        *".!?…:*",
        '"',
        "'",
        "\N{RIGHT DOUBLE QUOTATION MARK}",
        "\N{RIGHT SINGLE QUOTATION MARK}",
    }


def as_sentence(text: str) -> str:
    """With a full stop where words end without any mark."""
    return f"{text}." if text[-1:].isalnum() else text


def is_latin(text: str) -> bool:
    """Whether a text is in Latin letters, give or take typographic marks."""
    return all(ord(char) < _BEYOND_LATIN or unicodedata.category(char).startswith("P") for char in text)
