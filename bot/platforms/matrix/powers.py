"""Who may do what in a room, by its raw state: nio does not know who has every power (room version 12). Pure.

**Moderators** are those who may take back what others wrote: what is told is theirs to look after, so they have the
rights of a host. **Managers** are those who may decide who has which power: they decide for the whole room. In rooms as
clients make them, those are Moderators (50) and Administrators (100).
"""

from dataclasses import dataclass, field
from math import inf

from bot.platforms.matrix.content import Json, inner, listed, text

LEVELS = "m.room.power_levels"
USUAL_MODERATOR, USUAL_ADMINISTRATOR = 50, 100


@dataclass(frozen=True, slots=True)
class Powers:
    """The powers in one room."""

    levels: Json = field(default_factory=dict)
    """As the room's state has them."""
    creators: frozenset[str] = frozenset()
    """Those who have every power, whatever the levels say."""

    @classmethod
    def of(cls, room: str, create: Json, levels: Json | None) -> "Powers":
        """Read them from a room's first event and its levels; a room without levels is its creator's."""
        content = inner(create, "content")
        creator = text(create, "sender") or text(content, "creator")
        if ":" not in room:  # from version 12 on a room is named after its first event, not after a server
            return cls(levels or {}, frozenset({creator, *listed(content, "additional_creators")}))
        return cls({"users": {creator: USUAL_ADMINISTRATOR}} if levels is None else levels)

    def level(self, user: str) -> float:
        """How much power somebody has."""
        if user in self.creators:
            return inf
        return _level(inner(self.levels, "users"), user, _level(self.levels, "users_default", 0))

    def moderates(self, user: str) -> bool:
        """Tell whether somebody may take back what others wrote."""
        return self.level(user) >= _level(self.levels, "redact", USUAL_MODERATOR)

    def manages(self, user: str) -> bool:
        """Tell whether somebody may decide who has which power."""
        return self.may_set(user, LEVELS)

    def may_set(self, user: str, kind: str) -> bool:
        """Tell whether somebody may set state of a kind."""
        usual = _level(self.levels, "state_default", USUAL_MODERATOR)
        return self.level(user) >= _level(inner(self.levels, "events"), kind, usual)

    def may_send(self, user: str, kind: str) -> bool:
        """Tell whether somebody may send events of a kind."""
        usual = _level(self.levels, "events_default", 0)
        return self.level(user) >= _level(inner(self.levels, "events"), kind, usual)


def _level(levels: Json, name: str, otherwise: float) -> float:
    """Read a level; in old rooms it may be written as words."""
    value = levels.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return otherwise
    try:
        return int(value)
    except (ValueError, OverflowError):
        return otherwise
