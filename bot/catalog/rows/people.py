"""Those who play."""

from typing import Final

from bot.catalog.row import STORY, Argument, Group, HelpAsked, Row
from storyforge_core.domain import commands

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
