"""Finding parked events of a service, and what is meant by an id."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from training.ops.v1.operations_service_pb2 import ListParkedEventsRequest, ParkedEvent

from trainingctl.calling import UNARY_SECONDS, Service
from trainingctl.problem import CallFailed, Problem

if TYPE_CHECKING:
    from training.ops.v1.operations_service_pb2_grpc import OperationsServiceAsyncStub  # there is none at run time

_PAGE: Final = 200


async def listed(
    operations: "OperationsServiceAsyncStub", service: Service, source: str, *, closed: bool
) -> AsyncIterator[ParkedEvent]:
    """Yield the parked events, the latest parked first, page by page."""
    request = ListParkedEventsRequest(source=source, include_closed=closed, page_size=_PAGE)
    while True:
        page = await operations.ListParkedEvents(request, timeout=UNARY_SECONDS, metadata=service.metadata)
        for event in page.events:
            yield event
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


async def meant(operations: "OperationsServiceAsyncStub", service: Service, wanted: str, source: str) -> ParkedEvent:
    """Return the parked event with this id, or the latest of the aggregate with this id, open ones first.

    Raises CallFailed when there is none.
    """
    for closed in (False, True):
        async for event in listed(operations, service, source, closed=closed):
            if wanted in (event.event_id, event.aggregate_id):
                return event
    message = f"no parked event has this id or is of an aggregate with it: {wanted}"
    raise CallFailed(Problem(service.name, service.address, "NOT_FOUND", "", message, {}))
