import json
from typing import ClassVar

from training.ops.v1 import operations_service_pb2 as pb

from chassis.refusal import Refusal
from tests.unit.trainingctl.prepared import platform

PROGRAM = "019a0000-0000-7000-8000-000000000001"
FIRST = "019a0000-0000-7000-8000-0000000000f1"
SECOND = "019a0000-0000-7000-8000-0000000000f2"
UNKNOWN = "019a0000-0000-7000-8000-0000000000ff"


class ParkedEventClosed(Refusal):
    """It is closed."""

    reason: ClassVar[str] = "PARKED_EVENT_CLOSED"


def parked(
    event_id: str, revision: int, state: pb.ParkedEvent.State.ValueType = pb.ParkedEvent.STATE_OPEN
) -> pb.ParkedEvent:
    event = pb.ParkedEvent(
        source="program",
        event_id=event_id,
        aggregate_id=PROGRAM,
        lane=5,
        seq=40 + revision,
        revision=revision,
        type="training.program.v1.ProgramReleased",
        error="unknown level:\n  7",
        state=state,
    )
    event.park_time.FromSeconds(1_000_000)
    event.time.FromSeconds(999_990)
    return event


PAGES = [
    pb.ListParkedEventsResponse(events=[parked(SECOND, 5)], next_page_token="more"),
    pb.ListParkedEventsResponse(events=[parked(FIRST, 4)]),
]


async def test_all_pages_are_listed_with_their_errors_in_one_line() -> None:
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["ListParkedEvents"] = list(PAGES)
        done = await whole.run("parked", "list")
        requests = whole.catalogue.asked("ListParkedEvents")
    assert done.exit_code == 0
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[1][3:8] == ["open", "program", SECOND, PROGRAM, "5"]
    assert rows[1][-3:] == ["unknown", "level:", "7"]
    assert rows[2][5] == FIRST
    assert rows[-1] == ["2", "parked", "events"]
    assert [request.page_token for request in requests] == ["", "more"]  # type: ignore[attr-defined]


async def test_a_list_can_be_of_the_offer_service_of_one_source_and_with_closed_ones() -> None:
    async with platform("program", "catalogue") as whole:
        whole.offer.answers["ListParkedEvents"] = pb.ListParkedEventsResponse()
        done = await whole.run("parked", "list", "--offer", "--source", "program", "--all", "--json")
        (request,) = whole.offer.asked("ListParkedEvents")
    assert json.loads(done.stdout) == {"events": []}
    assert (request.source, request.include_closed) == ("program", True)  # type: ignore[attr-defined]


async def test_one_event_is_shown_with_its_body() -> None:
    response = pb.GetParkedEventResponse(event=parked(FIRST, 4), body=b"12345", decoded='{\n  "state": {}\n}')
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["ListParkedEvents"] = pb.ListParkedEventsResponse(events=[parked(FIRST, 4)])
        whole.catalogue.answers["GetParkedEvent"] = response
        done = await whole.run("parked", "show", FIRST)
        (request,) = whole.catalogue.asked("GetParkedEvent")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == f"event      {FIRST} of program, open"
    assert lines[-4:] == ["body       5 bytes", "{", '  "state": {}', "}"]
    assert request == pb.GetParkedEventRequest(source="program", event_id=FIRST)


async def test_a_retry_tells_what_would_change_and_changes_nothing_when_dry() -> None:
    response = pb.RetryParkedAggregateResponse(applied=True, event=parked(SECOND, 5))
    response.differences.add(column="title", before="Old", after="New")
    response.differences.add(column="level", after="2")
    response.differences.add(column="card", after="x" * 1000)
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["ListParkedEvents"] = list(PAGES)
        whole.catalogue.answers["RetryParkedAggregate"] = response
        done = await whole.run("parked", "retry", PROGRAM, "--dry-run")
        (request,) = whole.catalogue.asked("RetryParkedAggregate")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"program {PROGRAM} revision 5 can be applied; nothing was changed",
        "  title: Old → New",
        "  level: (nothing) → 2",
        f"  card: (nothing) → {'x' * 80}… (1,000 characters)",
    ]
    assert request == pb.RetryParkedAggregateRequest(source="program", aggregate_id=PROGRAM, dry_run=True)


async def test_a_retry_that_fails_again_is_not_fine() -> None:
    response = pb.RetryParkedAggregateResponse(event=parked(SECOND, 5), error="unknown level: 7")
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["ListParkedEvents"] = pb.ListParkedEventsResponse(events=[parked(SECOND, 5)])
        whole.catalogue.answers["RetryParkedAggregate"] = response
        done = await whole.run("parked", "retry", SECOND)
    assert done.exit_code == 1
    assert done.stdout == f"program {PROGRAM} revision 5 can't be applied: unknown level: 7\n"


async def test_an_event_is_given_up_with_a_reason() -> None:
    closed = parked(FIRST, 4, pb.ParkedEvent.STATE_SKIPPED)
    closed.close_reason = "a test of ours"
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["ListParkedEvents"] = list(PAGES)
        whole.catalogue.answers["SkipParkedEvent"] = pb.SkipParkedEventResponse(event=closed)
        done = await whole.run("parked", "skip", FIRST, "--reason", "a test of ours")
        (request,) = whole.catalogue.asked("SkipParkedEvent")
        without = await whole.run("parked", "skip", FIRST)
    assert done.stdout == f"program {PROGRAM} revision 4 is given up: a test of ours\n"
    assert request == pb.SkipParkedEventRequest(source="program", event_id=FIRST, reason="a test of ours")
    assert without.exit_code == 2


async def test_an_id_that_is_not_parked_is_refused_without_another_call() -> None:
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["ListParkedEvents"] = pb.ListParkedEventsResponse(events=[parked(FIRST, 4)])
        done = await whole.run("parked", "retry", UNKNOWN)
        assert not whole.catalogue.asked("RetryParkedAggregate")
    assert done.exit_code == 4
    assert done.stderr.endswith(
        f" refused: NOT_FOUND: no parked event has this id or is of an aggregate with it: {UNKNOWN}\n"
    )


async def test_what_is_closed_already_is_told_with_its_state() -> None:
    closed = pb.ListParkedEventsResponse(events=[parked(FIRST, 4, pb.ParkedEvent.STATE_APPLIED)])
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["ListParkedEvents"] = closed
        whole.catalogue.answers["SkipParkedEvent"] = ParkedEventClosed("It is closed.", {"state": "APPLIED"})
        done = await whole.run("parked", "skip", FIRST, "--reason", "a test of ours")
    assert done.exit_code == 4
    assert "PARKED_EVENT_CLOSED: It is closed. (state=APPLIED)" in done.stderr
