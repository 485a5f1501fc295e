"""What is true in the story: people, places, things, and facts."""

from collections.abc import Iterator, Mapping
from typing import Final, get_args

from bot.catalog.row import BOOK, NAME_CHARS, Argument, Group, Row
from bot.catalog.rows.found import FOUND_ROWS, MOST_FOUND_FACTS
from storyforge_core.domain import book, found
from storyforge_core.domain.bible import FACT_CHARS, TEXT_CHARS, Sort

MANY: Final[Mapping[Sort, str]] = {"character": "characters", "place": "places", "prop": "things"}
EXAMPLES: Final[Mapping[Sort, str]] = {"character": "Maren", "place": "the mill", "prop": "the brass key"}
TEXT: Final = Argument(name="text", help="what is true of it", limit=TEXT_CHARS, named=True)
SECRET: Final = Argument(name="secret", help="what only the storyteller knows", limit=TEXT_CHARS, named=True)
VOICE: Final = Argument(name="voice", help="how they speak", limit=TEXT_CHARS, named=True)
PATH_CHARS: Final = 1000
NEW: Final = Argument(name="name", help="its name", required=True, limit=NAME_CHARS)
PICTURE: Final = Argument(
    name="file", help="a picture: PNG, JPEG or WebP", kind="picture", limit=PATH_CHARS, named=True
)
KNOWN: Final = Argument(name="name", help="its name", kind="entity", required=True, limit=NAME_CHARS)


def _rows(sort: Sort) -> Iterator[Row]:
    """The commands about one sort."""
    one = EXAMPLES[sort]
    texts = (TEXT, SECRET, VOICE) if sort == "character" else (TEXT, SECRET)
    yield Row(
        name=f"{sort} add",
        help=f"Write down a {sort} of the story",
        more="The storyteller is told of it whenever it is named. It is so on every branch.",
        example=f'/story {sort} add {one} text="older than it looks"',
        arguments=(NEW, *texts),
        build=lambda given: book.AddEntity(sort, given["name"], given["text"], given["secret"], given.get("voice", "")),
    )
    yield Row(
        name=f"{sort} show",
        help=f"See what is written down about a {sort}",
        more="With what scenes say of it here, and the facts that name it. A secret is for hosts who read it alone.",
        example=f"/story {sort} show {one}",
        arguments=(KNOWN,),
        who="anyone",
        build=lambda given: book.ShowEntity(sort, given["name"]),
    )
    yield Row(
        name=f"{sort} edit",
        help=f"Write down something else about a {sort}",
        more="What you leave out stays as it is. What was found by reading is written down by it.",
        example=f'/story {sort} edit {one} text="younger than it looks"',
        arguments=(KNOWN, *texts),
        build=lambda given: book.EditEntity(
            sort, given["name"], given["text"], given["secret"], given.get("voice", "")
        ),
    )
    yield from _further(sort, one)


def _further(sort: Sort, one: str) -> Iterator[Row]:
    also = Argument(name="also", help="the other name", required=True, limit=NAME_CHARS, named=True)
    yield Row(
        name=f"{sort} alias",
        help=f"Give a {sort} another name, or take it away again",
        more="It is known by it in scenes from then on.",
        example=f'/story {sort} alias {one} also="the old one"',
        arguments=(KNOWN, also),
        build=lambda given: book.AliasEntity(sort, given["name"], given["also"]),
    )
    yield Row(
        name=f"{sort} look",
        help=f"See how a {sort} looks, or give it a look from here on",
        more=(
            "Send a picture with it: pictures of the scenes from here on show it like that. On Matrix the command is "
            "the picture's caption, or a reply to it; in the terminal, file= names a file of yours."
        ),
        example=f"/story {sort} look {one}",
        arguments=(KNOWN, PICTURE),
        build=lambda given: book.EntityLook(sort, given["name"], given["file"]),
    )
    yield Row(
        name=f"{sort} list",
        help=f"List the {MANY[sort]} that are written down",
        more="With those that were found by reading scenes here. Secrets are left out.",
        example=f"/story {sort} list",
        who="anyone",
        build=lambda _: book.ListEntities(sort),
    )
    yield Row(
        name=f"{sort} forget",
        help=f"Take a {sort} out of what is written down",
        more="Scenes keep what they tell. Undo brings it back.",
        example=f"/story {sort} forget {one}",
        arguments=(KNOWN,),
        build=lambda given: book.ForgetEntity(sort, given["name"]),
    )
    yield _merge(sort, one)


def _merge(sort: Sort, one: str) -> Row:
    into = Argument(name="into", help="who it really is", required=True, limit=NAME_CHARS, named=True)
    return Row(
        name=f"{sort} merge",
        help=f"Let a {sort} be another one that is known already",
        more="Names, facts and what scenes say of it follow. Undo takes it apart again.",
        example=f'/story {sort} merge {one} into="the old one"',
        arguments=(KNOWN, into),
        build=lambda given: found.MergeEntity(sort, given["name"], given["into"]),
    )


BIBLE_ROWS: Final = Group(
    name="Truth",
    root=BOOK,
    rows=(
        *(row for sort in get_args(Sort) for row in _rows(sort)),
        Row(
            name="look list",
            help="List who and what has a look here",
            more="With the scene from which each look holds; those of other branches do not.",
            example="/story look list",
            who="anyone",
            build=lambda _: book.ListLooks(),
        ),
        Row(
            name="look forget",
            help="Take the look of somebody or something away",
            more="An older one on the way here holds again. Undo brings it back.",
            example="/story look forget Maren",
            arguments=(Argument(name="name", help="its name", kind="entity", required=True, limit=NAME_CHARS),),
            build=lambda given: book.ForgetLook(given["name"]),
        ),
        Row(
            name="fact add",
            help="Write down what is true from a scene on",
            more="A quote from a scene proves it, and says from where on it holds; without one it holds from here on.",
            example='/story fact add Osk has the brass key quote="He pocketed the key"',
            arguments=(
                Argument(name="text", help="what is true", required=True, limit=FACT_CHARS),
                Argument(name="quote", help="where a scene says so, word for word", limit=FACT_CHARS, named=True),
            ),
            build=lambda given: book.AddFact(given["text"], given["quote"]),
        ),
        Row(
            name="fact list",
            help="List the facts that hold here",
            more="Those written down, and those found by reading scenes; not those of other branches.",
            example="/story fact list",
            who="anyone",
            build=lambda _: book.ListFacts(),
        ),
        Row(
            name="fact forget",
            help="Take a fact out again",
            more="Undo brings it back.",
            example="/story fact forget 2",
            arguments=(
                Argument(
                    name="number", help="its number in the list", kind="number", required=True, limit=MOST_FOUND_FACTS
                ),
            ),
            build=lambda given: book.ForgetFact(int(given["number"])),
        ),
        *FOUND_ROWS,
    ),
)
