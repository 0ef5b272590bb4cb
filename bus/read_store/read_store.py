"""One process's part in a read store: it keeps the home there, fills the current generation, and builds new ones.

Any number of processes share a read store. Each looks at the registry when it is told to, and now and then by itself,
and does what it calls for; the leases in the home say who does what there can only be one of.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, Final

import asyncpg
import structlog
from google.protobuf.timestamp_pb2 import Timestamp
from training.ops.v1 import operations_service_pb2 as pb

from bus.broker import BROKER_ERRORS, Broker, BrokerAway
from bus.following.source_journal import SourceJournal
from bus.following.subscriber import Subscriber
from bus.lease import LeaseLost
from bus.read_store import generations
from bus.read_store.builder import Builder
from bus.read_store.building import GivenUp
from bus.read_store.filling import Filling
from bus.read_store.generations import CatalogueBuilding, Generation, RebuildRunning, Registry, read_registry
from bus.read_store.progress import progress_of
from bus.read_store.read_model import ReadModel
from bus.read_store.site import Site
from bus.source import Source
from bus.tasks import told
from chassis.postgres import UNAVAILABLE, Connections

__all__ = ["CatalogueBuilding", "ReadStore", "RebuildRunning"]

_HOME_CONNECTIONS: Final = 4
"""One to listen, one for the lease, one to build with, one to tell of it."""
_POLL_SECONDS: Final = 1.0
_SOON_SECONDS: Final = 0.1
"""When to look again while something is to be done that another may be doing."""
_RETRY_SECONDS: Final = 0.2
_PAUSE_SECONDS: Final = 5.0
"""How long nothing is built or swept after that failed."""
_EXPECTED: Final = (*UNAVAILABLE, *BROKER_ERRORS, asyncpg.PostgresError, BrokerAway, LeaseLost, GivenUp)

log: Final = structlog.get_logger(__name__)


class ReadStore:
    """The generations of one read model in one database, while `run` runs."""

    def __init__(
        self,
        dsn: str,
        model: ReadModel,
        broker: Broker,
        sources: Sequence[Source],
        journals: Mapping[str, SourceJournal],
        *,
        owner: str,
        instance: str,
    ) -> None:
        self.model: Final = model
        self.journals: Final = journals
        self.home: Final = Connections(dsn, size=_HOME_CONNECTIONS, name=f"{instance}/home", schema=model.name)
        """Look names up in the home: its views show the current generation."""
        self._site = Site(dsn, model, self.home, broker, sources, journals, owner, instance)
        self._builder = Builder(self._site, self._unusable)
        self._filling: Filling | None = None
        self._work: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._highest = 0
        self._not_before = 0.0
        self.trouble = ""

    @property
    def generation(self) -> int:
        """The generation that this process fills; 0 while it knows of none."""
        return 0 if self._filling is None else self._filling.number

    @property
    def subscribers(self) -> Mapping[str, Subscriber[Any]]:
        """The subscribers that fill it, by source; none while there is none."""
        return {} if self._filling is None else self._filling.subscribers

    @property
    def works(self) -> bool:
        """Whether this process builds a generation, or takes one away, just now."""
        return self._builder.acts

    @property
    def projecting(self) -> Connections:
        """Connections that look names up in the current generation's own tables. Raises CatalogueBuilding."""
        if self._filling is None:
            raise CatalogueBuilding.of(self.model.name)
        return self._filling.connections

    async def prepare(self) -> None:
        """Make the home unless it is there."""
        await generations.make_home(self.home, self.model)

    async def run(self) -> None:
        """Keep the home, fill the current generation and build new ones, until cancelled."""
        try:
            while True:
                try:
                    await self.prepare()
                    await self._watch()
                except Exception as error:  # noqa: BLE001 - whatever fails here, the process goes on answering
                    self._note(error)
                await asyncio.sleep(_RETRY_SECONDS)
        finally:
            await asyncio.shield(self._end())

    async def rebuild(self, method: "pb.RebuildMethod.ValueType", cause: str) -> int:
        """Have a new generation built by whichever process comes first; return its number. Raises RebuildRunning."""
        replay = method == pb.REBUILD_METHOD_REPLAY
        chosen = pb.REBUILD_METHOD_REPLAY if replay else pb.REBUILD_METHOD_SNAPSHOT
        number = await generations.begin(self.home, self.model, chosen, cause, after=self._highest)
        self._not_before = 0.0
        self._woken.set()
        return number

    async def progress(self, generation: int) -> pb.RebuildProgress | None:
        """Tell how the building of a generation gets on; None when there is no such generation."""
        found = await generations.find(self.home, generation)
        return None if found is None else progress_of(found)

    async def status(self) -> pb.ReadModelStatus:
        """Tell which generation answers and which is being built."""
        status = pb.ReadModelStatus(name=self.model.name)
        async with self.home.lent() as connection:
            registry = await read_registry(connection, self.model)
        if registry.current is not None and registry.stands:
            status.generation, status.cause = registry.current.number, registry.current.cause
            if registry.current.completed_at is not None:
                time = Timestamp()
                time.FromDatetime(registry.current.completed_at)
                status.generation_time.CopyFrom(time)
        if registry.building is not None:
            status.building.CopyFrom(progress_of(registry.building))
        return status

    async def _watch(self) -> None:
        """Do what the registry calls for, again and again."""
        async with self.home.lent() as connection:
            await connection.add_listener(generations.CHANNEL, self._on_told)
            try:
                while True:
                    self._woken.clear()
                    registry = await read_registry(connection, self.model)
                    self.trouble = ""
                    await self._heed(registry)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(self._patience(registry)):
                            await self._woken.wait()
            finally:
                connection.terminate()  # nobody else is to be told what it listens to

    def _on_told(self, *_: object) -> None:
        self._woken.set()

    async def _heed(self, registry: Registry) -> None:
        current = registry.current
        self._highest = max(self._highest, *registry.schemas, 0 if current is None else current.number)
        if current is not None and not registry.stands:
            log.error("generation_lost", read_model=self.model.name, generation=current.number)
            await generations.lose(self.home, current.number, "its tables are gone")
            self._woken.set()
            current = None
        if current is None or current.number != self._builder.builds:
            await self._fill(current)
        if self._builder.called_for(registry) and self._work is None and monotonic() >= self._not_before:
            self._work = asyncio.create_task(self._do())
            self._work.add_done_callback(self._on_done)

    async def _fill(self, current: Generation | None) -> None:
        """Fill the current generation, and no other; who asks for what is filled finds the one or the other."""
        number = 0 if current is None else current.number
        if number == self.generation:
            return
        filling = Filling(self._site, number) if number else None
        if filling is not None:
            await filling.begin(self._woken)
            log.info("generation_current", read_model=self.model.name, generation=number)
        former, self._filling = self._filling, filling
        if former is not None:
            await former.end()

    async def _do(self) -> None:
        """Build and sweep, if nobody else does."""
        if not await self._builder.act(self._highest, self._woken.set):
            self._not_before = monotonic() + _SOON_SECONDS

    def _patience(self, registry: Registry) -> float:
        """Return how long nothing needs to be looked at, unless it is told."""
        if not self._builder.called_for(registry):
            return _POLL_SECONDS
        return min(_POLL_SECONDS, max(_SOON_SECONDS, self._not_before - monotonic()))

    def _unusable(self, registry: Registry) -> str:
        """Say why the current generation must be built anew, if this process found out that it must."""
        filling, current = self._filling, registry.current
        return filling.unusable if filling and current and filling.number == current.number else ""

    def _on_done(self, work: asyncio.Task[None]) -> None:
        self._work = None
        if not work.cancelled() and (error := work.exception()) is not None:
            self._not_before = monotonic() + (_RETRY_SECONDS if isinstance(error, LeaseLost) else _PAUSE_SECONDS)
            self._note(error)
        if self._not_before <= monotonic():
            self._woken.set()

    def _note(self, error: BaseException) -> None:
        """Keep what is wrong for the status; log it once, not at every retry."""
        trouble = told(error)
        if trouble != self.trouble:
            unexpected = error if not isinstance(error, _EXPECTED) else None
            log.warning("read_store_interrupted", read_model=self.model.name, reason=trouble, exc_info=unexpected)
        self.trouble = trouble

    async def _end(self) -> None:
        """Let go of everything."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])
        if self._filling is not None:
            filling, self._filling = self._filling, None
            await filling.end()
        await self.home.close()
