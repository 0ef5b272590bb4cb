"""Consistency tokens stand for exactly what they were made of, or are refused."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.lanes import LANES
from bus.tokens import Position, TokenMalformed, Vector, decode, encode, merge

positions = st.builds(
    Position,
    st.uuids(),
    st.dictionaries(st.integers(0, LANES - 1), st.integers(1, 2**63 - 1)),
)
vectors = st.dictionaries(st.sampled_from(["program", "offer", "other"]), positions)
EPOCH, LATER = UUID(int=1), UUID(int=2)


@given(vectors)
def test_a_token_comes_back_as_it_was(vector: Vector) -> None:
    assert decode(encode(vector)) == vector


@given(vectors, st.data())
def test_a_changed_token_is_refused(vector: Vector, data: st.DataObject) -> None:
    token = encode(vector)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCabc019-_!é").filter(lambda letter: letter != token[at]))
    changed = token[:at] + other + token[at + 1 :]
    try:
        found = decode(changed)
    except TokenMalformed:
        return
    assert found == vector  # only the unused bits of the last letter may differ


@pytest.mark.parametrize("token", ["", "A", "AAAA", "not a token", "é", "\0", "=" * 8, "AQ", "A" * 4096])
def test_what_is_not_a_token_is_refused(token: str) -> None:
    with pytest.raises(TokenMalformed):
        decode(token)


@given(positions, positions)
def test_a_merged_position_covers_both_of_one_epoch(one: Position, other: Position) -> None:
    other = Position(one.epoch, other.lanes)
    assert one.merged(other).covers(one)
    assert one.merged(other).covers(other)
    assert one.merged(other) == other.merged(one)


def test_merging_keeps_the_later_epoch() -> None:
    old, new = Position(EPOCH, {0: 9}), Position(LATER, {0: 1})
    assert merge([{"program": old}, {"program": new}]) == {"program": new}
    assert merge([{"program": new}, {"program": old}]) == {"program": new}


def test_a_position_does_not_cover_one_of_another_epoch() -> None:
    assert not Position(LATER, {0: 9}).covers(Position(EPOCH, {0: 1}))


def test_tokens_of_different_sources_merge_side_by_side() -> None:
    program, offer = Position(EPOCH, {1: 2}), Position(LATER, {3: 4})
    assert merge([{"program": program}, {"offer": offer}]) == {"program": program, "offer": offer}


def test_no_token_stands_for_a_number_that_no_event_has() -> None:
    with pytest.raises(TokenMalformed):
        decode(encode({"program": Position(EPOCH, {0: 0})}))
