"""A database from before epochs were recorded may be a backup that has forgotten something: it begins an epoch."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from uuid_utils.compat import uuid7

from bus.broker import Broker
from bus.journal.epochs import Epochs, present_epoch
from bus.source import Source
from chassis.migrations import migrate
from chassis.postgres import Connections


@pytest.mark.parametrize(("package", "before"), [("program_svc", "0002"), ("offer_svc", "0003")])
async def test_the_first_connection_after_the_step_begins_an_epoch(
    package: str, before: str, database: Callable[[], Awaitable[str]]
) -> None:
    dsn = await database()
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://", 1))

    def upgrade(real: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", f"{package}:migrations")
        config.attributes["connection"] = real
        command.upgrade(config, before)

    async with engine.begin() as connection:
        await connection.run_sync(upgrade)
    await engine.dispose()
    epoch = uuid7()
    old = await asyncpg.connect(dsn, timeout=10)
    try:
        await old.execute(
            "INSERT INTO lane (lane, epoch, seq) SELECT lane, $1, 10 FROM generate_series(0, 15) AS lane", epoch
        )
    finally:
        await old.close()

    await migrate(dsn, package)

    epochs = Epochs(Broker("nats://127.0.0.1:9", "migrated"), Source("program"))
    for _ in range(2):  # the second finds the identity that the first recorded
        async with Connections(dsn, size=1, name="migrated", prepare=epochs.confirm) as connections:
            begun = await present_epoch(connections)
            assert begun.epoch > epoch
            assert begun.cause == "restored or promoted: no identity was recorded"
            heads = await connections.fetch("SELECT DISTINCT seq FROM lane")
            assert [row["seq"] for row in heads] == [11]
