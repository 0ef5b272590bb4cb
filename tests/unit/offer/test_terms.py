"""What a manager changes of an offer: definition, capacity, prices, and the end of its draft."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chassis.refusal import InvalidField
from offer_svc.domain.availability import Capacity
from offer_svc.domain.bookings import held_by
from offer_svc.domain.changes import CapacitySet, DefinitionChanged
from offer_svc.domain.commands import (
    CloseSales,
    ConfirmReservation,
    DeleteOffer,
    ReopenSales,
    SetCapacity,
    SetPriceList,
    UpdateOffer,
)
from offer_svc.domain.errors import CapacityInvalid
from offer_svc.domain.offer import OfferDefinition
from offer_svc.domain.pricing import Money, PriceList
from offer_svc.domain.schedule import SchedulePlan
from offer_svc.domain.window import Window
from tests.unit.offer.sale import ENDS, HOUR, MINUTE, draft, id_of, on_sale, sold_out
from tests.unit.offer.samples import CREATE, DEFINITION, IMPORT, NOW, OFFER, PROGRAM, TIER

NEW: dict[str, Any] = {
    "capacity": Capacity(1, 5, 3),
    "sales_window": Window(NOW),
    "language_codes": ("fr",),
    "decision_deadline": NOW + HOUR,
    "cancel_below_minimum": True,
    "waitlist_limit": 7,
}


def update(**values: Any) -> UpdateOffer:  # noqa: ANN401 - any field of the definition
    """Change some fields; the others of the definition given differ too, and do not count."""
    given = OfferDefinition(id_of("other"), Capacity(8, 9), Window(NOW, NOW + MINUTE), ("xx",), NOW, True, 99)  # noqa: FBT003 - in the fields' order
    return UpdateOffer(OFFER, replace(given, **values), frozenset(values))


@pytest.mark.parametrize("name", NEW)
def test_an_update_changes_the_fields_it_names_and_no_other(name: str) -> None:
    sale = draft()
    changes = sale.do(update(**{name: NEW[name]}))
    expected = replace(DEFINITION, **{name: NEW[name]})
    assert changes == (DefinitionChanged(expected, (name,)),)
    assert sale.offer.definition == expected
    assert sale.offer.definition_revision == sale.offer.revision


def test_an_update_names_the_fields_that_it_changes_and_does_nothing_if_there_are_none() -> None:
    sale = on_sale()
    changes = sale.do(update(waitlist_limit=3, language_codes=("fr",), capacity=DEFINITION.capacity))
    assert [change.fields for change in changes if isinstance(change, DefinitionChanged)] == [
        ("language_codes", "waitlist_limit")
    ]
    assert sale.do(update(waitlist_limit=3)) == ()
    assert sale.do(UpdateOffer(OFFER, DEFINITION, frozenset())) == ()


def test_the_program_of_an_offer_never_changes_nor_by_update_the_capacity_of_a_published_one() -> None:
    for sale, field in ((draft(), "program_id"), (on_sale(), "program_id"), (on_sale(), "capacity")):
        value = {"program_id": id_of("other"), "capacity": Capacity(0, 50)}[field]
        found = sale.refusal(update(**{field: value}))
        assert (found.reason, found.metadata) == ("FIELD_LOCKED", {"field": field, "state": sale.offer.state.name})


def test_an_update_of_what_is_no_field_is_refused() -> None:
    found = draft().refusal(UpdateOffer(OFFER, DEFINITION, frozenset({"waitlist_limit", "prices", "__class__x"})))
    assert isinstance(found, InvalidField)
    assert [violation.field for violation in found.violations] == ["__class__x", "prices"]


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"capacity": Capacity(3, 2)}, "capacity.minimum"),
        ({"capacity": Capacity(1, 2, 3)}, "capacity.opening_balance"),
        ({"sales_window": Window(NOW, NOW)}, "sales_window"),
        ({"waitlist_limit": -1}, "waitlist_limit"),
    ],
)
def test_a_definition_keeps_its_rules_however_it_is_given(values: dict[str, Any], rule: str) -> None:
    definition = replace(DEFINITION, **values)
    sale = draft()
    sale.state = None
    for found in (
        draft().refusal(update(**values)),
        sale.refusal(replace(CREATE, definition=definition)),
        sale.refusal(replace(IMPORT, definition=definition)),
    ):
        assert isinstance(found, CapacityInvalid)
        assert found.metadata == {"rule": rule}


def test_capacity_can_not_go_under_held_and_confirmed_and_the_opening_balance() -> None:
    sale = sold_out()
    found = sale.refusal(SetCapacity(OFFER, 4, 11))
    assert (found.reason, found.metadata) == ("CAPACITY_BELOW_TAKEN", {"taken": "12", "wanted": "11"})
    assert sale.do(SetCapacity(OFFER, 4, 12)) == ()
    assert sale.do(SetCapacity(OFFER, 5, 13)) == (CapacitySet(Capacity(5, 13, 2)),)
    assert (sale.left, sale.offer.definition_revision) == (1, sale.offer.revision)


def test_a_capacity_has_a_seat_and_a_minimum_within_it() -> None:
    for minimum, maximum, rule in ((0, 0, "capacity.seats"), (5, 4, "capacity.minimum"), (-1, 4, "capacity.minimum")):
        found = on_sale().refusal(SetCapacity(OFFER, minimum, maximum))
        assert (found.reason, found.metadata) == ("CAPACITY_INVALID", {"rule": rule})


def test_a_number_of_seats_that_is_not_given_stays_as_it_is() -> None:
    sale = on_sale()
    assert sale.do(SetCapacity(OFFER, maximum=20)) == (CapacitySet(Capacity(4, 20, 2)),)
    assert sale.do(SetCapacity(OFFER, minimum=0)) == (CapacitySet(Capacity(0, 20, 2)),)
    assert sale.do(SetCapacity(OFFER)) == ()
    assert sale.refusal(SetCapacity(OFFER, minimum=21)).metadata == {"rule": "capacity.minimum"}


@pytest.mark.parametrize("deadline", [NOW, NOW - MINUTE, ENDS + MINUTE])
def test_the_deadline_of_a_published_offer_is_still_to_come_and_not_after_its_end(deadline: datetime) -> None:
    found = on_sale().refusal(update(decision_deadline=deadline))
    assert (found.reason, found.metadata) == ("CAPACITY_INVALID", {"rule": "decision_deadline.ahead"})
    assert draft().do(update(decision_deadline=deadline))


@pytest.mark.parametrize("deadline", [None, NOW + MINUTE, ENDS])
def test_the_deadline_of_a_published_offer_can_be_moved_or_dropped(deadline: datetime | None) -> None:
    sale = on_sale(replace(DEFINITION, decision_deadline=NOW + HOUR))
    assert sale.do(update(decision_deadline=deadline))
    open_ended = on_sale(plan=SchedulePlan(access_window=Window(NOW)))
    assert bool(open_ended.do(update(decision_deadline=deadline))) is (deadline is not None)


def test_other_fields_change_though_the_deadline_has_passed() -> None:
    sale = on_sale(replace(DEFINITION, decision_deadline=NOW + HOUR))
    sale.now += 2 * HOUR
    assert sale.do(update(waitlist_limit=3, decision_deadline=NOW + HOUR))


def test_price_changes_never_touch_reservations() -> None:
    sale = sold_out()
    before = (sale.of("Ann"), sale.of("Ben"), sale.offer.seats)
    sale.do(SetPriceList(OFFER, PriceList((replace(TIER, name="New", price=Money("CHF", TIER.price.amount)),))))
    assert (sale.of("Ann"), sale.of("Ben"), sale.offer.seats) == before
    sale.do(ConfirmReservation(OFFER, id_of("Ben")))
    assert sale.of("Ben").price == before[1].price


def test_everything_a_manager_edits_changes_the_definition() -> None:
    sale = on_sale()
    for command in (CloseSales(OFFER), ReopenSales(OFFER), SetCapacity(OFFER, 0, 99), update(waitlist_limit=1)):
        sale.now += MINUTE
        sale.do(command)
        assert (sale.offer.definition_revision, sale.offer.definition_time) == (sale.offer.revision, sale.now)


def test_a_deleted_draft_leaves_nothing_but_its_id() -> None:
    sale = draft()
    sale.now += timedelta(hours=1)
    sale.do(DeleteOffer(OFFER))
    gone = sale.offer
    assert (gone.offer_id, gone.revision, gone.update_time) == (OFFER, 4, sale.now)
    assert gone.definition == OfferDefinition(PROGRAM)
    assert (gone.schedule, gone.booking_mode, gone.price_list, gone.source_offer_id) == (None, None, None, None)
    assert held_by(gone) == ()
