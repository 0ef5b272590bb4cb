"""The heads of a source's lanes, and the beacon by which its relay announces them.

The beacon is what makes freshness measurable when nobody writes: a subscriber that has everything up to the committed
heads contains everything the source accepted before the beacon's time.
"""

from google.protobuf.timestamp_pb2 import Timestamp
from training.ops.v1.journal_service_pb2 import LaneHead, LaneHeads

from bus.journal import HEADS
from chassis.postgres import Connection, Connections


async def read_heads(connection: Connection | Connections, source: str) -> LaneHeads:
    """Read the heads of all lanes in one snapshot.

    Raises LookupError when the database was not set up.
    """
    rows = await HEADS.fetch(connection)
    if not rows:
        raise LookupError("the database has no lanes: it was not set up")
    time = Timestamp()
    time.FromDatetime(rows[0]["time"])
    lanes = [
        LaneHead(
            lane=row["lane"],
            committed=row["seq"],
            published=row["published"],
            event_id=b"" if row["event_id"] is None else row["event_id"].bytes,
        )
        for row in rows
    ]
    return LaneHeads(source=source, epoch=rows[0]["epoch"].bytes, time=time, lanes=lanes)
