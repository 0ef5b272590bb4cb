"""A backlog: events written into a service's journal as its commands would have written them, many at once."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4
from zlib import crc32

from bench.ground import Ground
from bench.world import OFFER_TYPE, PROGRAM_TYPE, new_id, offer_event, program_event

_LANES: Final = 16
_TRACE: Final = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
_LOCKED: Final = "SELECT lane, epoch, seq, event_id FROM lane ORDER BY lane FOR UPDATE"
_MOVED: Final = """
UPDATE lane SET seq = given.seq, previous_event_id = given.previous, event_id = given.event_id
FROM unnest($1::smallint[], $2::bigint[], $3::uuid[], $4::uuid[]) AS given (of_lane, seq, previous, event_id)
WHERE lane = given.of_lane
"""
_COLUMNS: Final = (
    "lane",
    "seq",
    "epoch",
    "event_id",
    "previous_event_id",
    "aggregate_id",
    "revision",
    "type",
    "recorded_at",
    "principal",
    "traceparent",
    "public",
    "private",
)

Bodies = Sequence[tuple[UUID, bytes]]


def program_bodies(count: int) -> Bodies:
    """Return new programs, each with its event's body."""
    ids = [new_id() for _ in range(count)]
    return [(each, program_event(each)) for each in ids]


def offer_bodies(count: int, programs: Sequence[UUID]) -> Bodies:
    """Return new offers of these programs, each with its event's body."""
    return [(each, offer_event(each, programs[n % len(programs)])) for n, each in enumerate(_ids(count))]


def _ids(count: int) -> list[UUID]:
    return [new_id() for _ in range(count)]


async def write_backlog(ground: Ground, source: str, bodies: Bodies) -> None:
    """Commit events to a source's journal in one transaction: every lane goes on without a gap."""
    database, kind = await ground.database(source), {"program": PROGRAM_TYPE, "offer": OFFER_TYPE}[source]
    now = datetime.now(UTC)
    async with database.transaction():
        lanes = [dict(row) for row in await database.fetch(_LOCKED)]
        before: dict[int, UUID | None] = {}
        records = []
        for aggregate_id, body in bodies:
            number = crc32(aggregate_id.bytes) % _LANES
            lane, event_id = lanes[number], uuid4()
            before[number] = lane["event_id"]
            lane["seq"] += 1
            numbers = (number, lane["seq"], lane["epoch"], event_id, before[number])
            records.append((*numbers, aggregate_id, 1, kind, now, "bench", _TRACE, body, b""))
            lane["event_id"] = event_id
        await database.copy_records_to_table("journal", records=records, columns=list(_COLUMNS))
        moved = list(before)
        await database.execute(
            _MOVED,
            moved,
            [lanes[number]["seq"] for number in moved],
            [before[number] for number in moved],
            [lanes[number]["event_id"] for number in moved],
        )


async def wake_relay(ground: Ground, source: str) -> None:
    """Tell the source's relay that there is something, as a process that committed does."""
    client = await ground.nats()
    await client.publish(f"training.wake.v1.{source}")
    await client.flush()
