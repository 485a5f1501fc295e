"""`storyforge serve` as its owner starts it, against a Discord in another process."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.program import PATIENCE, ROOT, Home, Ollama, numbered

Shown = dict[str, Any]


class Discord:
    """The wire-level Discord in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        self.dies = process.kill
        self.api, self.gateway, self.token = process.stdout.readline().split()

    @property
    def settings(self) -> dict[str, str]:
        """What makes a program use it."""
        return {"DISCORD_TOKEN": self.token, "DISCORD_API_BASE": self.api, "DISCORD_GATEWAY_URL": self.gateway}

    @property
    def state(self) -> Shown:
        return self._ask("state")

    @property
    def story(self) -> list[Shown]:
        """The messages of the only thread."""
        threads = [each for each in self.state["guilds"]["Friends"] if each["name"] != "general"]
        return threads[0]["messages"] if threads else []

    def human(self, who: str, do: str, **what: object) -> Shown:
        return self._ask("human", {"who": who, "do": do, **what})

    def answer(self, asked: Shown) -> Shown:
        """What somebody sees by now of the answer to what they asked."""
        return self._ask(f"answer/{asked['answer']}")

    def waits(self, it_is_so: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not it_is_so():
            assert time.monotonic() < until, self.story
            time.sleep(0.05)

    def waits_for(self, text: str) -> None:
        self.waits(lambda: any(text in message["content"] for message in self.story))

    def question(self) -> Shown:
        """The message with the open question, once it is asked."""
        self.waits(lambda: any(map(asks, self.story)))
        return next(filter(asks, self.story))

    def types(self, who: str, command: str, **options: object) -> Shown:
        """Somebody types a command: the first time in the channel, then in the thread of the story."""
        threads = [each["id"] for each in self.state["guilds"]["Friends"] if each["is_thread"]]
        place = threads[0] if threads else "general"
        return self.human(who, "slash", channel=place, command=command, options=options)

    def clicks(self, who: str, which: str) -> Shown:
        """Somebody presses a button under the open question, by the beginning of what is written on it."""
        card = self.question()
        label = next(each["label"] for each in card["buttons"] if each["label"].startswith(which))
        return self.human(who, "click", message=card["id"], which=label)

    def _ask(self, what: str, body: object = None) -> Shown:
        address = f"{self.gateway.replace('ws://', 'http://')}/peer/{what}"
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(address, data), timeout=10) as answer:  # noqa: S310 - our own
            said: Shown = json.load(answer)
            return said


def asks(message: Shown) -> bool:
    return any(button["custom_id"].startswith("sf:vote:") for button in message["buttons"])


@pytest.fixture
def discord() -> Generator[Discord]:
    with running() as peer:
        yield peer


