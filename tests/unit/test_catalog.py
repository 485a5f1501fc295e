import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalog.help import help_text, readme_table
from bot.catalog.row import PREMISE_CHARS, HelpAsked, Parsed, Problem, Root, Row
from bot.catalog.table import FAMILIES, GROUPS, ROOTS, ROWS, find
from bot.catalog.typed import make, parse
from storyforge_core.domain import book, commands, picturing
from storyforge_core.domain.commands import Command

README = Path(__file__).parents[2] / "README.md"


def sentence(parsed: Parsed | None) -> str:
    assert isinstance(parsed, Problem)
    return parsed.sentence


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/story new A keeper finds a door", commands.NewStory("A keeper finds a door")),
        ('/story new A door title="The Sea" genre=noir', commands.NewStory("A door", "The Sea", "noir")),
        (
            "/story new title=Door They don't know tone='it's calm'",
            commands.NewStory("They don't know", "Door", "", "it's calm"),
        ),
        ("/story new Kiss me title=“Round “ TONE=dark", commands.NewStory("Kiss me", "Round", "", "dark")),
        ('/story new The end title="Never closed', commands.NewStory("The end", "Never closed")),
        ("!story vote 2", commands.Vote(2)),
        ("  /STORY   Vote   \uff12. ", commands.Vote(2)),
        ("\uff0f\uff53\uff54\uff4f\uff52\uff59\u3000\uff56\uff4f\uff54\uff45\u3000#3", commands.Vote(3)),
        ("/story continue", commands.ContinueStory()),
        ("/story next open  the cellar", commands.ContinueStory("open  the cellar")),
        ("/story write Don't look back", commands.WriteIn("Don't look back")),
        ("/story close", commands.CloseBallot()),
        ("/story close 2", commands.CloseBallot(2)),
        ("/story branch", commands.BranchFrom()),
        ("/story branch The cold door", commands.BranchFrom("The cold door")),
        ("/story take", commands.Reroll()),
        ("/story take darker", commands.Reroll("darker")),
        ("/story take extend", commands.Extend()),
        ("/story take Extend the goodbye", commands.Extend("the goodbye")),
        ("/story take edit It was late.", commands.Edit("It was late.")),
        ("/story take edited by the sea", commands.Reroll("edited by the sea")),
        ("/story takes", commands.ShowTakes()),
        ("/story takes 2", commands.ShowTakes(2)),
        ("/story undo", commands.Undo()),
        ("/story redo", commands.Redo()),
        ("/story go 12", commands.GoTo("12")),
        ("/story path", commands.ShowPath()),
        ("/story map", commands.ShowMap()),
        ("/story stories", commands.ShowStories()),
        ("/story stories 2", commands.ShowStories("2")),
        ("/story", commands.ShowStatus()),
        ("/story story", commands.ShowStatus()),
        ("/story title The Door", commands.SetTitle("The Door")),
        ("/story direct", commands.Direct()),
        ("/story direct keep it slow", commands.Direct("keep it slow")),
        ("/story settings", commands.ChangeRules()),
        ("/story settings Words 150", commands.ChangeRules("words", "150")),
        ("/story settings write-ins off", commands.ChangeRules("write_ins", "off")),
        ("/story join", commands.Join()),
        ("/story leave", commands.Leave()),
        ("/story ban @Ann Lee", commands.Ban("Ann Lee")),
        ("/story ban Ann Lee off", commands.Ban("Ann Lee", lift=True)),
        ("/story ban off", commands.Ban("off")),
        ("/story stop", commands.Stop()),
        ("/storyhost title The Door", commands.SetTitle("The Door")),
        ("!storyhost vote 2", commands.Vote(2)),
        ("/story delete The Door", commands.DeleteStory("The Door")),
        ("/story mydata", commands.ShowMyData()),
        ("/story mydata delete", commands.ForgetMe()),
        ("/story mydata delete everything yes", commands.ForgetMe(everything=True, sure=True)),
        ("/story setup show", commands.ShowSpace()),
        ("/story setup channel 12", commands.ChangeSpace("channel", "12")),
        ("/story setup channel 12 off", commands.ChangeSpace("channel", "12", lift=True)),
        ("/story setup starters managers", commands.ChangeSpace("starters", "managers")),
        ("/story setup starters 34", commands.ChangeSpace("starters", "34")),
        ("/story setup adults on", commands.ChangeSpace("adults", "on")),
        ("/story setup default quorum 3", commands.ChangeSpace("default", "quorum 3")),
        ("/story setup block 56", commands.ChangeSpace("block", "56")),
        (
            "/story lore add It rings. keys='bell, tower' title=Bell",
            commands.AddLore("It rings.", "bell, tower", "Bell"),
        ),
        ("/story lore list", commands.ListLore()),
        ("/story lore list bell", commands.ListLore("bell")),
        ("/story lore show The bell", commands.ShowLore("The bell")),
        ("/story lore edit 3 sticky 2", commands.EditLore("3", "sticky", "2")),
        ("/story lore edit 3 KEYS bell, tower", commands.EditLore("3", "keys", "bell, tower")),
        ("/story lore edit 3 also", commands.EditLore("3", "also")),
        ("/story lore export", commands.ExportLore()),
        ("/story lore forget 3", commands.ForgetLore("3")),
        ('/story lore import {"entries": []}', commands.ImportLore('{"entries": []}')),
        ("/story setup stream off", commands.ChangeSpace("stream", "off")),
        ("/story help", HelpAsked()),
        ("/story help vote", HelpAsked("vote")),
    ],
)
def test_a_typed_line_becomes_the_command_it_says(line: str, command: Parsed) -> None:
    assert parse(line) == command


