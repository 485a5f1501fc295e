"""Lore played: added, told where it matters, true to its branch, imported, taken back."""

import json
from dataclasses import replace

import pytest

from storyforge_core.domain.changes import LoreSet
from storyforge_core.domain.commands import (
    AddLore,
    BranchFrom,
    ContinueStory,
    Edit,
    EditLore,
    Extend,
    ForgetLore,
    GoTo,
    ImportLore,
    ListLore,
    NewStory,
    Redo,
    Reroll,
    ShowLore,
    Undo,
    Vote,
)
from storyforge_core.domain.events import Noted
from storyforge_core.domain.lore import Phase
from storyforge_core.domain.replies import Accepted, Declined, LoreImported, LoreListed, LoreShown
from storyforge_core.errors import Refused
from storyforge_core.store.database import Database
from tests.game import BO, Game, game

GUEST = replace(BO, moderator=False)
BELL = AddLore("The bell rings only for the dead.", "bell", "The bell")


def last_prompt(play: Game) -> str:
    """The newest prompt for a scene."""
    return play.writer.tellings[-1].messages[1].content


def block(play: Game) -> str:
    """What the newest prompt says of the lore."""
    return last_prompt(play).partition("<lore>\n")[2].partition("\n</lore>")[0]


async def shown(play: Game, entry: str = "1") -> LoreShown:
    reply = await play.say(ShowLore(entry))
    assert isinstance(reply, LoreShown)
    return reply


async def standing(play: Game, entry: str = "1") -> tuple[bool, Phase]:
    reply = await shown(play, entry)
    return reply.told, reply.phase


async def listed(play: Game, words: str = "") -> list[str]:
    reply = await play.say(ListLore(words))
    assert isinstance(reply, LoreListed)
    return [f"{entry.number} {entry.lore.title}" for entry in reply.entries]


async def declined(play: Game, command: object) -> str:
    reply = await play.say(command)  # type: ignore[arg-type] # any command
    assert isinstance(reply, Declined)
    return reply.sentence


async def test_lore_reaches_the_prompt_when_what_is_asked_for_brings_it_up(database: Database) -> None:
    async with game(database) as play:
        await play.play(NewStory("A door"))
        await play.say(BELL)
        await play.play(ContinueStory("a bell rings"))
        assert block(play) == "The bell rings only for the dead."
        prompt = last_prompt(play)
        order = ["<scene>", "<lore>", "<wish>", "Write the next scene"]
        assert [prompt.index(part) for part in order] == sorted(prompt.index(part) for part in order)
        await play.play(ContinueStory("a gull cries"))
        assert "<lore>" not in last_prompt(play)


async def test_lore_without_keys_is_told_from_the_next_scene_on(database: Database) -> None:
    async with game(database) as play:
        await play.play(NewStory("A door"))
        await play.say(AddLore("Nobody here can lie."))
        for command in (Vote(1), Extend(), Reroll()):
            await play.play(command)
            assert block(play) == "Nobody here can lie."
        for keys, expected in (("lie", ""), ("none", "Nobody here can lie.")):
            await play.say(EditLore("1", "keys", keys))
            await play.play(Reroll())
            assert block(play) == expected
        told = [event.sentence for event in await play.events() if isinstance(event, Noted)]
        assert told[0] == "Ann adds “Nobody here can lie.” (1) to the lore, told for every scene."


async def test_the_beginning_of_a_prompt_does_not_depend_on_what_is_told(database: Database) -> None:
    async with game(database) as play:
        play.writer.words = 400
        await play.play(NewStory("A door"))
        for _ in range(14):
            await play.play(Vote(1))
        await play.say(replace(BELL, text="The bell rings only for the dead. " * 30))
        prompts = []
        for hint in ("a bell rings", "a gull cries"):
            await play.play(Reroll(hint))
            prompts.append(last_prompt(play))
        with_lore, without = prompts
        assert "<lore>" in with_lore
        assert with_lore.partition("<lore>")[0] == without.partition("<chosen>\nChoice 1 of 14")[0]
        assert "<earlier>" in without


async def test_timers_go_on_along_a_branch_and_no_sibling_knows_of_them(database: Database) -> None:
    async with game(database) as play:
        await play.play(NewStory("A door"))  # 1
        await play.say(BELL)
        await play.say(EditLore("1", "sticky", "1"))
        await play.say(EditLore("1", "cooldown", "2"))
        await play.play(ContinueStory("a bell rings"))  # 2, told for the hint
        assert await standing(play) == (True, "held")
        await play.play(ContinueStory("a gull cries"))  # 3, still told
        assert block(play)
        assert await standing(play) == (True, "resting")
        await play.play(ContinueStory("a bell rings"))  # 4, rests
        assert not block(play)
        await play.say(BranchFrom("1"))
        assert await standing(play) == (False, "ready")
        await play.play(ContinueStory("a gull cries"))  # 5, a sibling of 2
        assert not block(play)
        await play.play(ContinueStory("a bell rings"))  # 6: nothing rests here
        assert block(play)
        await play.say(GoTo("3"))
        assert await standing(play) == (True, "resting")
        await play.play(ContinueStory("a bell rings"))  # 7, a sibling of 4: what was so at the fork is so here
        assert not block(play)


async def test_a_scene_in_a_players_words_keeps_what_the_timers_count_from(database: Database) -> None:
    async with game(database) as play:
        await play.play(NewStory("A door"))
        await play.say(BELL)
        await play.say(EditLore("1", "sticky", "2"))
        await play.play(ContinueStory("a bell rings"))
        await play.play(Edit("The door was never there."))
        assert await standing(play) == (True, "held")
        await play.play(ContinueStory("a gull cries"))
        assert block(play)


