"""`kill -9` of the program or of ComfyUI in the middle of a picture: one picture arrives, and it arrives once."""

from tests.program import Comfy, Home, Program

PLAY = ("play", "--json", "--as", "Ann", "--storyteller", "offline")
NEW = "/story new A lighthouse keeper finds a door in the sea"
SHOWN = "SELECT count(*) FROM event WHERE body->>'kind' = 'picture_shown'"


def picture(home: Home, program: Program) -> None:
    """Exactly one picture comes, with its file, and nothing is left to do."""
    shown = program.shows("picture_shown")
    home.waits_for("SELECT FROM run WHERE kind = 'picture' AND status = 'done'")
    kept = shown["picture"]["kept"]
    file = home.data / "pictures" / kept["sha256"][:2] / f"{kept['sha256']}.png"
    assert file.stat().st_size == kept["bytes"]
    assert b"prompt" not in file.read_bytes(), "what ComfyUI writes into its files is gone"
    assert home.asks(SHOWN) == [(1,)]
    assert home.asks("SELECT count(*) FROM asset") == [(1,)]


def test_the_program_dies_while_a_picture_is_painted(guest: Home) -> None:
    with Comfy() as comfy:
        comfy.plays(seconds=2.5)
        settings = {"COMFYUI_HOST": comfy.url}
        with guest.starts(*PLAY, **settings) as program:
            program.says(NEW)
            comfy.waits_for(1)
            program.dies()
        with guest.starts(*PLAY, **settings) as again:
            picture(guest, again)
            calls = comfy.calls()
            assert len(calls["posted"]) == len(calls["executed"]) == 1, "it was waited for, not sent again"
            assert again.ends() == 0


def test_the_picture_server_dies_and_comes_back_knowing_nothing(guest: Home) -> None:
    with Comfy() as first, guest.starts(*PLAY, COMFYUI_HOST=first.url) as program:
        first.plays(seconds=60)
        program.says(NEW)
        first.waits_for(1)
        first.dies()
        program.says("1")
        program.shows("ballot_decided")
        assert program.shows("scene_told")["scene"]["number"] == 2
        guest.waits_for("SELECT FROM run WHERE kind = 'picture' AND status = 'running'")
        program.says("/story settings pictures off")
        assert guest.asks(SHOWN) == [(0,)]
        with Comfy(first.port) as second:
            guest.waits_for("SELECT FROM asset HAVING count(*) = 2")
            assert len(second.calls()["executed"]) == 2
        assert guest.asks(SHOWN) == [(2,)]
