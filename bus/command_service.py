"""What every command service is built on: its database with its journal, its place on the bus, its server."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import ClassVar, Final, Self

from google.protobuf.message import Message
from pydantic import Field, PositiveInt, model_validator
from training.ops.v1.journal_service_pb2_grpc import add_JournalServiceServicer_to_server
from training.ops.v1.operations_service_pb2_grpc import add_OperationsServiceServicer_to_server

from bus.broker import Broker
from bus.commands.commit import AggregateTable
from bus.commands.handling import Command, Handler, State
from bus.commands.path import CommandPath
from bus.journal.epochs import Epochs
from bus.journal.journal_service import JournalService
from bus.journal.published import Published
from bus.journal.retention import STREAM_DAYS, Bounds, Retention
from bus.operations.copy_operations import CopyOperations
from bus.operations.operations_service import OperationsService
from bus.operations.roles import OPERATION_ROLES
from bus.operations.status_metrics import StatusMetrics
from bus.publication import Publication
from bus.read_store.generations import CatalogueBuilding, gone
from bus.read_store.read_model import ReadModel
from bus.source import Source
from bus.subscription import Subscription
from bus.timekeeping.duties import Duty
from bus.timekeeping.timekeeper import Timekeeper
from bus.topology import StreamLimits
from chassis.metrics import CallStatistics
from chassis.migrations import migrate
from chassis.policy import Policy
from chassis.postgres import UNAVAILABLE, Connections
from chassis.principal import Role
from chassis.refusal import Refusal
from chassis.server import Server, ServerOptions
from chassis.service import instance_name, principals_of, serve, translate
from chassis.settings import ServiceSettings
from chassis.startup import StartFailure

_CONNECTIONS: Final = 8
_TIMEKEEPER_CONNECTIONS: Final = 4
_OPERATORS: Final = (Role.OPERATOR, Role.SERVICE)

JOURNAL: Final[Mapping[str, tuple[Role, ...]]] = {
    f"/training.ops.v1.JournalService/{method}": _OPERATORS
    for method in ("GetLaneHeads", "ReadJournal", "ExportSnapshot", "GetDigests")
}
"""Who may read a journal."""

OPERATIONS: Final[Mapping[str, tuple[Role, ...]]] = {**JOURNAL, **OPERATION_ROLES}
"""Who may call what every command service serves beside its own; a part of each one's policy."""


class CommandServiceSettings(ServiceSettings):
    """What every command service needs to know."""

    shared: ClassVar[frozenset[str]] = ServiceSettings.shared | {
        "bus_prefix",
        "history_days",
        "idempotency_days",
        "journal_days",
        "stream_max_bytes",
        "stream_replicas",
    }

    bus_prefix: str = Field(default="training", pattern=r"^[a-z0-9]+$")
    stream_max_bytes: PositiveInt = StreamLimits().max_bytes
    stream_replicas: PositiveInt = 1
    journal_days: int = Field(default=Bounds().journal, gt=STREAM_DAYS)  # what the stream no longer has is read there
    history_days: PositiveInt = Bounds().history
    idempotency_days: PositiveInt = Bounds().idempotency

    @model_validator(mode="after")
    def _history_outlives_the_journal(self) -> Self:
        """Refuse to forget of a revision what is told of it before the revision itself."""
        if self.history_days < self.journal_days:
            raise ValueError(
                f"{self.prefix}HISTORY_DAYS: the history takes over what leaves the journal, so it is kept at least as "
                f"long: {self.journal_days} days"
            )
        return self


