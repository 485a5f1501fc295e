"""One command at one playthrough: who asks, where things stand, and the checks that handlers share."""

from dataclasses import dataclass
from datetime import datetime

from storyforge_core.domain import policy
from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.commands import Speaker, Surroundings
from storyforge_core.domain.runs import Situation
from storyforge_core.domain.story import Member, PictureMode, Player, Room, Rules, Scene
from storyforge_core.engine.portraits import Portraits
from storyforge_core.errors import Busy, NotFound
from storyforge_core.ports import Clock, Desk

NO_STORY = "There is no story here yet. Begin one: /story new A lighthouse keeper finds a door in the sea"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a handler sits at."""

    desk: Desk
    clock: Clock
    speaker: Speaker
    player: Player
    room: Room
    at: datetime
    around: Surroundings
    rules: Rules
    """For stories that begin here."""
    pictures: PictureMode
    """Which scenes get a picture where the story's settings do not say; off where nobody paints."""
    portraits: Portraits | None = None
    """Where looks are; None where there is no place for them."""
    window: int
    """Tokens that the storyteller's prompt and answer may take together."""

    @property
    def here(self) -> Situation:
        """Where the story stands, deleted or not.

        Raises:
            NotFound: the room shows none.
        """
        if self.desk.situation is None:
            raise NotFound(NO_STORY)
        return self.desk.situation

    @property
    def member(self) -> Member | None:
        """The asker's place; None when they have never taken part."""
        return policy.member_of(self.here.members, self.player.id)

    @property
    def host(self) -> bool:
        """The asker has a host's rights."""
        return policy.is_host(self.here.members, self.player.id, self.speaker)

    def require_host(self, deed: str) -> None:
        """Refuse everybody but hosts; `deed` completes “Only the host may …”."""
        policy.require_host(self.here.members, self.player.id, self.speaker, deed)

    def require_head(self) -> Scene:
        """Get the head.

        Raises:
            NotFound: nothing is told yet.
        """
        if self.here.head is None:
            msg = "Nothing is told yet. /story continue writes the opening."
            raise NotFound(msg)
        return self.here.head

    def require_quiet(self) -> None:
        """Refuse while something is being written.

        Raises:
            Busy: it is.
        """
        if self.here.run is not None:
            msg = "A scene is being written just now. Wait for it, or /story stop."
            raise Busy(msg)

    def require_ballot(self) -> Ballot:
        """Get the open ballot.

        Raises:
            Busy: the next scene is being written.
            NotFound: there is no question open.
        """
        self.require_quiet()
        if self.here.ballot is None:
            msg = "There is nothing to vote on just now. /story continue writes on."
            raise NotFound(msg)
        return self.here.ballot


def quoted(text: str, limit: int = 60) -> str:
    """Quote a text for a sentence, cut when long."""
    return f"“{text if len(text) <= limit else text[: limit - 1].rstrip() + '…'}”"
