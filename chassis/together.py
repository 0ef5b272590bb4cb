"""Answers of several messages at once, where the caller and not a page says how many."""

from collections.abc import Sequence
from typing import Final

from chassis.refusal import InvalidField, Violation
from chassis.wire import field

ANSWER_BYTES: Final = 4 * 1024**2
"""How large an answer can be: what a client takes in one message unless it says otherwise."""


def together(messages: Sequence[bytes], asked: str, needed: str) -> bytes:
    """Return the answer that has the messages as its field 1.

    Raises InvalidField, about the field `asked`, where they are too large together.
    """
    answer = b"".join(field(1, message) for message in messages)
    if len(answer) > ANSWER_BYTES:
        found = Violation(asked, f"{asked}.bytes", f"{len(answer)} bytes", needed)
        raise InvalidField("What is asked for is larger than a message may be.", violations=(found,))
    return answer
