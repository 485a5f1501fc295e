"""Several programs on one database: any of them may be killed, and the others go on with what it did."""

import asyncio

from storyforge_core.store.database import open_database
from tests.program import Home, Ollama, numbered
from tests.world import open_world

PLAY = ("play", "--json", "--as", "Ann")
SECOND = ("play", "--json", "--as", "Ben", "--room", "second")
NEW = "/story new A lighthouse keeper finds a door in the sea"
LONG, BUSY = numbered("a", 120), numbered("z", 100)
WRITES = "Starting job storyforge.run"
READY = "Starting worker on queues text"
"""What the job engine logs."""
REST = f" {numbered('b', 20)}"


async def order_a_scene(url: str) -> None:
    """Give whoever works first something to do, in a story that nobody watches."""
    database = open_database(url)
    try:
        world = open_world(database)
        await world.queue(await world.begin())
    finally:
        await database.aclose()


def busy(home: Home, ollama: Ollama) -> None:
    """Keep the only worker there is busy for ten seconds: until another one is there."""
    ollama.plays(tellings=[BUSY], rate=10)
    asyncio.run(order_a_scene(home.url))
    ollama.waits_for(1)


def test_the_terminal_shows_the_words_of_a_worker_in_another_process(home: Home, ollama: Ollama) -> None:
    with home.starts(*PLAY) as program:
        home.waits_until_it_answers()
        busy(home, ollama)
        ollama.plays(tellings=[LONG], rate=60)
        with home.starts("worker") as worker:
            worker.complains(READY)
            program.says(NEW)
            program.tells(5)
            worker.complains(WRITES)
            assert program.shows("scene_told")["scene"]["prose"] == LONG == program.words
            assert sum(line["type"] == "words" for line in program.lines) > 5, "they came as they were written"


def test_a_killed_worker_is_followed_by_another_that_goes_on_with_its_words(home: Home, ollama: Ollama) -> None:
    with home.starts(*PLAY) as program:
        home.waits_until_it_answers()
        busy(home, ollama)
        ollama.plays(tellings=[LONG, REST], rate=20)
        with home.starts("worker") as worker:
            worker.complains(READY)
            program.says(NEW)
            program.tells(5)
            worker.complains(WRITES)
            worker.dies()
        shown = program.words
        prose = program.shows("scene_told")["scene"]["prose"]
        assert prose == ollama.prefilled(shown) + REST
        assert program.words == prose


def test_whoever_owns_the_database_dies_and_the_other_takes_it_over(home: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[LONG, REST], rate=20)
    with home.starts(*PLAY) as owner:
        home.waits_until_it_answers()
        with home.starts(*SECOND) as other:
            owner.says(NEW)
            owner.tells(1)
            other.says("/story stories 1")
            other.tells(10)
            owner.dies()
            shown = max(owner.words, other.words, key=len)
            prose = other.shows("scene_told")["scene"]["prose"]
            assert prose == (LONG if len(ollama.tellings) == 1 else ollama.prefilled(shown) + REST)
            assert prose.startswith(shown)
            assert other.words == prose
            assert other.server.is_running()
            other.shows("ballot_opened")
            home.is_whole(1)
            with home.starts(*PLAY) as back:
                assert back.shows("status_shown")["head"]["prose"] == prose
