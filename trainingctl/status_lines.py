"""What a service says of itself, as the lines of one table, and whether that is fresh."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from training.ops.v1.operations_service_pb2 import GetStatusResponse, JournalStatus, SubscriptionStatus

LANES: Final = 16
"""How many lanes every journal has."""

FRESH: Final = timedelta(seconds=10)
"""A copy whose `as_of` is older, and a journal whose oldest event has waited longer, is not fresh."""


@dataclass(frozen=True, slots=True)
class Line:
    """One source, or one lane of it, as one service has it; None where a figure does not apply or is unknown.

    Of a journal, `behind` counts the events to be published and `age` is how long the oldest of them has waited; of a
    copy, `behind` counts the events to be applied and `age` is how old its `as_of` is, or, of one lane, how long the
    oldest of these events has been announced. `parked` counts a source's aggregates, and a lane's events.
    """

    service: str
    source: str
    part: str  # journal or copy
    lane: int | None
    committed: int | None
    published: int | None
    applied: int | None
    behind: int | None
    parked: int | None
    age: timedelta | None
    leader: str
    trouble: str
    fresh: bool


def lines(status: GetStatusResponse, *, by_lane: bool) -> list[Line]:
    """Return a line for each source, and with `by_lane` one for each of its lanes below it."""
    found: list[Line] = []
    if status.HasField("journal"):
        found.extend(_journal(status.service, status.journal, by_lane=by_lane))
    for subscription in sorted(status.subscriptions, key=lambda each: each.source):
        found.extend(_subscription(status, subscription, by_lane=by_lane))
    return found


def _journal(service: str, journal: JournalStatus, *, by_lane: bool) -> Iterator[Line]:
    ages = {
        lane.lane: lane.oldest_unpublished_age.ToTimedelta()
        for lane in journal.lanes
        if lane.HasField("oldest_unpublished_age")
    }
    oldest = max(ages.values(), default=None)
    trouble = _trouble(journal.trouble, [(lane.lane, lane.stopped_reason) for lane in journal.lanes])
    if not journal.relay_leader:
        trouble = trouble or "no relay is active"
    yield Line(
        service,
        journal.source,
        "journal",
        None,
        sum(lane.committed for lane in journal.lanes),
        sum(lane.published for lane in journal.lanes),
        None,
        sum(lane.committed - lane.published for lane in journal.lanes),
        None,
        oldest,
        journal.relay_leader,
        trouble,
        not trouble and (oldest is None or oldest < FRESH),
    )
    for lane in journal.lanes if by_lane else ():
        age = ages.get(lane.lane)
        yield Line(
            service,
            journal.source,
            "journal",
            lane.lane,
            lane.committed,
            lane.published,
            None,
            lane.committed - lane.published,
            None,
            age,
            "",
            lane.stopped_reason,
            not lane.stopped_reason and (age is None or age < FRESH),
        )


def _subscription(status: GetStatusResponse, copy: SubscriptionStatus, *, by_lane: bool) -> Iterator[Line]:
    age, is_known = _age(status, copy), _was_heard_of(copy)
    trouble = _trouble(copy.trouble, [(lane.lane, lane.stopped_reason) for lane in copy.lanes])
    yield Line(
        status.service,
        copy.source,
        "copy",
        None,
        sum(lane.committed for lane in copy.lanes) if is_known else None,
        sum(lane.published for lane in copy.lanes) if is_known else None,
        sum(lane.applied for lane in copy.lanes),
        sum(lane.lag_events for lane in copy.lanes) if is_known else None,
        copy.parked_aggregates,
        age,
        copy.projector_leader,
        trouble,
        not trouble and age is not None and age < FRESH,
    )
    for lane in copy.lanes if by_lane else ():
        yield Line(
            status.service,
            copy.source,
            "copy",
            lane.lane,
            lane.committed if is_known else None,
            lane.published if is_known else None,
            lane.applied,
            lane.lag_events if is_known else None,
            lane.parked_events,
            lane.oldest_unapplied_age.ToTimedelta() if lane.HasField("oldest_unapplied_age") else None,
            "",
            lane.stopped_reason,
            not lane.stopped_reason,
        )


def _was_heard_of(copy: SubscriptionStatus) -> bool:
    """Tell whether the service has heard of the source: else its figures say nothing of what the copy lacks."""
    return copy.HasField("lag") or any(lane.committed for lane in copy.lanes)


def _age(status: GetStatusResponse, copy: SubscriptionStatus) -> timedelta | None:
    """Return how old a copy is: by the source's clock where the service tells it."""
    if copy.HasField("lag"):
        return copy.lag.ToTimedelta()
    return status.time.ToDatetime() - copy.as_of.ToDatetime() if copy.HasField("as_of") else None


def _trouble(told: str, stopped: Sequence[tuple[int, str]]) -> str:
    """Return what is wrong with a source as a whole: stopped lanes first, those of one reason together."""
    by_reason: dict[str, list[int]] = {}
    for lane, reason in stopped:
        if reason:
            by_reason.setdefault(reason, []).append(lane)
    halted = [f"{_named(lanes)} stopped: {reason}" for reason, lanes in by_reason.items()]
    return "; ".join([*halted, told] if told else halted)


def _named(lanes: Sequence[int]) -> str:
    if len(lanes) == LANES:
        return "all lanes"
    return f"lane{'s' if len(lanes) > 1 else ''} {', '.join(map(str, lanes))}"
