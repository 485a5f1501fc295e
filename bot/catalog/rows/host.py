"""What a host looks after."""

from dataclasses import fields
from typing import Final

from bot.catalog.row import HOST, TITLE_CHARS, Argument, Given, Group, Parsed, Problem, Row, meant, shortened
from storyforge_core.domain import commands
from storyforge_core.domain.story import Rules

RULES: Final = tuple(field.name for field in fields(Rules))


def _settings(given: Given) -> Parsed:
    name, value = given["name"], given["value"]
    if value and not name:
        word = value.split()[0]
        guess = meant(word.casefold(), RULES)
        return Problem(f"There is no setting “{shortened(word)}”.{guess} The settings are {', '.join(RULES)}.")
    return commands.ChangeRules(name, value)


HOST_ROWS: Final = Group(
    name="Host",
    root=HOST,
    rows=(
        Row(
            name="settings",
            help="See the settings, or change one",
            more=f"There are {', '.join(RULES)}.",
            example="/story settings words 150",
            arguments=(
                Argument(name="name", help="the setting", kind="word", words=RULES),
                Argument(name="value", help="what it should be"),
            ),
            who="host",
            build=_settings,
        ),
        Row(
            name="title",
            help="Give the story another title",
            more="Undo brings the old one back.",
            example="/story title The Door in the Sea",
            arguments=(Argument(name="title", help="the new title", required=True, limit=TITLE_CHARS),),
            who="host",
            build=lambda given: commands.SetTitle(given["title"]),
        ),
        Row(
            name="delete",
            help="Take the story off the list",
            more="Repeat its title to confirm. Undo brings it back.",
            example="/story delete The Door in the Sea",
            arguments=(Argument(name="title", help="the story's title, to be sure", limit=TITLE_CHARS),),
            who="host",
            build=lambda given: commands.DeleteStory(given["title"]),
        ),
        Row(
            name="ban",
            help="Shut a player out of the story",
            more="With off at the end they may come back.",
            example="/story ban Ann off",
            arguments=(
                Argument(name="player", help="their name", kind="player", required=True),
                Argument(name="off", help="lets them in again", kind="word", words=("off",)),
            ),
            who="host",
            build=lambda given: commands.Ban(given["player"], lift=bool(given["off"])),
        ),
    ),
)
