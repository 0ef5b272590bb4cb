"""The line that the contract tests of the bus run on."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from chassis.embedded import EmbeddedNats
from tests.contract.line import Line, make_line


@pytest.fixture
async def line(database: Callable[[], Awaitable[str]], nats: EmbeddedNats, bus_prefix: str) -> AsyncIterator[Line]:
    """Make a line on databases and a bus of its own."""
    async with make_line(await database(), await database(), nats.url, bus_prefix) as made:
        yield made