@pytest.mark.parametrize("line", ["", "vote 2", "story vote 2", "/storyteller", "a /story vote 1", "//story vote 1"])
def test_a_line_that_is_not_addressed_is_nobodys_business(line: str) -> None:
    assert parse(line) is None


def test_a_mistyped_command_is_answered_with_the_likely_one() -> None:
    assert "Did you mean “continue”?" in sentence(parse("/story contineu"))


def test_an_unknown_command_is_answered_with_the_way_to_the_list() -> None:
    assert "/story help" in sentence(parse("/story xyzzy"))


def test_an_endless_unknown_word_is_not_repeated_in_full() -> None:
    assert len(sentence(parse(f"/story {'x' * 5000}"))) < 150


@pytest.mark.parametrize("line", ["/story new", "/story vote", "/story write   ", "/story go", "/story ban @"])
def test_a_missing_argument_is_named_with_an_example(line: str) -> None:
    answer = sentence(parse(line))
    assert "missing" in answer
    assert find(line.split()[1]).example in answer  # type: ignore[union-attr]  # a known command has one


@pytest.mark.parametrize("number", ["two", "0", "-1", "1.5", "9" * 5000, "2 please"])
def test_a_vote_that_is_no_number_says_what_a_vote_looks_like(number: str) -> None:
    assert "/story vote 2" in sentence(parse(f"/story vote {number}"))


def test_a_premise_of_the_longest_length_is_taken_and_one_more_character_is_not() -> None:
    assert isinstance(parse(f"/story new {'a' * PREMISE_CHARS}"), commands.NewStory)
    assert "2,001 characters; 2,000 are the most" in sentence(parse(f"/story new {'a' * (PREMISE_CHARS + 1)}"))


def test_a_long_hint_is_refused_where_a_long_edit_is_not() -> None:
    assert "500" in sentence(parse(f"/story take {'a' * 600}"))
    assert isinstance(parse(f"/story take edit {'a' * 600}"), commands.Edit)


def test_an_edit_without_words_says_where_they_go() -> None:
    assert "/story take edit" in sentence(parse("/story take edit"))


def test_an_unknown_setting_is_answered_with_the_likely_one() -> None:
    assert "Did you mean “deadline”?" in sentence(parse("/story settings dedline 60"))


def test_words_after_a_command_that_takes_none_are_not_ignored() -> None:
    assert "stands alone" in sentence(parse("/story undo everything"))


def test_control_characters_and_half_characters_do_not_reach_the_story() -> None:
    assert parse("/story title A\x00\x1b[2J \ud800B") == commands.SetTitle("A[2J B")


