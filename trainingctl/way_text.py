"""The way of events in words."""

from collections.abc import Iterator

from trainingctl.telling import counted, moment
from trainingctl.way import Aggregate, Arrival, Arrived, Copy, Event


def told(whole: Aggregate) -> Iterator[str]:
    """Tell everything that is known of an aggregate, line by line."""
    lane = {event.recorded.lane for event in whole.events} | {copy.state.lane for copy in whole.copies}
    yield f"{whole.source} {whole.aggregate_id}, lane {', '.join(map(str, sorted(lane)))}"
    for copy in whole.copies:
        yield f"  {_shown(copy)}"
    if not whole.events:
        yield (
            f"  {whole.source}'s journal has nothing of it: it was trimmed, or a restore has forgotten it, "
            "or the service did not answer"
        )
    for event in whole.events:
        yield from _way(event)
    parked = {
        each.event_id: (copy.service, each)
        for copy in whole.copies
        for each in copy.state.parked
        if each.event_id not in {event.recorded.event_id for event in whole.events}
    }
    for service, each in parked.values():
        since = f"parked at {service} since {moment(each.park_time)}"
        yield f"  revision {each.revision} {each.type} is {since}: {each.error}"


def _way(event: Event) -> Iterator[str]:
    recorded = event.recorded
    yield f"  revision {recorded.revision} {recorded.type}"
    yield f"    command    {recorded.request_id or 'without a request id'}" + (
        f", trace {recorded.traceparent}" if recorded.traceparent else ""
    )
    yield (
        f"    journal    {moment(recorded.time)}, seq {recorded.seq}, event {recorded.event_id}, epoch {recorded.epoch}"
    )
    yield f"    stream     {'published' if recorded.published else 'waiting to be published'}"
    for arrived in event.arrived:
        yield f"    {arrived.service:<10} {_arrival(arrived)}"


def _arrival(arrived: Arrived) -> str:
    match arrived.arrival:
        case Arrival.PARKED if arrived.parked is not None:
            return f"parked at {moment(arrived.parked.park_time)}: {arrived.parked.error}"
        case Arrival.WAITING:
            waiting = f"waiting, {counted(arrived.behind, 'event')} of the lane to go"
            return waiting + (f"; the lane has stopped: {arrived.stopped}" if arrived.stopped else "")
        case Arrival.ELSEWHERE:
            return "not applied: the copy is in a later epoch, which does not have the event"
        case _:
            return arrived.arrival.value


def _shown(copy: Copy) -> str:
    state = copy.state
    shows = f"shows revision {state.revision}" if state.HasField("revision") else "shows nothing of it"
    at = f", seq {state.applied} of the lane applied"
    return f"{copy.service} {shows}{at}" + (
        f", everything before {moment(state.as_of)}" if state.HasField("as_of") else ", as of an unknown time"
    )
