"""The heads of a source's lanes, and the beacon by which its relay announces them.

The beacon is what makes freshness measurable when nobody writes: a subscriber that has everything up to the committed
heads contains everything the source accepted before the beacon's time.
"""

from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from training.ops.v1.journal_service_pb2 import LaneHead, LaneHeads

from bus.journal.tables import HEADS
from chassis.postgres import Connection, Connections
from chassis.refusal import Refusal


class SourceSuperseded(Refusal):
    """Another database publishes in this one's place, so nothing is told of this one's journal; metadata: `source`."""

    reason = "SOURCE_UNAVAILABLE"


async def read_heads(connection: Connection | Connections, source: str) -> LaneHeads:
    """Read the heads of all lanes in one snapshot.

    Raises LookupError when the database was not set up, SourceSuperseded when the relay found it to be superseded.
    """
    rows = await HEADS.fetch(connection)
    if not rows:
        raise LookupError("the database has no lanes: it was not set up")
    stopped = [row["stopped_reason"] for row in rows if row["stopped_reason"] is not None]
    if len(stopped) == len(rows):  # a single lane that can't get on leaves the journal what it is
        raise SourceSuperseded(f"{source} does not tell its heads: {stopped[0]}", {"source": source})
    time = Timestamp()
    time.FromDatetime(rows[0]["time"])
    lanes = [
        LaneHead(
            lane=row["lane"],
            committed=row["seq"],
            published=row["published"],
            event_id=_bytes(row["event_id"]),
            published_event_id=_bytes(row["published_event_id"]),
        )
        for row in rows
    ]
    return LaneHeads(source=source, epoch=rows[0]["epoch"].bytes, time=time, lanes=lanes)


def _bytes(event_id: UUID | None) -> bytes:
    return b"" if event_id is None else event_id.bytes
