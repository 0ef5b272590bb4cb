"""From the requests of those who manage offers to commands; InvalidField lists every value that is none."""

from typing import Final
from uuid import UUID

from training.offer.v1 import offer_service_pb2 as pb

from offer_svc.adapters.mapping_schedule import plan_from
from offer_svc.adapters.mapping_terms import definition_from, price_list_from, refuse_opening_balance, terms_from
from offer_svc.adapters.mapping_values import Faults, uuid_from
from offer_svc.domain.commands import (
    CancelOffer,
    CloseSales,
    CopyOffer,
    CreateOffer,
    DeleteOffer,
    ImportOffer,
    PublishOffer,
    ReopenSales,
    RescheduleOffer,
    ScheduleSessions,
    SetCapacity,
    SetPriceList,
    UpdateOffer,
)
from offer_svc.domain.offer import OfferDefinition

_DEFINITION_FIELDS: Final = tuple(field.name for field in pb.OfferDefinition.DESCRIPTOR.fields)
_FOR_ALL: Final = frozenset(_DEFINITION_FIELDS) - {"program_id"}
"""What `*` stands for in a mask: an offer's program never changes."""
_NO_PROGRAM: Final = UUID(int=0)


def create_offer(request: pb.CreateOfferRequest, offer_id: UUID) -> CreateOffer:
    """Read the command; the caller has chosen the id if the request has none."""
    faults = Faults()
    command = CreateOffer(offer_id, definition_from(request.definition, "definition.", faults))
    refuse_opening_balance(request.definition.capacity, "definition.", faults)
    faults.refuse()
    return command


def update_offer(request: pb.UpdateOfferRequest) -> UpdateOffer:
    """Read the command; an absent mask means the fields that are set."""
    faults = Faults()
    read = definition_from if request.definition.program_id else _any_program
    command = UpdateOffer(
        offer_id=uuid_from(request.offer_id, "offer_id", faults),
        definition=read(request.definition, "definition.", faults),
        fields=_masked(request, faults),
    )
    if "capacity" in command.fields:
        refuse_opening_balance(request.definition.capacity, "definition.", faults)
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


def reschedule_offer(request: pb.RescheduleOfferRequest) -> RescheduleOffer:
    """Read the command."""
    faults = Faults()
    offer_id = uuid_from(request.offer_id, "offer_id", faults)
    command = RescheduleOffer(offer_id, plan_from(request.plan, "plan", faults))
    faults.refuse()
    return command


def set_capacity(request: pb.SetCapacityRequest) -> SetCapacity:
    """Read the command."""
    return SetCapacity(
        _offer_id(request.offer_id),
        request.minimum if request.HasField("minimum") else None,
        request.maximum if request.HasField("maximum") else None,
    )


def copy_offer(request: pb.CopyOfferRequest, offer_id: UUID) -> CopyOffer:
    """Read the command; the caller has chosen the copy's id if the request has none."""
    faults = Faults()
    source_offer_id = uuid_from(request.source_offer_id, "source_offer_id", faults)
    command = CopyOffer(offer_id, source_offer_id, plan_from(request.plan, "plan", faults))
    faults.refuse()
    return command


def publish_offer(request: pb.PublishOfferRequest) -> PublishOffer:
    """Read the command."""
    return PublishOffer(_offer_id(request.offer_id))


def close_sales(request: pb.CloseSalesRequest) -> CloseSales:
    """Read the command."""
    return CloseSales(_offer_id(request.offer_id))


def reopen_sales(request: pb.ReopenSalesRequest) -> ReopenSales:
    """Read the command."""
    return ReopenSales(_offer_id(request.offer_id))


def cancel_offer(request: pb.CancelOfferRequest) -> CancelOffer:
    """Read the command."""
    return CancelOffer(_offer_id(request.offer_id), request.reason)


def delete_offer(request: pb.DeleteOfferRequest) -> DeleteOffer:
    """Read the command."""
    return DeleteOffer(_offer_id(request.offer_id))


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


def _any_program(message: pb.OfferDefinition, path: str, faults: Faults) -> OfferDefinition:
    """Read a definition that names no program."""
    return terms_from(message, path, faults, _NO_PROGRAM)


def _masked(request: pb.UpdateOfferRequest, faults: Faults) -> frozenset[str]:
    """Return the fields of the definition that are to be taken."""
    paths = request.update_mask.paths
    if not paths:
        return frozenset(field.name for field, _ in request.definition.ListFields())
    for path in paths:
        if path != "*" and path not in _DEFINITION_FIELDS:
            faults.note("update_mask", "field_mask.path", path, "fields of the definition, or *")
    named = frozenset(paths) & frozenset(_DEFINITION_FIELDS)
    return named | _FOR_ALL if "*" in paths else named


def _offer_id(text: str) -> UUID:
    faults = Faults()
    offer_id = uuid_from(text, "offer_id", faults)
    faults.refuse()
    return offer_id