def test_a_form_of_a_platform_is_checked_like_a_typed_line() -> None:
    take = find("take")
    assert isinstance(take, Row)
    assert make(take, {"mode": "extend", "text": "more"}) == commands.Extend("more")
    assert "reroll or extend or edit" in sentence(make(take, {"mode": "burn"}))


def test_a_picture_is_asked_for_in_words_again_or_taken_down() -> None:
    assert parse("/story paint seen from the sea") == picturing.Paint("seen from the sea")
    assert parse("/story paint again") == picturing.Paint(again=True)
    assert parse("/story paint again but darker") == picturing.Paint("but darker", again=True)
    assert parse("/story paint forget") == picturing.ForgetPicture()
    assert parse("/story paint keep") == book.KeepLook()
    assert parse("/story paint keep the mill") == book.KeepLook("the mill")


def test_a_look_is_given_with_a_file_or_shown() -> None:
    assert parse("/story character look Maren") == book.EntityLook("character", "Maren")
    assert parse('/story place look the mill file="~/a mill.png"') == book.EntityLook(
        "place", "the mill", "~/a mill.png"
    )
    assert parse("/story look forget Maren") == book.ForgetLook("Maren")
    assert parse("/story look list") == book.ListLooks()


def test_every_command_of_the_core_can_be_typed_but_taking_a_sign_back() -> None:
    built = {type(parse(row.example)) for row in ROWS}
    painting = [f"/story paint {mode}" for mode in ("forget", "keep", "report", "restore")]
    lines = ("/story take", "/story take edit x", "/story mydata delete", *painting)
    assert built | {type(parse(line)) for line in lines} == {*get_args(Command), HelpAsked} - {commands.Unvote}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_command_has_help_that_fits_a_platform(row: Row) -> None:
    assert not isinstance(parse(row.example), Problem)
    assert len(row.help) <= 100
    assert not row.help.endswith(".")
    assert all(re.fullmatch(r"[a-z]{1,32}", argument.name) for argument in row.arguments)
    rest = [each for each in row.arguments if each.kind != "word" and not each.named and not each.single]
    assert len(rest) <= 1


def test_no_name_is_used_twice() -> None:
    names = [name for row in ROWS for name in (row.name, *row.aliases)]
    assert len(names) == len(set(names)) == len({name.casefold() for name in names})


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.name)
def test_no_menu_has_more_entries_than_discord_lists(root: Root) -> None:
    names = [row.name.split() for group in GROUPS if group.root == root for row in group.rows]
    families = {words[0] for words in names if len(words) > 1}
    assert len({words[0] for words in names}) <= 25
    assert all(sum(words[0] == family for words in names) <= 25 for family in families)
    assert families <= {*FAMILIES}
    assert families.isdisjoint(words[0] for words in names if len(words) == 1)


def test_every_setting_of_a_playthrough_can_be_changed() -> None:
    from storyforge_core.domain.story import Rules  # noqa: PLC0415

    for field in fields(Rules):
        assert parse(f"/story settings {field.name} 1") == commands.ChangeRules(field.name, "1")


def test_help_lists_every_command() -> None:
    listed = help_text()
    assert all(f"  {row.name} " in listed and row.help in listed for row in ROWS)
    assert max(map(len, listed.splitlines())) <= 100


def test_help_on_one_command_tells_its_form_and_an_example() -> None:
    card = help_text("Choose")
    assert "/story vote <number>" in card
    assert "Example: /story vote 2" in card


def test_help_on_nonsense_says_what_may_be_meant() -> None:
    assert "Did you mean “branch”?" in help_text("brunch")


def test_the_readme_shows_the_table_of_commands() -> None:
    assert readme_table() in README.read_text(encoding="utf-8")


@given(st.sampled_from([name for row in ROWS for name in (row.name, *row.aliases)]), st.text())
def test_whatever_follows_a_command_is_answered(name: str, rest: str) -> None:
    assert parse(f"/story {name} {rest}") is not None


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=200)
    .map(str.strip)
    .filter(bool)
)
def test_the_words_of_a_choice_arrive_as_they_were_typed(words: str) -> None:
    assert parse(f"/story write {words}") == commands.WriteIn(words)
