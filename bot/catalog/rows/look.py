"""Reading and looking."""

from typing import Final

from bot.catalog.row import STORY, Argument, Group, Row
from storyforge_core.domain import commands

LOOK: Final = Group(
    name="Look",
    root=STORY,
    rows=(
        Row(
            name="path",
            help="Read the story so far",
            more="From the opening to where you stand.",
            example="/story path",
            aliases=("read",),
            who="anyone",
            build=lambda _: commands.ShowPath(),
        ),
        Row(
            name="map",
            help="See the whole tree",
            more="With every branch and take, where you stand, and the open vote.",
            example="/story map",
            aliases=("tree",),
            who="anyone",
            build=lambda _: commands.ShowMap(),
        ),
        Row(
            name="story",
            help="See where the story stands",
            more="The scene, the open vote, who plays, and what is being written.",
            example="/story story",
            aliases=("status",),
            who="anyone",
            build=lambda _: commands.ShowStatus(),
        ),
        Row(
            name="stories",
            help="List the stories, or open one of them here",
            more="Open one by its number in the list or by its title.",
            example="/story stories 2",
            arguments=(Argument(name="story", help="its number or title", kind="story"),),
            aliases=("list", "open"),
            who="anyone",
            build=lambda given: commands.ShowStories(given["story"]),
        ),
    ),
)
