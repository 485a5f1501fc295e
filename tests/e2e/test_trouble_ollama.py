"""A language model in every kind of trouble: players get a sentence that says what to do, or do not notice at all."""

import socket

import pytest

from tests.program import Home, Ollama, Program, numbered

PLAY = ("play", "--json", "--as", "Ann")
NEW = "/story new A lighthouse keeper finds a door in the sea"
LONG, REST = numbered("a", 60), f" {numbered('b', 20)}"
SHORT = {"OLLAMA_FIRST_TOKEN_TIMEOUT": "1", "OLLAMA_TOKEN_TIMEOUT": "1"}


def told(program: Program) -> str:
    """The prose of the next scene, after which a question is open."""
    prose: str = program.shows("scene_told")["scene"]["prose"]
    assert len(program.shows("ballot_opened")["ballot"]["choices"]) == 3
    return prose


def test_a_server_that_is_not_there_is_named_and_may_come_later(guest: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    where = {"STORYTELLER": "ollama", "OLLAMA_HOST": f"127.0.0.1:{port}", "OLLAMA_MODEL": "storyteller"}
    with guest.starts(*PLAY, **where) as program:
        assert "ollama serve" in program.shows("note")["text"]
        program.says(NEW)
        failed = program.shows("writing_failed")["sentence"]
        assert f"127.0.0.1:{port}" in failed
        assert "ollama serve" in failed
        with Ollama(port) as ollama:
            ollama.plays(tellings=[LONG])
            program.says("/story continue")
            assert told(program) == LONG
            guest.is_whole(1, failed=1)


def test_a_model_that_is_missing_is_named_with_what_gets_it(guest: Home, ollama: Ollama) -> None:
    with guest.starts(*PLAY, OLLAMA_MODEL="mistral-nemo:12b") as program:
        assert "`ollama pull mistral-nemo:12b`" in program.shows("note")["text"]
        program.says(NEW)
        assert "`ollama pull mistral-nemo:12b`" in program.shows("writing_failed")["sentence"]
        ollama.plays(model="mistral-nemo:12b", tellings=[LONG])
        program.says("/story continue")
        assert told(program) == LONG


def test_silence_before_the_first_word_ends_in_a_sentence(guest: Home, ollama: Ollama) -> None:
    ollama.plays(name="silent-start")
    with guest.starts(*PLAY, **SHORT) as program:
        program.says(NEW)
        assert "said nothing for 1 seconds" in program.shows("writing_failed")["sentence"]
        assert program.words == ""
        ollama.plays(tellings=[LONG])
        program.says("/story continue")
        assert told(program) == LONG


@pytest.mark.parametrize("fault", ["silent middle", "no done", "error line", "reset", "nonsense"])
def test_an_answer_that_breaks_off_goes_on_behind_what_was_shown(fault: str, guest: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[LONG, REST], fault=fault, fault_after=12, fault_calls=1, rate=60)
    with guest.starts(*PLAY, **SHORT) as program:
        program.says(NEW)
        prose = told(program)
        assert prose == ollama.prefilled(numbered("a", 12).rstrip(".")) + REST
        assert program.words == prose
        guest.is_whole(1)


@pytest.mark.parametrize("fault", ["busy", "failing"])
def test_a_server_that_refuses_once_is_asked_again(fault: str, guest: Home, ollama: Ollama) -> None:
    with guest.starts(*PLAY) as program:
        program.says(NEW)
        told(program)
        ollama.plays(tellings=[LONG], fault=fault, fault_calls=1)
        program.says("/story vote 1")
        assert told(program) == LONG
        guest.is_whole(2)


def test_a_server_that_stays_busy_says_so(guest: Home, ollama: Ollama) -> None:
    ollama.plays(fault="busy")
    with guest.starts(*PLAY) as program:
        program.says(NEW)
        assert "busy" in program.shows("writing_failed")["sentence"]


@pytest.mark.parametrize("fault", ["not json", "wrong json"])
def test_choices_that_are_no_json_twice_become_plain_ones(fault: str, guest: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[LONG, REST.strip()], fault=fault)
    with guest.starts(*PLAY) as program:
        program.says(NEW)
        assert told(program) == LONG
        assert len(ollama.questions) == 2
        program.says("/story vote 2")
        assert told(program) == REST.strip()


def test_endless_repetition_ends_with_a_sentence(guest: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[f"{LONG} The sea rose higher and nobody dared to move."], fault="endless", fault_after=9)
    with guest.starts(*PLAY) as program:
        program.says(NEW)
        prose = told(program)
        assert prose.startswith(LONG)
        assert prose.endswith("nobody dared to move.")
        assert 1 <= prose.count("The sea rose higher") <= 2
        assert program.words == prose


@pytest.mark.parametrize("capabilities", [["completion", "thinking"], ["completion"]])
def test_thoughts_are_never_shown(capabilities: list[str], guest: Home, ollama: Ollama) -> None:
    tagged = f"<think>The players want dread.</think>{LONG}"
    ollama.plays(tellings=[tagged, LONG], thought="Let me think of dread. ", capabilities=capabilities)
    with guest.starts(*PLAY) as program:
        program.says(NEW)
        assert told(program) == LONG == program.words
