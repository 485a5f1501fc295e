"""Programs whose stories are told by llama.cpp itself, by OpenAI's calls."""

import json
from pathlib import Path

from tests.e2e.test_play import environment, storyforge
from tests.peers.llama import llama_server
from tests.program import Home


def settings(database_url: str, **more: str) -> dict[str, str]:
    host = f"{llama_server().listening_address}/v1"
    given = {"STORYTELLER": "openai", "OPENAI_HOST": host, "OPENAI_MODEL": "salad", "SCENE_WORDS": "40"}
    return {**given, "DATABASE_URL": database_url, **more}


def test_play_and_worker_tell_by_it_and_doctor_looks_at_it(data_directory: Path, database_url: str) -> None:
    home = Home(data_directory, settings(database_url))
    with home.starts("play", "--json", "--as", "Ann") as program:
        program.says("/story new A lighthouse keeper finds a door in the sea")
        told = program.shows("scene_told")["scene"]
        assert told["writer"] == "salad"
        assert told["prose"] == program.words
        assert len(program.shows("ballot_opened")["ballot"]["choices"]) == 3
        program.says("/story replay")
        again = program.shows("scene_told")["scene"]
        assert (again["take"], again["parent"]) == (2, None)
        assert program.shows("ballot_opened")["again"] is True
    with home.starts("worker") as worker:
        worker.complains("model server")
    done = storyforge("doctor", "--json", env=environment(data_directory, **settings(database_url)))
    found = {each["name"]: (each["status"], each["detail"]) for each in json.loads(done.stdout)["findings"]}
    assert found["storyteller"] == ("ok", "salad")
    assert found["context window"] == ("ok", "8192 tokens planned; as loaded")
    assert found["planner"] == ("ok", "salad, the same model")


def test_a_window_that_the_server_does_not_have_is_refused_before_anything_is_told(
    data_directory: Path, database_url: str
) -> None:
    home = Home(data_directory, settings(database_url, OPENAI_CONTEXT="32768"))
    with home.starts("play", "--json", "--as", "Ann") as program:
        assert "set OPENAI_CONTEXT=16384" in program.shows("note")["text"]
        program.says("/story new A lighthouse keeper finds a door in the sea")
        assert "set OPENAI_CONTEXT=16384" in program.shows("writing_failed")["sentence"]
        assert program.words == ""
