"""`kill -9` of the whole program with its database, at any moment: the next start goes on as if nothing had been."""

import os
import signal
import time

import psycopg
import pytest

from tests.program import Home, Ollama, Program, numbered

PLAY = ("play", "--json", "--as", "Ann")
NEW = "/story new A lighthouse keeper finds a door in the sea"
SLOW, LONG = 40, numbered("a", 120)
REST = f" {numbered('b', 20)}"


def killed(program: Program) -> str:
    """Kill it; answer every word that it has shown."""
    program.dies()
    return program.words


def test_before_the_first_word(home: Home, ollama: Ollama) -> None:
    ollama.plays(first_delay=60)
    with home.starts(*PLAY) as program:
        program.says(NEW)
        ollama.waits_for(1)
        assert killed(program) == ""
    ollama.plays(tellings=[LONG])
    with home.starts(*PLAY) as again:
        assert again.shows("scene_told")["scene"]["prose"] == LONG == again.words
        home.is_whole(1)
        assert again.ends() == 0


def test_in_the_middle_of_a_scene(home: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[LONG, REST], rate=SLOW)
    with home.starts(*PLAY) as program:
        program.says(NEW)
        program.tells(12)
        shown = killed(program)
    with home.starts(*PLAY) as again:
        prose = again.shows("scene_told")["scene"]["prose"]
        assert prose == ollama.prefilled(shown) + REST
        assert again.words == prose
        again.shows("ballot_opened")
        home.is_whole(1)
        assert again.ends() == 0


def test_three_times_in_the_same_scene(home: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[LONG, f" {numbered('c', 99)}", f" {numbered('d', 99)}", REST], rate=SLOW)
    shown = [""]
    for _ in range(3):
        with home.starts(*PLAY) as program:
            program.says(*() if shown[-1] else (NEW,))
            program.tells(len(shown[-1].split()) + 5)
            shown.append(killed(program))
        assert shown[-1].startswith(shown[-2])
    with home.starts(*PLAY) as again:
        assert again.shows("scene_told")["scene"]["prose"] == ollama.prefilled(shown[-1]) + REST
        home.is_whole(1)


def test_between_prose_and_choices(home: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[numbered("a", 60)], rate=60)
    with home.starts(*PLAY) as program:
        program.says(NEW)
        program.tells(5)
        ollama.plays(first_delay=60)
        program.tells(60)
        ollama.waits_for(2)
        shown = killed(program)
    ollama.plays()
    with home.starts(*PLAY) as again:
        told = again.shows("scene_told")["scene"]
        assert (told["prose"], told["title"]) == (shown, "The Door in the Sea")
        assert len(ollama.tellings) == 1, "the prose was complete and must not be told again"
        assert again.shows("ballot_opened")["ballot"]["choices"][0]["text"] == "Knock back three times"
        home.is_whole(1)


def test_while_a_ballot_is_open(home: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[LONG, REST])
    with home.starts(*PLAY) as program:
        program.says(NEW, "@Ben: /story join", "@Cleo: /story join", "/story vote 2", "@Ben: /story vote 1")
        program.shows("ballot_changed", by="Ben")
        program.shows("ballot_changed", by="Ben")
        killed(program)
    with home.starts(*PLAY) as again:
        votes = again.shows("status_shown")["ballot"]["votes"]
        assert len(votes) == 2
        again.says("@Cleo: /story vote 2")
        assert again.shows("ballot_decided")["winner"]["position"] == 2
        assert again.shows("scene_told")["scene"]["number"] == 2
        home.is_whole(2)


def test_over_a_deadline(home: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[LONG, numbered("b", 20)])
    with home.starts(*PLAY, VOTE_DEADLINE="3") as program:
        program.says(NEW, "@Ben: /story join", "/story vote 3")
        program.shows("accepted", to="/story vote 3")
        killed(program)
    time.sleep(3)
    with home.starts(*PLAY, VOTE_DEADLINE="3") as again:
        assert again.shows("ballot_decided")["winner"]["position"] == 3
        told = again.shows("scene_told")["scene"]
        assert (told["number"], told["prose"]) == (2, numbered("b", 20))
        home.is_whole(2)


def test_while_a_deadline_is_being_decided(home: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[LONG, numbered("b", 20)])
    with home.starts(*PLAY, VOTE_DEADLINE="3") as program:
        program.says(NEW, "@Ben: /story join", "/story vote 3")
        program.shows("accepted", to="/story vote 3")
        with psycopg.connect(home.url) as holding:
            holding.execute("SELECT FROM playthrough FOR UPDATE")
            home.waits_for("SELECT FROM procrastinate_jobs WHERE queue_name = 'clock' AND status = 'doing'")
            killed(program)
            holding.close()
    with home.starts(*PLAY) as again:
        assert again.shows("ballot_decided")["winner"]["position"] == 3
        assert again.shows("scene_told")["scene"]["number"] == 2
        home.is_whole(2)


@pytest.mark.parametrize("kind", ["accepted", "words", "scene_told", "ballot_opened"])
def test_at_the_moment_a_line_is_shown(kind: str, home: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[LONG, REST])
    with home.starts(*PLAY) as program:
        program.says(NEW, "/story")
        program.shows(kind)
        shown = killed(program)
    ollama.plays(tellings=[REST.strip()] if not shown else [REST])
    with home.starts(*PLAY) as again:
        again.says("/story path", "/story vote 1")
        again.shows("accepted", to="/story vote 1")
        assert again.shows("scene_told")["scene"]["number"] == 2
        (first,) = home.asks("SELECT prose FROM scene WHERE number = 1")[0]
        assert first.startswith(shown)
        home.is_whole(2)


def test_only_the_program_and_its_server_ends_by_itself(home: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[LONG, REST], rate=SLOW)
    with home.starts(*PLAY) as program:
        program.says(NEW)
        program.tells(12)
        server = program.server
        os.kill(program.process.pid, signal.SIGKILL)
        server.wait(timeout=10)
        program.process.wait(10)
        shown = program.words
    with home.starts(*PLAY) as again:
        assert again.shows("scene_told")["scene"]["prose"] == ollama.prefilled(shown) + REST
        home.is_whole(1)


def test_told_to_end_in_the_middle_of_a_scene(home: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[LONG, REST], rate=SLOW)
    with home.starts(*PLAY) as program:
        program.says(NEW)
        program.tells(12)
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(5) == 0
        shown = program.words
    with home.starts(*PLAY) as again:
        assert again.shows("scene_told")["scene"]["prose"] == ollama.prefilled(shown) + REST
        home.is_whole(1)
        assert again.ends() == 0
