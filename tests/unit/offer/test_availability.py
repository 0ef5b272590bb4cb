"""Each rule of capacity and sales window bites, by its name."""

from datetime import timedelta

import pytest

from offer_svc.domain.availability import Capacity, check_availability, check_importable
from offer_svc.domain.errors import CapacityInvalid
from offer_svc.domain.window import ALWAYS, Window
from tests.unit.offer.samples import NOW


def broken(capacity: Capacity, sales_window: Window = ALWAYS, *, importing: bool = False) -> list[str]:
    """Return the rules that are broken."""
    try:
        (check_importable if importing else check_availability)(capacity, sales_window)
    except CapacityInvalid as refusal:
        return [violation.rule for violation in refusal.violations]
    return []


@pytest.mark.parametrize("minimum", [-1, 13])
def test_capacity_minimum_is_from_zero_to_the_maximum(minimum: int) -> None:
    assert broken(Capacity(minimum, 12)) == ["capacity.minimum"]
    assert broken(Capacity(12, 12)) == []


@pytest.mark.parametrize("taken", [-1, 13])
def test_capacity_opening_balance_is_from_zero_to_the_maximum(taken: int) -> None:
    assert broken(Capacity(0, 12, taken)) == ["capacity.opening_balance"]
    assert broken(Capacity(0, 12, 12)) == []


def test_capacity_seats_an_import_needs_one_and_a_draft_does_not() -> None:
    assert broken(Capacity(), importing=True) == ["capacity.seats"]
    assert broken(Capacity(0, 1), importing=True) == []
    assert broken(Capacity()) == []


def test_sales_window_contains_some_instant() -> None:
    assert broken(Capacity(0, 1), Window(NOW, NOW)) == ["sales_window"]
    assert broken(Capacity(0, 1), Window(NOW, NOW + timedelta(seconds=1))) == []


def test_the_metadata_name_the_first_rule() -> None:
    with pytest.raises(CapacityInvalid) as caught:
        check_availability(Capacity(2, 0, 3), ALWAYS)
    assert caught.value.metadata == {"rule": "capacity.minimum"}


def test_every_violation_is_listed() -> None:
    assert broken(Capacity(2, 0, 3), Window(NOW, NOW), importing=True) == [
        "capacity.minimum",
        "capacity.opening_balance",
        "sales_window",
        "capacity.seats",
    ]
