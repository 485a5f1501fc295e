"""The whole program as its owner runs it: started, talked to, killed, started again; and what is stored afterwards.

with home.starts("play", "--json", "--as", "Ann") as program:
    program.says("/story new A door in the sea")
    program.tells(10)
    program.dies()
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.request import Request, urlopen

import psutil
import psycopg

from storyforge_core.store.server import Address

ROOT = Path(__file__).parents[1]
PATIENCE = 60.0
"""Seconds until a wait is given up: a machine that does other things besides takes ten times as long."""
Line = dict[str, Any]


class Program:
    """A running program, on whose output one can wait."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self.process = process
        self._errors = errors
        self.output: list[str] = []
        self._read = 0
        self._news = threading.Condition()
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    @property
    def errors(self) -> str:
        """What it said on standard error."""
        return self._errors.read_text("utf-8")

    @property
    def lines(self) -> list[Line]:
        """All JSON lines so far."""
        return [json.loads(line) for line in list(self.output)]

    @property
    def words(self) -> str:
        """All words of stories that were shown so far."""
        return "".join(line["text"] for line in self.lines if line["type"] == "words")

    @property
    def server(self) -> psutil.Process:
        """Its database server."""
        return next(child for child in psutil.Process(self.process.pid).children() if child.name() == "postgres")

    def says(self, *lines: str) -> None:
        """Type lines."""
        assert self.process.stdin
        self.process.stdin.write("".join(f"{line}\n" for line in lines))
        self.process.stdin.flush()

    def shows(self, kind: str, **wanted: object) -> Line:
        """Wait for the next event, reply or other line of a kind that has these values; those before it are passed."""
        return self._next(
            lambda line: (
                (line.get("kind") or line["type"]) == kind
                and all(line.get(name) == value for name, value in wanted.items())
            ),
            f"{kind} {wanted}",
        )

    def prints(self, text: str) -> str:
        """Wait until a text is printed, anywhere."""
        self._until(lambda: text in "".join(self.output), text)
        return "".join(self.output)

    def complains(self, text: str) -> None:
        """Wait until a text is in what it says on standard error, where workers also log."""
        until = time.monotonic() + PATIENCE
        while text not in self.errors:
            assert time.monotonic() < until, f"never said {text!r}: {self.errors}"
            time.sleep(0.02)

    def tells(self, words: int) -> str:
        """Wait until at least so many words are shown; answer all there are."""
        self._until(lambda: len(self.words.split()) >= words, f"{words} words")
        return self.words

    def dies(self) -> None:
        """`kill -9` of the program with everything it has started, all at the same time."""
        everything = [psutil.Process(self.process.pid)]
        everything += everything[0].children(recursive=True)
        for each in everything:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        while any(map(_lives, everything)):
            time.sleep(0.01)
        self.process.wait(PATIENCE)
        self._listening.join(PATIENCE)

    def ends(self) -> int:
        """Close its input and wait for its end; answer the exit code."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(PATIENCE)

    def _next(self, fits: Callable[[Line], bool], what: str) -> Line:
        found: list[Line] = []

        def look() -> bool:
            while self._read < len(self.output) and not found:
                line = json.loads(self.output[self._read])
                self._read += 1
                if fits(line):
                    found.append(line)
            return bool(found)

        self._until(look, what)
        return found[0]

    def _until(self, true: Callable[[], bool], what: str) -> None:
        with self._news:
            came = self._news.wait_for(true, PATIENCE)
        assert came, f"waited for {what} in vain:\n{self.errors}\n{''.join(self.output)[-3000:]}"

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._news:
                self.output.append(line)
                self._news.notify_all()


@dataclass(slots=True)
class Home:
    """A data directory with a database that is ready, and the programs that were started on it."""

    directory: Path
    settings: Mapping[str, str]
    _started: int = field(default=0, repr=False)

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def log(self) -> str:
        """What the programs have logged."""
        return (self.data / "logs" / "storyforge.log").read_text("utf-8")

    @contextmanager
    def starts(self, *arguments: str, **settings: str) -> Iterator[Program]:
        """Run a program; whatever is left of it in the end is killed."""
        self._started += 1
        errors = self.directory / f"errors-{self._started}.txt"
        with errors.open("w") as written:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=written,
                encoding="utf-8",
                env=environment(self.directory, **{**self.settings, **settings}),
            )
        program = Program(process, errors)
        try:
            yield program
        finally:
            if process.poll() is None:
                program.dies()
            for pipe in (process.stdin, process.stdout):
                with suppress(BrokenPipeError):
                    pipe.close()  # type: ignore[union-attr]  # both were asked for

    @property
    def url(self) -> str:
        """The address of the database while a program runs it."""
        if "DATABASE_URL" in self.settings:
            return self.settings["DATABASE_URL"]
        place = self.data / "postgres"
        sockets = json.loads((place / "address.json").read_text("utf-8"))["sockets"]
        return Address(sockets, (place / "password").read_text("utf-8")).url()

    def asks(self, query: str) -> list[tuple[Any, ...]]:
        """Read from the database while a program runs it."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()

    def waits_until_it_answers(self) -> None:
        """Return when the database is there again."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self.asks("SELECT")
            except (psycopg.OperationalError, FileNotFoundError):
                assert time.monotonic() < until
                time.sleep(0.05)
            else:
                return

    def is_whole(self, scenes: int, failed: int = 0) -> None:
        """The only story has these scenes, each told once, asks its question at the head, and left nothing over."""
        assert self.asks("SELECT number FROM scene ORDER BY 1") == [(number,) for number in range(1, scenes + 1)]
        told = "SELECT body #>> '{scene,number}' FROM event WHERE body ->> 'kind' = 'scene_told' ORDER BY id"
        assert self.asks(told) == [(str(number),) for number in range(1, scenes + 1)]
        assert self.asks("SELECT status FROM run WHERE status <> 'done'") == [("failed",)] * failed
        assert self.asks("SELECT * FROM run_chunk") == []
        asked = self.asks("SELECT scene_id FROM ballot WHERE status = 'open'")
        assert asked == self.asks("SELECT head_id FROM playthrough")

    def waits_for(self, query: str) -> None:
        """Return when a query finds something."""
        until = time.monotonic() + PATIENCE
        while not self.asks(query):
            assert time.monotonic() < until, f"nothing found: {query}"
            time.sleep(0.02)


def environment(directory: Path, **settings: str) -> dict[str, str]:
    """What a program may see: no setting of whoever runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    own = {"STORYFORGE_HOME": str(directory), "DATA_DIR": str(directory / "data"), "LOG_LEVEL": "debug"}
    return {**kept, **own, "PYTHONPATH": str(ROOT), **settings}


