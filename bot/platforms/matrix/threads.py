"""Where a story lives: in a thread that hangs on a message of its own, or in the whole room where the owner wants that.

There are no threads inside of threads: whoever begins a story, wherever in a room they are, has it told in a new one.
"""

from bot.platforms.matrix import paper
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.options import Stories
from bot.platforms.matrix.patience import patiently
from bot.platforms.matrix.places import PLATFORM, Place
from bot.platforms.matrix.rendering import rendered
from bot.reception import Rooms
from bot.wording.voice import Voice
from storyforge_core.domain.answers import one_line
from storyforge_core.domain.commands import Command, JoinRoom, NewStory, ShowStories

TITLE_CHARS = 90


class Threads:
    """Finds the places of stories, and makes new ones.

    Args:
        link: the connection.
        rooms: knows where stories are.
        voice: how the bot speaks.
        stories: what the owner has decided.
    """

    def __init__(self, link: Link, rooms: Rooms, voice: Voice, stories: Stories) -> None:
        self._link = link
        self._rooms = rooms
        self._voice = voice
        self._stories = stories

    async def places(self, room: str) -> tuple[Place, ...]:
        """List the places of a room that show a story, the newest last."""
        known = await self._rooms.rooms(PLATFORM)
        return tuple(Place.of(each.key) for each in known if each.key.realm == room)

    async def meant(self, typed: Place) -> Place | None:
        """Find the place whose story somebody means; None in a thread that people have for themselves."""
        places = await self.places(typed.room)
        if typed in places:
            return typed
        if self._stories == "room":
            return Place(typed.room)
        if typed.thread:
            return None
        return places[-1] if places else typed

    def needs_place(self, command: Command) -> bool:
        """Tell whether a command brings a story that is to have a place of its own."""
        brings = isinstance(command, NewStory | JoinRoom) or (isinstance(command, ShowStories) and bool(command.story))
        return brings and self._stories == "threads"

    async def make(self, room: str, command: Command, by: str, event: str) -> Place:
        """Make a new place in a room; for the same event, it is the same one.

        Raises:
            SurfaceError: the homeserver did not take its first message.
        """
        both = rendered(self._announced(command, by))
        formatted = {"format": paper.HTML, "formatted_body": both.html}
        content = {"msgtype": "m.text", "body": both.plain, **formatted, "m.mentions": {}}
        root = await patiently(lambda: self._link.send(room, paper.MESSAGE, content, f"{event} root", "last"))
        return Place(room, root)

    async def give_back(self, place: Place) -> None:
        """Take the first message of a place back in which no story was begun after all.

        Raises:
            SurfaceError: the homeserver did not do it.
        """
        await patiently(lambda: self._link.redact(place.room, place.thread, f"{place.thread} back"))

    def _announced(self, command: Command, by: str) -> str:
        voice = self._voice
        if not isinstance(command, NewStory):
            return f"{voice.name(by)} has a story told in this thread. Come along!"
        title = voice.flavour.strong(voice.words(one_line(command.title or command.premise, TITLE_CHARS), TITLE_CHARS))
        return f"{title} is told in this thread, begun by {voice.name(by)}. Come along!"
