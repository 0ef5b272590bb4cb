"""The broker's store and then the read stores are lost while callers write: everything is whole again by itself."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from chassis.stack import Stack
from tests.faults import schedule
from tests.faults.client import connected
from tests.faults.faultless import faultless
from tests.faults.history import History, Outcome
from tests.faults.rest import judged, until
from tests.faults.traffic import Traffic

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(300)]

WRITTEN = 12
"""So many commands are accepted before the next thing is lost."""


@asynccontextmanager
async def written_meanwhile(history: History) -> AsyncIterator[None]:
    """Do something, and then wait until commands were accepted since."""
    yield
    before = history.count(Outcome.ACCEPTED)

    async def more() -> bool:
        return history.count(Outcome.ACCEPTED) >= before + WRITTEN

    await until(more, "commands are accepted", within=60)


async def wipe_broker(stack: Stack) -> None:
    """Kill the broker and start it with an empty store."""
    await stack.kill("nats")
    await asyncio.to_thread(shutil.rmtree, stack.nats.folder / "data")
    await stack.start("nats")


async def drop_read_stores(stack: Stack) -> int:
    """Drop every schema that holds a copy of a source, in both databases that have one; return how many there were."""
    dropped = 0
    for service, name in (("catalogue", "read_model_%"), ("offer", "program_replica_%")):
        connection = await asyncpg.connect(stack.dsn(service), timeout=10)
        try:
            rows = await connection.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE $1", name)
            schemas = ", ".join(f'"{row["nspname"]}"' for row in rows)
            await connection.execute(f"DROP SCHEMA {schemas} CASCADE")
            dropped += len(rows)
        finally:
            await connection.close()
    return dropped


async def test_what_is_lost_of_the_pipe_and_of_the_read_stores_comes_back_while_callers_write() -> None:
    history = History()
    async with (
        Stack.temporary() as stack,
        connected(stack) as platform,
        faultless(stack),
        Traffic(platform, history, schedule.seed()) as traffic,
    ):
        traffic.resume()
        async with written_meanwhile(history):
            pass
        async with written_meanwhile(history):
            await wipe_broker(stack)
        async with written_meanwhile(history):
            assert await drop_read_stores(stack) >= 4  # a home and a generation each
        await traffic.pause()
        await judged(stack, platform, history)
        await stack.wait_ready(health="training.freshness")
