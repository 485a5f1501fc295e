"""Moving about in the tree."""

from typing import Final

from bot.catalog.row import (
    HIGHEST_NUMBER,
    HINT_CHARS,
    PROSE_CHARS,
    STORY,
    Argument,
    Given,
    Group,
    Parsed,
    Problem,
    Row,
    number,
    too_long,
)
from storyforge_core.domain import commands

TAKES: Final = ("reroll", "extend", "edit")


def _take(given: Given) -> Parsed:
    mode, text = given["mode"], given["text"]
    if mode == "edit":
        return commands.Edit(text) if text else Problem("Say the scene's new words after “edit”: /story take edit It …")
    if len(text) > HINT_CHARS:
        return Problem(too_long("hint", len(text), HINT_CHARS))
    return commands.Extend(text) if mode == "extend" else commands.Reroll(text)


MOVE: Final = Group(
    name="Move about",
    root=STORY,
    rows=(
        Row(
            name="branch",
            help="Go back to a scene and ask its question again",
            more="Another choice grows a new branch; nothing is removed. Without a scene: the one before.",
            example="/story branch 3",
            arguments=(Argument(name="scene", help="its number or title", kind="scene"),),
            aliases=("back",),
            build=lambda given: commands.BranchFrom(given["scene"]),
        ),
        Row(
            name="take",
            help="Have this scene told again, made longer, or replaced by your words",
            more="It becomes another take; the ones before are kept, see /story takes.",
            example="/story take extend what was behind the door",
            arguments=(
                Argument(name="mode", help="reroll unless you say extend or edit", kind="word", words=TAKES),
                Argument(name="text", help="a hint, or for edit the new words of the scene", limit=PROSE_CHARS),
            ),
            aliases=("reroll",),
            build=_take,
        ),
        Row(
            name="takes",
            help="List the takes of this scene, or move to one of them",
            more="Takes are numbered in the order in which they were told.",
            example="/story takes 1",
            arguments=(Argument(name="number", help="the take to move to", kind="number", limit=HIGHEST_NUMBER),),
            build=lambda given: commands.ShowTakes(number(given)),
        ),
        Row(
            name="undo",
            help="Take back the last step",
            more="Scenes stay in the tree: only where you stand, titles, notes and settings change back.",
            example="/story undo",
            build=lambda _: commands.Undo(),
        ),
        Row(
            name="redo",
            help="Do again what was taken back",
            more="As long as nothing new was done since.",
            example="/story redo",
            build=lambda _: commands.Redo(),
        ),
        Row(
            name="go",
            help="Go to any scene of the story",
            more="Numbers and titles stand over the scenes and on the map.",
            example="/story go 4",
            arguments=(Argument(name="scene", help="its number or title", kind="scene", required=True),),
            aliases=("goto",),
            build=lambda given: commands.GoTo(given["scene"]),
        ),
    ),
)
