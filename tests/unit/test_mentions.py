"""Names in prose: who is meant, and who is not."""

import re
import time
from pathlib import Path

import pytest

from storyforge_core.domain.bible import Card, Claim, Entity, EntityId, Fact, FactId, matters
from storyforge_core.domain.mentions import Names
from storyforge_core.engine.clock import SystemClock

CLOCK = SystemClock()


@pytest.mark.parametrize(
    ("names", "text", "found"),
    [
        (["Maren"], "Maren's lamp. MAREN! marengo, Marenka", ["Maren", "MAREN"]),
        (["Maren"], "Marens Lampe brennt", ["Marens"]),
        (["Osk", "Old Osk", "Old Osk Hale"], "Old Osk Hale and Old Osk and Osk", ["Old Osk Hale", "Old Osk", "Osk"]),
        (["the keeper of the key"], "The Keeper of the Key; the keeper of the door", ["Keeper of the Key"]),
        (["The Mill"], "a mill, the Mill, millet", ["mill", "Mill"]),
        (["Hope"], "There was hope. Hope was a girl.", ["Hope"]),
        (["hope"], "There was Hope.", ["Hope"]),
        (["Jean-Luc", "Luc"], "Jean-Luc met Luc", ["Jean-Luc", "Luc"]),
        (["Zoë"], "ZOË and Zoe", ["ZOË"]),
        (["Марья"], "Марья пришла", ["Марья"]),
        (["麻里", "麻"], "その夜、麻里は海へ行った。麻の布。", ["麻里", "麻"]),
        (["O'Neill"], "O'Neill and o'neill and O-Neill", ["O'Neill", "O-Neill"]),
        (["...", ""], "nothing...", []),
    ],
)  # fmt: skip
def test_a_name_is_found_where_it_is_meant(names: list[str], text: str, found: list[str]) -> None:
    mentions = Names(names).mentions(text)
    assert [text[mention.start : mention.end] for mention in mentions] == found


def test_a_megabyte_with_five_thousand_names_is_read_quickly() -> None:
    names = [f"Name{number} House{number % 70}" for number in range(5000)]
    text = "Somebody met Name17 House17 by the water and said nothing of it. " * 16_000
    vocabulary = Names(names)
    start = time.process_time()
    assert len(vocabulary.mentions(text)) == 16_000
    assert time.process_time() - start < 0.5  # 0.15 s where nothing else runs


def test_what_matters_is_about_those_who_are_named_and_newest_first() -> None:
    maren = Entity(EntityId(CLOCK.new_id()), Card("character", "Maren", ("the miller",), "keeps the mill"))
    osk = Entity(EntityId(CLOCK.new_id()), Card("character", "Osk", (), "mends nets"))
    told = ("Maren is awake", "The miller sleeps", "Osk is old", "The bridge is down", "It snows in June")
    facts = [Fact(FactId(CLOCK.new_id()), number, number + 10, Claim(text)) for number, text in enumerate(told, 1)]
    lines = matters((maren, osk), facts, "The miller walked to the bridge, and it was down.")
    assert lines == (
        "Maren (character, also called the miller): keeps the mill",
        "The bridge is down (scene 14)",
        "The miller sleeps (scene 12)",
        "Maren is awake (scene 11)",
    )


KNOWN = """
    Alice|the March Hare|the Hatter|the Dormouse|Dinah|the White Rabbit|the Rabbit|Time|the Queen of Hearts|the Queen|
    Elsie|Lacie|Tillie|Mr. Bennet|Netherfield Park|Netherfield|Mrs. Long|Mr. Morris|Bingley|Mr. Bingley|Sir William|
    Lady Lucas|Lizzy|Jane|Lydia|Elizabeth|Mary|Sherlock Holmes|Holmes|Irene Adler|Baker Street|Watson|メロス|
    セリヌンティウス|シラクス|Анна|Анна Павловна|князь|Пьер
"""
LABELLED = Path(__file__).parent / "samples" / "names.txt"
"""From books that belong to everybody: Carroll, Austen, Doyle, Dazai, after Tolstoy; the names are marked by hand."""
ARTICLE = re.compile(r"^(?:the|a)\s+", re.IGNORECASE)


def labels(marked: str) -> tuple[str, set[tuple[int, int]]]:
    """The text without its marks, and where the names stand, articles left out."""
    text, places = "", set()
    for piece in re.split(r"(\[[^\]]+\])", marked):
        if piece.startswith("["):
            name = ARTICLE.sub("", piece[1:-1])
            start = len(text) + len(piece) - 2 - len(name)
            places.add((start, start + len(name)))
        text += piece.strip("[]") if piece.startswith("[") else piece
    return text, places


def test_names_in_real_prose_are_found_and_nothing_else() -> None:
    text, labelled = labels(LABELLED.read_text("utf-8"))
    assert len(labelled) >= 200
    names = Names(name.strip() for name in KNOWN.split("|"))
    found = set()
    for mention in names.mentions(text):
        said = text[mention.start : mention.end]
        found.add((mention.end - len(ARTICLE.sub("", said)), mention.end))
    right = len(found & labelled)
    assert right / len(found) >= 0.95
    assert right / len(labelled) >= 0.95
