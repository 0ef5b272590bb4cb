"""What publishing needs.

Rules (violations of OFFER_INCOMPLETE, all that are broken together):

    schedule          sessions or an access window
    schedule.ahead    the last session or the access window has not ended
    capacity.seats    at least one seat
    price_list        a price list; zero is a price
"""

from collections.abc import Iterator
from datetime import datetime

from chassis.refusal import Violation
from offer_svc.domain.availability import Capacity, missing_seats
from offer_svc.domain.errors import OfferIncomplete
from offer_svc.domain.pricing import PriceList
from offer_svc.domain.schedule import Schedule


def check_complete(schedule: Schedule | None, capacity: Capacity, price_list: PriceList | None, now: datetime) -> None:
    """Refuse an offer that lacks what publishing needs, naming everything it lacks."""
    missing = tuple(_missing(schedule, capacity, price_list, now))
    if missing:
        raise OfferIncomplete(missing)


def _missing(
    schedule: Schedule | None, capacity: Capacity, price_list: PriceList | None, now: datetime
) -> Iterator[Violation]:
    if schedule is None:
        yield Violation("schedule", "schedule", "none", "sessions or an access window")
    elif schedule.end_time is not None and schedule.end_time <= now:
        yield Violation(
            "schedule", "schedule.ahead", f"ended {schedule.end_time.isoformat()}", f"an end after {now.isoformat()}"
        )
    yield from missing_seats(capacity)
    if price_list is None:
        yield Violation("price_list", "price_list", "none", "a price list; zero is a price")
