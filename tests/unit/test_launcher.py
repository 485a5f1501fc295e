"""The starter, on miniature checkouts: real environments, real pip, no network."""

import ast
import os
import pty
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.checkout import STARTER, Checkout

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals are those of POSIX")


BROKEN_OFF = ""
"""The stamp of an environment that is not finished."""

Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def folder(open_directory: Path) -> Iterator[Path]:
    """Where checkouts are laid out: an environment has thousands of files, and there they cost least."""
    made = Path(tempfile.mkdtemp(dir=open_directory))
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def first_starts(folder: Path) -> tuple[Checkout, list[Done]]:
    """A checkout that was started for the first time, by two at once, and what came of it."""
    checkout = Checkout.make(folder / "a folder with spaces", folder / "wheels")
    pipe, command = subprocess.PIPE, checkout.command("play", "--as", "Ann")
    starts = [
        subprocess.Popen(command, env=checkout.environment(), stdout=pipe, stderr=pipe, text=True) for _ in range(2)
    ]
    said = [start.communicate(timeout=60) for start in starts]
    return checkout, [Done(command, start.returncode, *each) for start, each in zip(starts, said, strict=True)]


@pytest.fixture
def prepared(first_starts: tuple[Checkout, list[Done]]) -> Checkout:
    """A checkout after its first start; tests take a copy when they change it."""
    checkout, both = first_starts
    assert [done.returncode for done in both] == [0, 0], [done.stderr for done in both]
    return checkout


@pytest.fixture
def checkout(prepared: Checkout, folder: Path) -> Iterator[Checkout]:
    own = Path(tempfile.mkdtemp(dir=folder))
    yield prepared.copy(own / "checkout")
    shutil.rmtree(own)


@pytest.fixture(scope="module")
def first_test(first_starts: tuple[Checkout, list[Done]], folder: Path) -> tuple[Checkout, Done]:
    """A checkout of its own in which the tests were run for the first time, and what that said."""
    checkout = first_starts[0].copy(folder / "tested")
    return checkout, checkout.start("test")


@pytest.fixture
def tested(first_test: tuple[Checkout, Done]) -> Checkout:
    """The same, for more such runs."""
    return first_test[0]


def test_the_first_start_prepares_and_leaves_standard_output_to_the_program(
    first_starts: tuple[Checkout, list[Done]],
) -> None:
    (done,) = (done for done in first_starts[1] if "is ready" in done.stderr)
    assert done.stdout.splitlines()[:2] == ["args play --as Ann", "colour blue"]
    assert "Installing 1 packages" in done.stderr


def test_two_starts_at_once_prepare_once(first_starts: tuple[Checkout, list[Done]]) -> None:
    _, both = first_starts
    assert [done.returncode for done in both] == [0, 0]
    assert all("colour blue" in done.stdout for done in both)
    assert "".join(done.stderr for done in both).count("is ready") == 1


def test_the_second_start_prepares_nothing(prepared: Checkout) -> None:
    before = prepared.stamp.stat().st_mtime_ns
    done = prepared.start("play")
    assert (done.returncode, done.stderr) == (0, "")
    assert prepared.stamp.stat().st_mtime_ns == before


def test_the_program_runs_where_the_user_stands_and_knows_the_checkout(prepared: Checkout, tmp_path: Path) -> None:
    done = prepared.start(cwd=tmp_path)
    assert f"here {tmp_path}" in done.stdout
    assert f"home {prepared.folder}" in done.stdout


def test_a_folder_called_bot_where_the_user_stands_is_not_taken_for_ours(prepared: Checkout, tmp_path: Path) -> None:
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "__main__.py").write_text("print('an impostor')")
    assert "colour blue" in prepared.start(cwd=tmp_path).stdout


def test_the_exit_code_is_the_programs(prepared: Checkout) -> None:
    assert prepared.start("seven").returncode == 7


