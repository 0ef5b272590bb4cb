"""One event as it stands in the journal and travels on the bus, and its CloudEvents headers.

The form is CloudEvents 1.0 in the binary mode of its NATS binding: attributes as `ce-` headers, the body as plain
Protobuf. `epoch`, `lane`, `seq`, `previous` and `revision` are extension attributes, so third parties can follow a lane
with the same checks as the catalogue.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from bus.lanes import LANES, lane_of
from bus.source import Source

EPOCH_STARTED: Final = "training.ops.v1.EpochStarted"
"""The type of the event with which each lane begins an epoch; it changes no aggregate."""

_LARGEST: Final = 2**63 - 1
_LANE_NAMES: Final = frozenset(str(lane) for lane in range(LANES))


class MalformedEvent(Exception):
    """A message whose headers are not those of an event."""


@dataclass(frozen=True, slots=True)
class Event:
    """A change to one aggregate.

    Within a lane `seq` counts from 1 without gaps, also from one epoch into the next, and `previous` is the id of the
    event before. An event that `starts_epoch` has the epoch as its aggregate and the lane, from 1, as its revision.
    """

    epoch: UUID
    lane: int
    seq: int
    event_id: UUID
    previous: UUID | None
    aggregate_id: UUID
    revision: int
    type: str
    time: datetime
    traceparent: str
    body: bytes

    @property
    def starts_epoch(self) -> bool:
        """Tell whether the lane's epoch begins with this event, which changes no aggregate."""
        return self.type == EPOCH_STARTED


def headers(event: Event, source: Source) -> dict[str, str]:
    """Return the headers with which the event travels."""
    return {
        "ce-specversion": "1.0",
        "ce-id": str(event.event_id),
        "ce-source": f"/{source.prefix}/{source.name}",
        "ce-type": event.type,
        "ce-subject": str(event.aggregate_id),
        "ce-time": event.time.isoformat(),
        "ce-datacontenttype": "application/protobuf",
        "ce-epoch": str(event.epoch),
        "ce-lane": str(event.lane),
        "ce-seq": str(event.seq),
        "ce-previous": str(event.previous or ""),
        "ce-revision": str(event.revision),
        "traceparent": event.traceparent,
    }


def parse(given: Mapping[str, str] | None, body: bytes) -> Event:
    """Return the event that a message carries.

    Raises MalformedEvent when a header is missing or is not what it should be.
    """
    if given is None:
        raise MalformedEvent("no headers")
    try:
        previous = given["ce-previous"]
        event = Event(
            UUID(given["ce-epoch"]),
            int(given["ce-lane"]),
            int(given["ce-seq"]),
            UUID(given["ce-id"]),
            UUID(previous) if previous else None,
            UUID(given["ce-subject"]),
            int(given["ce-revision"]),
            given["ce-type"],
            datetime.fromisoformat(given["ce-time"]).astimezone(UTC),
            given.get("traceparent", ""),
            body,
        )
    except KeyError as error:
        raise MalformedEvent(f"no header {error}") from error
    except (ValueError, OverflowError) as error:
        raise MalformedEvent(str(error)) from error
    if not (0 <= event.lane < LANES and 0 < event.seq <= _LARGEST and 0 < event.revision <= _LARGEST):
        raise MalformedEvent(f"lane {event.lane}, seq {event.seq}, revision {event.revision} are out of bounds")
    return event


def received(subject: str, given: Mapping[str, str] | None, body: bytes, source: Source) -> Event:
    """Return the event that a message of a source carries.

    Raises MalformedEvent when it can't be read, or stands on another subject or in another lane than its aggregate's.
    """
    event = parse(given, body)
    if subject != source.subject_of(event) or not _is_in_its_lane(event):
        raise MalformedEvent(f"an event of lane {event.lane} and aggregate {event.aggregate_id} stands on {subject}")
    return event


def _is_in_its_lane(event: Event) -> bool:
    """Tell whether the event is its aggregate's; one that starts an epoch stands in every lane."""
    if event.starts_epoch:
        return event.aggregate_id == event.epoch and event.revision == event.lane + 1
    return event.lane == lane_of(event.aggregate_id)


def lane_named(subject: str) -> int | None:
    """Return the lane that a subject names; None when it names none."""
    named = subject.split(".")[3:4]
    return int(named[0]) if named and named[0] in _LANE_NAMES else None
