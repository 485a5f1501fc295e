"""The settings of a playthrough as people type them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from storyforge_core.domain.ratings import RATINGS, SPOILERS
from storyforge_core.domain.story import PictureMode, Rating, Rules, Spoilers, Tie
from storyforge_core.errors import Invalid

SECONDS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600, "d": 86400}
NEVER = frozenset({"0", "off", "no", "none", "never"})
ON = frozenset({"on", "yes", "1", "true"})
OFF = frozenset({"off", "no", "0", "false"})
STYLE_CHARS = 200
CHAPTER_TOKENS = (1200, 200_000)
PICTURES: Mapping[str, PictureMode] = {
    "house": "house", "every": "every", "vote": "vote", "request": "request", "off": "off", "no": "off", "on": "every",
}  # fmt: skip
TIES: Mapping[str, Tie] = {"random": "random", "first": "first", "host": "host"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: what it takes, how it is read and how it is shown."""

    help: str
    example: str
    read: Callable[[Rules, str], Rules]
    show: Callable[[Rules], str]


def change_rule(rules: Rules, name: str, value: str) -> tuple[Rules, str]:
    """Change one setting; answers the new rules and a phrase that says it.

    Raises:
        Invalid: no such setting, or not such a value; the text says what there is.
    """
    key = name.strip().casefold().replace("_", "-")
    setting = SETTINGS.get(key)
    if setting is None:
        msg = f"There is no setting “{name.strip()[:40]}”. There are: {', '.join(SETTINGS)}."
        raise Invalid(msg)
    try:
        changed = setting.read(rules, value.strip().casefold())
    except ValueError as error:
        msg = f"“{key}” takes {setting.help}. For example: /story settings {key} {setting.example}"
        raise Invalid(msg) from error
    return changed, f"{key} {setting.show(changed)}"


def _within(text: str, least: int, most: int) -> int:
    number = int(text)
    if not least <= number <= most:
        raise ValueError(number)
    return number


def _seconds(text: str) -> int:
    if text in NEVER:
        return 0
    match = re.fullmatch(r"(\d{1,6})\s*([smhd]?)", text)
    if match is None:
        raise ValueError(text)
    return _within(str(int(match[1]) * SECONDS[match[2] or "s"]), 30, 7 * SECONDS["d"])


def _pictures(text: str) -> PictureMode:
    if text not in PICTURES:
        raise ValueError(text)
    return PICTURES[text]


def _chapter(text: str) -> int:
    if text == "auto":
        return 0
    return -1 if text in NEVER else _within(text, *CHAPTER_TOKENS)


def _words(text: str) -> str:
    """A wish in words, on one line."""
    line = " ".join(text.split())
    if not line or len(line) > STYLE_CHARS:
        raise ValueError(line)
    return "" if line in NEVER else line


def chapter_room(tokens: int) -> str:
    """Say how long chapters are."""
    return "auto" if tokens == 0 else "off (players end them)" if tokens < 0 else f"{tokens:,} tokens"


def span(seconds: int) -> str:
    """Say a time span as people do: `10 min`."""
    for unit, size in (("d", SECONDS["d"]), ("h", SECONDS["h"]), ("min", SECONDS["m"])):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _switch(text: str) -> bool:
    if text in ON or text in OFF:
        return text in ON
    raise ValueError(text)


def _tie(text: str) -> Tie:
    if text not in TIES:
        raise ValueError(text)
    return TIES[text]


def _rating(text: str) -> Rating:
    if text not in RATINGS:
        raise ValueError(text)
    return RATINGS[text]


def _spoilers(text: str) -> Spoilers:
    if text not in SPOILERS:
        raise ValueError(text)
    return SPOILERS[text]


SETTINGS: Mapping[str, Setting] = {
    "words": Setting(
        "a number from 50 to 1000: the length of a scene in words",
        "300",
        lambda rules, text: replace(rules, words=_within(text, 50, 1000)),
        lambda rules: str(rules.words),
    ),
    "choices": Setting(
        "a number from 2 to 6: how many choices the storyteller offers",
        "4",
        lambda rules, text: replace(rules, choices=_within(text, 2, 6)),
        lambda rules: str(rules.choices),
    ),
    "quorum": Setting(
        "a number of votes that closes a ballot, or off to wait for everybody who joined",
        "3",
        lambda rules, text: replace(rules, quorum=0 if text in NEVER else _within(text, 1, 1000)),
        lambda rules: str(rules.quorum) if rules.quorum else "off (everybody who joined)",
    ),
    "deadline": Setting(
        "a time from 30s to 7d after which a ballot closes, or off",
        "10m",
        lambda rules, text: replace(rules, deadline=_seconds(text)),
        lambda rules: span(rules.deadline) if rules.deadline else "off",
    ),
    "tie": Setting(
        "random, first (who had the votes first) or host (the host decides)",
        "host",
        lambda rules, text: replace(rules, tie=_tie(text)),
        lambda rules: rules.tie,
    ),
    "write-ins": Setting(
        "on or off: whether players may add choices of their own",
        "off",
        lambda rules, text: replace(rules, write_ins=_switch(text)),
        lambda rules: "on" if rules.write_ins else "off",
    ),
    "chapter": Setting(
        f"auto (as the storyteller's window allows), off (only players end chapters), or a number of tokens from "
        f"{CHAPTER_TOKENS[0]:,} to {CHAPTER_TOKENS[1]:,}: a chapter ends when four fifths of them are told",
        "6000",
        lambda rules, text: replace(rules, chapter=_chapter(text)),
        lambda rules: chapter_room(rules.chapter),
    ),
    "pictures": Setting(
        "every, vote (scenes that votes led to), request (only when asked for), off or house (as the program is set)",
        "every",
        lambda rules, text: replace(rules, pictures=_pictures(text)),
        lambda rules: rules.pictures,
    ),
    "style": Setting(
        f"up to {STYLE_CHARS} characters on how pictures are to look, or off",
        "watercolour, muted colours",
        lambda rules, text: replace(rules, style=_words(text)),
        lambda rules: rules.style or "off",
    ),
    "avoid": Setting(
        f"up to {STYLE_CHARS} characters on what is to be in no picture, or off",
        "blood, text",
        lambda rules, text: replace(rules, avoid=_words(text)),
        lambda rules: rules.avoid or "off",
    ),
    "workflow": Setting(
        "the name of a workflow by which pictures are painted, or off to leave that to the program",
        "flux_basic",
        lambda rules, text: replace(rules, workflow=_words(text)),
        lambda rules: rules.workflow or "off",
    ),
    "planner": Setting(
        "on or off: whether each scene is planned before it is told, which takes a while longer",
        "on",
        lambda rules, text: replace(rules, planner=_switch(text)),
        lambda rules: "on" if rules.planner else "off",
    ),
    "rating": Setting(
        "everyone, teen or mature: who pictures are for; mature ones hang only where adults are among themselves",
        "everyone",
        lambda rules, text: replace(rules, rating=_rating(text)),
        lambda rules: rules.rating,
    ),
    "spoilers": Setting(
        "mature, every or off: which pictures are covered until somebody uncovers them",
        "every",
        lambda rules, text: replace(rules, spoilers=_spoilers(text)),
        lambda rules: rules.spoilers,
    ),
}
"""All settings by the name people type."""
