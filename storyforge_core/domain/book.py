"""What can be asked of a story's memory, and what can be written down as true: one value per command."""

from dataclasses import dataclass

from storyforge_core.domain.bible import Sort
from storyforge_core.domain.found import FoundCommand


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


BookCommand = (
    Ask
    | Search
    | ShowWhy
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
    | FoundCommand
)
"""What a person can ask of what a story knows."""
