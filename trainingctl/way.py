"""The way of events, put together from what each service knows: command, journal, stream, copies."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from training.ops.v1.operations_service_pb2 import AppliedState, ExplainResponse, ParkedEvent, RecordedEvent

_NOTHING_PUBLIC: Final = ".Advanced"


class Arrival(StrEnum):
    """What a copy has done with an event."""

    APPLIED = "applied"
    PARKED = "parked"
    WAITING = "waiting"
    ELSEWHERE = "in another epoch"


@dataclass(frozen=True, slots=True)
class Arrived:
    """One event at one copy."""

    service: str
    arrival: Arrival
    behind: int = 0
    """How many events of the lane the copy has still to apply, this one included."""
    stopped: str = ""
    parked: ParkedEvent | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One recorded event and where it has come to."""

    source: str
    recorded: RecordedEvent
    arrived: tuple[Arrived, ...]

    @property
    def everywhere(self) -> bool:
        """Whether it is published and every copy that follows its source has applied it."""
        return self.recorded.published and all(each.arrival is Arrival.APPLIED for each in self.arrived)


@dataclass(frozen=True, slots=True)
class Copy:
    """What one service's copy has of an aggregate."""

    service: str
    state: AppliedState


@dataclass(slots=True)
class Aggregate:
    """One aggregate of one source; events are the latest first."""

    source: str
    aggregate_id: str
    events: list[Event] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)

    @property
    def everywhere(self) -> bool:
        """Whether all that is known of it has come everywhere."""
        open_events = any(copy.state.parked for copy in self.copies)
        return not open_events and all(event.everywhere for event in self.events)


def aggregates(told: Iterable[ExplainResponse]) -> list[Aggregate]:
    """Put together what services told, in the order in which aggregates were first recorded."""
    responses = list(told)
    found: dict[tuple[str, str], Aggregate] = {}
    seen: set[str] = set()
    for response in responses:
        for state in response.applied:
            known = found.setdefault(
                (state.source, state.aggregate_id), Aggregate(state.source, state.aggregate_id)
            ).copies
            if response.service not in {copy.service for copy in known}:
                known.append(Copy(response.service, state))
    for response in responses:
        for recorded in response.recorded:
            if recorded.event_id in seen:
                continue
            seen.add(recorded.event_id)
            key = (response.service, recorded.aggregate_id)
            whole = found.setdefault(key, Aggregate(*key))
            whole.events.append(Event(response.service, recorded, _arrivals(recorded, whole.copies)))
    for whole in found.values():
        whole.events.sort(key=lambda event: event.recorded.revision, reverse=True)
    # A copy tells also of the sources that have never heard of the aggregate: that is no trace of it.
    return [whole for whole in found.values() if whole.events or any(_shows(copy.state) for copy in whole.copies)]


def _shows(state: AppliedState) -> bool:
    return state.HasField("revision") or bool(state.parked)


def _arrivals(recorded: RecordedEvent, copies: Sequence[Copy]) -> tuple[Arrived, ...]:
    return tuple(_arrived(recorded, copy.service, copy.state) for copy in copies)


def _arrived(recorded: RecordedEvent, service: str, state: AppliedState) -> Arrived:
    for parked in state.parked:
        if parked.event_id == recorded.event_id:
            return Arrived(service, Arrival.PARKED, parked=parked)
    if state.epoch > recorded.epoch:
        return Arrived(service, Arrival.APPLIED if _was_taken_over(recorded, state) else Arrival.ELSEWHERE)
    if state.epoch == recorded.epoch and state.applied >= recorded.seq:
        return Arrived(service, Arrival.APPLIED)
    behind = max(1, recorded.seq - state.applied)
    return Arrived(service, Arrival.WAITING, behind=behind, stopped=state.stopped_reason)


def _was_taken_over(recorded: RecordedEvent, state: AppliedState) -> bool:
    """Tell whether an event of an earlier epoch than the copy's is in it.

    Its number does not tell: a later epoch may have given it to another event. What the copy shows does; of an event
    that changed nothing public there is nothing to be seen, and the number is the best that there is.
    """
    if state.HasField("revision") and state.revision >= recorded.revision:
        return True
    return recorded.type.endswith(_NOTHING_PUBLIC) and recorded.published and state.applied >= recorded.seq