def test_a_link_to_the_starter_starts_the_same_program(prepared: Checkout, tmp_path: Path) -> None:
    (tmp_path / "tales").symlink_to(prepared.folder / "storyforge")
    done = subprocess.run([sys.executable, tmp_path / "tales"], capture_output=True, text=True, check=True)
    assert f"home {prepared.folder}" in done.stdout


def test_a_moved_checkout_works_on(checkout: Checkout) -> None:
    moved = Checkout(checkout.folder.rename(checkout.folder.with_name("elsewhere")), checkout.wheels)
    done = moved.start()
    assert "colour blue" in done.stdout
    assert done.stderr == ""


def test_a_changed_lock_is_installed_at_the_next_start(checkout: Checkout) -> None:
    checkout.lock("red")
    done = checkout.start()
    assert "colour red" in done.stdout
    assert "is ready" in done.stderr


def test_what_was_broken_off_is_made_anew(checkout: Checkout) -> None:
    checkout.stamp.write_text(BROKEN_OFF)
    for half_written in (checkout.folder / ".venv").rglob("inkwell.py"):
        half_written.write_text("COLOUR = 'bl")
    assert "colour blue" in checkout.start().stdout


def test_an_environment_without_its_interpreter_is_made_anew(checkout: Checkout) -> None:
    for name in ("python", "python3", f"python3.{sys.version_info[1]}"):
        (checkout.folder / ".venv" / "bin" / name).unlink(missing_ok=True)
    assert "colour blue" in checkout.start().stdout


def test_an_environment_somebody_else_made_is_filled_not_replaced(checkout: Checkout) -> None:
    own = checkout.folder / ".venv"
    for ours in ("storyforge.stamp", "storyforge.pth", "inkwell.py"):
        (found,) = own.rglob(ours)
        found.unlink()
    (about,) = own.rglob("inkwell-*.dist-info")
    shutil.rmtree(about)
    (own / "mine").touch()
    assert "colour blue" in checkout.start().stdout
    assert (own / "mine").exists()


def test_without_a_network_a_sentence_says_so_and_what_was_there_still_works(checkout: Checkout) -> None:
    checkout.lock("red")
    failed = checkout.start(
        PIP_NO_INDEX="0", PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_FIND_LINKS="", PIP_RETRIES="1"
    )
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert "The package index cannot be reached" in failed.stderr
    assert "Traceback" not in failed.stderr
    checkout.lock("blue")
    assert checkout.start().stderr == ""


def test_a_package_that_is_not_the_locked_one_is_refused(checkout: Checkout) -> None:
    checkout.lock("red")
    lock = (checkout.folder / "requirements.lock").read_text()
    (checkout.folder / "requirements.lock").write_text(lock[:-3] + "00\n")
    failed = checkout.start()
    assert failed.returncode == 1
    assert "not the one StoryForge was tested with" in failed.stderr


def test_a_package_missing_from_the_folder_of_wheels_is_named(checkout: Checkout) -> None:
    checkout.lock("red")
    shutil.rmtree(checkout.wheels)
    failed = checkout.start()
    assert "not in the folder of wheels" in failed.stderr
    assert "inkwell==2.0" in failed.stderr


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let programs hear SIGINT, although a shell that runs the tests in the background has them ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_preparing_it_takes_pip_along_and_leaves_what_is_made_anew(
    checkout: Checkout, how: signal.Signals
) -> None:
    checkout.lock("green")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        start = subprocess.Popen(
            checkout.command(),
            env=checkout.environment(PIP_NO_INDEX="0", PIP_INDEX_URL=index, PIP_FIND_LINKS=""),
            stderr=subprocess.PIPE,
            text=True,
        )
        pip, _ = silent.accept()
        start.send_signal(how)
        _, said = start.communicate(timeout=20)
        pip.settimeout(10)
        while pip.recv(4096):  # an empty answer: the other end is gone
            pass
        pip.close()
    assert start.returncode == 130
    assert "Stopped." in said
    assert checkout.stamp.read_text() == BROKEN_OFF


