"""What the story knows."""

from typing import Final

from bot.catalog.row import BOOK, QUESTION_CHARS, Argument, Group, Row
from storyforge_core.domain import book

BOOK_ROWS: Final = Group(
    name="Know",
    root=BOOK,
    rows=(
        Row(
            name="ask",
            help="Ask the story something",
            more="It answers with what was told on the way to where you stand, word for word.",
            example="/story ask Who has the brass key?",
            arguments=(Argument(name="question", help="what you want to know", required=True, limit=QUESTION_CHARS),),
            who="anyone",
            build=lambda given: book.Ask(given["question"]),
        ),
        Row(
            name="search",
            help="Look for words in all stories of this place",
            more="In each story on the way to where it stands; /story stories opens one of them.",
            example="/story search the drowned bell",
            arguments=(Argument(name="words", help="what to look for", required=True, limit=QUESTION_CHARS),),
            aliases=("find",),
            who="anyone",
            build=lambda given: book.Search(given["words"]),
        ),
        Row(
            name="why",
            help="See what the storyteller was given for a scene",
            more="What it read and how much of it, which old scenes came back to it and why, and how it was asked.",
            example="/story why 12",
            arguments=(Argument(name="scene", help="its number or title", kind="scene"),),
            who="anyone",
            build=lambda given: book.ShowWhy(given["scene"]),
        ),
        Row(
            name="replay",
            help="Have a scene told once more from the very same prompt",
            more="With the same seed, too. It becomes a take beside the other; the story stays where it stands.",
            example="/story replay 12",
            arguments=(Argument(name="scene", help="its number or title", kind="scene"),),
            build=lambda given: book.Replay(given["scene"]),
        ),
        Row(
            name="context",
            help="See what fills the storyteller's window before the next scene",
            more="A bar for each part, what is kept for the answer, and what is left.",
            example="/story context",
            who="anyone",
            build=lambda _: book.ShowContext(),
        ),
    ),
)
