"""Who may do what in a room of Matrix, by its raw state."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.matrix.powers import Powers

OLD, NEW = "!room:example.org", "!dkRMa2Zh0Dct_Yhw9Oq5zQ"
ANN, BO, CY = "@ann:example.org", "@bo:example.org", "@cy:example.org"
LEVELS = {"users": {ANN: 100, BO: 50}, "events": {"m.room.power_levels": 100}, "state_default": 50}


def of(levels: dict[str, Any] | None, room: str = OLD, **create: Any) -> Powers:
    return Powers.of(room, {"sender": ANN, "content": create}, levels)


def test_as_clients_make_rooms_administrators_manage_and_moderators_moderate() -> None:
    powers = of(LEVELS)
    assert [powers.manages(user) for user in (ANN, BO, CY)] == [True, False, False]
    assert [powers.moderates(user) for user in (ANN, BO, CY)] == [True, True, False]


def test_in_new_rooms_creators_have_every_power_though_no_level_says_so() -> None:
    powers = of({"users": {CY: 100}, "events": {"m.room.power_levels": 150}}, NEW, additional_creators=[BO])
    assert [powers.manages(user) for user in (ANN, BO, CY)] == [True, True, False]
    assert powers.moderates(CY)


def test_in_old_rooms_a_creator_has_the_level_that_is_given() -> None:
    assert not of({"users": {BO: 100}}).moderates(ANN)


def test_a_room_without_levels_is_its_creators() -> None:
    powers = of(None)
    assert powers.manages(ANN)
    assert not powers.moderates(BO)


def test_what_everybody_has_by_default_counts() -> None:
    powers = of({"users_default": 60, "users": {BO: 0}, "redact": 55})
    assert powers.moderates(CY)
    assert not powers.moderates(BO)


def test_levels_of_old_rooms_may_be_words() -> None:
    assert of({"users": {BO: "50"}, "redact": " 50 "}).moderates(BO)


def test_nothing_is_allowed_to_nobody_by_nonsense() -> None:
    assert not of({"users": {BO: None, CY: True}, "users_default": [], "redact": {}}).moderates(CY)


@pytest.mark.parametrize(("kind", "may"), [("m.reaction", True), ("m.room.message", False)])
def test_who_may_send_depends_on_the_kind(kind: str, may: bool) -> None:  # noqa: FBT001
    assert of({"events": {"m.room.message": 20}}).may_send(CY, kind) is may


@given(
    st.dictionaries(st.sampled_from([ANN, BO]), st.integers(0, 100)),
    st.integers(0, 100),
    st.integers(1, 100),
    st.integers(0, 100),
)
def test_more_power_never_allows_less(users: dict[str, int], default: int, redact: int, more: int) -> None:
    before = of({"users": users, "users_default": default, "redact": redact})
    after = of({"users": {**users, CY: before.level(CY) + more}, "users_default": default, "redact": redact})
    assert after.moderates(CY) >= before.moderates(CY)
    assert after.manages(CY) >= before.manages(CY)
