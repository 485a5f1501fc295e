"""Logs, each tried in a process of its own because logging is set up once for a whole process."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from storyforge_core.errors import SetupError
from storyforge_core.logs import configure, hide_secrets

EVENTS = """
import logging, structlog
from pathlib import Path
from storyforge_core.logs import configure
configure({arguments})
log = structlog.stdlib.get_logger("storyforge")
with structlog.contextvars.bound_contextvars(run="r7", room="terminal"):
    log.info("scene told", words=3, source="postgres://ann:open-sesame@db/tales")
    log.debug("too fine")
    logging.getLogger("alembic").info("upgrade %s", "1 to 2")
    logging.getLogger("httpx").info("one of many requests")
    try:
        raise ValueError("no way to postgresql://ann:open-sesame@db")
    except ValueError:
        log.exception("it broke")
"""


def logged(arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", EVENTS.format(arguments=arguments)], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    return done.stderr


def test_ours_and_the_libraries_lines_go_through_one_pipe_as_json() -> None:
    lines = [json.loads(line) for line in logged("'info', 'json'").splitlines()]
    assert [line["event"] for line in lines] == ["scene told", "upgrade 1 to 2", "it broke"]
    assert {line["run"] for line in lines} == {"r7"}
    assert [line["logger"] for line in lines] == ["storyforge", "alembic", "storyforge"]
    assert "ValueError" in lines[2]["exception"]


@pytest.mark.parametrize("fmt", ["text", "json"])
def test_no_password_reaches_the_log(fmt: str) -> None:
    text = logged(f"'info', {fmt!r}")
    assert "open-sesame" not in text
    assert text.count("***@db") >= 2


def test_text_carries_no_colours_where_nobody_looks() -> None:
    text = logged("'info', 'text'")
    assert "\x1b" not in text
    assert "run=r7" in text


@pytest.mark.parametrize(("no_colour", "coloured"), [("", True), ("1", False)])
def test_a_terminal_gets_colours_unless_they_are_refused(no_colour: str, coloured: bool) -> None:  # noqa: FBT001
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", EVENTS.format(arguments="'error', 'text'")]
    subprocess.run(command, stderr=theirs, env=os.environ | {"NO_COLOR": no_colour}, check=True)
    assert (b"\x1b[" in os.read(ours, 65_536)) is coloured
    os.close(ours)
    os.close(theirs)


def test_while_a_story_is_on_the_screen_the_log_goes_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "play.log"
    assert logged(f"'info', 'text', Path({str(file)!r})") == ""
    assert "scene told" in file.read_text("utf-8")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file, no folder")
    structlog.reset_defaults()
    with pytest.raises(SetupError, match="cannot be written"):
        configure("info", "text", tmp_path / "logs" / "play.log")
    assert not structlog.is_configured()


def test_a_parameter_that_is_a_secret_is_hidden() -> None:
    assert hide_secrets("host=db password=open-sesame&x=1") == "host=db password=***&x=1"


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc", "Zs"], exclude_characters="\"'"), min_size=1))
def test_whatever_a_password_is_made_of_it_is_hidden(password: str) -> None:
    marked = f"<{password}>"
    assert marked not in hide_secrets(f"postgresql://ann:{marked}@db/tales")


@given(st.text())
def test_text_without_an_address_is_left_alone(text: str) -> None:
    plain = text.replace("://", "").replace("=", "")
    assert hide_secrets(plain) == plain


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_log_on_a_full_disk_says_nothing_on_the_screen() -> None:
    assert logged("'info', 'text', Path('/dev/full')") == ""