@contextmanager
def running() -> Iterator[Discord]:
    command = [sys.executable, "-m", "tests.peers.discord", "--window", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            yield Discord(process)
        finally:
            process.kill()


def test_friends_play_from_the_invitation_to_the_second_scene(new_home: Callable[..., Home], discord: Discord) -> None:
    home = new_home(STORYTELLER="offline", **discord.settings)
    with home.starts("serve") as program:
        program.prints("oauth2/authorize?client_id=")
        discord.waits(lambda: discord.state["connected"] and discord.state["commands"])
        discord.types("Ann", "story new", premise="A door in the sea")
        discord.question()
        discord.types("Bo", "story join")
        form = discord.clicks("Ann", "✍️")
        discord.human("Ann", "submit", answer=form["answer"], values={"text": "Knock three times"})
        discord.waits(lambda: any("Knock three times" in each["label"] for each in discord.question()["buttons"]))
        discord.human("Bo", "react", message=discord.question()["id"], emoji="4️⃣")
        discord.waits_for("wins with 2 of 2 votes")
        discord.waits_for("**2 · ")
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(PATIENCE) == 0
    assert discord.state["violations"] == []


def test_friends_play_on_through_kills_and_a_restart(home: Home, ollama: Ollama, discord: Discord) -> None:
    ollama.plays(
        tellings=[numbered("a", 120), f" {numbered('b', 20)}", numbered("c", 120), f" {numbered('d', 20)}"], rate=40
    )
    settings = {**discord.settings, "VOTE_DEADLINE": "6"}
    with home.starts("serve", **settings) as program:
        discord.waits(lambda: discord.state["connected"] and discord.state["commands"])
        discord.types("Ann", "story new", premise="A door in the sea")
        discord.waits_for("a30 ")
        program.dies()  # in mid-scene
    with home.starts("serve", **settings) as program:
        card = discord.question()
        for friend in ("Bo", "Cy", "Dee"):
            discord.types(friend, "story join")
        discord.clicks("Ann", "1")
        discord.human("Bo", "react", message=card["id"], emoji="2️⃣")
        discord.waits(lambda: {"(Ann)", "(Bo)"} <= set(discord.question()["content"].split()))
        program.dies()  # in mid-ballot
    discord.human("Cy", "react", message=card["id"], emoji="3️⃣")
    with home.starts("serve", **settings) as program:
        discord.waits_for("A tie between 1, 2 and 3. The lot falls on")  # as the deadline finds it: Dee never votes
        discord.waits_for("c30 ")
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(PATIENCE) == 0
    discord.waits_for("*⏸ I have to go for a moment. It goes on right here when I'm back.*")
    with home.starts("serve", **settings) as program:
        discord.waits_for("d20.")
        discord.question()
        home.is_whole(2)
        ollama.plays(tellings=[numbered("onwards", 300), f" {numbered('home', 20)}"], rate=100)
        clicked = decides(discord, "Ann", after=("Bo", "Cy", "Dee"))
        discord.waits_for("onwards220 ")
        program.dies()  # behind a message that follows the answer to the click
    with home.starts("serve", **settings):
        discord.waits_for("home20.")
        discord.question()
        home.is_whole(3)
    goes_on_where_it_was(discord, clicked)
    for killed, taken_up in (("a", "b"), ("c", "d")):
        told = [message["content"] for message in discord.story if f"{killed}1 " in message["content"]]
        assert len(told) == 1
        assert f"{killed}30 " in told[0]
        assert f"{taken_up}20." in told[0]
    assert discord.state["violations"] == []


def decides(discord: Discord, who: str, after: Sequence[str]) -> Shown:
    """Have somebody decide the open question by a click; answers with what they asked."""
    card = discord.question()["id"]
    for friend in after:
        discord.human(friend, "react", message=card, emoji="1️⃣")
    discord.waits(lambda: all(friend in discord.question()["content"].partition("Waiting")[0] for friend in after))
    return discord.clicks(who, "1")


def goes_on_where_it_was(discord: Discord, clicked: Shown) -> None:
    """See that the scene which answers a click was taken up in its own second message, and no word stands twice."""
    answer = discord.answer(clicked)
    told = [message for message in discord.story if "onwards" in message["content"]]
    assert [message["id"] for message in told] == [answer["message"], *(each["id"] for each in answer["followups"])]
    words = re.findall(r"\b(?:onwards|home)\d+\b", " ".join(message["content"] for message in discord.story))
    before = [word for word in words if word.startswith("onwards")]
    assert before == [f"onwards{number}" for number in range(1, len(before) + 1)]
    assert words[len(before) :] == [f"home{number}" for number in range(1, 21)]
    assert "home20." in told[-1]["content"]


def test_nothing_to_serve_is_said_in_a_sentence(new_home: Callable[..., Home]) -> None:
    with new_home(STORYTELLER="offline").starts("serve") as program:
        assert program.process.wait(PATIENCE) == 78
        assert "DISCORD_TOKEN" in program.errors


def test_a_wrong_token_ends_the_program_with_a_sentence(new_home: Callable[..., Home], discord: Discord) -> None:
    home = new_home(STORYTELLER="offline", **{**discord.settings, "DISCORD_TOKEN": "wrong"})
    with home.starts("serve") as program:
        assert program.process.wait(PATIENCE) == 78
        assert "Discord does not accept DISCORD_TOKEN" in program.errors
