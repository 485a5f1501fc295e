"""`kill -9` between a scene and the reading of it: the next start reads it, once."""

import json

from tests.program import Home, Ollama

PLAY = ("play", "--json", "--as", "Ann")
PROSE = "Osk slept in the boat. Nobody came."
FOUND = json.dumps(
    {
        "entities": [{"name": "Osk", "sort": "character"}],
        "assertions": [{"subject": "Osk", "slot": "where", "value": "the boat", "quote": "slept in the boat"}],
        "promises": [],
    }
)
READING = "SELECT FROM procrastinate_jobs WHERE task_name = 'storyforge.read' AND status = 'doing'"


def test_a_scene_that_was_told_is_read_after_all(home: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[PROSE], found=FOUND, reading_delay=60)
    with home.starts(*PLAY) as program:
        program.says("/story new A lighthouse keeper finds a door in the sea")
        program.shows("scene_told")
        home.waits_for(READING)
        program.dies()
    ollama.plays(tellings=[PROSE], found=FOUND)
    with home.starts(*PLAY) as again:
        home.waits_until_it_answers()
        home.waits_for("SELECT FROM reading")
        again.says("/story state")
        (osk,) = again.shows("state_shown")["people"]
        assert (osk["name"], osk["held"][0]["said"]["value"]) == ("Osk", "the boat")
        assert home.asks("SELECT count(*) FROM assertion") == [(1,)]
        assert again.ends() == 0
