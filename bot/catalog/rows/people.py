"""Those who play."""

from typing import Final

from bot.catalog.row import STORY, Argument, Group, HelpAsked, Row
from storyforge_core.domain import commands

CODE_CHARS = 20

PEOPLE: Final = Group(
    name="People",
    root=STORY,
    rows=(
        Row(
            name="join",
            help="Take part: votes wait for you",
            more="Voting makes you join as well.",
            example="/story join",
            who="anyone",
            build=lambda _: commands.Join(),
        ),
        Row(
            name="leave",
            help="Stop taking part: votes no longer wait for you",
            more="Join again whenever you like.",
            example="/story leave",
            build=lambda _: commands.Leave(),
        ),
        Row(
            name="link",
            help="Get a code to show this story in another room, or to play with another account",
            more=(
                "Without a word: a code for another room, on any platform. With me: a code for your other account, "
                "to be typed there as /story link CODE. With off: this account plays for itself again."
            ),
            example="/story link me",
            arguments=(Argument(name="code", help="me, off, or a code you were given", limit=CODE_CHARS),),
            who="anyone",
            build=lambda given: commands.Link(given["code"].casefold()),
        ),
        Row(
            name="join-room",
            help="Show here the story of another room",
            more="The code comes from /story link there. Scenes are told in both rooms, and votes count together.",
            example="/story join-room 7K3F-9QXD",
            arguments=(Argument(name="code", help="the code", required=True, limit=CODE_CHARS),),
            who="anyone",
            build=lambda given: commands.JoinRoom(given["code"]),
        ),
        Row(
            name="help",
            help="Learn how to play",
            more="With a command's name it tells all about that one.",
            example="/story help vote",
            arguments=(Argument(name="command", help="the command", kind="command"),),
            who="anyone",
            build=lambda given: HelpAsked(given["command"]),
        ),
    ),
)
