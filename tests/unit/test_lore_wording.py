"""What is said about lore, in every state, and that nothing in it acts on a chat."""

from uuid import UUID

import pytest

from bot.wording.lore import lore_imported, lore_listed, lore_shown
from bot.wording.markup import Markdown, Plain
from bot.wording.voice import Voice
from storyforge_core.domain.lore import Lore, LoreEntry, LoreId, Phase
from storyforge_core.domain.replies import LoreImported, LoreListed, LoreShown
from storyforge_core.domain.story import StoryId

PLAIN, CHAT = Voice(Plain(), str), Voice(Markdown(), str)


def entry(lore: Lore, number: int = 1) -> LoreEntry:
    return LoreEntry(LoreId(UUID(int=number)), StoryId(UUID(int=9)), number, lore)


@pytest.mark.parametrize(
    ("phase", "sentence"),
    [
        ("ready", "The storyteller knew it for the scene here."),
        ("early", "It comes up after 4 scenes at the earliest."),
        ("held", "It stays for the next scene, whatever that is about."),
        ("resting", "It rests now, and is not told for the next scene."),
    ],
)
def test_an_entry_says_how_it_stands_here(phase: Phase, sentence: str) -> None:
    lore = Lore(title="The bell", text="It rings.", keys=("bell",), delay=4)
    assert sentence in lore_shown(LoreShown(entry(lore), told=True, phase=phase, flawed=()), PLAIN)


def test_the_list_says_what_brings_each_up() -> None:
    book = (
        Lore(title="Bell", text="x", keys=("bell", "tower")),
        Lore(title="Lies", text="x", constant=True),
        Lore(title="Old", text="x", constant=True, on=False),
        Lore(title="Lost", text="x"),
    )
    listed = LoreListed(tuple(entry(lore, number) for number, lore in enumerate(book, 1)), told=(2,))
    assert lore_listed(listed, PLAIN).splitlines() == [
        "Lore: 4 entries",
        "1. Bell — when it is about: bell, tower",
        "2. Lies — for every scene ← told here",
        "3. Old — switched off",
        "4. Lost — it has no keys",
        "Read one: /story lore show 1",
    ]


def test_a_search_without_a_find_says_what_was_looked_for() -> None:
    assert lore_listed(LoreListed((), (), "whale"), PLAIN).startswith("No lore has whale in its title or keys.")


def test_of_many_that_were_left_out_some_are_named() -> None:
    said = lore_imported(LoreImported(2, 1, tuple(f"“{n}” says nothing" for n in range(5)), ("/(/",)), PLAIN)
    assert said.splitlines() == [
        "2 entries imported. /story lore list shows them. Already there: 1.",
        "Left out: “0” says nothing; “1” says nothing; “2” says nothing; 2 more.",
        "Between slashes, but no regular expressions, so never found: /(/.",
    ]


def test_nothing_in_an_entry_pings_or_masks_a_link() -> None:
    bad = "@everyone [safe](https://evil.example) **loud**"
    lore = Lore(title=bad, text=bad, keys=(bad,), groups=(bad,))
    shown = lore_shown(LoreShown(entry(lore), told=False, phase="ready", flawed=(bad,)), CHAT)
    listed = lore_listed(LoreListed((entry(lore),), ()), CHAT)
    for said in (shown, listed, lore_imported(LoreImported(0, 0, (bad,), (bad,)), CHAT)):
        assert "@everyone" not in said
        assert "](" not in said
        assert "**loud" not in said
