"""What a revision keeps to itself, and what the history tells of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training.offer.v1 import events_pb2 as pb
from training.offer.v1 import offer_pb2

from offer_svc.adapters.mapping import history_entry, record, to_message
from offer_svc.adapters.mapping_history import _CHANGED_FIELDS
from offer_svc.adapters.mapping_values import instant_message
from offer_svc.domain import changes as kinds
from offer_svc.domain.changes import Change
from offer_svc.domain.commands import Command, ConfirmReservation, ReserveSeats, ScheduleSessions, SetCapacity
from offer_svc.domain.decide import decide
from offer_svc.domain.offer import State
from offer_svc.domain.reservation import Reservation
from offer_svc.domain.schedule import SchedulePlan
from tests.unit.offer import requests, stored
from tests.unit.offer.sale import draft, on_sale, sold_out
from tests.unit.offer.samples import CANCEL, CONTEXT, DEFINITION, IMPORT, NOW, OFFER, ONLINE, after, in_state, single

NAMES: dict[type[Change], str] = {
    kinds.OfferCreated: "created",
    kinds.DefinitionChanged: "definition_changed",
    kinds.PriceListSet: "price_list_set",
    kinds.SessionsScheduled: "sessions_scheduled",
    kinds.OfferMoved: "moved",
    kinds.CapacitySet: "capacity_set",
    kinds.OfferMadePublic: "made_public",
    kinds.SalesClosed: "sales_closed",
    kinds.SalesReopened: "sales_reopened",
    kinds.OfferCalledOff: "called_off",
    kinds.OfferDeleted: "deleted",
    kinds.OfferEnded: "ended",
    kinds.MinimumDecided: "minimum_decided",
    kinds.SeatsHeld: "seats_held",
    kinds.HoldExtended: "hold_extended",
    kinds.SeatsConfirmed: "seats_confirmed",
    kinds.SeatsReleased: "seats_released",
    kinds.HoldExpired: "hold_expired",
    kinds.WaitlistJoined: "waitlist_joined",
    kinds.WaitlistLeft: "waitlist_left",
    kinds.WaitlistPromoted: "waitlist_promoted",
    kinds.PromotionPending: "promotion_pending",
    kinds.ParticipantErased: "participant_erased",
}
KINDS = {field.name for field in pb.OfferChange.DESCRIPTOR.fields}
OFFER_FIELDS = {field.name for field in offer_pb2.Offer.DESCRIPTOR.fields}


@dataclass(frozen=True)
class Row:
    """A revision as the journal has it."""

    revision: int
    recorded_at: datetime
    principal: str
    private: bytes


def kept(changes: Sequence[Change]) -> pb.OfferRevisionRecord:
    """Return the private record of some changes."""
    return pb.OfferRevisionRecord.FromString(record("Some", changes))


def told(command: str, changes: Sequence[Change]) -> pb.HistoryEntry:
    """Return the history's entry of some changes."""
    return history_entry(Row(7, NOW, "olga", record(command, changes)))


def test_every_change_has_its_kind() -> None:
    assert (
        set(NAMES) == set(get_args(kinds.ReservationChange)) | set(get_args(kinds.OfferChange)) == set(stored.CHANGES)
    )
    assert set(NAMES.values()) == KINDS
    assert set(_CHANGED_FIELDS) == KINDS - {"created", "definition_changed"}
    assert {name for names in _CHANGED_FIELDS.values() for name in names} <= OFFER_FIELDS


@settings(max_examples=30, deadline=None)
@pytest.mark.parametrize("kind", list(NAMES), ids=lambda kind: NAMES[kind])
@given(data=st.data())
def test_every_change_is_kept_and_told(kind: type[Change], data: st.DataObject) -> None:
    change = data.draw(stored.CHANGES[kind])
    private = record("Some", (change,))
    (message,) = pb.OfferRevisionRecord.FromString(private).changes
    assert message.WhichOneof("kind") == NAMES[kind]
    entry = history_entry(Row(3, NOW, "olga", private))
    assert list(entry.changes) == [message]
    assert set(entry.changed_fields) <= OFFER_FIELDS


