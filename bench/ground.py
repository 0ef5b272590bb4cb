"""What everything is measured on: the real services on durable PostgreSQL and NATS, as in production.

Only the services that a figure needs run while it is measured: the others have machines of their own elsewhere.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg
from nats.aio.client import Client
from nats.js import JetStreamContext

from chassis.embedded import temporary_data_folder
from chassis.stack import Stack

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]  # generic for type checkers only

SERVICES: Final = ("program", "offer", "catalogue")
READ_MODEL: Final = "read_model_2"
"""Where the catalogue's tables are read, whichever generation is current."""
_SETTINGS: Final = {
    "TRAINING_ACCESS_LOG": "false",
    "TRAINING_LOG_LEVEL": "warning",
    "PROGRAM_STREAM_MAX_BYTES": str(2 * 1024**3),
    "OFFER_STREAM_MAX_BYTES": str(2 * 1024**3),
}
_CATCH_UP_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.05


class Ground:
    """A running stack, and connections of the bench's own beside its services."""

    def __init__(self, stack: Stack, exits: AsyncExitStack) -> None:
        self.stack: Final = stack
        self._exits = exits
        self._databases: dict[str, Connection] = {}
        self._client: Client | None = None
        self.programs: Final[list[UUID]] = []
        """Programs whose release the journal of the program service has; no command made them."""
        self.offers: Final[list[UUID]] = []
        """Offers likewise."""

    async def only(self, *services: str) -> None:
        """Run these services and no others."""
        for name in SERVICES:
            if name not in services and self.stack.running(name):
                await self.stack.stop(name)
        missing = [name for name in services if not self.stack.running(name)]
        await asyncio.gather(*(self.stack.start(name) for name in missing))
        if services:
            await self.stack.wait_ready(*services)

    async def database(self, service: str) -> "Connection":
        """Return the bench's connection to a service's database."""
        if service not in self._databases:
            connection = await asyncpg.connect(self.stack.dsn(service), server_settings={"jit": "off"})
            self._exits.push_async_callback(connection.close)
            self._databases[service] = connection
        return self._databases[service]

    async def nats(self) -> Client:
        """Return the bench's connection to the broker."""
        if self._client is None:
            self._client = Client()
            await self._client.connect(self.stack.nats_url, name="bench")
            self._exits.push_async_callback(self._client.close)
        return self._client

    async def jetstream(self) -> JetStreamContext:
        """Return JetStream, as the bench uses it."""
        return (await self.nats()).jetstream(timeout=10.0)

    async def published(self, source: str) -> None:
        """Wait until everything committed by a source is published."""
        database = await self.database(source)
        behind = "SELECT sum(lane.seq - published) FROM lane JOIN relay_lane USING (lane)"
        async with asyncio.timeout(_CATCH_UP_SECONDS):
            while await database.fetchval(behind):  # noqa: ASYNC110 - another process, no event to await
                await asyncio.sleep(_POLL_SECONDS)

    async def projected(self, source: str) -> None:
        """Wait until the catalogue has everything that a source committed."""
        committed = await (await self.database(source)).fetchval("SELECT sum(seq) FROM lane")
        async with asyncio.timeout(_CATCH_UP_SECONDS):
            while await self.applied(source) < committed:  # noqa: ASYNC110 - as above
                await asyncio.sleep(_POLL_SECONDS)

    async def applied(self, source: str) -> int:
        """Return how many of a source's events the catalogue has applied."""
        database = await self.database("catalogue")
        seqs = f"SELECT (SELECT sum(n) FROM unnest(seqs) n) FROM {READ_MODEL}.checkpoint WHERE source = $1"  # noqa: S608 - our own words
        return int(await database.fetchval(seqs, source) or 0)

    async def read_model(self) -> str:
        """Return the schema of the catalogue's current generation, where its tables are."""
        current = f"SELECT number FROM {READ_MODEL}.generation WHERE state = 'current'"  # noqa: S608 - our own words
        return f"{READ_MODEL}_g{await (await self.database('catalogue')).fetchval(current)}"


@asynccontextmanager
async def open_ground() -> AsyncGenerator[Ground]:
    """Start a stack of its own, in a folder that is removed at the end."""
    with temporary_data_folder("training-bench-") as folder:
        async with Stack(Path(folder), durable=True, settings=_SETTINGS) as stack, AsyncExitStack() as exits:
            yield Ground(stack, exits)
