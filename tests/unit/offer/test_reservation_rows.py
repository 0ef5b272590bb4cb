"""What a commit writes of reservations, after one revision and after several."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from offer_svc.adapters.effects import merge_effects, row_effects
from offer_svc.domain.changes import (
    Change,
    OfferCalledOff,
    OfferMadePublic,
    ParticipantErased,
    SeatsConfirmed,
    SeatsHeld,
    SeatsReleased,
)
from offer_svc.domain.offer import Cancellation, Offer, OfferDefinition, State
from offer_svc.domain.pricing import ApplicablePrice, Money, TaxTreatment
from offer_svc.domain.reservation import Reservation, ReservationState

NOW = datetime(2027, 3, 1, tzinfo=UTC)
OFFER = Offer(UUID(int=1), OfferDefinition(UUID(int=2)), State.PUBLISHED, 3, 3, NOW, NOW, NOW)
HELD = Reservation(
    UUID(int=7),
    OFFER.offer_id,
    "ann",
    ReservationState.HELD,
    2,
    ApplicablePrice("Standard", Money("EUR", Decimal(490)), TaxTreatment.NONE, None),
    NOW,
    NOW,
    hold_time=NOW,
    expire_time=NOW + timedelta(minutes=10),
)
CONFIRMED = replace(HELD, state=ReservationState.CONFIRMED, expire_time=None, update_time=NOW + timedelta(seconds=1))
RELEASED = replace(CONFIRMED, state=ReservationState.RELEASED)


def details(reservation: Reservation) -> bytes:
    """Write what can be told apart."""
    return reservation.state.name.encode()


def effects(*changes: Change) -> dict[str, object]:
    """Return the parameters of one revision."""
    found = row_effects(OFFER, OFFER, changes, details)
    assert found is not None
    return dict(found)


def merged(*revisions: Sequence[Change]) -> dict[str, object]:
    """Return the parameters of several revisions."""
    each = [row_effects(OFFER, OFFER, changes, details) for changes in revisions]
    return dict(merge_effects([one for one in each if one is not None]))


def test_a_revision_that_changes_nothing_beside_the_offer_has_no_parameters() -> None:
    assert row_effects(OFFER, OFFER, (OfferMadePublic(),), details) is None


def test_a_new_reservation_is_made_with_its_participant() -> None:
    found = effects(SeatsHeld(HELD))
    assert (found["made_reservation_id"], found["made_participant"]) == ([HELD.reservation_id], ["ann"])
    assert (found["made_status"], found["made_expires_at"]) == ([2], [HELD.expire_time])
    assert found["changed_reservation_id"] == []


def test_a_change_never_writes_a_participant() -> None:
    found = effects(SeatsConfirmed(CONFIRMED))
    assert (found["changed_reservation_id"], found["changed_status"]) == ([HELD.reservation_id], [3])
    assert found["made_participant"] == []
    assert not any("ann" in value for value in found.values() if isinstance(value, list))


def test_what_one_batch_makes_and_changes_is_made_as_it_is_in_the_end() -> None:
    found = merged((SeatsHeld(HELD),), (SeatsConfirmed(CONFIRMED),), (SeatsReleased(RELEASED, CONFIRMED.state),))
    assert (found["made_reservation_id"], found["made_status"]) == ([HELD.reservation_id], [4])
    assert (found["made_participant"], found["made_details"]) == (["ann"], [b"RELEASED"])
    assert (found["made_expires_at"], found["made_created_at"]) == ([None], [NOW])
    assert found["changed_reservation_id"] == []


def test_what_is_changed_twice_is_written_once() -> None:
    found = merged((SeatsConfirmed(CONFIRMED),), (SeatsReleased(RELEASED, CONFIRMED.state),))
    assert (found["changed_reservation_id"], found["changed_details"]) == ([HELD.reservation_id], [b"RELEASED"])


def test_calling_off_ends_all_that_is_live_by_its_state() -> None:
    found = effects(OfferCalledOff(Cancellation("flood", NOW)))
    pairs = zip(*(found[name] for name in ("ended_from", "ended_to")), strict=True)
    assert dict(pairs) == {1: 4, 2: 4, 3: 6}
    assert found["ended_at"] == OFFER.update_time


def test_erasing_names_the_reservations_and_nothing_else() -> None:
    found = effects(ParticipantErased((HELD.reservation_id,)))
    assert (found["erased_ids"], found["changed_reservation_id"], found["ended_at"]) == (
        [HELD.reservation_id],
        [],
        None,
    )


def test_only_an_offers_effects_can_be_merged() -> None:
    with pytest.raises(TypeError):
        merge_effects([{}, {}])
