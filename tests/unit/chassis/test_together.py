import pytest

from chassis.refusal import InvalidField
from chassis.together import ANSWER_BYTES, together

FRAME = 5
"""The bytes of the tag and the length of a large message."""


def test_messages_that_fit_are_answered_together() -> None:
    assert together([b"one", b""], "ids", "fewer") == b"\x0a\x03one\x0a\x00"
    assert len(together([bytes(ANSWER_BYTES - FRAME)], "ids", "fewer")) == ANSWER_BYTES


def test_messages_that_no_client_would_take_are_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidField) as refused:
        together([bytes(ANSWER_BYTES - FRAME), b""], "ids", "fewer")
    [found] = refused.value.violations
    assert (found.field, found.found, found.needed) == ("ids", f"{ANSWER_BYTES + 2} bytes", "fewer")
