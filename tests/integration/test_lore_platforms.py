"""Lore as players meet it: at the keyboard, on Discord, and in what a real model is sent."""

import json
from contextlib import aclosing
from pathlib import Path

from bot.compose import alongside, furnish
from storyforge_core.engine.cast import Cast
from storyforge_core.providers.offline import OfflineEmbedder
from storyforge_core.providers.ollama import OllamaOptions, OllamaWriter
from storyforge_core.settings import Settings
from storyforge_core.store.database import Database
from tests.discordia import club
from tests.integration.test_terminal import Terminal, in_order, program
from tests.peers.llama import MODEL, WINDOW, LlamaPeer, llama_server

BOOK = json.dumps(
    {
        "spec": "lorebook_v3",
        "data": {"entries": [{"keys": ["bell"], "content": "It rings for the dead.", "comment": "The bell"}]},
    }
)


async def test_a_player_at_the_keyboard_adds_reads_changes_and_forgets(database: Database, tmp_path: Path) -> None:
    async with program(database, tmp_path) as terminal:
        shown = await terminal.plays(
            "/story new The sea",
            "/story lore list",
            '/story lore add It rings only for the *dead*. keys="bell, tower" title="The bell"',
            "/story lore edit 1 sticky 2",
            "/lore edit 1 chance often",
            "/story continue the bell rings",
            "/story lore list",
            "/story lore show bell",
            "/story lore forget 1",
            "/story lore",
        )
    assert in_order(
        shown,
        "This story has no lore yet.",
        "Ann adds “The bell” (1) to the lore, told where it matters.",
        "Ann changes “The bell” (1) in the lore.",
        "“chance” takes a number up to 100: in how many of 100 scenes it comes. For example:",
        "s2w1",
        "Lore: one entry",
        "1. The bell — when it is about: bell, tower ← told here",
        "1. The bell",
        "It rings only for the *dead*.",
        "Settings: sticky 2",
        "The storyteller knew it for the scene here. It stays for the next scene",
        "Ann takes “The bell” (1) out of the lore. /story undo brings it back.",
        "“lore” wants one more word: lore add, lore list",
    )


async def test_the_owner_of_a_terminal_names_a_file(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "my book.json"
    file.write_text(f"\ufeff{BOOK}", encoding="utf-8")
    (tmp_path / "noise.json").write_bytes(b"\xff\xfe\x00")
    async with program(database, tmp_path) as terminal:
        shown = await terminal.plays(
            "/story new The sea",
            f'/story lore import "{file}"',
            f"/story lore import {tmp_path / 'nothing.json'}",
            f"/story lore import {tmp_path}",
            "/story lore import /dev/zero",
            f"/story lore import {tmp_path / 'noise.json'}",
            f"/story lore import {BOOK}",
            "/story lore export",
        )
        listed = await terminal.plays_json("/story lore list")
    assert in_order(
        shown,
        "One entry imported.",
        "nothing.json cannot be read (No such file or directory).",
        "is no file.",
        "/dev/zero is no file.",
        "noise.json is not text in UTF-8.",
        "Nothing in it is new here.",
        "One entry, as World Info of SillyTavern.",
        '"content": "It rings for the dead."',
    )
    reply = next(line for line in listed if line.get("kind") == "lore_listed")
    assert [entry["lore"]["title"] for entry in reply["entries"]] == ["The bell"]


async def test_a_book_is_sent_as_a_file_on_discord(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        await friends.begins()
        ann = friends.ann
        done = await friends.types(ann, "storybook lore import", file=ann.file("book.json", BOOK.encode()))
        assert done.private
        assert done.text.startswith("One entry imported.")
        await friends.reads("Ann imports one entry of lore.")
        refused = await friends.types(friends.bo, "storybook lore import", file=ann.file("book.json", BOOK.encode()))
        assert "Only the host may import lore." in refused.text
        listed = await friends.types(friends.bo, "storybook lore list")
        assert "1. The bell — when it is about: bell" in listed.text
        offered = await ann.autocomplete(friends.thread, "storybook lore show", "entry", "be")
        assert offered == [{"name": "1 · The bell", "value": "1"}]
        shown = await friends.types(ann, "storybook lore show", entry="1")
        assert "It rings for the dead." in shown.text
        changed = await friends.types(ann, "storybook lore edit", entry="1", setting="always", value="on")
        assert "Ann changes “The bell” (1)" in changed.text
        given = await friends.types(friends.bo, "storybook lore export")
        assert given.text.startswith("One entry, as World Info of SillyTavern.")
        assert given.message
        (file,) = given.message.attachments
        assert (file.name, json.loads(file.data)["entries"]["1"]["constant"]) == ("lore.json", True)


async def test_files_that_are_no_books_are_answered_with_a_sentence(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        await friends.begins()
        ann, lost = friends.ann, friends.ann.file("book.json", BOOK.encode())
        del friends.peer.world.uploads[lost.id]
        for file, sentence in (
            (ann.file("photo.png", b"\x89PNG\xff"), "not text in UTF-8"),
            (ann.file("diary.txt", b"Dear diary"), "That is no lorebook."),
            (ann.file("huge.json", b" " * 8_000_001), "8,000,000 are the most"),
            (lost, "Discord does not give me that file."),
        ):
            seen = await friends.types(ann, "storybook lore import", file=file)
            assert sentence in seen.text


async def test_a_real_model_is_sent_what_is_told(database: Database, tmp_path: Path) -> None:
    async with LlamaPeer(llama_server()) as peer:
        options = OllamaOptions(peer.url, MODEL, WINDOW, 256, "5m", 0.8, first_token_timeout=60, token_timeout=60)
        async with aclosing(OllamaWriter(options)) as writer:
            settings = Settings(data_dir=tmp_path, scene_words=50)
            house = furnish(settings, database, Cast.alone(writer), OfflineEmbedder())
            async with alongside(house.bus.listen(), house.worker.work()):
                await Terminal(house, None).plays(  # type: ignore[arg-type] # nobody looks at the writer
                    "/story new The sea",
                    "/story lore add It rings only for the dead. keys=bell",
                    "/story lore add Whales sing at noon. keys=whale",
                    "/story continue the bell rings",
                )
    prompts = [chat["messages"][1]["content"] for chat in peer.chats if "format" not in chat]
    assert "<lore>\nIt rings only for the dead.\n</lore>" in prompts[-1]
    assert "<lore>" not in prompts[0]
    assert not any("Whales" in prompt for prompt in prompts)
