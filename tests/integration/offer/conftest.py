"""One line of both command services for all these tests; each test works on programs and offers of its own."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from chassis.embedded import EmbeddedNats, EmbeddedPostgres
from tests.integration.offer.line import Line, running


@pytest.fixture(scope="package")
async def line(postgres: EmbeddedPostgres, nats: EmbeddedNats) -> AsyncIterator[Line]:
    """Run the services."""
    name = f"offer_line_{uuid4().hex}"
    dsns = [await postgres.create_database(f"{name}_{service}") for service in ("program", "offer")]
    async with running(dsns, nats.url, f"t{uuid4().hex[:12]}") as line:
        yield line
