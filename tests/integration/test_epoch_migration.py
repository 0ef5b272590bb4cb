"""A database from before epochs were recorded goes on in the epoch it is in."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from bus.broker import Broker
from bus.journal.epochs import Epochs, present_epoch
from bus.source import Source
from chassis.migrations import migrate
from chassis.postgres import Connections


@pytest.mark.parametrize(("package", "before"), [("program_svc", "0002"), ("offer_svc", "0003")])
async def test_the_present_epoch_is_recorded_with_the_identity_of_now(
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
    epoch = uuid4()
    old = await asyncpg.connect(dsn, timeout=10)
    try:
        await old.execute("INSERT INTO lane (lane, epoch) SELECT lane, $1 FROM generate_series(0, 15) AS lane", epoch)
    finally:
        await old.close()

    await migrate(dsn, package)

    epochs = Epochs(Broker("nats://127.0.0.1:9", "migrated"), Source("program"))
    async with Connections(dsn, size=1, name="migrated", prepare=epochs.confirm) as connections:
        assert (await present_epoch(connections)).epoch == epoch
