"""Each request is the command it means."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from training.offer.v1 import offer_pb2
from training.offer.v1 import offer_service_pb2 as service

from chassis.refusal import InvalidField
from offer_svc.adapters import mapping
from offer_svc.domain.availability import Capacity
from offer_svc.domain.commands import (
    CloseSales,
    ConfirmReservation,
    CopyOffer,
    DeleteOffer,
    ExtendReservation,
    JoinWaitlist,
    LeaveWaitlist,
    ReleaseReservation,
    ReopenSales,
    RescheduleOffer,
    ReserveSeats,
    SetCapacity,
    UpdateOffer,
)
from offer_svc.domain.quoting import ConfirmPrice, QuotePrice
from offer_svc.domain.schedule import BookingMode
from tests.unit.offer import requests
from tests.unit.offer.samples import (
    CANCEL,
    CREATE,
    DEFINITION,
    IMPORT,
    OFFER,
    PLAN,
    PRICE,
    PROGRAM,
    PUBLISH,
    SCHEDULE,
)

SEATS = requests.RESERVATION
NEW = replace(DEFINITION, capacity=Capacity(4, 12))
COPY = replace(CREATE, offer_id=requests.RESERVATION).offer_id


@pytest.mark.parametrize(
    ("read", "command"),
    [
        (lambda: mapping.create_offer(requests.create(), OFFER), replace(CREATE, definition=NEW)),
        (lambda: mapping.set_price_list(requests.price()), PRICE),
        (lambda: mapping.schedule_sessions(requests.schedule()), SCHEDULE),
        (lambda: mapping.reschedule_offer(requests.reschedule()), RescheduleOffer(OFFER, PLAN)),
        (lambda: mapping.copy_offer(requests.copy(), COPY), CopyOffer(COPY, OFFER, PLAN)),
        (lambda: mapping.set_capacity(requests.capacity()), SetCapacity(OFFER, 3, 20)),
        (lambda: mapping.publish_offer(service.PublishOfferRequest(offer_id=str(OFFER))), PUBLISH),
        (lambda: mapping.close_sales(service.CloseSalesRequest(offer_id=str(OFFER))), CloseSales(OFFER)),
        (lambda: mapping.reopen_sales(service.ReopenSalesRequest(offer_id=str(OFFER))), ReopenSales(OFFER)),
        (lambda: mapping.delete_offer(service.DeleteOfferRequest(offer_id=str(OFFER))), DeleteOffer(OFFER)),
        (lambda: mapping.cancel_offer(requests.cancel(CANCEL.reason)), CANCEL),
        (lambda: mapping.import_offer(requests.row()), IMPORT),
        (
            lambda: mapping.reserve_seats(requests.reserve(), SEATS, requests.QUOTE),
            ReserveSeats(OFFER, SEATS, "ann", 2, "EUR", "P-77", requests.QUOTE),
        ),
        (lambda: mapping.join_waitlist(requests.join(), SEATS), JoinWaitlist(OFFER, SEATS, "ann", 2, "EUR", "P-77")),
        (lambda: mapping.quote_price(requests.quote_price()), QuotePrice(OFFER, 2, "EUR", "P-77")),
        (
            lambda: mapping.confirm_price(requests.confirm_price(), requests.QUOTE),
            ConfirmPrice(OFFER, requests.QUOTE, "P-77"),
        ),
    ],
)
def test_a_request_becomes_the_command_it_means(read: Callable[[], object], command: object) -> None:
    assert read() == command


@pytest.mark.parametrize(
    ("read", "request_type", "command"),
    [
        (mapping.extend_reservation, service.ExtendReservationRequest, ExtendReservation),
        (mapping.confirm_reservation, service.ConfirmReservationRequest, ConfirmReservation),
        (mapping.release_reservation, service.ReleaseReservationRequest, ReleaseReservation),
        (mapping.leave_waitlist, service.LeaveWaitlistRequest, LeaveWaitlist),
    ],
)
def test_a_request_on_a_reservation_names_the_offer_and_the_reservation(
    read: Callable[[Any], object], request_type: type[Any], command: type[Any]
) -> None:
    assert read(request_type(offer_id=str(OFFER), reservation_id=str(SEATS))) == command(OFFER, SEATS)
    with pytest.raises(InvalidField) as caught:
        read(request_type(offer_id="7", reservation_id="8"))
    assert [violation.field for violation in caught.value.violations] == ["offer_id", "reservation_id"]


@pytest.mark.parametrize(
    ("request_type", "read"),
    [
        (service.SetCapacityRequest, mapping.set_capacity),
        (service.PublishOfferRequest, mapping.publish_offer),
        (service.CloseSalesRequest, mapping.close_sales),
        (service.ReopenSalesRequest, mapping.reopen_sales),
        (service.CancelOfferRequest, mapping.cancel_offer),
        (service.DeleteOfferRequest, mapping.delete_offer),
        (service.SetPriceListRequest, mapping.set_price_list),
        (service.ScheduleSessionsRequest, mapping.schedule_sessions),
        (service.RescheduleOfferRequest, mapping.reschedule_offer),
        (service.UpdateOfferRequest, mapping.update_offer),
        (service.QuotePriceRequest, mapping.quote_price),
        (service.ConfirmPriceRequest, lambda request: mapping.confirm_price(request, requests.QUOTE)),
        (service.ReserveSeatsRequest, lambda request: mapping.reserve_seats(request, SEATS, None)),
        (service.JoinWaitlistRequest, lambda request: mapping.join_waitlist(request, SEATS)),
    ],
)
def test_an_offer_is_named_by_a_uuid(request_type: type[Any], read: Callable[[Message], object]) -> None:
    with pytest.raises(InvalidField) as caught:
        read(request_type(offer_id="../7"))
    assert "offer_id" in [violation.field for violation in caught.value.violations]


def test_the_offer_to_copy_is_named_by_a_uuid() -> None:
    request = requests.copy()
    request.source_offer_id = "7"
    with pytest.raises(InvalidField) as caught:
        mapping.copy_offer(request, COPY)
    assert [violation.field for violation in caught.value.violations] == ["source_offer_id"]


def test_no_number_of_seats_means_one() -> None:
    offer_id = str(OFFER)
    assert mapping.quote_price(service.QuotePriceRequest(offer_id=offer_id)).seats == 1
    assert mapping.reserve_seats(service.ReserveSeatsRequest(offer_id=offer_id), SEATS, None).seats == 1
    assert mapping.join_waitlist(service.JoinWaitlistRequest(offer_id=offer_id), SEATS).seats == 1


def test_a_booking_mode_not_given_is_forbid() -> None:
    request = requests.schedule()
    assert request.plan.booking_mode == offer_pb2.BOOKING_MODE_UNSPECIFIED
    assert mapping.schedule_sessions(request).plan.booking_mode is BookingMode.FORBID
    request.plan.booking_mode = offer_pb2.BOOKING_MODE_WARN
    assert mapping.schedule_sessions(request).plan == replace(PLAN, booking_mode=BookingMode.WARN)


def test_a_definition_says_when_it_is_decided_and_who_may_wait() -> None:
    request = requests.create()
    request.definition.decision_deadline.CopyFrom(Timestamp(seconds=1_800_000_000))
    request.definition.cancel_below_minimum = True
    request.definition.waitlist_limit = 0
    assert mapping.create_offer(request, OFFER).definition == replace(
        NEW,
        decision_deadline=datetime(2027, 1, 15, 8, tzinfo=UTC),
        cancel_below_minimum=True,
        waitlist_limit=0,
    )


ALL = {
    "capacity",
    "sales_window",
    "language_codes",
    "decision_deadline",
    "cancel_below_minimum",
    "waitlist_limit",
}


@pytest.mark.parametrize(
    ("paths", "fields"),
    [
        ([], {"program_id", "capacity", "language_codes"}),
        (["sales_window", "waitlist_limit"], {"sales_window", "waitlist_limit"}),
        (["*"], ALL),
        (["*", "capacity"], ALL),
        (["program_id"], {"program_id"}),
    ],
)
def test_a_mask_says_which_fields_are_taken(paths: list[str], fields: set[str]) -> None:
    request = requests.update()
    request.update_mask.CopyFrom(FieldMask(paths=paths))
    assert mapping.update_offer(request) == UpdateOffer(OFFER, NEW, frozenset(fields))
    assert request.definition.program_id == str(PROGRAM)


def test_an_update_names_no_program_and_a_creation_must() -> None:
    update, create = requests.update(), requests.create()
    for definition in (update.definition, create.definition):
        definition.ClearField("program_id")
    assert mapping.update_offer(update).fields == {"capacity", "language_codes"}
    with pytest.raises(InvalidField) as caught:
        mapping.create_offer(create, OFFER)
    assert [violation.field for violation in caught.value.violations] == ["definition.program_id"]


def test_only_an_import_has_an_opening_balance() -> None:
    create, update = requests.create(), requests.update()
    for definition in (create.definition, update.definition):
        definition.capacity.opening_balance = 2
    for read in (lambda: mapping.create_offer(create, OFFER), lambda: mapping.update_offer(update)):
        with pytest.raises(InvalidField) as caught:
            read()
        assert [violation.field for violation in caught.value.violations] == ["definition.capacity.opening_balance"]
    update.update_mask.paths.append("language_codes")
    assert mapping.update_offer(update).fields == {"language_codes"}


def test_a_number_of_seats_not_given_stays_as_it_is() -> None:
    request = service.SetCapacityRequest(offer_id=str(OFFER), maximum=20)
    assert mapping.set_capacity(request) == SetCapacity(OFFER, None, 20)
    request = service.SetCapacityRequest(offer_id=str(OFFER), minimum=0)
    assert mapping.set_capacity(request) == SetCapacity(OFFER, 0, None)


def test_space_around_a_trainer_is_not_part_of_the_id() -> None:
    request = requests.schedule()
    trainers = request.plan.weekly_rules[0].traits.trainer_ids
    trainers[:] = [" t-1", "t-1 ", "t 2"]
    assert mapping.schedule_sessions(request).plan.weekly_rules[0].traits.trainer_ids == ("t-1", "t 2")
    trainers[:] = ["t-1", "  "]
    with pytest.raises(InvalidField) as caught:
        mapping.schedule_sessions(request)
    assert [violation.field for violation in caught.value.violations] == ["plan.weekly_rules[0].traits.trainer_ids[1]"]


@pytest.mark.parametrize("path", ["", "schedule", "capacity.minimum", "sales_window ", "Capacity", "**", "offer_id"])
def test_a_mask_names_fields_of_the_definition_only(path: str) -> None:
    request = requests.update()
    request.update_mask.paths.extend(["capacity", path])
    with pytest.raises(InvalidField) as caught:
        mapping.update_offer(request)
    (violation,) = caught.value.violations
    assert (violation.field, violation.rule, violation.found) == ("update_mask", "field_mask.path", path)
