"""What publishing needs.

Rules (violations of OFFER_INCOMPLETE, all that are broken together):

    schedule                   sessions or an access window
    schedule.ahead             the last session or the access window has not ended
    capacity.seats             at least one seat
    price_list                 a price list; zero is a price
    decision_deadline.ahead    a decision deadline, if there is one, is still to come, and not after the offer's end
"""

from collections.abc import Iterator
from datetime import datetime

from chassis.refusal import Violation
from offer_svc.domain.availability import missed_deadline, missing_seats
from offer_svc.domain.errors import OfferIncomplete
from offer_svc.domain.offer import OfferDefinition
from offer_svc.domain.pricing import PriceList
from offer_svc.domain.schedule import Schedule


def check_complete(
    definition: OfferDefinition, schedule: Schedule | None, price_list: PriceList | None, now: datetime
) -> None:
    """Refuse an offer that lacks what publishing needs, naming everything it lacks."""
    missing = tuple(_missing(definition, schedule, price_list, now))
    if missing:
        raise OfferIncomplete(missing)


def _missing(
    definition: OfferDefinition, schedule: Schedule | None, price_list: PriceList | None, now: datetime
) -> Iterator[Violation]:
    if schedule is None:
        yield Violation("schedule", "schedule", "none", "sessions or an access window")
    elif schedule.end_time is not None and schedule.end_time <= now:
        yield Violation(
            "schedule", "schedule.ahead", f"ended {schedule.end_time.isoformat()}", f"an end after {now.isoformat()}"
        )
    yield from missing_seats(definition.capacity)
    if price_list is None:
        yield Violation("price_list", "price_list", "none", "a price list; zero is a price")
    yield from missed_deadline(definition.decision_deadline, schedule, now)
