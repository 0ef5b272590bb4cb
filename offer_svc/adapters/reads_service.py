"""The reads of `OfferService`: offers, reservations, waitlists, histories."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from training.offer.v1 import offer_service_pb2 as pb
from training.offer.v1.offer_pb2 import Offer
from training.offer.v1.offer_service_pb2_grpc import OfferServiceServicer
from training.type.v1.vocabulary_pb2 import VIEW_FULL

from bus.journal.history import History
from chassis.listing import NUMBERS, Page, ordered_page, page_of
from chassis.together import ANSWER_BYTES, together
from chassis.wire import Serialized, field
from offer_svc.adapters import mapping
from offer_svc.adapters.discretion import discreet, discreet_entry, shown, shows_all
from offer_svc.adapters.mapping_values import Faults, window_from
from offer_svc.adapters.offers_service import Context
from offer_svc.application.views import OfferFilter, OfferViews, ReservationFilter, ReservationViews
from offer_svc.domain.offer import State
from offer_svc.domain.reservation import ReservationState

_ITEM, _NEXT = 1, 2
"""The fields of every list's response: the items, and the token of the next page."""


class OfferReads(OfferServiceServicer):
    """The RPCs that change nothing."""

    _views: OfferViews
    _reservations: ReservationViews
    _history: History

    async def GetOffer(self, request: pb.GetOfferRequest, context: Context) -> Serialized:
        """Return one offer."""
        return field(_ITEM, shown(await self._views.get(UUID(request.offer_id))))

    async def BatchGetOffers(self, request: pb.BatchGetOffersRequest, context: Context) -> Serialized:
        """Return several offers."""
        messages = list(map(shown, await self._views.get_all(list(map(UUID, request.offer_ids)))))
        return together(messages, "offer_ids", f"at most {ANSWER_BYTES} bytes together: fewer offers")

    async def ListOffers(self, request: pb.ListOffersRequest, context: Context) -> pb.ListOffersResponse:
        """List offers, latest change first."""
        chosen = _chosen(request)
        page = await page_of(request, request.page_size, request.page_token, partial(self._views.list, chosen))
        offers = [_seen(message, request.view) for message in page.messages]
        return pb.ListOffersResponse(offers=offers, next_page_token=page.next_token)

    async def GetReservation(self, request: pb.GetReservationRequest, context: Context) -> Serialized:
        """Return one reservation."""
        return field(_ITEM, await self._reservations.get(UUID(request.reservation_id)))

    async def ListReservations(self, request: pb.ListReservationsRequest, context: Context) -> Serialized:
        """List the reservations of an offer or of a participant, latest first."""
        chosen = ReservationFilter(
            UUID(request.offer_id) if request.HasField("offer_id") else None,
            request.participant_id if request.HasField("participant_id") else None,
            tuple(map(ReservationState, request.states)),
        )
        listing = partial(self._reservations.list, chosen)
        page = await page_of(request, request.page_size, request.page_token, listing)
        if chosen.offer_id is not None and not page.messages:
            await self._views.get(chosen.offer_id)
        return _listed(page)

    async def ListWaitlist(self, request: pb.ListWaitlistRequest, context: Context) -> Serialized:
        """List who waits, in the order in which they get seats."""
        offer_id = UUID(request.offer_id)

        async def behind(number: int | None, most: int) -> Sequence[tuple[int, bytes]]:
            entries = await self._reservations.waiting(offer_id, number or 0, most)
            return [(entry.wait_number, entry.message) for entry in entries]

        page = await ordered_page(NUMBERS, request, request.page_size, request.page_token, behind)
        if not page.messages:
            await self._views.get(offer_id)
        return _listed(page)

    async def ListOfferHistory(self, request: pb.ListOfferHistoryRequest, context: Context) -> Serialized:
        """List the revisions of an offer, latest first; those of a deleted one stay, to tell who deleted it."""
        offer_id = UUID(request.offer_id)

        async def before(revision: int | None, most: int) -> Sequence[tuple[int, bytes]]:
            recorded = await self._history.of(offer_id, revision, most)
            entries = map(mapping.history_entry, recorded)
            told = entries if shows_all() else map(discreet_entry, entries)
            return [(entry.revision, entry.SerializeToString()) for entry in told]

        page = await ordered_page(NUMBERS, request, request.page_size, request.page_token, before)
        if not page.messages:
            await self._views.get(offer_id)
        return _listed(page)


def _listed(page: Page) -> bytes:
    return b"".join(field(_ITEM, message) for message in page.messages) + field(_NEXT, page.next_token.encode())


def _chosen(request: pb.ListOffersRequest) -> OfferFilter:
    """Return which offers a request asks for. Raises InvalidField."""
    faults = Faults()
    starts = window_from(request.start_interval, "start_interval", faults)
    faults.refuse()
    return OfferFilter(
        tuple(map(State, request.states)),
        UUID(request.program_id) if request.program_id else None,
        request.trainer_id.strip() or None,
        starts.start,
        starts.end,
    )


def _seen(message: bytes, view: int) -> Offer:
    """Return an offer as a view shows it."""
    offer = Offer.FromString(message)
    if view != VIEW_FULL and offer.HasField("schedule"):
        offer.schedule.ClearField("sessions")
    if view != VIEW_FULL and offer.HasField("price_list"):
        offer.price_list.ClearField("tiers")
    return offer if shows_all() else discreet(offer)
