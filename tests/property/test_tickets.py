from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from storyforge_core.domain import tickets


@given(st.uuids(), st.sampled_from(["upper", "lower", "swapcase"]), st.sampled_from(["", "-", " ", " - "]))
def test_a_code_is_read_as_it_was_written_however_it_is_typed(randomness: UUID, case: str, between: str) -> None:
    code = tickets.code_of(randomness)
    typed = getattr(tickets.written(code).replace("-", between), case)()
    assert tickets.read(f" {typed} ") == code


@given(st.uuids())
def test_signs_that_look_alike_are_taken_for_what_was_meant(randomness: UUID) -> None:
    code = tickets.code_of(randomness)
    assert tickets.read(code.replace("0", "O").replace("1", "l")) == code


@given(st.text())
def test_whatever_is_typed_is_a_code_or_none(text: str) -> None:
    code = tickets.read(text)
    assert code is None or len(code) == 8
