"""What was found by reading scenes: how things stand, what was promised, what contradicts itself."""

from typing import Final

from bot.catalog.row import HIGHEST_NUMBER, Argument, Row
from storyforge_core.domain import found

MOST_FOUND_FACTS: Final = 999_999
"""Facts that scenes say count up as a story grows."""
PROMISE: Final = Argument(
    name="number", help="its number in the list", kind="number", required=True, limit=MOST_FOUND_FACTS
)
DISPUTE: Final = Argument(
    name="number",
    help="its number in the list",
    kind="number",
    required=True,
    limit=MOST_FOUND_FACTS,
    single=True,
)
WHICH: Final = Argument(
    name="which", help="which of its values is true", kind="number", required=True, limit=HIGHEST_NUMBER
)

FOUND_ROWS: Final[tuple[Row, ...]] = (
    Row(
        name="fact disputed",
        help="List where scenes contradict each other",
        more="Neither value is told to the storyteller until you decide.",
        example="/story fact disputed",
        who="anyone",
        build=lambda _: found.ListDisputes(),
    ),
    Row(
        name="fact settle",
        help="Decide which of two values is true",
        more="It holds from where the scene says so. Undo takes it back.",
        example="/story fact settle 12 2",
        arguments=(DISPUTE, WHICH),
        build=lambda given: found.SettleFact(int(given["number"]), int(given["which"])),
    ),
    Row(
        name="promise list",
        help="List what the story has promised, and what it kept",
        more="On the way to where you stand, each with its scenes.",
        example="/story promise list",
        aliases=("promises",),
        who="anyone",
        build=lambda _: found.ShowPromises(),
    ),
    Row(
        name="promise forget",
        help="Take out what is no promise",
        more="Undo brings it back.",
        example="/story promise forget 2",
        arguments=(PROMISE,),
        build=lambda given: found.ForgetPromise(int(given["number"])),
    ),
    Row(
        name="state",
        help="See who is where, with what",
        more="As far as scenes say so, on the way to where you stand.",
        example="/story state",
        who="anyone",
        build=lambda _: found.ShowState(),
    ),
)
