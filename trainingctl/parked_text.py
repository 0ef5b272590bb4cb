"""Parked events in words."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from training.ops.v1.operations_service_pb2 import GetParkedEventResponse, ParkedEvent, RetryParkedAggregateResponse

from trainingctl.telling import counted, line, moment, put_table

STATES: Final = {
    ParkedEvent.STATE_UNSPECIFIED: "unknown",
    ParkedEvent.STATE_OPEN: "open",
    ParkedEvent.STATE_SUPERSEDED: "superseded",
    ParkedEvent.STATE_APPLIED: "applied",
    ParkedEvent.STATE_SKIPPED: "skipped",
}

_LONGEST: Final = 80


def show(console: Console, events: Sequence[ParkedEvent]) -> None:
    """Print a table, one event a row."""
    grid = Table(box=None, pad_edge=False)
    for name in ("parked", "state", "source", "event", "aggregate", "revision", "type", "error"):
        grid.add_column(name, no_wrap=name not in {"type", "error"})
    for event in events:
        grid.add_row(
            moment(event.park_time),
            STATES.get(event.state, str(event.state)),
            event.source,
            event.event_id,
            event.aggregate_id,
            str(event.revision),
            event.type,
            escape(" ".join(event.error.split())),
            style="red" if event.state == ParkedEvent.STATE_OPEN else None,
        )
    if events:
        put_table(console, grid)
    line(console, counted(len(events), "parked event") if events else "no parked event")


def whole(response: GetParkedEventResponse) -> Iterator[str]:
    """Tell everything about one event, its body last."""
    event = response.event
    yield f"event      {event.event_id} of {event.source}, {STATES.get(event.state, str(event.state))}"
    yield f"aggregate  {event.aggregate_id}, revision {event.revision}"
    yield f"type       {event.type}"
    yield f"place      epoch {event.epoch}, lane {event.lane}, seq {event.seq}"
    yield f"committed  {moment(event.time)}" + (f", trace {event.traceparent}" if event.traceparent else "")
    yield f"parked     {moment(event.park_time)}, {counted(event.retries, 'retry', 'retries')}"
    yield f"error      {' '.join(event.error.split())}"
    if event.HasField("close_time"):
        yield (
            f"closed     {moment(event.close_time)}"
            + (f" by {event.closed_by}" if event.closed_by else "")
            + (f": {event.close_reason}" if event.close_reason else "")
        )
    yield f"body       {counted(len(response.body), 'byte')}"
    yield from response.decoded.splitlines()


def tried(response: RetryParkedAggregateResponse, *, dry_run: bool) -> Iterator[str]:
    """Tell what came of a retry."""
    event = response.event
    name = f"{event.source} {event.aggregate_id} revision {event.revision}"
    if not response.applied:
        yield f"{name} can't be applied: {' '.join(response.error.split())}"
        return
    yield f"{name} {'can be applied; nothing was changed' if dry_run else 'was applied'}"
    for difference in response.differences:
        before = _cut(difference.before) if difference.HasField("before") else "(nothing)"
        after = _cut(difference.after) if difference.HasField("after") else "(nothing)"
        yield f"  {difference.column}: {before} → {after}"


def _cut(value: str) -> str:
    """Return a value that may be long, bytes above all, as far as a line shows it; `--json` has all of it."""
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}… ({len(value):,} characters)"
