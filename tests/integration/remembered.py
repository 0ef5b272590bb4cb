"""Whether the rows of a service say what was published of them last, as its journal tells it."""

from uuid import UUID

import asyncpg
from training.ops.v1 import journal_service_pb2 as journal

from bus.journal.published import Published


async def judge_published(dsn: str, table: str, id_column: str, port: Published) -> dict[UUID, journal.SnapshotEntry]:
    """Compare every row with its last event that published something, byte for byte; return what is published."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        rows = await connection.fetch(
            f"SELECT {id_column} AS id, t.public_revision, t.public_event_id, t.state, last.revision, last.event_id, "  # noqa: S608 - the tests' own names
            f"last.public FROM {table} AS t LEFT JOIN LATERAL (SELECT * FROM journal WHERE aggregate_id = {id_column} "
            "AND public <> '' ORDER BY revision DESC LIMIT 1) AS last ON true"
        )
    finally:
        await connection.close()
    found = {}
    for row in rows:
        assert (row["public_revision"], row["public_event_id"]) == (row["revision"], row["event_id"]), row["id"]
        if row["revision"] is not None:
            body = port.body_of(row["state"], row["public_revision"])
            assert row["public"].endswith(body), row["id"]
            found[row["id"]] = journal.SnapshotEntry(
                aggregate_id=row["id"].bytes,
                revision=row["revision"],
                event_id=row["event_id"].bytes,
                body=body,
            )
    return found
