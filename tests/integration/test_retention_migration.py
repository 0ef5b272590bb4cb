"""A journal that is full when it is divided keeps all it has, and gives it back undivided."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from bus.journal.partitions import partitions
from bus.journal.retention import Bounds, Retention
from bus.journal.tables import JOURNAL
from bus.journal.trimming import trim_journal
from chassis.postgres import Connections

ROWS = """
INSERT INTO journal (lane, seq, epoch, event_id, previous_event_id, aggregate_id, revision, type, recorded_at,
    principal, request_id, traceparent, public, private)
SELECT n % 16, 1 + n / 16, '01939c4e-0000-7000-8000-000000000000', gen_random_uuid(), NULL, gen_random_uuid(), 1,
    'training.test.v1.Raised', now() - (640 - n) * interval '4 hours', 'alice', NULL, '', 'public', 'private'
FROM generate_series(0, 639) AS n
"""
STORED = """
INSERT INTO idempotency (principal, method, request_id, fingerprint, response, epoch, lane, seq, recorded_at)
SELECT 'alice', '/test', gen_random_uuid(), '', 'done', gen_random_uuid(), 1, 1, now() - n * interval '1 day'
FROM generate_series(0, 9) AS n
"""
LANES = """
INSERT INTO lane (lane, epoch, seq)
SELECT n, '01939c4e-0000-7000-8000-000000000000', 40 FROM generate_series(0, 15) AS n;
INSERT INTO relay_lane (lane, published) SELECT n, 40 FROM generate_series(0, 15) AS n
"""


async def steps(dsn: str, package: str, *wanted: tuple[str, str]) -> None:
    """Upgrade or downgrade a database to revisions."""

    def go(real: Connection, direction: str, revision: str) -> None:
        config = Config()
        config.set_main_option("script_location", f"{package}:migrations")
        config.attributes["connection"] = real
        getattr(command, direction)(config, revision)

    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        for direction, revision in wanted:
            async with engine.begin() as connection:
                await connection.run_sync(go, direction, revision)
    finally:
        await engine.dispose()


async def contents(connections: Connections, table: str = "journal") -> set[tuple[object, ...]]:
    """Return all of a table."""
    return {tuple(row.items()) for row in await connections.fetch(f"SELECT * FROM {table}")}  # noqa: S608 - ours


@pytest.mark.parametrize(("package", "before"), [("program_svc", "0002"), ("offer_svc", "0003")])
async def test_a_full_journal_is_divided_without_a_copy_and_trimmed_and_put_together_again(
    package: str, before: str, database: Callable[[], Awaitable[str]]
) -> None:
    dsn = await database()
    await steps(dsn, package, ("upgrade", before))
    async with Connections(dsn, size=2, name="test") as connections:
        for rows in (ROWS, STORED, LANES):
            await connections.execute(rows)
        journal, stored = await contents(connections), await contents(connections, "idempotency")
        await steps(dsn, package, ("upgrade", "head"))
        assert await contents(connections) == journal
        assert await contents(connections, "idempotency") == stored
        await steps(dsn, package, ("downgrade", before), ("upgrade", "head"))
        assert await contents(connections) == journal
        assert await contents(connections, "idempotency") == stored
        assert await Retention(dsn, Bounds(), "test").round()
        assert await contents(connections) == journal  # the old one goes as a whole, when its last row is old enough
        assert len(await contents(connections, "idempotency")) == 7
        [old, *_] = await partitions(connections, JOURNAL.journal)
        assert old.name == "journal_before"
        assert await trim_journal(connections, old.span.upper, history_width=730) == 1
        kept = await connections.fetch("SELECT lane, seq FROM journal ORDER BY lane")
        assert [(row["lane"], row["seq"]) for row in kept] == [(lane, 40) for lane in range(16)]
        assert len(await contents(connections, "history")) == len(journal)


async def test_a_trimmed_journal_is_not_put_together_again(database: Callable[[], Awaitable[str]]) -> None:
    dsn = await database()
    await steps(dsn, "program_svc", ("upgrade", "head"))
    async with Connections(dsn, size=1, name="test") as connections:
        await connections.execute("INSERT INTO history VALUES (gen_random_uuid(), 1, now(), 'alice', '')")
        with pytest.raises(RuntimeError, match="would lose the history"):
            await steps(dsn, "program_svc", ("downgrade", "0002"))
        with pytest.raises(asyncpg.UniqueViolationError):
            await connections.execute("INSERT INTO history SELECT * FROM history")
