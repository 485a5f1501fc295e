"""`kill -9` of only the database server: the program brings it back and goes on by itself."""

import time

from tests.program import Home, Ollama, numbered

PLAY = ("play", "--json", "--as", "Ann")
NEW = "/story new A lighthouse keeper finds a door in the sea"
LONG = numbered("a", 120)
REST = f" {numbered('b', 20)}"


def test_in_the_middle_of_a_scene(home: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[LONG, REST], rate=40)
    with home.starts(*PLAY) as program:
        program.says(NEW)
        program.tells(12)
        program.server.kill()
        shown = program.words
        prose = program.shows("scene_told")["scene"]["prose"]
        assert prose == (LONG if len(ollama.tellings) == 1 else ollama.prefilled(shown) + REST)
        assert program.words == prose
        program.shows("ballot_opened")
        home.is_whole(1)
        assert (program.ends(), program.errors) == (0, "")


def test_again_and_again_in_the_same_scene(home: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[LONG, *(f" {numbered(name, 99)}" for name in "bcd")], rate=40)
    with home.starts(*PLAY) as program:
        program.says(NEW)
        for words in (10, 40, 70):
            program.tells(words)
            program.server.kill()
        prose = program.shows("scene_told")["scene"]["prose"]
        assert program.words == prose
        program.shows("ballot_opened")
        home.is_whole(1)
        assert (program.ends(), program.errors) == (0, "")


def test_between_two_commands(home: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[LONG, numbered("b", 20)])
    with home.starts(*PLAY) as program:
        program.says(NEW)
        program.shows("ballot_opened")
        program.server.kill()
        home.waits_until_it_answers()
        program.says("/story vote 2")
        assert program.shows("scene_told")["scene"]["prose"] == numbered("b", 20)
        home.is_whole(2)
        assert (program.ends(), program.errors) == (0, "")


def test_for_a_while(home: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[LONG, numbered("b", 20)])
    needed = home.data / "postgres" / "cluster" / "global" / "pg_control"
    away = needed.with_suffix(".away")
    with home.starts(*PLAY) as program:
        program.says(NEW)
        program.shows("ballot_opened")
        time.sleep(0.5)  # a line that is typed while something is still being shown waits for that
        needed.rename(away)
        program.server.kill()
        program.says("/story vote 2")
        refused = program.shows("declined", to="/story vote 2")
        assert "try again" in refused["sentence"]
        away.rename(needed)
        home.waits_until_it_answers()
        program.says("/story vote 2")
        assert program.shows("scene_told")["scene"]["number"] == 2
        home.is_whole(2)
        assert (program.ends(), program.errors) == (0, "")
