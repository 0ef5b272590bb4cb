"""Capacity and sales window: how many people can take part, and when they can book.

Rules (metadata `rule` of CAPACITY_INVALID):

    capacity.minimum            from zero to the maximum
    capacity.opening_balance    from zero to the maximum
    capacity.seats              at least one seat; needed to publish and by every import
    sales_window                some instant lies in it
    waitlist_limit              no limit, or at least zero entries
    decision_deadline.ahead     of a published offer: still to come, and not after the offer's end
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from chassis.refusal import Violation
from offer_svc.domain.errors import CapacityInvalid, instant
from offer_svc.domain.schedule import Schedule
from offer_svc.domain.window import Window


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many people can take part; `opening_balance` seats were taken elsewhere before an import, without names."""

    minimum: int = 0
    maximum: int = 0
    opening_balance: int = 0


def check_availability(capacity: Capacity, sales_window: Window, waitlist_limit: int | None = None) -> None:
    """Refuse numbers that contradict each other, or a sales window in which nothing can be sold."""
    _refuse(tuple(_broken(capacity, sales_window, waitlist_limit)))


def check_importable(capacity: Capacity, sales_window: Window, waitlist_limit: int | None = None) -> None:
    """Refuse what `check_availability` refuses and a capacity without seats: an import is public at once."""
    _refuse((*_broken(capacity, sales_window, waitlist_limit), *missing_seats(capacity)))


def check_seats(capacity: Capacity) -> None:
    """Refuse a minimum that contradicts the maximum, and a capacity without seats."""
    _refuse((*_broken_share(capacity, "minimum"), *missing_seats(capacity)))


def check_deadline(deadline: datetime | None, schedule: Schedule | None, now: datetime) -> None:
    """Refuse a deadline that would be decided at once, or never."""
    _refuse(missed_deadline(deadline, schedule, now))


def missed_deadline(deadline: datetime | None, schedule: Schedule | None, now: datetime) -> tuple[Violation, ...]:
    """Report a decision deadline of a public offer that has passed, or comes after the offer's end."""
    end = None if schedule is None else schedule.end_time
    if deadline is None or (now < deadline and (end is None or deadline <= end)):
        return ()
    needed = f"after {instant(now)}" + ("" if end is None else f" and not after {instant(end)}")
    return (Violation("decision_deadline", "decision_deadline.ahead", instant(deadline), needed),)


def missing_seats(capacity: Capacity) -> tuple[Violation, ...]:
    """Report a capacity without a seat."""
    if capacity.maximum >= 1:
        return ()
    return (Violation("capacity.maximum", "capacity.seats", str(capacity.maximum), "at least 1"),)


def _refuse(broken: tuple[Violation, ...]) -> None:
    if broken:
        raise CapacityInvalid(broken)


def _broken(capacity: Capacity, sales_window: Window, waitlist_limit: int | None) -> Iterator[Violation]:
    yield from _broken_share(capacity, "minimum")
    yield from _broken_share(capacity, "opening_balance")
    if sales_window.is_empty:
        found_window = f"{sales_window.start} to {sales_window.end}"
        yield Violation("sales_window", "sales_window", found_window, "a start before its end")
    if waitlist_limit is not None and waitlist_limit < 0:
        yield Violation("waitlist_limit", "waitlist_limit", str(waitlist_limit), "at least 0 entries")


def _broken_share(capacity: Capacity, field: str) -> Iterator[Violation]:
    found: int = getattr(capacity, field)
    if not 0 <= found <= capacity.maximum:
        name = f"capacity.{field}"
        yield Violation(name, name, str(found), f"from 0 to the maximum, {capacity.maximum}")