def test_on_a_terminal_one_line_counts_the_packages(checkout: Checkout) -> None:
    checkout.lock("green")
    ours, theirs = pty.openpty()
    subprocess.run(checkout.command(), env=checkout.environment(), stdout=subprocess.DEVNULL, stderr=theirs, check=True)
    os.close(theirs)
    said = os.read(ours, 65_536).decode()
    os.close(ours)
    assert "\r\x1b[KInstalling: 1 of 1 packages" in said
    assert "\r\x1b[KStoryForge is ready" in said


def test_a_place_that_cannot_be_written_is_named(checkout: Checkout) -> None:
    checkout.lock("green")
    shutil.rmtree(checkout.folder / ".cache")
    (checkout.folder / ".cache").write_text("not a folder")
    failed = checkout.start()
    assert failed.returncode == 1
    assert "cannot prepare itself" in failed.stderr
    assert "Traceback" not in failed.stderr


def started_as(preparation: str, starter: Path) -> subprocess.CompletedProcess[str]:
    """Run the starter in an interpreter that has been changed first."""
    run = f"sys.argv = ['storyforge']; runpy.run_path({str(starter)!r}, run_name='__main__')"
    code = f"import runpy, sys; {preparation}; {run}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_without_venv_a_sentence_says_what_to_install(tmp_path: Path) -> None:
    checkout = Checkout.make(tmp_path / "checkout", tmp_path / "wheels")
    failed = started_as("sys.modules['ensurepip'] = None", checkout.folder / "storyforge")
    assert failed.returncode == 1
    assert "apt install python3-venv" in failed.stderr
    assert not (checkout.folder / ".venv").exists()


def test_an_old_python_is_told_what_is_needed() -> None:
    failed = started_as("sys.version_info = (3, 8, 18); sys.version = '3.8.18 (old)'", STARTER)
    assert failed.returncode == 1
    assert "needs Python 3.11 or later; this is 3.8.18" in failed.stderr


def test_old_pythons_can_read_the_starter() -> None:
    ast.parse(STARTER.read_text("utf-8"), feature_version=(3, 7))


def test_everything_is_checked_and_the_tests_have_the_last_word(first_test: tuple[Checkout, Done]) -> None:
    _, done = first_test
    lines = [line for line in done.stdout.splitlines() if line.startswith("<")]
    assert lines == [
        "<ruff> check .",
        "<ruff> format --check .",
        "<mypy>",
        "<lint-imports>",
        "<pytest> -n 4 --dist worksteal",
    ]
    assert done.returncode == 0


@pytest.mark.parametrize("failing", ["ruff", "mypy", "pytest"])
def test_one_failing_check_fails_the_whole_and_the_rest_still_runs(tested: Checkout, failing: str) -> None:
    done = tested.start("test", FAILING=failing)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "<pytest> -n 4 --dist worksteal"


def test_arguments_of_test_are_pytests_and_then_it_runs_alone(tested: Checkout) -> None:
    done = tested.start("test", "tests/unit", "-k", "ink")
    assert done.stdout.split("\n", 2)[2] == "<pytest> tests/unit -k ink\n"


def test_after_the_tests_playing_needs_no_preparation(tested: Checkout) -> None:
    assert tested.start("play").stderr == ""
    assert tested.start("test").stderr == ""


def test_starting_costs_little(prepared: Checkout) -> None:
    def seconds(command: list[str]) -> float:
        begin = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        return time.perf_counter() - begin

    bare = min(seconds([sys.executable, "-c", "pass"]) for _ in range(5))
    through_the_starter = min(seconds(prepared.command()) for _ in range(5))
    assert through_the_starter < 20 * bare  # three interpreters, one after the other, and hardly an import


def test_the_starter_names_only_troubles_it_can_explain() -> None:
    starter = runpy.run_path(str(STARTER))
    for mark, sentence in starter["TROUBLES"].items():
        assert starter["explain"]([f"ERROR: {mark}"]).startswith(sentence)
    assert "pip could not install" in starter["explain"](["a line", "ERROR: something else"])
