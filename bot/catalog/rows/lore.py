"""What is true in a story's world."""

from typing import Final

from bot.catalog.row import BOOK, Argument, Group, Row
from storyforge_core.domain import commands
from storyforge_core.domain.lore_files import FILE_CHARS
from storyforge_core.domain.lore_settings import KEY_CHARS, LORE_CHARS, LORE_SETTINGS, LORE_TITLE_CHARS, MOST_KEYS

KEYS_CHARS = KEY_CHARS * MOST_KEYS
SETTINGS: Final = tuple(LORE_SETTINGS)
_ENTRY = Argument(name="entry", help="its number, or words of its title", kind="lore", required=True)


LORE: Final = Group(
    name="Lore",
    root=BOOK,
    rows=(
        Row(
            name="lore add",
            help="Add something that is true in the story's world",
            more="The storyteller is told of it when one of its keys comes up; without keys, for every scene.",
            example='/story lore add The bell rings only for the dead. keys="bell, bell tower" title="The bell"',
            arguments=(
                Argument(name="text", help="what the storyteller is to know", required=True, limit=LORE_CHARS),
                Argument(name="keys", help="words that bring it up, with commas", limit=KEYS_CHARS, named=True),
                Argument(name="title", help="what it is called", limit=LORE_TITLE_CHARS, named=True),
            ),
            build=lambda given: commands.AddLore(given["text"], given["keys"], given["title"]),
        ),
        Row(
            name="lore list",
            help="List what is true in the story's world",
            more="With words: only what has them in its title or keys.",
            example="/story lore list bell",
            arguments=(Argument(name="words", help="what to look for"),),
            who="anyone",
            build=lambda given: commands.ListLore(given["words"]),
        ),
        Row(
            name="lore show",
            help="Read one entry of the lore, and see how it stands here",
            more="Told or not, resting or not: that depends on the branch you are on.",
            example="/story lore show 1",
            arguments=(_ENTRY,),
            who="anyone",
            build=lambda given: commands.ShowLore(given["entry"]),
        ),
        Row(
            name="lore edit",
            help="Change one thing about an entry of the lore",
            more=f"There are {', '.join(SETTINGS)}. A wrong value is answered with what would do.",
            example="/story lore edit 1 sticky 2",
            arguments=(
                Argument(name="entry", help="its number", kind="lore", required=True, single=True),
                Argument(name="setting", help="what to change", kind="word", words=SETTINGS, required=True),
                Argument(name="value", help="what it should be", limit=LORE_CHARS),
            ),
            build=lambda given: commands.EditLore(given["entry"], given["setting"], given["value"]),
        ),
        Row(
            name="lore forget",
            help="Take an entry out of the lore",
            more="Undo brings it back.",
            example="/story lore forget 1",
            arguments=(_ENTRY,),
            build=lambda given: commands.ForgetLore(given["entry"]),
        ),
        Row(
            name="lore import",
            help="Take in a book of lore from elsewhere",
            more=(
                "World Info of SillyTavern, a lorebook, or a character card with one, as JSON: a file on Discord, the "
                "name of one in the terminal, its text elsewhere. Undo takes all of it back."
            ),
            example='/story lore import {"entries": {"0": {"key": ["bell"], "content": "It rings for the dead."}}}',
            arguments=(Argument(name="file", help="the book", kind="file", required=True, limit=FILE_CHARS),),
            who="host",
            build=lambda given: commands.ImportLore(given["file"]),
        ),
        Row(
            name="lore export",
            help="Get all lore as a file for other programs",
            more="It is World Info of SillyTavern; what was imported and means nothing here goes out as it came.",
            example="/story lore export",
            who="anyone",
            build=lambda _: commands.ExportLore(),
        ),
    ),
)
