"""`OperationsService`, the same on every service."""

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any, Final, TypeAlias

import grpc.aio
from training.ops.v1 import operations_service_pb2 as pb
from training.ops.v1.operations_service_pb2_grpc import OperationsServiceServicer

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"  # generic for type checkers only
JournalStatusOf = Callable[[], Awaitable[pb.JournalStatus]]
SubscriptionStatusesOf = Callable[[], Awaitable[list[pb.SubscriptionStatus]]]


async def follows_nothing() -> list[pb.SubscriptionStatus]:
    """Tell of no sources."""
    return []


class OperationsService(OperationsServiceServicer):
    """The operator's view of one process of a service."""

    def __init__(
        self,
        service: str,
        instance: str,
        *,
        journal: JournalStatusOf | None = None,
        subscriptions: SubscriptionStatusesOf = follows_nothing,
    ) -> None:
        self._service: Final = service
        self._instance: Final = instance
        self._version: Final = version("training-platform")
        self._journal = journal
        self._subscriptions = subscriptions

    async def GetStatus(self, request: pb.GetStatusRequest, context: _Context) -> pb.GetStatusResponse:
        """Tell how far this service has come."""
        del request, context
        response = pb.GetStatusResponse(service=self._service, version=self._version, instance=self._instance)
        if self._journal is not None:
            response.journal.CopyFrom(await self._journal())
        response.subscriptions.extend(await self._subscriptions())
        response.time.GetCurrentTime()
        return response

    async def WatchStatus(self, request: pb.WatchStatusRequest, context: _Context) -> None:  # type: ignore[override]
        """Not served yet."""
        raise NotImplementedError

    async def Explain(self, request: pb.ExplainRequest, context: _Context) -> pb.ExplainResponse:
        """Not served yet."""
        raise NotImplementedError

    async def BeginEpoch(self, request: pb.BeginEpochRequest, context: _Context) -> pb.BeginEpochResponse:
        """Not served yet."""
        raise NotImplementedError

    async def ListParkedEvents(
        self, request: pb.ListParkedEventsRequest, context: _Context
    ) -> pb.ListParkedEventsResponse:
        """Not served yet."""
        raise NotImplementedError

    async def GetParkedEvent(self, request: pb.GetParkedEventRequest, context: _Context) -> pb.GetParkedEventResponse:
        """Not served yet."""
        raise NotImplementedError

    async def RetryParkedAggregate(
        self, request: pb.RetryParkedAggregateRequest, context: _Context
    ) -> pb.RetryParkedAggregateResponse:
        """Not served yet."""
        raise NotImplementedError

    async def SkipParkedEvent(
        self, request: pb.SkipParkedEventRequest, context: _Context
    ) -> pb.SkipParkedEventResponse:
        """Not served yet."""
        raise NotImplementedError

    async def RebuildCatalogue(self, request: pb.RebuildCatalogueRequest, context: _Context) -> None:  # type: ignore[override]
        """Not served yet."""
        raise NotImplementedError

    async def AuditCatalogue(self, request: pb.AuditCatalogueRequest, context: _Context) -> None:  # type: ignore[override]
        """Not served yet."""
        raise NotImplementedError