async def test_undo_takes_back_every_change_of_the_lore_and_redo_makes_it_again(database: Database) -> None:
    async with game(database) as play:
        await play.play(NewStory("A door"))
        await play.say(BELL)
        await play.say(EditLore("1", "text", "It never rings."))
        await play.say(ForgetLore("the bell"))
        assert await listed(play) == []
        await play.say(Undo())
        assert (await shown(play)).entry.lore.text == "It never rings."
        await play.say(Undo())
        assert (await shown(play)).entry.lore.text == BELL.text
        await play.say(Undo())
        assert await listed(play) == []
        for _ in range(3):
            await play.say(Redo())
        assert await listed(play) == []
        await play.say(AddLore("No number is given twice."))
        assert await listed(play) == ["2 No number is given twice."]


async def test_entries_are_found_by_number_and_words(database: Database) -> None:
    async with game(database) as play:
        await play.play(NewStory("A door"))
        for title, keys in (("The bell", "tower"), ("The bell ringer", "Osk"), ("Gulls", "")):
            await play.say(AddLore(f"About {title}.", keys, title))
        assert (await shown(play, "#2")).entry.lore.title == "The bell ringer"
        assert (await shown(play, "the bell")).entry.number == 1
        assert (await shown(play, "ringer")).entry.number == 2
        assert await listed(play, "osk") == ["2 The bell ringer"]
        assert "1 “The bell”, 2 “The bell ringer”" in await declined(play, ShowLore("bel"))
        assert "/story lore list" in await declined(play, ForgetLore("whale"))


NONSENSE = (
    ("chance", "200", "/story lore edit 1 chance 30"),
    ("sticky", "two", "/story lore edit 1 sticky 3"),
    ("logic", "xor", "not any"),
    ("text", "", "/story lore edit 1 text"),
    ("keys", "/(/", "no regular expression"),
    ("moon", "full", "There are: title, text, keys"),
)


async def test_what_makes_no_sense_is_answered_with_what_would(database: Database) -> None:
    async with game(database) as play:
        await play.play(NewStory("A door"))
        await play.say(BELL)
        for setting, value, hint in NONSENSE:
            assert hint in await declined(play, EditLore("1", setting, value))
        assert "/story lore add" in await declined(play, AddLore("  "))


BOOK = {
    "entries": {
        "0": {"key": ["bell"], "comment": "The bell", "content": "It rings for the dead.", "order": 5, "mystery": [1]},
        "1": {"key": ["/(a|aa)+$/"], "comment": "Slow", "content": "Slow."},
        "2": {"key": ["/(/"], "comment": "Broken", "content": "Broken."},
        "3": {"key": ["void"], "comment": "Nothing", "content": " "},
    }
}


async def test_a_book_is_imported_once_and_taken_back_at_once(database: Database) -> None:
    async with game(database) as play:
        await play.play(NewStory("A door"))
        reply = await play.say(ImportLore(json.dumps(BOOK)))
        assert reply == LoreImported(3, 0, ("“Nothing” says nothing",), ("/(/",))
        assert await listed(play) == ["1 The bell", "2 Slow", "3 Broken"]
        assert (await shown(play, "3")).flawed == ("/(/",)
        assert isinstance(await play.say(EditLore("3", "sticky", "2")), Accepted)
        await play.say(Undo())
        await play.play(ContinueStory("the bell " + "a" * 60 + "!"))
        assert block(play) == "It rings for the dead."
        again = await play.say(ImportLore(json.dumps(BOOK)))
        assert again == LoreImported(0, 3, ("“Nothing” says nothing",), ())
        await play.say(Undo())
        await play.say(Undo())
        assert await listed(play) == []


async def test_only_hosts_import_and_only_books(database: Database) -> None:
    async with game(database) as play:
        await play.play(NewStory("A door"))
        refused = await play.say(ImportLore(json.dumps(BOOK)), GUEST)
        assert isinstance(refused, Declined)
        assert "Ask Ann" in refused.sentence
        for text in ("The bell", "[]", "{}", '{"entries": 3}', "[" * 100_000, '{"data": {"name": "Osk"}}'):
            assert "no lorebook" in await declined(play, ImportLore(text))
        assert await listed(play) == []


async def test_a_story_holds_only_so_much_lore(database: Database) -> None:
    many = {"entries": [{"keys": [f"key{n}"], "content": f"Fact {n}."} for n in range(1000)]}
    async with game(database) as play:
        await play.play(NewStory("A door"))
        assert await play.say(ImportLore(json.dumps(many))) == LoreImported(1000, 0, (), ())
        assert "1,000 entries with 10,000 keys; that would be 1,001 with 1,001." in await declined(play, BELL)
        await play.play(ContinueStory("key7 and key77 and key777"))
        assert block(play) == "Fact 7.\n\nFact 77.\n\nFact 777."
        await play.say(Undo())
        await play.say(Undo())
        assert await listed(play) == []
        assert isinstance(await play.say(BELL), Accepted)


async def test_a_change_that_somebody_else_was_quicker_than_is_refused(database: Database) -> None:
    async with game(database) as play:
        await play.play(NewStory("A door"))
        await play.say(BELL)
        entry = (await shown(play)).entry
        stale = LoreSet(entry.story, entry.id, 1, replace(entry.lore, text="Old."), replace(entry.lore, text="New."))
        for change in (stale, replace(stale, before=None)):
            with pytest.raises(Refused, match="in the meantime"):
                async with play.store.resume(await play.playthrough()) as desk:
                    await desk.apply((change,), "lore edit")
        assert (await shown(play)).entry == entry
