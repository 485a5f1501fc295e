"""What is kept about a person: in a few lines, and in full for a file."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from bot.wording.voice import TITLE_CHARS, Voice, lines, listed
from storyforge_core.domain.privacy import MyData, Said

STORIES_LISTED = 10
ASK = (
    "/story mydata delete forgets who you are and leaves what you wrote; with everything also what you wrote that no "
    "scene was made of."
)


def my_data(data: MyData, voice: Voice) -> str:
    """Sum up what is kept."""
    accounts = [f"{account.platform} {voice.words(account.user, TITLE_CHARS)}" for account in data.accounts]
    parts = [
        f"{voice.words(part.story, TITLE_CHARS)} ({', '.join((part.state, *(['host'] if part.host else [])))})"
        for part in data.stories[:STORIES_LISTED]
    ]
    more = len(data.stories) - len(parts)
    return lines(
        voice.flavour.strong("What is kept about you"),
        f"Name: {voice.name(data.name)}",
        f"Accounts: {listed(accounts) or 'none'}",
        f"Stories: {listed([*parts, *([f'{more} more'] if more else [])]) or 'none'}",
        _sum("Votes", data.votes),
        _sum("Choices you wrote in", data.choices),
        _sum("Hints", data.hints),
        _sum("Director's notes", data.notes),
        _sum("Lore", data.lore),
        _sum("Scenes you rewrote", data.scenes),
        _sum("Cards and facts you wrote down", data.written),
        _sum("Looks you gave", data.looks),
        f"Steps in the log: {data.steps:,}",
        ASK,
    )


def as_json(data: MyData) -> bytes:
    """All of it, for people and programs."""
    return json.dumps(asdict(data), default=str, ensure_ascii=False, indent=2).encode()


def _sum(what: str, said: Sequence[Said]) -> str:
    if not said:
        return f"{what}: none"
    first, last = said[0].at, said[-1].at
    since = f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    return f"{what}: {len(said):,} ({since})"
