"""Lorebooks of other programs: what they say arrives, whatever else is in them."""

import json
import time
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyforge_core.domain.lore import Lore, LoreEntry, LoreId
from storyforge_core.domain.lore_export import write_book
from storyforge_core.domain.lore_files import MOST_ENTRIES, Book, read_book
from storyforge_core.domain.lore_settings import (
    KEY_CHARS,
    LORE_CHARS,
    LORE_SETTINGS,
    LORE_TITLE_CHARS,
    MOST_KEYS,
    change_lore,
    unusual,
)
from storyforge_core.domain.story import StoryId
from storyforge_core.errors import Invalid
from storyforge_core.store.codec import LORE, dump, storable

WORLD_INFO = {
    "uid": 3,
    "key": ["bell", "/bells?/i"],
    "keysecondary": ["tower"],
    "comment": "The bell",
    "content": "It rings only for the dead.",
    "constant": False,
    "vectorized": False,
    "selective": True,
    "selectiveLogic": 3,
    "order": 42,
    "position": 4,
    "depth": 6,
    "disable": False,
    "excludeRecursion": True,
    "preventRecursion": True,
    "delayUntilRecursion": False,
    "probability": 30,
    "useProbability": True,
    "scanDepth": 5,
    "caseSensitive": True,
    "matchWholeWords": False,
    "group": "weather, mood",
    "groupOverride": True,
    "groupWeight": 7,
    "sticky": 1,
    "cooldown": 2,
    "delay": 3,
    "extensions": {"mine": 1},
}
BELL = Lore(
    title="The bell",
    text="It rings only for the dead.",
    keys=("bell", "/bells?/i"),
    also=("tower",),
    logic="and_all",
    order=42,
    depth=5,
    whole_words=False,
    match_case=True,
    probability=30,
    sticky=1,
    cooldown=2,
    delay=3,
    groups=("weather", "mood"),
    weight=7,
    preferred=True,
    wakes=False,
    woken=False,
)
CARD_ENTRY = {
    "id": 3,
    "keys": ["bell", "/bells?/i"],
    "secondary_keys": ["tower"],
    "comment": "The bell",
    "content": "It rings only for the dead.",
    "constant": False,
    "selective": True,
    "insertion_order": 42,
    "enabled": True,
    "position": "after_char",
    "use_regex": False,
    "case_sensitive": None,
    "extensions": {
        "position": 4,
        "exclude_recursion": True,
        "prevent_recursion": True,
        "delay_until_recursion": False,
        "probability": 30,
        "useProbability": True,
        "depth": 6,
        "selectiveLogic": 3,
        "group": "weather, mood",
        "group_override": True,
        "group_weight": 7,
        "scan_depth": 5,
        "case_sensitive": True,
        "match_whole_words": False,
        "sticky": 1,
        "cooldown": 2,
        "delay": 3,
    },
}
BOOK = {"name": "Shore", "entries": [CARD_ENTRY], "extensions": {}}


def read(whole: object) -> Book:
    return read_book(json.dumps(whole))


def one(whole: object) -> Lore:
    (lore,) = read(whole).entries
    return lore


@pytest.mark.parametrize(
    "whole",
    [
        {"entries": {"3": WORLD_INFO}},
        {"entries": [WORLD_INFO]},
        BOOK,
        {"spec": "lorebook_v3", "data": BOOK},
        {"spec": "chara_card_v2", "data": {"name": "Osk", "character_book": BOOK}},
        {"spec": "chara_card_v9", "spec_version": "9.0", "data": {"name": "Osk", "character_book": BOOK, "assets": []}},
        {"name": "Osk", "character_book": BOOK},
    ],
    ids=["world info", "a list", "a book", "V3", "card V2", "a newer card", "card V1"],
)
def test_every_kind_of_book_says_the_same(whole: object) -> None:
    assert replace(one(whole), extra="") == BELL


def test_what_is_not_understood_is_kept() -> None:
    kept = json.loads(one({"entries": {"3": WORLD_INFO}}).extra)
    assert kept == {"vectorized": False, "position": 4, "depth": 6, "extensions": {"mine": 1}}


def test_fields_that_are_not_there_are_as_in_sillytavern() -> None:
    assert one({"entries": {"0": {"key": ["bell"], "content": "It rings."}}}) == Lore(
        title="bell", text="It rings.", keys=("bell",)
    )


def test_other_keys_count_only_where_they_are_switched_on() -> None:
    assert one({"entries": [{"content": "x", "secondary_keys": ["tower"]}]}).also == ()


def test_a_card_names_its_character() -> None:
    entry = {"keys": ["{{char}}"], "content": "{{Char}} is tall."}
    card = {"data": {"name": "Osk", "nickname": "Old Osk", "character_book": {"entries": [entry]}}}
    assert (one(card).keys, one(card).text) == (("Old Osk",), "Old Osk is tall.")


def test_a_book_of_expressions_has_them_between_slashes() -> None:
    assert one({"entries": [{"keys": ["bells?", "a/b", "/x/i"], "content": "x", "use_regex": True}]}).keys == (
        "/bells?/",
        "/a\\/b/",
        "/x/i",
    )


def test_decorators_do_what_is_understood_and_are_not_told() -> None:
    lore = one({"entries": [{"content": "@@scan_depth 7\n@@whisper\n@@@activate_only_after 2\n\nIt rings."}]})
    assert (lore.text, lore.depth, lore.delay) == ("It rings.", 7, 2)


