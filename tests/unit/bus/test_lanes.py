"""An aggregate belongs to one lane for ever."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bus.lanes import LANES, lane_of


@given(st.uuids())
def test_every_aggregate_has_one_of_the_lanes(aggregate_id: UUID) -> None:
    assert 0 <= lane_of(aggregate_id) < LANES
    assert lane_of(aggregate_id) == lane_of(UUID(str(aggregate_id)))


def test_the_hash_never_changes() -> None:
    """Stored events stand in lanes by it."""
    known = {
        "00000000-0000-0000-0000-000000000000": 5,
        "01936f2c-7d3a-7000-8000-000000000001": 14,
        "ffffffff-ffff-ffff-ffff-ffffffffffff": 10,
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8": 15,
    }
    assert {text: lane_of(UUID(text)) for text in known} == known
