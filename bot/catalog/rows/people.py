"""Those who play."""

from typing import Final

from bot.catalog.row import STORY, Argument, Given, Group, HelpAsked, Parsed, Problem, Row
from storyforge_core.domain import commands

CODE_CHARS = 20


def _my_data(given: Given) -> Parsed:
    if given["delete"]:
        return commands.ForgetMe(everything=bool(given["everything"]), sure=bool(given["yes"]))
    if given["everything"] or given["yes"]:
        return Problem("Say what shall be done with everything: /story mydata delete everything")
    return commands.ShowMyData()


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
            name="mydata",
            help="See what is kept about you, or have it deleted",
            more=(
                "With delete your name, accounts and votes go, and what you wrote stays as somebody's; with everything "
                "as well, your words go too where no scene came of them. Add yes to be sure: nothing brings it back."
            ),
            example="/story mydata",
            arguments=(
                Argument(name="delete", help="forget who I am", kind="word", words=("delete",)),
                Argument(name="everything", help="and what I wrote", kind="word", words=("everything",)),
                Argument(name="yes", help="I am sure", kind="word", words=("yes",)),
            ),
            who="anyone",
            build=_my_data,
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
