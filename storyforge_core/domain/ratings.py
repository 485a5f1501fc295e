"""Who pictures are for: what none of them may show, where they hang, and which of them are covered at first. Pure."""

from collections.abc import Mapping
from typing import Final

from storyforge_core.domain.story import Rating, Spoilers

RATINGS: Final[Mapping[str, Rating]] = {"everyone": "everyone", "teen": "teen", "mature": "mature"}
SPOILERS: Final[Mapping[str, Spoilers]] = {"mature": "mature", "every": "every", "off": "off"}
NEVER: Final = "sexualised minors"
"""What no picture shows, whoever it is for."""
AVOIDED: Final[Mapping[Rating, str]] = {
    "everyone": "nudity, sexual content, blood, gore, corpses, torture, drugs, cigarettes",
    "teen": "nudity, sexual content, gore, torture, drugs",
    "mature": "",
}
"""What an illustrator is told to leave out."""
MEANT: Final[Mapping[Rating, str]] = {
    "everyone": "everyone, children too: nothing cruel, bloody or sexual, and nobody undressed",
    "teen": "teenagers and adults: danger may be seen, but no gore, nothing sexual, and nobody undressed",
    "mature": "adults",
}
"""The same for whoever puts a scene into the words of a picture."""


def avoided(rating: Rating, own: str) -> str:
    """List what a picture is not to show: what the hosts of its story have said first."""
    return ", ".join(filter(None, (own, AVOIDED[rating], NEVER)))


def covered(rating: Rating, spoilers: Spoilers) -> bool:
    """Tell whether a picture is to be seen only by those who uncover it."""
    return spoilers == "every" or (spoilers == "mature" and rating == "mature")


def may_hang(rating: Rating, *, marked: bool | None, decided: bool) -> bool:
    """Tell whether a picture may hang in a room.

    Args:
        rating: of the picture.
        marked: the platform lets only adults into the room; None where it has no such mark.
        decided: those who manage the room have decided that pictures for adults may hang in it. Counts without a mark.
    """
    return rating != "mature" or (decided if marked is None else marked)
