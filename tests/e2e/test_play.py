import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg
import pytest

from tests.peers.person import person

ROOT = Path(__file__).parents[2]
PREMISE = "A lighthouse keeper finds a door in the sea"
GAME = f"""\
/story new {PREMISE}
/story vote 1
@player2: /story vote 2
/story close
/story branch
/story take
/story map
/story undo
/story path
"""


def environment(directory: Path, **settings: str) -> dict[str, str]:
    """What the program may see: no setting of whoever runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    quiet = {"STORYFORGE_HOME": str(directory), "DATA_DIR": str(directory / "data"), "STORYTELLER": "offline"}
    return {**kept, **quiet, "PYTHONPATH": str(ROOT), "TERM": "xterm", **settings}


def storyforge(*arguments: str, lines: str = "", env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot", *arguments]
    return subprocess.run(command, input=lines, env=env, capture_output=True, encoding="utf-8", timeout=90, check=False)


@pytest.fixture
def env(data_directory: Path, database_url: str) -> dict[str, str]:
    """A program of its own on a test database, which is there at once."""
    return environment(data_directory, DATABASE_URL=database_url)


def test_a_game_from_a_pipe_on_a_fresh_machine_is_played_and_resumed(data_directory: Path) -> None:
    env = environment(data_directory)
    first = storyforge("play", "--as", "Ann", lines=GAME, env=env)
    assert (first.returncode, first.stderr) == (0, "")
    assert [line[2:] for line in first.stdout.splitlines() if line.startswith("> ")] == GAME.splitlines()
    assert "built-in storyteller" in first.stdout
    assert "(take 2)" in first.stdout.partition("> /story map")[2]
    assert first.stdout.count("What happens next?") >= 4

    again = storyforge("play", "--as", "Ann", lines="1\n/story close\n", env=env)
    assert again.returncode == 0
    assert "Welcome back" in again.stdout
    assert PREMISE in again.stdout.partition("> 1")[0]
    assert "→" in again.stdout.partition("> 1")[2]


def test_the_same_game_as_json_is_nothing_but_json(env: dict[str, str]) -> None:
    played = storyforge("play", "--json", lines=GAME, env=env)
    assert played.returncode == 0
    shown = [json.loads(line) for line in played.stdout.splitlines()]
    assert {line["type"] for line in shown} == {"event", "reply", "words", "note"}
    assert sum(line.get("kind") == "scene_told" for line in shown) == 4
    assert sum(line["type"] == "reply" for line in shown) == len(GAME.splitlines())


def test_somebody_plays_at_a_terminal(env: dict[str, str]) -> None:
    with person(["play", "--as", "Ann"], env, columns=60) as ann:
        assert "/story new" in ann.waits_for("\r\n> ")
        ann.types("/story new A fox keeps a bell\n")
        told = ann.waits_for("\r\n> ")
        assert max(map(len, told.splitlines())) <= 60
        ann.types("\x03")
        ann.waits_for("/quit leaves the story")
        ann.types("1\n")
        ann.waits_for("→")
        ann.types("\x03")
        stopped = ann.waits_for("\r\n> ")
        assert "What happens next?" in stopped
        ann.types("\x04")
        ann.waits_for("Until next time")
        assert ann.leaves() == 0


def test_the_terminal_remembers_what_was_typed(env: dict[str, str]) -> None:
    up = "\x1b[A"
    for typed in ("/story help vote\n", f"{up}{up}\n"):
        with person(["play"], env) as ann:
            ann.waits_for("> ")
            ann.types(typed)
            ann.waits_for("Example: /story vote 2")
            ann.waits_for("> ")
            ann.types("/quit\n")
            assert ann.leaves() == 0


def test_a_terminal_without_colours_gets_none(env: dict[str, str]) -> None:
    with person(["play"], {**env, "NO_COLOR": "1"}) as ann:
        ann.waits_for("> ")
        ann.types("\x04")
        ann.leaves()
    assert "\x1b[2m" not in ann.seen


def test_a_program_that_is_told_to_end_closes_what_is_open(env: dict[str, str]) -> None:
    with person(["play"], env) as ann:
        ann.waits_for("> ")
        ann.program.send_signal(signal.SIGTERM)
        assert ann.leaves() == 0
    assert "Traceback" not in ann.seen


def test_a_second_window_on_the_same_room_is_told_about_rooms(env: dict[str, str]) -> None:
    with person(["play"], env) as ann:
        ann.waits_for("> ")
        second = storyforge("play", env=env)
        assert (second.returncode, second.stdout) == (78, "")
        assert "--room" in second.stderr
        assert storyforge("play", "--room", "second", env=env).returncode == 0
        ann.types("\x04")
        assert ann.leaves() == 0


def test_a_reader_that_goes_away_ends_the_program_without_a_word(env: dict[str, str]) -> None:
    command = [sys.executable, "-m", "bot", "play"]
    with subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1, env=env, encoding="utf-8") as program:
        assert program.stdin
        assert program.stdout
        assert program.stderr
        program.stdin.write("/story new The sea\n/story path\n/story path\n")
        program.stdin.close()
        program.stdout.close()
        assert program.wait(timeout=60) == 1
        assert program.stderr.read() == ""


def test_a_mistake_of_our_own_is_one_sentence_and_a_log(env: dict[str, str]) -> None:
    with psycopg.connect(env["DATABASE_URL"]) as connection:
        connection.execute("DROP TABLE room CASCADE")
    failed = storyforge("play", lines="/story map\n", env=env)
    assert failed.returncode == 1
    assert len(failed.stderr.splitlines()) == 1
    log = Path(env["DATA_DIR"], "logs", "storyforge.log")
    assert str(log) in failed.stderr
    assert "Traceback" in log.read_text("utf-8")


@pytest.mark.parametrize(
    "arguments",
    [["plan"], ["play", "--as", "@Ann"], ["play", "--room", "a/b"], ["play", "--storyteller", "cloud"], ["backup"]],
)
def test_what_the_command_line_does_not_know_is_a_usage_error(arguments: list[str], tmp_path: Path) -> None:
    assert storyforge(*arguments, env=environment(tmp_path)).returncode == 2


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"OLLAMA_NUM_CTX": "many"}, "OLLAMA_NUM_CTX"),
        ({"DATABASE_URL": "postgresql://nobody:secret@127.0.0.1:1/x"}, "DATABASE_URL"),
        ({"DATA_DIR": "/proc/nothing"}, "DATA_DIR"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_sentence(settings: dict[str, str], word: str, tmp_path: Path) -> None:
    refused = storyforge("play", env=environment(tmp_path, **settings))
    assert refused.returncode == 78
    assert word in refused.stderr
    assert "secret" not in refused.stderr
    assert "Traceback" not in refused.stderr


def test_stories_go_into_a_file_and_out_of_it(env: dict[str, str], data_directory: Path) -> None:
    storyforge("play", lines="/story new The sea\n", env=env)
    file = data_directory / "stories.dump"
    assert storyforge("backup", str(file), env=env).returncode == 0
    twice = storyforge("backup", str(file), env=env)
    assert (twice.returncode, str(file) in twice.stderr) == (78, True)

    elsewhere = environment(data_directory, DATA_DIR=str(data_directory / "other"))
    assert storyforge("restore", str(file), env=elsewhere).returncode == 0
    assert storyforge("migrate", env=elsewhere).stdout == "The database is up to date.\n"
    assert "1. The sea" in storyforge("play", lines="/story stories\n", env=elsewhere).stdout


def test_help_is_there_at_once(tmp_path: Path) -> None:
    env = environment(tmp_path)
    storyforge("--help", env=env)

    def seconds(command: Sequence[str | Path]) -> float:
        start = time.perf_counter()
        assert "play" in subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
        return time.perf_counter() - start

    python = [sys.executable, "-c", "import argparse, importlib.metadata, json, typing; print('play')"]
    bare = min(seconds(python) for _ in range(5))
    assert min(seconds([ROOT / "storyforge", "--help"]) for _ in range(5)) < 8 * bare


def test_without_a_program_the_programs_are_listed(tmp_path: Path) -> None:
    shown = storyforge(env=environment(tmp_path))
    assert shown.returncode == 0
    assert "doctor" in shown.stdout


def test_the_version_is_that_of_the_project(tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert storyforge("--version", env=environment(tmp_path)).stdout == f"StoryForge {project['version']}\n"
