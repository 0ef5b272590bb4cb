"""One service without registered reviewers for all these tests, and others for tests that need one to themselves."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from uuid import uuid4

import pytest

from chassis.embedded import EmbeddedNats, EmbeddedPostgres
from program_svc.adapters.published import PublishedPrograms
from tests.integration.program.desk import Desk, serving
from tests.integration.remembered import judge_published

Serve = Callable[[Path | None], AbstractAsyncContextManager[Desk]]


@pytest.fixture(scope="package")
async def desk(postgres: EmbeddedPostgres, nats: EmbeddedNats) -> AsyncIterator[Desk]:
    """Run the service; each test works on programs of its own."""
    dsn = await postgres.create_database(f"program_desk_{uuid4().hex}")
    async with serving(dsn, nats.url, f"t{uuid4().hex[:12]}") as desk:
        yield desk
        # Whatever happened to the programs, their rows tell what was published of them last.
        await judge_published(desk.dsn, "program", "program_id", PublishedPrograms())


@pytest.fixture
async def serve(database: Callable[[], Awaitable[str]], nats: EmbeddedNats, bus_prefix: str) -> Serve:
    """Lend a maker of services on one database that is this test's own, one after the other."""
    dsn = await database()

    def make(rules: Path | None = None) -> AbstractAsyncContextManager[Desk]:
        return serving(dsn, nats.url, bus_prefix, rules)

    return make


@pytest.fixture
async def own_desk(serve: Serve) -> AsyncIterator[Desk]:
    """Run a service whose reviewers are this test's own."""
    async with serve(None) as desk:
        yield desk
