"""What Discord's errors mean to players."""

from dataclasses import dataclass, field

import aiohttp
import discord
import pytest

from bot.platforms.discord.troubles import MEANINGS, NotPermitted, meaning, understood
from bot.surface import RoomGone, SlowDown, SurfaceDown, SurfaceError


@dataclass(frozen=True)
class Answer:
    """As much of an answer as discord.py's errors look at."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    reason: str = "For a reason"


def refusal(status: int, code: int = 0, **headers: str) -> discord.HTTPException:
    answer = Answer(status, {name.replace("_", "-"): value for name, value in headers.items()})
    return discord.HTTPException(answer, {"code": code, "message": "No"})  # type: ignore[arg-type]  # enough of one


@pytest.mark.parametrize("code", MEANINGS)
def test_every_known_refusal_is_a_sentence_for_players(code: int) -> None:
    said = meaning(refusal(400, code))
    assert isinstance(said, SurfaceError)
    assert str(said)[0].isupper()
    assert str(said).endswith(".")
    assert str(code) not in str(said)


def test_a_missing_permission_says_what_to_allow_and_where() -> None:
    said = meaning(refusal(403, 50013))
    assert isinstance(said, NotPermitted)
    assert "Send Messages in Threads" in str(said)
    assert "under Permissions" in str(said)


def test_a_locked_thread_is_not_taken_for_a_missing_permission() -> None:
    said = meaning(refusal(403, 160005))
    assert isinstance(said, RoomGone)
    assert "locked" in str(said)


@pytest.mark.parametrize(("code", "status"), [(0, 429), (20016, 403), (20028, 403)])
def test_a_limit_says_how_long_to_wait(code: int, status: int) -> None:
    said = meaning(refusal(status, code, Retry_After="7.5"))
    assert isinstance(said, SlowDown)
    assert said.retry_after == 7.5


def test_a_request_that_was_wrong_in_itself_is_our_own_mistake() -> None:
    wrong = refusal(400, 50035)
    assert meaning(wrong) is wrong


@pytest.mark.parametrize(
    "error", [refusal(503), aiohttp.ClientError(), ConnectionResetError(), RuntimeError("Session is closed")]
)
def test_what_passes_by_itself_is_tried_again(error: Exception) -> None:
    with pytest.raises(SurfaceDown), understood():
        raise error


def test_a_mistake_of_our_own_stays_one() -> None:
    with pytest.raises(RuntimeError, match="ours"), understood():
        raise RuntimeError("ours")
