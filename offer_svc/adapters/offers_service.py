"""The commands of `OfferService` on offers: from each RPC to its use case and back."""

from collections.abc import AsyncIterator
from typing import Any, Protocol, TypeAlias
from uuid import UUID

import grpc.aio
from google.protobuf.duration_pb2 import Duration
from training.offer.v1 import offer_service_pb2 as pb
from training.offer.v1.offer_service_pb2_grpc import OfferServiceServicer
from uuid_utils.compat import uuid7

from bus.commands.calls import CommandRequest, command_call, response_bytes, row_call
from bus.freshness.consistency import Freshened
from chassis.bulk import answer_rows
from chassis.refusal import Refusal
from chassis.status import to_status
from chassis.wire import Serialized
from offer_svc.adapters import mapping
from offer_svc.application.commands import Offers
from offer_svc.domain.commands import Command

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"  # generic for type checkers only


class Waiting(Protocol):
    """What a request says of how much of the programs must be known here."""

    @property
    def min_tokens(self) -> Any:  # noqa: ANN401 - protobuf's repeated field
        """Return the tokens."""
        ...

    @property
    def max_wait(self) -> Duration:
        """Return for how long to wait."""
        ...

    def HasField(self, field_name: Any, /) -> bool:  # noqa: ANN401 - protobuf's names
        """Tell whether it is said."""
        ...


class OfferRequest(CommandRequest, Waiting, Protocol):
    """The envelope of every command on an offer."""


class Executing:
    """Carries commands out, each once the programs that its caller has seen are known here."""

    def __init__(self, offers: Offers, programs: Freshened) -> None:
        self._offers = offers
        self._programs = programs

    async def execute(self, command: Command, request: OfferRequest, etag: str = "") -> Serialized:
        """Carry a command out. A request carried out before has its outcome, and waits for nothing."""
        call = command_call(request, etag)
        if request.min_tokens:
            outcome = await self._offers.outcome_of(call)
            if outcome is not None:
                return response_bytes(outcome)
            await self.await_programs(request)
        return response_bytes(await self._offers.execute(command, call))

    async def await_programs(self, request: Waiting) -> None:
        """Wait until the replica of programs has seen what the caller has."""
        if not request.min_tokens:
            return
        if request.HasField("max_wait"):
            await self._programs.contain(request.min_tokens, request.max_wait.ToTimedelta().total_seconds())
        else:
            await self._programs.contain(request.min_tokens)


class OfferCommands(OfferServiceServicer):
    """The RPCs of those who manage offers."""

    _offers: Offers
    _executing: Executing

    async def CreateOffer(self, request: pb.CreateOfferRequest, context: Context) -> Serialized:
        """Create an offer."""
        offer_id = UUID(request.offer_id) if request.offer_id else uuid7()
        return await self._executing.execute(mapping.create_offer(request, offer_id), request)

    async def UpdateOffer(self, request: pb.UpdateOfferRequest, context: Context) -> Serialized:
        """Change what an offer is."""
        return await self._executing.execute(mapping.update_offer(request), request, request.etag)

    async def SetPriceList(self, request: pb.SetPriceListRequest, context: Context) -> Serialized:
        """Set the price list."""
        return await self._executing.execute(mapping.set_price_list(request), request, request.etag)

    async def ScheduleSessions(self, request: pb.ScheduleSessionsRequest, context: Context) -> Serialized:
        """Set the schedule of a draft."""
        return await self._executing.execute(mapping.schedule_sessions(request), request, request.etag)

    async def RescheduleOffer(self, request: pb.RescheduleOfferRequest, context: Context) -> Serialized:
        """Give a published offer other dates."""
        return await self._executing.execute(mapping.reschedule_offer(request), request, request.etag)

    async def SetCapacity(self, request: pb.SetCapacityRequest, context: Context) -> Serialized:
        """Set the number of seats."""
        return await self._executing.execute(mapping.set_capacity(request), request, request.etag)

    async def CopyOffer(self, request: pb.CopyOfferRequest, context: Context) -> Serialized:
        """Create a draft like another offer."""
        offer_id = UUID(request.offer_id) if request.offer_id else uuid7()
        return await self._executing.execute(mapping.copy_offer(request, offer_id), request)

    async def PublishOffer(self, request: pb.PublishOfferRequest, context: Context) -> Serialized:
        """Make a draft visible."""
        return await self._executing.execute(mapping.publish_offer(request), request, request.etag)

    async def CloseSales(self, request: pb.CloseSalesRequest, context: Context) -> Serialized:
        """End the sale of an offer."""
        return await self._executing.execute(mapping.close_sales(request), request, request.etag)

    async def ReopenSales(self, request: pb.ReopenSalesRequest, context: Context) -> Serialized:
        """Sell an offer again."""
        return await self._executing.execute(mapping.reopen_sales(request), request, request.etag)

    async def CancelOffer(self, request: pb.CancelOfferRequest, context: Context) -> Serialized:
        """Call a published offer off."""
        return await self._executing.execute(mapping.cancel_offer(request), request, request.etag)

    async def DeleteOffer(self, request: pb.DeleteOfferRequest, context: Context) -> Serialized:
        """Delete a draft."""
        return await self._executing.execute(mapping.delete_offer(request), request, request.etag)

    async def ImportOffers(self, requests: AsyncIterator[pb.ImportOffersRequest], context: Context) -> None:  # type: ignore[override] # a coroutine that writes, as grpc.aio has it
        """Import offers that are live elsewhere."""
        await answer_rows(requests, context, self._import, _refused)

    async def _import(self, row: pb.ImportOffersRequest) -> pb.ImportOffersResponse:
        command = mapping.import_offer(row)
        await self._executing.await_programs(row)
        outcome = await self._offers.execute(command, row_call(validate_only=row.validate_only))
        response = pb.ImportOffersResponse.FromString(outcome.response)
        response.row_id = row.row_id
        response.outcome = response.OUTCOME_IMPORTED if outcome.changed else response.OUTCOME_UNCHANGED
        response.consistency_token = outcome.token
        return response


def _refused(row: pb.ImportOffersRequest, refusal: Refusal) -> pb.ImportOffersResponse:
    return pb.ImportOffersResponse(
        row_id=row.row_id, outcome=pb.ImportOffersResponse.OUTCOME_REFUSED, error=to_status(refusal)
    )