@settings(max_examples=50)
@given(stored.reservations, st.sampled_from(get_args(kinds.ReservationChange)))
def test_a_reservation_is_named_by_its_id(reservation: Reservation, kind: type[kinds.ReservationChange]) -> None:
    extra = (reservation.state,) if kind is kinds.SeatsReleased else ()
    change = kind(reservation, *extra)
    (message,) = kept((change,)).changes
    expected = pb.ReservationChanged(reservation_id=str(reservation.reservation_id), seats=reservation.seats)
    if reservation.expire_time is not None:
        expected.expire_time.CopyFrom(instant_message(reservation.expire_time))
    assert getattr(message, NAMES[kind]) == expected


def test_the_private_record_keeps_every_change_in_order() -> None:
    private = pb.OfferRevisionRecord.FromString(record("ImportOffer", decide(None, IMPORT, CONTEXT)))
    stored_offer = to_message(after(IMPORT))
    assert private.command == "ImportOffer"
    created, scheduled, priced, public = private.changes
    assert created.created.program_id == stored_offer.program_id
    assert created.created.capacity == stored_offer.capacity
    assert list(created.created.language_codes) == ["en", "de-AT"]
    assert scheduled.sessions_scheduled.schedule == stored_offer.schedule
    assert scheduled.sessions_scheduled.booking_mode == offer_pb2.BOOKING_MODE_FORBID
    assert priced.price_list_set.price_list == stored_offer.price_list
    assert public.WhichOneof("kind") == "made_public"


def test_the_private_record_of_a_cancellation_keeps_the_reason() -> None:
    (change,) = kept(decide(in_state(State.PUBLISHED), CANCEL, CONTEXT)).changes
    assert change.called_off.cancellation.reason == CANCEL.reason


def test_neither_participants_nor_codes_nor_prices_of_reservations_are_kept() -> None:
    sale = sold_out()
    sale.join("Cem-4711")
    quoted = ReserveSeats(OFFER, requests.RESERVATION, "Dea-4711", 2, "EUR", "P-4711", requests.QUOTE)
    held = on_sale().do(quoted)
    for changes in (held, sale.do(ConfirmReservation(OFFER, sale.of("Ben").reservation_id))):
        private = record("Some", changes)
        for secret in (b"4711", b"Ben", b"Standard", b"EUR"):
            assert secret not in private


def test_the_history_says_who_when_and_by_which_command() -> None:
    entry = told("ImportOffer", decide(None, IMPORT, CONTEXT))
    assert (entry.revision, entry.actor, entry.command) == (7, "olga", "ImportOffer")
    assert entry.time == instant_message(NOW)
    assert [change.WhichOneof("kind") for change in entry.changes] == [
        "created",
        "sessions_scheduled",
        "price_list_set",
        "made_public",
    ]


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (SetCapacity(OFFER, 1, 11), ["capacity"]),
        (CANCEL, ["state", "cancellation", "seats"]),
        (ReserveSeats(OFFER, requests.RESERVATION, "Ann", 1, "EUR"), ["seats"]),
    ],
)
def test_the_history_names_the_fields_that_changed(command: Command, names: list[str]) -> None:
    changes = on_sale().do(command)
    assert list(told("Some", changes).changed_fields) == names


def test_each_changed_field_is_named_once() -> None:
    entry = told("ImportOffer", decide(None, IMPORT, CONTEXT))
    assert list(entry.changed_fields) == [
        "state",
        "program_id",
        "capacity",
        "language_codes",
        "schedule",
        "booking_mode",
        "price_list",
        "publish_time",
    ]


def test_an_update_names_what_it_changed() -> None:
    other = kinds.DefinitionChanged(DEFINITION, ("language_codes", "waitlist_limit"))
    assert list(told("UpdateOffer", (other,)).changed_fields) == ["language_codes", "waitlist_limit"]


def test_a_change_of_a_later_version_is_told_as_it_is() -> None:
    unknown = pb.OfferRevisionRecord(command="Later", changes=[pb.OfferChange()]).SerializeToString()
    entry = history_entry(Row(1, NOW, "olga", unknown))
    assert (entry.command, list(entry.changed_fields), len(entry.changes)) == ("Later", [], 1)


def test_the_schedule_is_kept_with_its_join_uris_for_those_who_manage() -> None:
    plan = SchedulePlan(sessions=(single("2027-03-01T09:00", "2027-03-01T10:00", traits=ONLINE),))
    assert ONLINE.join_uri.encode() in record("ScheduleSessions", draft().do(ScheduleSessions(OFFER, plan)))
