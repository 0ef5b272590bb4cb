from datetime import UTC, datetime, timedelta

import pytest
from training.catalogue.v1.entries_pb2 import ProgramEntry
from training.offer.v1.offer_pb2 import Schedule
from training.program.v1.program_pb2 import Program

from bench.umd.expect import Expected, Refusal
from bench.umd.facts import Facts, facts_of
from bench.umd.verify import RefusedRow, Span, compare

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)
SPAN = Span(BEGAN, BEGAN + timedelta(minutes=1))
MADE = BEGAN + timedelta(seconds=1)
TIMES = {"offer.create_time": MADE, "offer.update_time": MADE, "offer.publish_time": MADE}
STARTS = (datetime(2027, 1, 5, 17, tzinfo=UTC), datetime(2027, 1, 5, 18, tzinfo=UTC))
EXPECTED = Expected(
    programs={"a": {"program_id": "a", "title": "A"}, "b": {"program_id": "b", "title": "B"}},
    offers={"x": {"offer.offer_id": "x", "offer.seats_taken": 3, "program.program_id": "a"}},
    refusals={
        "1": Refusal("CAPACITY_INVALID", "capacity.seats"),
        "2": Refusal("SESSIONS_OVERLAP", overlaps=frozenset({STARTS})),
    },
)


def programs() -> list[Facts]:
    """Return the programs as they should be read."""
    return [{**facts, "release_time": MADE} for facts in EXPECTED.programs.values()]


def offers() -> list[Facts]:
    """Return the offers as they should be read."""
    return [{**facts, **TIMES, "program.release_time": MADE} for facts in EXPECTED.offers.values()]


def row(row_id: str, reason: str, **metadata: str) -> RefusedRow:
    """Return a line of the report."""
    return {"row_id": row_id, "code": "FAILED_PRECONDITION", "reason": reason, "metadata": metadata, "message": "no"}


REFUSED = [
    row("1", "CAPACITY_INVALID", rule="capacity.seats"),
    row("2", "SESSIONS_OVERLAP", first="2027-01-05T17:00:00Z", second="2027-01-05T18:00:00Z"),
]


def test_what_is_as_expected_has_no_difference() -> None:
    findings = compare(EXPECTED, programs(), offers(), REFUSED, SPAN)

    assert (findings.programs, findings.offers, findings.refused, findings.differences) == (2, 1, 2, [])


@pytest.mark.parametrize(
    "change",
    [{"title": "Z"}, {"summary": "more"}, {"program_id": "c"}, {"release_time": BEGAN - timedelta(seconds=1)}],
)
def test_a_program_that_differs_is_found(change: Facts) -> None:
    first, second = programs()

    assert compare(EXPECTED, [first, {**second, **change}], offers(), REFUSED, SPAN).differences


@pytest.mark.parametrize(
    "change",
    [
        {"offer.seats_taken": 4},
        {"offer.seats_taken": "3"},
        {"offer.cancel_time": MADE},
        {"offer.publish_time": MADE + timedelta(microseconds=1)},
        {"program.release_time": BEGAN},
    ],
)
def test_an_offer_that_differs_is_found(change: Facts) -> None:
    (offer,) = offers()

    assert compare(EXPECTED, programs(), [{**offer, **change}], REFUSED, SPAN).differences


def test_what_is_missing_too_much_or_out_of_order_is_found() -> None:
    missing = compare(EXPECTED, programs()[:1], offers(), REFUSED, SPAN).differences
    doubled = compare(EXPECTED, programs(), offers() * 2, REFUSED, SPAN).differences
    disordered = compare(EXPECTED, programs()[::-1], offers(), REFUSED, SPAN).differences

    assert missing == ["program b is missing"]
    assert doubled == ["offer x is there twice"]
    assert disordered == ["the programs did not come in their order"]


@pytest.mark.parametrize(
    "refused",
    [
        REFUSED[:1],
        [*REFUSED, REFUSED[0]],
        [*REFUSED, row("3", "CAPACITY_INVALID", rule="capacity.seats")],
        [row("1", "CAPACITY_INVALID", rule="capacity.minimum"), REFUSED[1]],
        [row("1", "OFFER_INCOMPLETE", rule="capacity.seats"), REFUSED[1]],
        [REFUSED[0], row("2", "SESSIONS_OVERLAP", first="2027-01-05T17:00:00Z", second="2027-01-05T17:00:00Z")],
        [REFUSED[0], {**REFUSED[1], "code": "INVALID_ARGUMENT"}],
    ],
)
def test_refusals_are_exactly_those_expected_each_for_its_reason(refused: list[RefusedRow]) -> None:
    assert len(compare(EXPECTED, programs(), offers(), refused, SPAN).differences) == 1


def test_every_field_that_is_set_is_a_fact() -> None:
    entry = ProgramEntry(program_id="a", state=Program.STATE_RELEASED, tags=["one", "two"], version=1)
    entry.credits.value = "3"
    entry.release_time.FromDatetime(MADE)

    assert facts_of(entry) == {
        "program_id": "a",
        "state": "STATE_RELEASED",
        "tags[0]": "one",
        "tags[1]": "two",
        "version": 1,
        "credits.value": "3",
        "release_time": MADE,
    }


def test_a_message_without_fields_is_a_fact_too() -> None:
    schedule = Schedule()
    schedule.access_window.SetInParent()

    assert facts_of(schedule) == {"access_window": "{}"}
