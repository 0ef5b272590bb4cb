"""From requests to commands; InvalidField lists every value that is none."""

from uuid import UUID

from training.offer.v1 import offer_service_pb2 as pb

from offer_svc.adapters.mapping_schedule import plan_from
from offer_svc.adapters.mapping_terms import definition_from, price_list_from
from offer_svc.adapters.mapping_values import Faults, uuid_from
from offer_svc.domain.commands import (
    CancelOffer,
    CreateOffer,
    ImportOffer,
    PublishOffer,
    ScheduleSessions,
    SetPriceList,
)


def create_offer(request: pb.CreateOfferRequest, offer_id: UUID) -> CreateOffer:
    """Read the command; the caller has chosen the id if the request has none."""
    faults = Faults()
    command = CreateOffer(offer_id, definition_from(request.definition, "definition.", faults))
    faults.refuse()
    return command


def set_price_list(request: pb.SetPriceListRequest) -> SetPriceList:
    """Read the command."""
    faults = Faults()
    offer_id = uuid_from(request.offer_id, "offer_id", faults)
    command = SetPriceList(offer_id, price_list_from(request.price_list, "price_list", faults))
    faults.refuse()
    return command


def schedule_sessions(request: pb.ScheduleSessionsRequest) -> ScheduleSessions:
    """Read the command."""
    faults = Faults()
    offer_id = uuid_from(request.offer_id, "offer_id", faults)
    command = ScheduleSessions(offer_id, plan_from(request.plan, "plan", faults))
    faults.refuse()
    return command


def publish_offer(request: pb.PublishOfferRequest) -> PublishOffer:
    """Read the command."""
    faults = Faults()
    command = PublishOffer(uuid_from(request.offer_id, "offer_id", faults))
    faults.refuse()
    return command


def cancel_offer(request: pb.CancelOfferRequest) -> CancelOffer:
    """Read the command."""
    faults = Faults()
    command = CancelOffer(uuid_from(request.offer_id, "offer_id", faults), request.reason)
    faults.refuse()
    return command


def import_offer(request: pb.ImportOffersRequest) -> ImportOffer:
    """Read the command of one row."""
    faults = Faults()
    command = ImportOffer(
        offer_id=uuid_from(request.offer_id, "offer_id", faults),
        definition=definition_from(request.definition, "definition.", faults),
        plan=plan_from(request.plan, "plan", faults),
        price_list=price_list_from(request.price_list, "price_list", faults),
    )
    faults.refuse()
    return command