class CommandService:
    """One process of a command service, named as the source that it is, from `async with` on.

    Of its aggregates one kind is `published`, as its port tells.
    """

    def __init__(
        self, name: str, settings: CommandServiceSettings, aggregate: AggregateTable, published: Published
    ) -> None:
        self._settings = settings
        self._dsn = settings.database_url.get_secret_value()
        self._source = Source(name, settings.bus_prefix)
        self._instance = instance_name(name)
        self._broker = Broker(settings.nats_url.get_secret_value(), self._instance)
        self._subscriptions: list[Subscription] = []
        self._copy: CopyOperations | None = None
        self._exits = AsyncExitStack()
        epochs = Epochs(self._broker, self._source)
        self.connections: Final = Connections(self._dsn, size=_CONNECTIONS, name=self._instance, prepare=epochs.confirm)
        self._timekeeper = Timekeeper(
            Connections(self._dsn, size=_TIMEKEEPER_CONNECTIONS, name=f"{name}-timekeeper", prepare=epochs.confirm),
            self._instance,
        )
        self._keeps_time = False
        bounds = Bounds(settings.journal_days, settings.history_days, settings.idempotency_days)
        self._retention = Retention(self._dsn, bounds, f"{self._instance}-retention", epochs.confirm)
        self._journal = JournalService(self.connections, name, aggregate, published)
        self._publication = Publication(
            self._dsn,
            self.connections,
            self._broker,
            self._source,
            epochs=epochs,
            instance=self._instance,
            limits=StreamLimits(max_bytes=settings.stream_max_bytes, replicas=settings.stream_replicas),
        )

    async def __aenter__(self) -> Self:
        """Bring the database to the schema that the code expects."""
        try:
            await migrate(self._dsn, f"{self._source.name}_svc")
            await self._publication.prepare()
            await self._retention.prepare(self.connections)
        except UNAVAILABLE as error:
            raise StartFailure(f"the database can't be reached: {type(error).__name__}: {error}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._exits.aclose()
        await self.connections.close()

    def command_path(self, aggregate: AggregateTable, handler: Handler[State, Command]) -> CommandPath[State, Command]:
        """Return the way of every command on one kind of aggregate; drain it when serving has ended."""
        return CommandPath(
            self.connections,
            aggregate,
            handler,
            source=self._source.name,
            committed=self._publication.committed,
            due=self._timekeeper.wake,
        )

    def keep_time(self, duties: Sequence[Duty]) -> Timekeeper:
        """Carry out what becomes due, as long as this service serves and it is its turn."""
        self._timekeeper.take_on(duties)
        self._keeps_time = True
        return self._timekeeper

    async def subscribe(
        self, model: ReadModel, addresses: Mapping[str, str], bodies: Mapping[str, type[Message]]
    ) -> Subscription:
        """Keep a copy of other sources as long as this service serves; their addresses and event bodies are by name."""
        subscription = Subscription(
            self._dsn,
            self._broker,
            model,
            addresses,
            bus_prefix=self._settings.bus_prefix,
            owner=self._source.name,
            service=self._source.name,
            instance=self._instance,
        )
        await self._exits.enter_async_context(subscription)
        self._subscriptions.append(subscription)
        self._copy = CopyOperations(self._source.name, subscription, bodies)
        return subscription

    async def serve(self, policy: Policy, add_services: Callable[[Server], None], stop: asyncio.Event) -> None:
        """Serve its own services and those of every command service until asked to stop."""
        statistics = CallStatistics()
        server = Server(
            ServerOptions.of(self._settings),
            policy=policy,
            principals=principals_of(self._settings),
            readiness=self.connections.answer,
            freshness=self._is_fresh,
            statistics=statistics,
            translate=self._translate,
        )
        add_services(server)
        server.add(add_JournalServiceServicer_to_server, self._journal)
        operations = OperationsService(self._source.name, self._instance, journal=self._publication, copy=self._copy)
        server.add(add_OperationsServiceServicer_to_server, operations)
        metrics = StatusMetrics(operations.status)
        work = [
            self._broker.run,
            self._publication.run,
            self._retention.run,
            metrics.run,
            *(each.run for each in self._subscriptions),
        ]
        if self._keeps_time:
            work.append(self._timekeeper.run)
        collectors = [statistics, self._timekeeper.statistics, metrics]
        await serve(server, self._settings, collectors, work, stop)

    def _translate(self, error: Exception) -> Refusal | None:
        """Turn trouble with the database into what a caller is told: a copy that nobody has built yet is not there."""
        models = (each.read_store.model for each in self._subscriptions)
        building = next((model for model in models if gone(error, model)), None)
        return translate(error) if building is None else CatalogueBuilding.of(building.name)

    async def _is_fresh(self) -> bool:
        """Tell whether its events go out and its copies keep up."""
        within = self._settings.fresh_seconds
        checks = [self._publication.is_fresh(within), *(each.is_fresh(within) for each in self._subscriptions)]
        return all(await asyncio.gather(*checks))
