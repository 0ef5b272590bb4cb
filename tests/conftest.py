"""The real servers that tests run on: one PostgreSQL and one NATS for each worker, started when first asked for.

A test has a part of them to itself: a database of its own (`database`) and a bus of its own (`bus_prefix`).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from nats import connect

from chassis.embedded import EmbeddedNats, EmbeddedPostgres, temporary_data_folder

# The same examples in every run, however busy the machine is.
settings.register_profile("project", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

NewDatabase = Callable[[], Awaitable[str]]


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """Lend a folder that the servers' account can reach; pytest's own can be closed to it."""
    with temporary_data_folder("training-tests-") as folder:
        yield folder


@pytest.fixture(scope="session")
async def postgres(servers_folder: Path) -> AsyncIterator[EmbeddedPostgres]:
    """Run PostgreSQL; it does not sync, since no test cuts the power."""
    async with EmbeddedPostgres(servers_folder / "postgres", durable=False) as server:
        yield server


@pytest.fixture(scope="session")
async def nats(servers_folder: Path) -> AsyncIterator[EmbeddedNats]:
    """Run NATS with JetStream."""
    async with EmbeddedNats(servers_folder / "nats", durable=False) as server:
        yield server


@pytest.fixture
async def database(postgres: EmbeddedPostgres) -> AsyncIterator[NewDatabase]:
    """Lend a maker of empty databases that returns each one's address; they are dropped after the test."""
    made: list[str] = []

    async def make() -> str:
        name = f"test_{uuid4().hex}"
        dsn = await postgres.create_database(name)
        made.append(name)
        return dsn

    yield make
    if made and postgres.running:
        connection = await asyncpg.connect(postgres.dsn(), timeout=10)
        try:
            for name in made:
                await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        finally:
            await connection.close()


@pytest.fixture
async def bus_prefix(nats: EmbeddedNats) -> AsyncIterator[str]:
    """Name a bus that no other test uses; it is the `prefix` of a `bus.source.Source`.

    Its streams are deleted after the test: each reserves its whole size, and the server has only so much.
    """
    prefix = f"t{uuid4().hex[:12]}"
    yield prefix
    if not nats.running:
        return
    client = await connect(nats.url, connect_timeout=10)
    try:
        jetstream = client.jetstream(timeout=10)
        for stream in await jetstream.streams_info():
            if stream.config.name and stream.config.name.startswith(f"{prefix}_".upper()):
                await jetstream.delete_stream(stream.config.name)
    finally:
        await client.close()
