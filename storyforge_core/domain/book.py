"""What can be asked of a story's memory, and what can be written down as true: one value per command."""

from dataclasses import dataclass, field

from storyforge_core.domain.bible import Sort
from storyforge_core.domain.found import FoundCommand
from storyforge_core.domain.recap import Since


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask what the story says about something."""

    question: str


@dataclass(frozen=True, slots=True)
class Search:
    """Look for words in the stories of this place."""

    words: str


@dataclass(frozen=True, slots=True)
class ShowWhy:
    """See what the storyteller was given for a scene."""

    scene: str = ""
    """Its number or title; empty is the head."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Have a scene told once more from the very same prompt, to compare."""

    scene: str = ""
    """Its number or title; empty is the head."""


@dataclass(frozen=True, slots=True)
class ShowContext:
    """See what the storyteller would be given for the next scene."""


@dataclass(frozen=True, slots=True)
class AddEntity:
    """Write down somebody or something that is in the story."""

    sort: Sort
    name: str
    description: str = ""
    secret: str = ""
    voice: str = ""


@dataclass(frozen=True, slots=True)
class ShowEntity:
    """See what is written down about somebody or something."""

    sort: Sort
    name: str


@dataclass(frozen=True, slots=True)
class EditEntity:
    """Write down otherwise what is said; what is left out stays."""

    sort: Sort
    name: str
    description: str = ""
    secret: str = ""
    voice: str = ""


@dataclass(frozen=True, slots=True)
class ListEntities:
    """List what is written down of one sort."""

    sort: Sort


@dataclass(frozen=True, slots=True)
class ForgetEntity:
    """Take somebody or something out again."""

    sort: Sort
    name: str


@dataclass(frozen=True, slots=True)
class AliasEntity:
    """Let somebody have another name too, or no longer."""

    sort: Sort
    name: str
    alias: str


@dataclass(frozen=True, slots=True)
class AddFact:
    """Write down what holds from a scene on."""

    text: str
    quote: str = ""
    """Where a scene of the path says so, word for word; empty: the text may be such a quote itself."""


@dataclass(frozen=True, slots=True)
class ListFacts:
    """List the facts that hold here."""


@dataclass(frozen=True, slots=True)
class ForgetFact:
    """Take a fact out again."""

    number: int


@dataclass(frozen=True, slots=True)
class EntityLook:
    """See how somebody or something looks, or give them a look from here on."""

    sort: Sort
    name: str
    file: str = ""
    """What a player typed for a file; only where they sit at the machine does it become a picture."""
    picture: bytes = field(default=b"", repr=False)
    """What they sent; empty: they want to see the look that there is."""


@dataclass(frozen=True, slots=True)
class KeepLook:
    """Have somebody or something look from a scene on as on the scene's picture."""

    name: str = ""
    """Empty: the only one who is seen on it."""
    scene: str = ""
    """Its number or title; empty is the head."""


@dataclass(frozen=True, slots=True)
class ListLooks:
    """List who and what looks like a picture here."""


@dataclass(frozen=True, slots=True)
class ForgetLook:
    """Take the look of somebody or something away; an older one on the way here holds again."""

    name: str


class ShowChapters:
    """See the chapters of the way here."""


@dataclass(frozen=True, slots=True)
class EndChapter:
    """Let the chapter end with the scene at the head."""

    title: str = ""


@dataclass(frozen=True, slots=True)
class ShowRecap:
    """Be told what happened."""

    since: Since = "left"


BookCommand = (
    Ask
    | Search
    | ShowWhy
    | Replay
    | ShowContext
    | AddEntity
    | ShowEntity
    | EditEntity
    | ListEntities
    | ForgetEntity
    | AliasEntity
    | AddFact
    | ListFacts
    | ForgetFact
    | EntityLook
    | KeepLook
    | ListLooks
    | ForgetLook
    | ShowChapters
    | EndChapter
    | ShowRecap
    | FoundCommand
)
"""What a person can ask of what a story knows."""
