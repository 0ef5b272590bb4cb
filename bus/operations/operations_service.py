"""`OperationsService`, the same on every service; what a service does not have is refused as not served there."""

import asyncio
from contextlib import suppress
from importlib.metadata import version
from typing import Any, Final, Protocol, TypeAlias
from uuid import UUID

import grpc.aio
from training.ops.v1 import operations_service_pb2 as pb
from training.ops.v1.operations_service_pb2_grpc import OperationsServiceServicer

from bus.following.applied import has_something
from bus.operations.copy_operations import CopyOperations
from bus.operations.errors import NotServedHere
from bus.operations.explaining import Explaining
from chassis.call import current_call
from chassis.errors import Draining

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"  # generic for type checkers only

_INTERVAL_SECONDS: Final = 1.0
_REVISIONS: Final = 20


class OwnJournal(Protocol):
    """The journal of a command service, as its operators see it."""

    @property
    def explaining(self) -> Explaining:
        """What tells the way of its events."""
        ...

    async def status(self) -> pb.JournalStatus:
        """Tell how far it has been published."""
        ...

    async def begin_epoch(self, cause: str) -> tuple[UUID, UUID]:
        """Begin a new epoch; return it and the one before."""
        ...


class OperationsService(OperationsServiceServicer):
    """The operator's view of one process of a service, which has a journal, a copy of other sources, or both."""

    def __init__(
        self,
        service: str,
        instance: str,
        *,
        journal: OwnJournal | None = None,
        copy: CopyOperations | None = None,
    ) -> None:
        self._service: Final = service
        self._instance: Final = instance
        self._version: Final = version("training-platform")
        self._own_journal = journal
        self._own_copy = copy

    async def status(self) -> pb.GetStatusResponse:
        """Tell how far this service has come."""
        response = pb.GetStatusResponse(service=self._service, version=self._version, instance=self._instance)
        if self._own_journal is not None:
            response.journal.CopyFrom(await self._own_journal.status())
        if self._own_copy is not None:
            response.subscriptions.extend(await self._own_copy.statuses())
            response.read_model.CopyFrom(await self._own_copy.read_model())
        response.time.GetCurrentTime()
        return response

    async def GetStatus(self, request: pb.GetStatusRequest, context: _Context) -> pb.GetStatusResponse:
        """Tell how far this service has come."""
        return await self.status()

    async def WatchStatus(self, request: pb.WatchStatusRequest, context: _Context) -> None:  # type: ignore[override] # a coroutine that writes, as grpc.aio has it
        """Tell it now and then again and again, until the process drains."""
        given = request.interval.ToTimedelta().total_seconds() if request.HasField("interval") else _INTERVAL_SECONDS
        drain = current_call().drain
        while not drain.begun:
            await context.write(pb.WatchStatusResponse(status=await self.status()))
            with suppress(TimeoutError):
                async with asyncio.timeout(given):
                    await drain.wait()
        raise Draining

    async def Explain(self, request: pb.ExplainRequest, context: _Context) -> pb.ExplainResponse:
        """Tell the way of an aggregate, or of what a request did. A request is known where it was made."""
        response = pb.ExplainResponse(service=self._service)
        most = request.limit or _REVISIONS
        if request.WhichOneof("subject") == "request_id":
            if self._own_journal is not None:
                response.recorded.extend(await self._own_journal.explaining.request(UUID(request.request_id), most))
            return response
        aggregate_id = UUID(request.aggregate_id)
        if self._own_journal is not None:
            response.recorded.extend(await self._own_journal.explaining.aggregate(aggregate_id, most))
        if self._own_copy is not None:
            states = await self._own_copy.applied(aggregate_id)
            # What the service has recorded itself is no other source's, so copies that have nothing of it tell nothing.
            response.applied.extend(state for state in states if not response.recorded or has_something(state))
        return response

    async def BeginEpoch(self, request: pb.BeginEpochRequest, context: _Context) -> pb.BeginEpochResponse:
        """Begin a new epoch of the journal."""
        if self._own_journal is None:
            raise NotServedHere.by(self._service, "journal")
        epoch, previous = await self._own_journal.begin_epoch(request.cause)
        return pb.BeginEpochResponse(epoch=str(epoch), previous_epoch=str(previous))

    async def ListParkedEvents(
        self, request: pb.ListParkedEventsRequest, context: _Context
    ) -> pb.ListParkedEventsResponse:
        """List the events that could not be applied."""
        return await self._copy.parked.listed(request)

    async def GetParkedEvent(self, request: pb.GetParkedEventRequest, context: _Context) -> pb.GetParkedEventResponse:
        """Return one of them with its body."""
        return await self._copy.parked.shown(request)

    async def RetryParkedAggregate(
        self, request: pb.RetryParkedAggregateRequest, context: _Context
    ) -> pb.RetryParkedAggregateResponse:
        """Apply the latest parked event of an aggregate again."""
        return await self._copy.parked.retried(request, current_call().principal.name)

    async def SkipParkedEvent(
        self, request: pb.SkipParkedEventRequest, context: _Context
    ) -> pb.SkipParkedEventResponse:
        """Give a parked event up."""
        return await self._copy.parked.skipped(request, current_call().principal.name)

    async def RebuildCatalogue(self, request: pb.RebuildCatalogueRequest, context: _Context) -> None:  # type: ignore[override] # as above
        """Build the copy anew, and tell how it gets on."""
        copy, call = self._copy, current_call()
        await copy.rebuild(request, call.principal.name, context, call.drain)

    async def AuditCatalogue(self, request: pb.AuditCatalogueRequest, context: _Context) -> None:  # type: ignore[override] # as above
        """Compare the copy with its sources, and tell every difference."""
        await self._copy.audit(request, context, current_call().drain)

    @property
    def _copy(self) -> CopyOperations:
        if self._own_copy is None:
            raise NotServedHere.by(self._service, "copy of a source")
        return self._own_copy
