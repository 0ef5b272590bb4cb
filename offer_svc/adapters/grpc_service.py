"""`OfferService`: from each RPC to its use case and back. Rules are in the domain, ways in the application."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

import grpc.aio
from training.offer.v1 import offer_service_pb2 as pb
from training.offer.v1.offer_pb2 import Offer
from training.offer.v1.offer_service_pb2_grpc import OfferServiceServicer
from training.type.v1.vocabulary_pb2 import VIEW_FULL
from uuid_utils.compat import uuid7

from bus.calls import command_call, response_bytes, row_call
from bus.consistency import Freshened
from chassis.bulk import answer_rows
from chassis.listing import page_of
from chassis.refusal import Refusal
from chassis.status import to_status
from chassis.wire import Serialized, field
from offer_svc.adapters import mapping
from offer_svc.application.commands import Offers
from offer_svc.application.views import OfferFilter, OfferViews
from offer_svc.domain.commands import Command
from offer_svc.domain.offer import State

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"  # generic for type checkers only
_Command: TypeAlias = (
    pb.CreateOfferRequest
    | pb.SetPriceListRequest
    | pb.ScheduleSessionsRequest
    | pb.PublishOfferRequest
    | pb.CancelOfferRequest
)


class OfferService(OfferServiceServicer):
    """Answers with serialized messages, put together from stored bytes."""

    def __init__(self, offers: Offers, views: OfferViews, programs: Freshened) -> None:
        self._offers = offers
        self._views = views
        self._programs = programs

    async def CreateOffer(self, request: pb.CreateOfferRequest, context: _Context) -> Serialized:
        """Create an offer."""
        offer_id = UUID(request.offer_id) if request.offer_id else uuid7()
        return await self._execute(mapping.create_offer(request, offer_id), request)

    async def SetPriceList(self, request: pb.SetPriceListRequest, context: _Context) -> Serialized:
        """Set the price list."""
        return await self._execute(mapping.set_price_list(request), request, request.etag)

    async def ScheduleSessions(self, request: pb.ScheduleSessionsRequest, context: _Context) -> Serialized:
        """Set the schedule of a draft."""
        return await self._execute(mapping.schedule_sessions(request), request, request.etag)

    async def PublishOffer(self, request: pb.PublishOfferRequest, context: _Context) -> Serialized:
        """Make a draft visible."""
        return await self._execute(mapping.publish_offer(request), request, request.etag)

    async def CancelOffer(self, request: pb.CancelOfferRequest, context: _Context) -> Serialized:
        """Call a published offer off."""
        return await self._execute(mapping.cancel_offer(request), request, request.etag)

    async def GetOffer(self, request: pb.GetOfferRequest, context: _Context) -> Serialized:
        """Return one offer."""
        return field(1, await self._views.get(UUID(request.offer_id)))

    async def ListOffers(self, request: pb.ListOffersRequest, context: _Context) -> pb.ListOffersResponse:
        """List offers, latest change first."""
        program_id = UUID(request.program_id) if request.program_id else None
        chosen = OfferFilter(tuple(State(state) for state in request.states if state), program_id)
        page = await page_of(request, request.page_size, request.page_token, partial(self._views.list, chosen))
        offers = [_seen(message, request.view) for message in page.messages]
        return pb.ListOffersResponse(offers=offers, next_page_token=page.next_token)

    async def ImportOffers(self, requests: AsyncIterator[pb.ImportOffersRequest], context: _Context) -> None:  # type: ignore[override] # a coroutine that writes, as grpc.aio has it
        """Import offers that are live elsewhere."""
        await answer_rows(requests, context, self._import, _refused)

    async def _import(self, row: pb.ImportOffersRequest) -> pb.ImportOffersResponse:
        command = mapping.import_offer(row)
        await self._await_programs(row)
        outcome = await self._offers.execute(command, row_call(validate_only=row.validate_only))
        response = pb.ImportOffersResponse.FromString(outcome.response)
        response.row_id = row.row_id
        response.outcome = response.OUTCOME_IMPORTED if outcome.changed else response.OUTCOME_UNCHANGED
        response.consistency_token = outcome.token
        return response

    async def _execute(self, command: Command, request: _Command, etag: str = "") -> Serialized:
        await self._await_programs(request)
        return response_bytes(await self._offers.execute(command, command_call(request, etag)))

    async def _await_programs(self, request: _Command | pb.ImportOffersRequest) -> None:
        """Wait until the replica of programs has seen what the caller has."""
        if not request.min_tokens:
            return
        if request.HasField("max_wait"):
            await self._programs.contain(request.min_tokens, request.max_wait.ToTimedelta().total_seconds())
        else:
            await self._programs.contain(request.min_tokens)


def _refused(row: pb.ImportOffersRequest, refusal: Refusal) -> pb.ImportOffersResponse:
    return pb.ImportOffersResponse(
        row_id=row.row_id, outcome=pb.ImportOffersResponse.OUTCOME_REFUSED, error=to_status(refusal)
    )


def _seen(message: bytes, view: int) -> Offer:
    """Return an offer as a view shows it."""
    offer = Offer.FromString(message)
    if view != VIEW_FULL and offer.HasField("schedule"):
        offer.schedule.ClearField("sessions")
    if view != VIEW_FULL and offer.HasField("price_list"):
        offer.price_list.ClearField("tiers")
    return offer
