"""What only the asker is told, at once."""

from dataclasses import dataclass
from typing import Literal

from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.bible import Card, Entity, Fact, Sort
from storyforge_core.domain.chapters import Chapter
from storyforge_core.domain.events import Task
from storyforge_core.domain.found import FoundReply
from storyforge_core.domain.look_replies import LookShown, LooksListed
from storyforge_core.domain.lore import LoreEntry, Phase
from storyforge_core.domain.manifest import Manifest, Measure
from storyforge_core.domain.memory import Progress, Quote
from storyforge_core.domain.privacy import MyData
from storyforge_core.domain.recap import Recap, Since
from storyforge_core.domain.runs import Order
from storyforge_core.domain.space import Objection, Space
from storyforge_core.domain.states import Held
from storyforge_core.domain.story import Member, Playthrough, Rules, RunId, Scene, SceneId, Story, TreeNode


@dataclass(frozen=True, slots=True)
class Accepted:
    """It is done or under way; everybody sees the effect."""

    sentence: str
    run: RunId | None = None
    """What is being written because of it."""
    kind: Literal["accepted"] = "accepted"


@dataclass(frozen=True, slots=True)
class Declined:
    """It cannot be done; the sentence says what can."""

    sentence: str
    kind: Literal["declined"] = "declined"


@dataclass(frozen=True, slots=True)
class Repeated:
    """This very message was handled before; say nothing."""

    kind: Literal["repeated"] = "repeated"


@dataclass(frozen=True, slots=True)
class PathShown:
    """The story so far: the scenes from the opening to the head."""

    story: Story
    scenes: tuple[Scene, ...]
    chosen: tuple[str, ...]
    """For each scene the choice that led to it; empty for the opening."""
    left_out: int
    """How many of the oldest scenes are not in the list."""
    kind: Literal["path_shown"] = "path_shown"


@dataclass(frozen=True, slots=True)
class MapShown:
    """The tree, or the part of it around the head when it is very large."""

    story: Story
    nodes: tuple[TreeNode, ...]
    """Parents before children, brothers in order of telling."""
    head: SceneId | None
    path: tuple[SceneId, ...]
    """The scenes from the opening to the head that are among the nodes."""
    ballot: Ballot | None
    left_out: int
    """How many scenes of the story are not among the nodes."""
    kind: Literal["map_shown"] = "map_shown"


