"""What operators ask of a copy of other sources: how far it has come, what is parked, to build it anew, to audit it."""

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import aclosing, suppress
from time import monotonic
from typing import Any, Final, Protocol
from uuid import UUID

from google.protobuf.message import Message
from training.ops.v1 import operations_service_pb2 as pb

from bus.audit.audit import Audit, AuditInterrupted
from bus.following.applied import applied
from bus.following.checkpoint import GONE
from bus.following.source_journal import JournalError
from bus.operations.errors import not_followed
from bus.operations.parked_operations import ParkedOperations
from bus.operations.until_drained import until_drained
from bus.subscription import Subscription
from chassis.drain import Drain
from chassis.errors import Draining
from chassis.postgres import Closed

_POLL_SECONDS: Final = 0.2
_SILENT_SECONDS: Final = 1.0
_ENDED: Final = frozenset({pb.REBUILD_PHASE_COMPLETE, pb.REBUILD_PHASE_ABANDONED})


class Sink(Protocol):
    """Where the messages of a stream go: a call's context."""

    def write(self, message: Any, /) -> Awaitable[None]:  # noqa: ANN401 - of whichever type the call answers with
        """Send one message; wait while the client does not read."""
        ...


class CopyOperations:
    """The operator's hold on one process's copy; `bodies` tells the type of each source's event bodies."""

    def __init__(self, service: str, subscription: Subscription, bodies: Mapping[str, type[Message]]) -> None:
        self._service = service
        self._subscription = subscription
        self._store = subscription.read_store
        self.parked: Final = ParkedOperations(service, subscription.connections, self._store, bodies)

    async def statuses(self) -> list[pb.SubscriptionStatus]:
        """Tell how far the copies of the sources have come."""
        return await self._subscription.statuses()

    async def read_model(self) -> pb.ReadModelStatus:
        """Tell which generation answers; none where the read model was dropped and is not there again."""
        try:
            return await self._store.status()
        except GONE:
            return pb.ReadModelStatus(name=self._store.model.name)

    async def applied(self, aggregate_id: UUID) -> list[pb.AppliedState]:
        """Tell what the copy has of an aggregate."""
        copy = self._subscription
        return await applied(copy.connections, self._store.model, copy.follower, aggregate_id)

    async def rebuild(self, request: pb.RebuildCatalogueRequest, by: str, sink: Sink, drain: Drain) -> None:
        """Have the copy built anew and tell how that gets on, to its end; the building does not end with the call.

        Raises RebuildRunning, or Draining.
        """
        generation = await self._store.rebuild(request.method, request.cause or f"asked for by {by}")
        told: pb.RebuildProgress | None = None
        told_at = 0.0
        while True:
            progress = await self._store.progress(generation)
            if progress is None:
                progress = pb.RebuildProgress(
                    generation=generation, phase=pb.REBUILD_PHASE_ABANDONED, trouble="nothing is known of it any more"
                )
            if progress != told or monotonic() - told_at >= _SILENT_SECONDS:
                await sink.write(pb.RebuildCatalogueResponse(progress=progress))
                told, told_at = progress, monotonic()
            if progress.phase in _ENDED:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECONDS):
                    await drain.wait()
            if drain.begun:
                raise Draining

    async def audit(self, request: pb.AuditCatalogueRequest, sink: Sink, drain: Drain) -> None:
        """Compare the copy with its sources and tell how that gets on, and every difference.

        Raises ResourceNotFound for a source, AuditInterrupted, SourceUnavailable, or Draining.
        """
        model = self._store.model
        for source in request.sources:
            if source not in model.projections:
                raise not_followed(self._service, source)
        sources, generation = list(dict.fromkeys(request.sources)), self._store.generation
        audit = Audit(self._store.projecting, model, self._store.journals)
        try:
            async with until_drained(drain), aclosing(audit.run(sources, repair=request.repair)) as steps:
                async for each in steps:
                    await sink.write(each.message())
        except (Closed, JournalError) as error:
            if isinstance(error, Closed) and generation == self._store.generation:
                raise
            raise AuditInterrupted(f"what was audited is not there any more: {error}", {"source": ""}) from error
