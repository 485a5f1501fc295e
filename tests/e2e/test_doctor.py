import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.platforms.matrix.checkup import NOWHERE
from tests.e2e.test_play import environment, storyforge
from tests.peers.person import person
from tests.peers.synapse import PASSWORD, Synapse

NOBODY = "http://127.0.0.1:1"
MODEL = "dolphin-mistral:7b"
Report = Mapping[str, tuple[str, str]]


def report(env: Mapping[str, str], *, code: int) -> Report:
    """Status and detail by name."""
    done = storyforge("doctor", "--json", env=env)
    assert (done.returncode, done.stderr) == (code, "")
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["healthy"] is (code == 0)
    return {each["name"]: (each["status"], each["detail"]) for each in found["findings"]}


@contextmanager
def ollama(script: str = "plain", model: str = MODEL) -> Iterator[str]:
    """Ollama's shapes in another process; answers its address."""
    command = [sys.executable, "-m", "tests.peers.ollama", "--script", script, "--model", model]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", cwd=Path(__file__).parents[2]) as peer:
        assert peer.stdout
        try:
            yield peer.stdout.readline().strip()
        finally:
            peer.kill()


@pytest.fixture
def env(data_directory: Path, database_url: str) -> dict[str, str]:
    """A program of its own on a test database, without any Ollama."""
    return environment(data_directory, DATABASE_URL=database_url, OLLAMA_HOST=NOBODY, STORYTELLER="auto")


def test_on_a_fresh_machine_it_says_what_is_to_come_and_changes_nothing(data_directory: Path) -> None:
    env = environment(data_directory, OLLAMA_HOST=NOBODY, STORYTELLER="auto")
    found = report(env, code=0)
    assert found["database"][0] == "ok"
    assert "first start" in found["database"][1]
    assert found["Ollama"][0] == "warn"
    assert found["storyteller"] == (
        "warn",
        f"the built-in one, and only in `play`, until the model is there: ollama pull {MODEL}",
    )
    assert list(data_directory.iterdir()) == []


def test_a_server_of_ones_own_is_looked_at(env: dict[str, str]) -> None:
    found = report(env, code=0)
    assert found["database"][1].startswith("PostgreSQL 1")
    assert found["pgvector"][0] == "ok"
    assert found["tables"][0] == "ok"


