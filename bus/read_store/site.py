"""Where a read model is kept, of what it is made, and by whom."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from bus.broker import Broker
from bus.following.source_journal import SourceJournal
from bus.following.subscriber import Subscriber
from bus.read_store.read_model import ReadModel, lease_of
from bus.source import Source
from chassis.postgres import Connections

_CONNECTIONS_A_SOURCE: Final = 3
"""One for the lease, one for a batch, one to write down how fresh it is."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a read model is built, of what, and by whom. `home` are connections that look names up in the home.

    `owner` tells apart those who follow the same sources, `instance` the processes of one.
    """

    dsn: str
    model: ReadModel
    home: Connections
    broker: Broker
    sources: Sequence[Source]
    journals: Mapping[str, SourceJournal]
    owner: str
    instance: str

    def durable(self, generation: int, source: str) -> str:
        """Return the name of the consumer by which a generation gets a source's events."""
        return f"{self.owner}-{self.model.name}-g{generation}-{source}"

    @asynccontextmanager
    async def filling(self, generation: int, *, durable: bool = True) -> AsyncGenerator[Connections]:
        """Lend connections that look names up in a generation's tables, then in the home.

        A generation that is being built need not be durable: a crash begins it anew, and the commit that shows it waits
        for the disk, and so for everything before it.
        """
        connections = Connections(
            self.dsn,
            size=_CONNECTIONS_A_SOURCE * len(self.sources) + 1,
            name=f"{self.instance}/{self.model.schema(generation)}",
            schema=self.model.search_path(generation),
            durable=durable,
        )
        try:
            yield connections
        finally:
            await asyncio.shield(connections.close())

    def subscriber(
        self,
        connections: Connections,
        generation: int,
        source: Source,
        needs_rebuild: Callable[[str], None],
        *,
        building: bool = False,
    ) -> Subscriber[Any]:
        """Return what fills a generation from one source's stream."""
        return Subscriber(
            connections,
            self.broker,
            source,
            self.model.projections[source.name],
            journal=self.journals[source.name],
            durable=self.durable(generation, source.name),
            holder=self.instance,
            lease=lease_of(source.name, generation),
            needs_rebuild=needs_rebuild,
            building=building,
        )
