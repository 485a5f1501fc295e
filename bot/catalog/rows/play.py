"""Telling a story together."""

from typing import Final

from bot.catalog.row import (
    CHOICE_CHARS,
    HIGHEST_NUMBER,
    HINT_CHARS,
    NOTE_CHARS,
    PREMISE_CHARS,
    STORY,
    STYLE_CHARS,
    TITLE_CHARS,
    Argument,
    Given,
    Group,
    Parsed,
    Row,
    number,
)
from storyforge_core.domain import book, commands, picturing


def _paint(given: Given) -> Parsed:
    match given["mode"]:
        case "forget":
            return picturing.ForgetPicture()
        case "keep":
            return book.KeepLook(given["hint"])
        case "report":
            return picturing.ReportPicture(given["hint"])
        case "restore":
            return picturing.RestorePicture()
        case mode:
            return picturing.Paint(given["hint"], again=mode == "again")


PLAY: Final = Group(
    name="Play",
    root=STORY,
    rows=(
        Row(
            name="new",
            help="Begin a story here",
            more="Say in a sentence or two what it is about. Put options of several words in quotes.",
            example='/story new A lighthouse keeper finds a door in the sea title="The Door" genre=mystery',
            arguments=(
                Argument(name="premise", help="what the story is about", required=True, limit=PREMISE_CHARS),
                Argument(name="title", help="what it is called", limit=TITLE_CHARS, named=True),
                Argument(name="genre", help="such as mystery or fairy-tale", limit=STYLE_CHARS, named=True),
                Argument(name="tone", help="such as calm, dark or funny", limit=STYLE_CHARS, named=True),
            ),
            aliases=("begin", "start"),
            who="anyone",
            build=lambda given: commands.NewStory(**given),
        ),
        Row(
            name="continue",
            help="Have the next scene written",
            more="The choice that leads is taken; without votes the story goes on freely.",
            example="/story continue the light goes out",
            arguments=(Argument(name="hint", help="what should happen in it", limit=HINT_CHARS),),
            aliases=("next",),
            build=lambda given: commands.ContinueStory(given["hint"]),
        ),
        Row(
            name="vote",
            help="Vote for a choice by its number",
            more="Vote again to change your mind: your newest vote counts.",
            example="/story vote 2",
            arguments=(
                Argument(name="number", help="that of the choice", kind="number", required=True, limit=HIGHEST_NUMBER),
            ),
            aliases=("choose",),
            build=lambda given: commands.Vote(int(given["number"])),
        ),
        Row(
            name="write",
            help="Add a choice of your own and vote for it",
            more="The others can vote for it too.",
            example="/story write Knock three times and wait",
            arguments=(Argument(name="choice", help="what should be done", required=True, limit=CHOICE_CHARS),),
            build=lambda given: commands.WriteIn(given["choice"]),
        ),
        Row(
            name="close",
            help="Decide the vote now",
            more="The choice that leads wins; with a number that choice does, whatever the votes say.",
            example="/story close",
            arguments=(Argument(name="number", help="the choice to take", kind="number", limit=HIGHEST_NUMBER),),
            aliases=("decide",),
            who="host",
            build=lambda given: commands.CloseBallot(number(given)),
        ),
        Row(
            name="paint",
            help="Have this scene painted, once more, or not at all",
            more=(
                "The picture comes under the scene. With “again” the same is painted with other luck; “keep” and a "
                "name has somebody look like that from now on. Everybody may report a picture: it is gone at once, and "
                "a host may restore it."
            ),
            example="/story paint seen from the sea",
            arguments=(
                Argument(
                    name="mode",
                    help="again; forget takes it down; keep makes it a look; report hides it; restore shows it again",
                    kind="word",
                    words=("again", "forget", "keep", "report", "restore"),
                ),
                Argument(
                    name="hint", help="what should be seen; whose look it is; why you report it", limit=HINT_CHARS
                ),
            ),
            aliases=("picture",),
            build=_paint,
        ),
        Row(
            name="stop",
            help="Stop what is being written",
            more="What has been told so far stays.",
            example="/story stop",
            build=lambda _: commands.Stop(),
        ),
        Row(
            name="direct",
            help="Leave a director's note that steers the next scenes",
            more="It holds until you change it; without words it is cleared.",
            example="/story direct slower, and let the sea be kind",
            arguments=(Argument(name="note", help="what the storyteller should keep in mind", limit=NOTE_CHARS),),
            build=lambda given: commands.Direct(given["note"]),
        ),
    ),
)