def prepare(directory: Path) -> Home:
    """Make a home whose copies start at once: with all tables, and without waiting for a disk nobody pulls out."""
    command = [sys.executable, "-m", "bot", "migrate"]
    subprocess.run(command, env=environment(directory), check=True, capture_output=True, timeout=60)
    place = directory / "data" / "postgres"
    with (place / "cluster" / "postgresql.conf").open("a") as settings:
        settings.write("\nfsync = off\nfull_page_writes = off\n")  # every test kills programs, none the machine
    (place / "address.json").unlink()
    return Home(directory, {})


def furnished(template: Home, directory: Path, **settings: str) -> Home:
    """Make a home like another one."""
    subprocess.run(["cp", "-a", template.data, directory / "data"], check=True)  # its files belong to several users
    return Home(directory, settings)


def _lives(process: psutil.Process) -> bool:
    """Whether it still does anything; the dead of others may be listed for a while."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Ollama:
    """The scripted Ollama server in a process of its own."""

    def __init__(self, port: int = 0) -> None:
        command = [sys.executable, "-m", "tests.peers.ollama", "--port", str(port)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8")
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.dies()

    @property
    def settings(self) -> Mapping[str, str]:
        """What makes a program use it."""
        return {"STORYTELLER": "ollama", "OLLAMA_HOST": self.url, "OLLAMA_MODEL": "storyteller"}

    @property
    def tellings(self) -> list[Line]:
        """The requests for prose so far."""
        return [call["body"] for call in self._calls() if "format" not in call["body"]]

    @property
    def questions(self) -> list[Line]:
        """The requests for choices so far."""
        return [call["body"] for call in self._calls() if "format" in call["body"]]

    def prefilled(self, shown: str) -> str:
        """What the newest answer was to go on behind: all that players had read by then, and perhaps a little more."""
        prefill = self.tellings[-1]["messages"][-1]
        assert prefill["role"] == "assistant"
        told: str = prefill["content"]
        assert told.startswith(shown.rstrip())
        return told

    def plays(self, **script: object) -> None:
        """Behave like this from the next call on."""
        self._post("/peer/script", script)

    def waits_for(self, calls: int) -> None:
        """Return when so many requests for prose or choices have come."""
        until = time.monotonic() + PATIENCE
        while len(self._calls()) < calls:
            assert time.monotonic() < until, f"only {len(self._calls())} calls came"
            time.sleep(0.02)

    def dies(self) -> None:
        """Be gone at once."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()

    def _calls(self) -> list[Line]:
        calls: list[Line] = self._post("/peer/calls", {})
        chats = [call for call in calls if call["path"] == "/api/chat"]
        return [call for call in chats if "assertions" not in call["body"].get("format", {}).get("properties", {})]

    def _post(self, path: str, body: object) -> Any:
        with urlopen(Request(self.url + path, json.dumps(body).encode()), timeout=5) as answer:  # noqa: S310
            return json.load(answer)


class Comfy:
    """A picture server in a process of its own."""

    def __init__(self, port: int = 0) -> None:
        command = [sys.executable, "-m", "tests.peers.comfyui", "--port", str(port)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8")
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.dies()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def plays(self, **script: object) -> None:
        """Behave like this from now on."""
        self._post("/peer/script", script)

    def calls(self) -> Line:
        """What was sent to it, and what it executed."""
        told: Line = self._post("/peer/calls", {})
        return told

    def waits_for(self, posted: int) -> None:
        """Return when so many pictures were sent."""
        until = time.monotonic() + PATIENCE
        while len(self.calls()["posted"]) < posted:
            assert time.monotonic() < until, f"never sent: {self.calls()}"
            time.sleep(0.02)

    def dies(self) -> None:
        """Be gone at once, with all that it knew."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()

    def _post(self, path: str, body: object) -> Any:
        with urlopen(Request(self.url + path, json.dumps(body).encode()), timeout=5) as answer:  # noqa: S310
            return json.load(answer)


def numbered(name: str, count: int) -> str:
    """Prose in which every word is another one, so that what is missing or doubled shows."""
    return " ".join(f"{name}{number}" for number in range(1, count + 1)) + "."