def test_old_tables_are_told_and_left_as_they_are(env: dict[str, str]) -> None:
    with psycopg.connect(env["DATABASE_URL"]) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    assert report(env, code=0)["tables"][0] == "warn"
    with psycopg.connect(env["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)


def test_the_server_of_a_running_program_is_shared(data_directory: Path) -> None:
    env = environment(data_directory)
    with person(["play"], env) as ann:
        ann.waits_for("\r\n> ")
        assert report(env, code=0)["tables"][0] == "ok"
        ann.types("/story new The sea\n")
        ann.waits_for("What happens next?")
        ann.waits_for("> ")
        ann.types("\x04")
        assert ann.leaves() == 0
    assert report(env, code=0)["tables"][0] == "ok"


def test_a_database_out_of_reach_is_a_failure_that_keeps_the_password(env: dict[str, str]) -> None:
    found = report({**env, "DATABASE_URL": "postgresql://ann:hush@127.0.0.1:1/x"}, code=1)
    assert found["database"][0] == "fail"
    assert "hush" not in str(found)


def test_ollama_and_its_model_are_found(env: dict[str, str]) -> None:
    with ollama() as url:
        found = report({**env, "OLLAMA_HOST": url}, code=0)
    assert found["Ollama"][0] == "ok"
    assert found[f"model {MODEL}"][0] == "ok"
    assert found["context window"][0] == "ok"
    assert found["storyteller"] == ("ok", MODEL)
    assert found["model nomic-embed-text"][0] == "warn"
    assert "ollama pull nomic-embed-text" in found["model nomic-embed-text"][1]


def test_a_missing_model_is_named_with_the_words_to_type(env: dict[str, str]) -> None:
    with ollama(model="another:1b") as url:
        asked = {**env, "OLLAMA_HOST": url, "STORYTELLER": "ollama", "OLLAMA_MODEL": MODEL}
        found = report(asked, code=1)
        other = report({**env, "OLLAMA_HOST": url}, code=0)
    assert other["storyteller"][1].startswith(f"another:1b tells the stories, since {MODEL} is not there.")
    assert found["Ollama"][0] == "ok"
    assert found[f"model {MODEL}"][0] == "fail"
    assert f"ollama pull {MODEL}" in found[f"model {MODEL}"][1]
    assert found["storyteller"][0] == "fail"


def test_a_window_the_model_does_not_have_is_told(env: dict[str, str]) -> None:
    with ollama() as url:
        found = report({**env, "OLLAMA_HOST": url, "OLLAMA_NUM_CTX": "65536", "STORYTELLER": "ollama"}, code=1)
    assert found["context window"][0] == "fail"
    assert "OLLAMA_NUM_CTX=32768" in found["context window"][1]


def test_ollama_out_of_reach_fails_where_it_is_asked_for(env: dict[str, str]) -> None:
    found = report({**env, "STORYTELLER": "ollama"}, code=1)
    assert (found["Ollama"][0], found["storyteller"][0]) == ("fail", "fail")


def test_the_built_in_storyteller_needs_no_ollama(env: dict[str, str]) -> None:
    found = report({**env, "STORYTELLER": "offline"}, code=0)
    assert found["storyteller"][0] == "ok"
    assert "Ollama" not in found


def test_an_account_on_matrix_is_looked_at_and_nothing_left_there(env: dict[str, str], homeserver: Synapse) -> None:
    bot = homeserver.register("keeper")
    matrix = {
        "HOMESERVER": homeserver.url,
        "USER_ID": bot.user,
        "PASSWORD": PASSWORD,
        "ALLOWED_USERS": "@ann:localhost",
    }
    found = report({**env, **{f"MATRIX_{name}": value for name, value in matrix.items()}}, code=0)
    assert found["Matrix"] == ("warn", NOWHERE.format(user=bot.user))
    assert "override_ratelimit" in found["Matrix limit"][1]
    devices = homeserver.ask("GET", "/_matrix/client/v3/devices", token=bot.token)["devices"]
    assert [device["device_id"] for device in devices] == [bot.device]


def test_a_misspelt_setting_is_noticed(env: dict[str, str], data_directory: Path) -> None:
    (data_directory / ".env").write_text("OLAMA_MODEL=x\n")
    assert "OLLAMA_MODEL" in report(env, code=0)[".env"][1]


def test_a_directory_in_the_way_of_which_a_file_stands_fails(env: dict[str, str], data_directory: Path) -> None:
    (data_directory / "pictures").write_text("")
    found = report({**env, "PICTURES_DIR": str(data_directory / "pictures" / "mine")}, code=1)
    assert found["pictures"][0] == "fail"


def test_people_get_aligned_lines_without_colours_in_a_pipe(env: dict[str, str]) -> None:
    shown = storyforge("doctor", env=env).stdout.splitlines()
    assert {line[:4].strip() for line in shown} <= {"ok", "warn", "fail"}
    width = shown[0].index("PostgreSQL")
    assert all(line[width - 2 : width] == "  " and line[width] != " " for line in shown)
    assert "\x1b" not in "".join(shown)


def test_people_get_colours_on_a_terminal_unless_they_want_none(env: dict[str, str]) -> None:
    def seen(env: Mapping[str, str]) -> str:
        with person(["doctor"], env) as ann:
            assert ann.leaves() == 0
        return ann.seen

    assert "\x1b[32mok" in seen(env)
    assert "\x1b" not in seen({**env, "NO_COLOR": "1"})
