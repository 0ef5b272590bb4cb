"""The line that the contract tests of the bus run on."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from training.ops.v1.journal_service_pb2_grpc import JournalServiceStub

from chassis.embedded import EmbeddedNats, EmbeddedPostgres
from tests.contract.journal_server import serving_journal
from tests.contract.line import Line, make_line
from tests.contract.places import Place

if TYPE_CHECKING:
    from training.ops.v1.journal_service_pb2_grpc import JournalServiceAsyncStub


@pytest.fixture
async def line(database: Callable[[], Awaitable[str]], nats: EmbeddedNats, bus_prefix: str) -> AsyncIterator[Line]:
    """Make a line on databases and a bus of its own."""
    async with make_line(await database(), await database(), nats.url, bus_prefix) as made:
        yield made


@pytest.fixture
async def journal(line: Line) -> AsyncIterator["JournalServiceAsyncStub"]:
    """Serve the line's journal, and return a client of it."""
    async with serving_journal(line) as channel:
        yield JournalServiceStub(channel)


@pytest.fixture
def place(postgres: EmbeddedPostgres, line: Line) -> Place:
    """Lend the place of the line's command database."""
    return Place(postgres, line.dsn)
