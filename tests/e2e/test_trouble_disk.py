"""A disk that is full: nothing is lost, players are told, and with room again the story goes on."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.program import Home, Ollama, numbered

PLAY = ("play", "--json", "--as", "Ann")
NEW = "/story new A lighthouse keeper finds a door in the sea"
LONG = numbered("a", 60)


@pytest.fixture
def small_disk(new_home: Callable[..., Home], ollama: Ollama) -> Iterator[Home]:
    """A home whose data is on a small file system of its own."""
    home = new_home(**ollama.settings)
    aside = home.data.with_name("aside")
    home.data.rename(aside)
    home.data.mkdir(mode=0o711)
    mount = ["mount", "-t", "tmpfs", "-o", "size=128m,mode=711", "none", str(home.data)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may make a file system that can be filled")
    subprocess.run(["cp", "-a", f"{aside}/.", str(home.data)], check=True)
    shutil.rmtree(aside)
    yield home
    subprocess.run(["umount", str(home.data)], check=True)


def fill(file: Path) -> None:
    """Use up all the space there is."""
    with file.open("wb", buffering=0) as junk:
        size = 1 << 20
        while size:
            try:
                junk.write(bytes(size))
            except OSError:
                size //= 2


def long_words(count: int) -> str:
    """Prose that needs new space in the database every few words; it looks nowhere like a loop."""
    return " ".join(Random(number).randbytes(1000).hex() for number in range(count))


def test_a_full_disk_is_a_sentence_and_with_room_again_the_story_goes_on(small_disk: Home, ollama: Ollama) -> None:
    junk = small_disk.data / "junk"
    ollama.plays(tellings=[LONG, numbered("b", 40)])
    with small_disk.starts(*PLAY) as program:
        program.says(NEW)
        told = program.shows("scene_told")["scene"]
        program.shows("ballot_opened")
        fill(junk)
        note = f"/story direct {'the sea is patient and the door is green ' * 9}"
        program.says(*[note] * 300)
        refused = program.shows("declined")
        assert "try again" in refused["sentence"]
        junk.unlink()
        small_disk.waits_until_it_answers()
        program.says("/story vote 2")
        assert program.shows("scene_told")["scene"]["prose"] == numbered("b", 40)
        program.shows("ballot_opened")
        small_disk.is_whole(2)
        assert small_disk.asks("SELECT prose FROM scene WHERE number = 1") == [(told["prose"],)]
        assert (program.ends(), program.errors) == (0, "")


def test_a_disk_that_is_full_for_a_while_costs_no_word_of_the_scene_under_way(small_disk: Home, ollama: Ollama) -> None:
    junk = small_disk.data / "junk"
    ollama.plays(tellings=[long_words(80)], rate=20)
    with small_disk.starts(*PLAY) as program:
        program.says(NEW)
        program.tells(10)
        fill(junk)
        time.sleep(2)
        shown = program.words
        assert len(shown.split()) < 40, "what cannot be saved must not be shown"
        junk.unlink()
        prose = program.shows("scene_told")["scene"]["prose"]
        assert prose == program.words == long_words(80)
        program.shows("ballot_opened")
        small_disk.is_whole(1)
        assert (program.ends(), program.errors) == (0, "")
