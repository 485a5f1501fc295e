from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyforge_core.domain.commands import Incoming, ShowPath, Speaker
from storyforge_core.domain.policy import Bucket, Rate, admit, is_host, require_host, require_welcome
from storyforge_core.domain.story import Member, PlayerId, RoomKey
from storyforge_core.engine.app import Doorman
from storyforge_core.errors import NotAllowed, TooFast

ANN, BO = PlayerId(UUID(int=1)), PlayerId(UUID(int=2))
GUEST = Speaker("terminal", "bo", "Bo")
MODERATOR = Speaker("discord", "1", "Mo", moderator=True)
MEMBERS = (
    Member(player=ANN, name="Ann", state="joined", host=True),
    Member(player=BO, name="Bo", state="banned"),
)


def test_a_guest_is_told_whom_to_ask() -> None:
    with pytest.raises(NotAllowed, match=r"Only the host may close the ballot\. Ask Ann\."):
        require_host(MEMBERS, BO, GUEST, "close the ballot")


def test_a_moderator_of_the_platform_may_do_what_a_host_may() -> None:
    assert is_host(MEMBERS, BO, MODERATOR)
    require_welcome(MEMBERS, BO, MODERATOR)


def test_a_banned_player_is_refused() -> None:
    with pytest.raises(NotAllowed):
        require_welcome(MEMBERS, BO, GUEST)


def test_a_host_who_is_banned_is_no_host() -> None:
    banned = (Member(player=ANN, name="Ann", state="banned", host=True),)
    assert not is_host(banned, ANN, GUEST)


@given(st.lists(st.floats(0, 30), max_size=200), st.integers(1, 60))
def test_no_more_than_the_rate_and_its_burst_get_in(pauses: list[float], per_minute: int) -> None:
    now, admitted = 0.0, 0
    bucket: Bucket | None = None
    for pause in pauses:
        now += pause
        with suppress(TooFast):
            bucket = admit(bucket, Rate(per_minute), now)
            admitted += 1
    assert admitted <= per_minute + now * per_minute / 60 + 1e-6


def test_after_the_wait_that_was_named_one_more_gets_in() -> None:
    bucket = admit(None, Rate(1), 0)
    with pytest.raises(TooFast) as caught:
        admit(bucket, Rate(1), 10)
    admit(bucket, Rate(1), 10 + caught.value.retry_after)


def asked(user: str, at: datetime, room: str = "r") -> Incoming:
    return Incoming("e", RoomKey("discord", room), Speaker("discord", user, user), ShowPath(), at)


def test_the_doorman_counts_players_and_rooms_apart() -> None:
    doorman = Doorman(Rate(2), Rate(3))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    doorman.admit(asked("ann", start))
    doorman.admit(asked("ann", start))
    with pytest.raises(TooFast):
        doorman.admit(asked("ann", start, room="other"))
    doorman.admit(asked("bo", start))
    with pytest.raises(TooFast):
        doorman.admit(asked("cy", start))
    doorman.admit(asked("cy", start + timedelta(seconds=60)))
