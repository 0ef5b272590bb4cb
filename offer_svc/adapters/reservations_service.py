"""The RPCs of `OfferService` for those who sell: prices, reservations, waitlists; and the erasure of participants."""

from uuid import UUID

from training.offer.v1 import offer_service_pb2 as pb
from training.offer.v1.offer_service_pb2_grpc import OfferServiceServicer
from uuid_utils.compat import uuid7

from bus.commands.calls import command_call
from chassis.call import current_call
from chassis.wire import Serialized
from offer_svc.adapters import mapping
from offer_svc.adapters.offers_service import Context, Executing
from offer_svc.adapters.quotes import Seal
from offer_svc.application.erasure import Erasure
from offer_svc.application.prices import Prices


class ReservationCommands(OfferServiceServicer):
    """The RPCs of sales."""

    _executing: Executing
    _prices: Prices
    _seal: Seal
    _erasure: Erasure

    async def QuotePrice(self, request: pb.QuotePriceRequest, context: Context) -> pb.QuotePriceResponse:
        """Tell the price that applies now, and promise it."""
        quote = await self._prices.quote(mapping.quote_price(request), current_call().principal.name)
        return pb.QuotePriceResponse(quote=mapping.quote_message(quote, self._seal.seal(quote)))

    async def ConfirmPrice(self, request: pb.ConfirmPriceRequest, context: Context) -> pb.ConfirmPriceResponse:
        """Tell whether a quote's price is the present one."""
        quote = self._seal.open(request.quote)
        price = await self._prices.confirm(mapping.confirm_price(request, quote), current_call().principal.name)
        same = price == quote.price
        outcome = pb.ConfirmPriceResponse.OUTCOME_UNCHANGED if same else pb.ConfirmPriceResponse.OUTCOME_CHANGED
        shown = None if price is None else mapping.price_message(price, quote.seats)
        return pb.ConfirmPriceResponse(outcome=outcome, price=shown)

    async def ReserveSeats(self, request: pb.ReserveSeatsRequest, context: Context) -> Serialized:
        """Hold seats."""
        reservation_id = UUID(request.reservation_id) if request.reservation_id else uuid7()
        quote = self._seal.open(request.quote) if request.quote else None
        command = mapping.reserve_seats(request, reservation_id, quote)
        return await self._executing.execute(command, request, request.etag)

    async def ExtendReservation(self, request: pb.ExtendReservationRequest, context: Context) -> Serialized:
        """Hold seats longer."""
        return await self._executing.execute(mapping.extend_reservation(request), request, request.etag)

    async def ConfirmReservation(self, request: pb.ConfirmReservationRequest, context: Context) -> Serialized:
        """Confirm held seats."""
        return await self._executing.execute(mapping.confirm_reservation(request), request, request.etag)

    async def ReleaseReservation(self, request: pb.ReleaseReservationRequest, context: Context) -> Serialized:
        """Give seats back."""
        return await self._executing.execute(mapping.release_reservation(request), request, request.etag)

    async def JoinWaitlist(self, request: pb.JoinWaitlistRequest, context: Context) -> Serialized:
        """Put a participant on the waitlist."""
        reservation_id = UUID(request.reservation_id) if request.reservation_id else uuid7()
        return await self._executing.execute(mapping.join_waitlist(request, reservation_id), request, request.etag)

    async def LeaveWaitlist(self, request: pb.LeaveWaitlistRequest, context: Context) -> Serialized:
        """Take a participant off the waitlist."""
        return await self._executing.execute(mapping.leave_waitlist(request), request, request.etag)

    async def EraseParticipant(
        self, request: pb.EraseParticipantRequest, context: Context
    ) -> pb.EraseParticipantResponse:
        """Erase a participant's name."""
        erased = await self._erasure.erase(request.participant_id, command_call(request))
        return pb.EraseParticipantResponse(
            reservations=erased.reservations, offers=erased.offers, consistency_token=erased.token
        )
