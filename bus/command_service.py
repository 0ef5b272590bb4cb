"""What every command service is built on: its database with its journal, its place on the bus, its server."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import ClassVar, Final, Self, TypeVar

from pydantic import Field, PositiveInt
from training.ops.v1.journal_service_pb2_grpc import add_JournalServiceServicer_to_server
from training.ops.v1.operations_service_pb2 import SubscriptionStatus
from training.ops.v1.operations_service_pb2_grpc import add_OperationsServiceServicer_to_server

from bus.broker import Broker
from bus.commands import CommandPath
from bus.commit import AggregateTable
from bus.duties import Duty
from bus.handling import Command, Handler, State
from bus.operation_roles import OPERATION_ROLES
from bus.operations_service import OperationsService
from bus.publication import Publication
from bus.source import Source
from bus.subscriber import Projection
from bus.subscription import Subscription
from bus.timekeeper import Timekeeper
from bus.topology import StreamLimits
from chassis.metrics import CallStatistics
from chassis.migrations import migrate
from chassis.policy import Policy
from chassis.postgres import UNAVAILABLE, Connections
from chassis.principal import Role
from chassis.server import Server, ServerOptions
from chassis.service import instance_name, principals_of, serve, translate
from chassis.settings import ServiceSettings
from chassis.startup import StartFailure

Row = TypeVar("Row")

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

    shared: ClassVar[frozenset[str]] = ServiceSettings.shared | {"bus_prefix", "stream_max_bytes", "stream_replicas"}

    bus_prefix: str = Field(default="training", pattern=r"^[a-z0-9]+$")
    stream_max_bytes: PositiveInt = StreamLimits().max_bytes
    stream_replicas: PositiveInt = 1


class CommandService:
    """One process of a command service, named as the source that it is, from `async with` on."""

    def __init__(self, name: str, settings: CommandServiceSettings) -> None:
        self._settings = settings
        self._dsn = settings.database_url.get_secret_value()
        self._source = Source(name, settings.bus_prefix)
        self._instance = instance_name(name)
        self._broker = Broker(settings.nats_url.get_secret_value(), self._instance)
        self._subscriptions: list[Subscription] = []
        self.connections: Final = Connections(self._dsn, size=_CONNECTIONS, name=self._instance)
        self._timekeeper = Timekeeper(
            Connections(self._dsn, size=_TIMEKEEPER_CONNECTIONS, name=f"{name}-timekeeper"), self._instance
        )
        self._keeps_time = False
        self._publication = Publication(
            self._dsn,
            self.connections,
            self._broker,
            self._source,
            instance=self._instance,
            limits=StreamLimits(max_bytes=settings.stream_max_bytes, replicas=settings.stream_replicas),
        )

    async def __aenter__(self) -> Self:
        """Bring the database to the schema that the code expects."""
        try:
            await migrate(self._dsn, f"{self._source.name}_svc")
            await self._publication.prepare()
        except UNAVAILABLE as error:
            raise StartFailure(f"the database can't be reached: {type(error).__name__}: {error}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
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

    def subscribe(self, source: str, projection: Projection[Row]) -> Subscription:
        """Keep a copy of another source, as long as this service serves."""
        subscription = Subscription(
            self._dsn,
            self._broker,
            Source(source, self._settings.bus_prefix),
            projection,
            durable=f"{self._source.name}-{source}",
            instance=self._instance,
        )
        self._subscriptions.append(subscription)
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
            translate=translate,
        )
        add_services(server)
        server.add(add_JournalServiceServicer_to_server, self._publication.journal_service)
        server.add(
            add_OperationsServiceServicer_to_server,
            OperationsService(
                self._source.name,
                self._instance,
                journal=self._publication.status,
                subscriptions=self._subscription_statuses,
            ),
        )
        work = [self._broker.run, self._publication.run, *(each.run for each in self._subscriptions)]
        if self._keeps_time:
            work.append(self._timekeeper.run)
        collectors = [statistics, self._timekeeper.statistics]
        await serve(server, self._settings, collectors, work, stop)

    async def _is_fresh(self) -> bool:
        """Tell whether its events go out and its copies keep up."""
        within = self._settings.fresh_seconds
        checks = [self._publication.is_fresh(within), *(each.is_fresh(within) for each in self._subscriptions)]
        return all(await asyncio.gather(*checks))

    async def _subscription_statuses(self) -> list[SubscriptionStatus]:
        return [status for each in self._subscriptions for status in await each.statuses()]