@dataclass(frozen=True, slots=True)
class TakesShown:
    """The takes of the head scene."""

    takes: tuple[Scene, ...]
    head: SceneId
    kind: Literal["takes_shown"] = "takes_shown"


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One story in a list."""

    number: int
    """What people type to open it."""
    title: str
    premise: str
    scenes: int
    here: bool
    """It is the one that this room shows."""


@dataclass(frozen=True, slots=True)
class StoriesShown:
    """The stories of this platform, newest first."""

    stories: tuple[StoryLine, ...]
    kind: Literal["stories_shown"] = "stories_shown"


@dataclass(frozen=True, slots=True)
class RunLine:
    """What is being written."""

    task: Task
    running: bool
    place: int
    """How many others are written before it."""
    words: int
    """Words told so far."""


@dataclass(frozen=True, slots=True)
class PictureLine:
    """A picture that is being painted or waits."""

    number: int
    """Of its scene."""
    running: bool
    done: float
    """From 0 to 1."""


@dataclass(frozen=True, slots=True)
class StatusShown:
    """Where the story stands."""

    story: Story
    playthrough: Playthrough
    head: Scene | None
    ballot: Ballot | None
    members: tuple[Member, ...]
    run: RunLine | None
    scenes: int
    pictures: tuple[PictureLine, ...] = ()
    kind: Literal["status_shown"] = "status_shown"


@dataclass(frozen=True, slots=True)
class RulesShown:
    """The settings of the playthrough."""

    rules: Rules
    note: str
    kind: Literal["rules_shown"] = "rules_shown"


@dataclass(frozen=True, slots=True)
class NotHere:
    """No story begins here, or none that this asker begins."""

    objection: Objection
    kind: Literal["not_here"] = "not_here"


@dataclass(frozen=True, slots=True)
class SpaceShown:
    """What was decided for the whole server, and what was just changed of it."""

    space: Space
    changed: str = ""
    """A sentence; empty when nothing was."""
    kind: Literal["space_shown"] = "space_shown"


@dataclass(frozen=True, slots=True)
class MyDataShown:
    """Everything that is kept about the asker."""

    data: MyData
    kind: Literal["my_data_shown"] = "my_data_shown"


@dataclass(frozen=True, slots=True)
class AnswerShown:
    """What the story says about something, on the path to where it stands."""

    question: str
    text: str
    """The answer in a model's words; empty where the quotes have to do."""
    quotes: tuple[Quote, ...]
    """The proofs, those that count most first; none when the story does not know."""
    kind: Literal["answer_shown"] = "answer_shown"


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A scene that has what was looked for."""

    story: int
    """What people type to open its story."""
    story_title: str
    quote: Quote


@dataclass(frozen=True, slots=True)
class SearchShown:
    """Where words stand in the stories of this place, best first."""

    words: str
    hits: tuple[SearchHit, ...]
    kind: Literal["search_shown"] = "search_shown"


@dataclass(frozen=True, slots=True)
class WhyShown:
    """What the storyteller was given for a scene."""

    scene: Scene
    manifest: Manifest | None
    """None where nothing was taken down: a player wrote the scene, or it is older than that."""
    order: Order | None
    """What was asked for; None where a player wrote the scene."""
    same: bool
    """This program can make the very same prompt again."""
    plan: tuple[str, ...] = ()
    """What was planned for it, a line each; of a scene that is told it gives nothing away."""
    kind: Literal["why_shown"] = "why_shown"


@dataclass(frozen=True, slots=True)
class ContextShown:
    """What the storyteller would be given for the next scene."""

    manifest: Manifest
    window: int
    """Tokens that the model takes, prompt and answer together."""
    measure: Measure
    scenes: int
    """Of the whole path."""
    embedder: str
    """Who finds old scenes again; empty while it is away."""
    progress: Progress
    """How much of all stories it has read."""
    kind: Literal["context_shown"] = "context_shown"


@dataclass(frozen=True, slots=True)
class EntityShown:
    """What is written down about somebody or something, and the facts that name them."""

    card: Card
    """Without its secret for those who are not to know it."""
    guarded: bool
    """It has a secret that is not shown."""
    facts: tuple[Fact, ...]
    seen: int = 0
    """The scene in which they were found by reading; 0 where players wrote them down."""
    held: tuple[Held, ...] = ()
    """What scenes say of them that holds now."""
    disputes: tuple[Held, ...] = ()
    """The newest of each value that is in dispute."""
    kind: Literal["entity_shown"] = "entity_shown"


@dataclass(frozen=True, slots=True)
class EntitiesShown:
    """What is written down of one sort, without secrets."""

    sort: Sort
    cards: tuple[Card, ...]
    found: tuple[Entity, ...] = ()
    """Those that were found by reading on the way here."""
    kind: Literal["entities_shown"] = "entities_shown"


@dataclass(frozen=True, slots=True)
class FactsShown:
    """The facts that hold here."""

    facts: tuple[Fact, ...]
    found: tuple[Held, ...] = ()
    """What scenes say, found by reading, the newest first."""
    older: bool = False
    """There is more of it that is not listed."""
    kind: Literal["facts_shown"] = "facts_shown"


@dataclass(frozen=True, slots=True)
class LoreListed:
    """The lore of the story, by number."""

    entries: tuple[LoreEntry, ...]
    told: tuple[int, ...]
    """The numbers of those that the storyteller was told for the scene at the head."""
    words: str = ""
    """What the list was narrowed down by."""
    kind: Literal["lore_listed"] = "lore_listed"


@dataclass(frozen=True, slots=True)
class LoreShown:
    """One entry of the lore, and how it stands on this path."""

    entry: LoreEntry
    told: bool
    """The storyteller was told of it for the scene at the head."""
    phase: Phase
    """What its timers make of it for the next scene."""
    flawed: tuple[str, ...]
    """Keys that make no sense as regular expressions, and are never found."""
    kind: Literal["lore_shown"] = "lore_shown"


@dataclass(frozen=True, slots=True)
class LoreImported:
    """What became of a book from elsewhere."""

    new: int
    """How many entries were added."""
    same: int
    """How many were there already, or twice in it."""
    left_out: tuple[str, ...]
    """For each entry that was not taken its name and why, as a phrase."""
    flawed: tuple[str, ...]
    """Keys that make no sense as regular expressions, and are never found."""
    kind: Literal["lore_imported"] = "lore_imported"


@dataclass(frozen=True, slots=True)
class LoreExported:
    """The lore as a file for other programs."""

    entries: int
    text: str
    """The whole file: World Info of SillyTavern."""
    kind: Literal["lore_exported"] = "lore_exported"


@dataclass(frozen=True, slots=True)
class ChaptersShown:
    """The chapters on the way here, the last one still being told."""

    chapters: tuple[Chapter, ...]
    """Of very many the last ones."""
    open_scenes: int
    """Scenes of the chapter that is being told."""
    kind: Literal["chapters_shown"] = "chapters_shown"


@dataclass(frozen=True, slots=True)
class RecapShown:
    """What happened since somebody was here, or since the beginning, or in this chapter."""

    since: Since
    known: int | None
    """How many scenes of the path the asker knew; None when they were never here."""
    recap: Recap
    head: Scene
    kind: Literal["recap_shown"] = "recap_shown"


Reply = (
    Accepted
    | Declined
    | Repeated
    | PathShown
    | MapShown
    | TakesShown
    | StoriesShown
    | StatusShown
    | RulesShown
    | NotHere
    | SpaceShown
    | MyDataShown
    | AnswerShown
    | SearchShown
    | WhyShown
    | ContextShown
    | EntityShown
    | EntitiesShown
    | FactsShown
    | LookShown
    | LooksListed
    | FoundReply
    | LoreListed
    | LoreShown
    | LoreImported
    | LoreExported
    | ChaptersShown
    | RecapShown
)
