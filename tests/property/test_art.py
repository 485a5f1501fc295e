"""Whose picture a file is, by its name: the same every time, in any order, and never somebody's by chance."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyforge_core.domain.art import Sitter, sort_out
from storyforge_core.domain.bible import Card, Entity, EntityId, Sort

CAST = (
    ("character", "Maren", ("the old one",)),
    ("character", "Osk", ()),
    ("character", "Zoë O'Hara", ()),
    ("place", "The Mill", ()),
    ("place", "Room 12", ()),
    ("prop", "brass key", ("key",)),
    ("prop", "mill", ()),
)


def entity(number: int, sort: Sort, name: str, aliases: tuple[str, ...]) -> Entity:
    return Entity(EntityId(UUID(int=number)), Card(sort, name, aliases))


ENTITIES = tuple(entity(number, sort, name, also) for number, (sort, name, also) in enumerate(CAST, 1))  # type: ignore[arg-type]  # three sorts


def of(file: str) -> list[str]:
    """Whom a file alone may be of."""
    found = sort_out([file], ENTITIES, {3, 12})
    return [each.sitter.name for each in found.matches] + [who.name for _, sitters in found.unclear for who in sitters]


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("Maren.png", ["Maren"]),
        ("MAREN.JPG", ["Maren"]),
        ("maren_2.png", ["Maren"]),
        ("maren-v3-0012.webp", ["Maren"]),
        ("character_maren_20261127T112200Z.png", ["Maren"]),
        ("characters/old one.png", ["Maren"]),
        ("my cast/Characters of mine/osk.png", ["Osk"]),
        ("zoë-ohara.png", ["Zoë O'Hara"]),
        ("room_12.png", ["Room 12"]),
        ("room_12_2.png", ["Room 12"]),
        ("key.png", ["brass key"]),
        ("mill.png", ["The Mill", "mill"]),
        ("place_mill.png", ["The Mill"]),
        ("props/the_mill.png", ["mill"]),
        ("props/maren.png", []),
        ("scene_12.png", ["scene 12"]),
        ("scenes/3.jpg", ["scene 3"]),
        ("scene 4.png", []),
        ("12.png", []),
        ("marenka.png", []),
        ("character.png", []),
        ("_.png", []),
        (f"character_{UUID(int=2)}_20261127T112200000000Z.png", ["Osk"]),
        (f"character_{UUID(int=99)}_20261127T112200000000Z.png", []),
    ],
)
def test_a_name_says_whose_picture_it_is(file: str, names: list[str]) -> None:
    assert of(file) == names


names = st.lists(
    st.sampled_from(["maren.png", "maren 2.png", "osk.png", "mill.png", "key.png", "scene 3.png", "cat.png", "1.png"]),
    unique=True,
)


@given(names, st.randoms())
def test_each_file_is_somewhere_once_and_the_order_means_nothing(files: list[str], chance: object) -> None:
    found = sort_out(files, ENTITIES, {3})
    placed = [match.file for match in found.matches] + [file for some, _ in found.unclear for file in some]
    assert sorted([*placed, *found.strangers]) == sorted(files)
    assert len({match.sitter for match in found.matches}) == len(found.matches), "nobody is given two"
    shuffled = list(files)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a random generator
    assert sort_out(shuffled, ENTITIES, {3}) == found


@given(st.text(max_size=40))
def test_whatever_a_file_is_called_it_is_sorted_out(name: str) -> None:
    found = sort_out([f"{name}.png".replace("/", " ")], ENTITIES, {3})
    assert len(found.matches) + len(found.unclear) + len(found.strangers) == 1


def test_two_pictures_of_one_are_left_to_people() -> None:
    found = sort_out(["maren.png", "maren_2.png", "osk.png"], ENTITIES, ())
    assert [match.file for match in found.matches] == ["osk.png"]
    assert found.unclear == ((("maren.png", "maren_2.png"), (Sitter("character", "Maren", ENTITIES[0]),)),)