def test_a_book_says_how_deep_and_whether_its_entries_wake_each_other() -> None:
    book = {
        "scan_depth": 9,
        "recursive_scanning": False,
        "entries": [{"content": "x"}, {"content": "y", "scanDepth": 1}],
    }
    assert [(lore.depth, lore.woken) for lore in read(book).entries] == [(9, False), (1, False)]


def test_what_is_too_long_is_left_out_by_name() -> None:
    book = read(
        {"entries": [{"comment": "Epic", "content": "x" * (LORE_CHARS + 1)}, {"content": "", "keys": ["void"]}]}
    )
    assert book == Book((), ("“Epic” has 8,001 characters, and 8,000 are the most", "“void” says nothing"))


def test_a_book_with_too_much_is_refused() -> None:
    with pytest.raises(Invalid, match="1,000 are the most"):
        read({"entries": [{"content": "x"}] * (MOST_ENTRIES + 1)})
    with pytest.raises(Invalid, match="2,000,000 are the most"):
        read_book(" " * 2_000_001)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from([*WORLD_INFO, *CARD_ENTRY, *CARD_ENTRY["extensions"]])  # type: ignore[misc] # a mapping
entries = st.dictionaries(fields, anything | st.text(), max_size=12)


@given(st.lists(entries, max_size=4), st.dictionaries(st.sampled_from(["scan_depth", "recursive_scanning"]), anything))
def test_whatever_stands_in_a_field_an_entry_is_within_its_limits(raw: list[object], about: dict[str, object]) -> None:
    book = read({"entries": raw, **about})
    assert len(book.entries) + len(book.left_out) == len(raw)
    for lore in book.entries:
        assert 0 < len(lore.text) <= LORE_CHARS
        assert 0 < len(lore.title) <= LORE_TITLE_CHARS
        assert len(lore.keys) <= MOST_KEYS
        assert all(0 < len(key) <= KEY_CHARS + 3 for key in (*lore.keys, *lore.also))
        for name, setting in LORE_SETTINGS.items():
            if name not in {"title", "text", "keys", "also", "groups"}:
                assert change_lore(lore, name, setting.show(lore)) == lore
        assert LORE.validate_json(dump(LORE, lore)) == storable(lore)


@given(st.lists(entries, max_size=4))
def test_what_goes_out_comes_in_again_as_it_was(raw: list[object]) -> None:
    book = read({"entries": raw}).entries
    numbered = [LoreEntry(LoreId(UUID(int=n)), StoryId(UUID(int=1)), n, lore) for n, lore in enumerate(book, 1)]
    assert read_book(write_book(numbered)).entries == book


def test_an_entry_of_sillytavern_goes_out_as_it_came() -> None:
    out = json.loads(
        write_book([LoreEntry(LoreId(UUID(int=1)), StoryId(UUID(int=1)), 3, one({"entries": [WORLD_INFO]}))])
    )
    assert out == {"entries": {"3": {**WORLD_INFO, "delayUntilRecursion": 0}}}


@given(anything)
def test_a_file_holds_a_book_or_is_refused(whole: object) -> None:
    try:
        read(whole)
    except Invalid as refused:
        assert "lorebook" in str(refused)  # noqa: PT017 - both are right


@given(st.text())
def test_no_text_does_harm(text: str) -> None:
    try:
        read_book(text)
    except Invalid as refused:
        assert "lorebook" in str(refused)  # noqa: PT017 - both are right


def test_every_setting_takes_its_own_example_and_shows_it() -> None:
    lore = Lore(title="a", text="b")
    for name, setting in LORE_SETTINGS.items():
        changed = change_lore(lore, name, setting.example)
        assert changed != lore, name
        if name not in {"title", "text", "keys"}:
            assert unusual(changed) == ((name, setting.example),)


def test_every_field_of_an_entry_can_be_changed() -> None:
    from dataclasses import fields as fields_of  # noqa: PLC0415 - the name is taken here

    assert {setting.field for setting in LORE_SETTINGS.values()} | {"extra"} == {f.name for f in fields_of(Lore)}


def test_keys_stand_between_commas_of_any_script() -> None:
    lore = Lore(title="", text="")
    typed = "bell , 鐘、tower; /a{1,2},?/i, bell"
    assert change_lore(lore, "keys", typed).keys == ("bell", "鐘", "tower", "/a{1,2},?/i")
    assert change_lore(lore, "keys", "none").keys == ()


@pytest.mark.parametrize(
    "whole",
    [
        {"entries": [{"content": "@@a\n" * 300_000}]},
        {"name": "x" * 900_000, "character_book": {"entries": [{"content": "{{char}}" * 900}] * 50}},
        {"entries": [{"content": "x", "group": "," * 1_000_000, "key": " " * 500_000}]},
    ],
    ids=["decorators", "a name", "commas"],
)
def test_a_file_that_is_meant_to_take_long_does_not(whole: object) -> None:
    text, begun = json.dumps(whole), time.process_time()
    read_book(text)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("typed", [" " * 10_000, "/" * 10_000, "/a" * 5000, "a/" * 5000, "\\/" * 5000])
def test_keys_that_are_meant_to_take_long_do_not(typed: str) -> None:
    begun = time.process_time()
    with suppress(Invalid):
        change_lore(BELL, "keys", typed)
    assert time.process_time() - begun < 1
