"""What the rules of training offers refuse.

    Refusal
    ├── ResourceNotFound            there is no such offer or reservation (`offer_not_found`, `reservation_not_found`)
    ├── ResourceExists              the id is taken (`offer_exists`, `reservation_exists`)
    └── OfferRefusal
        ├── OfferState              the state does not allow the command
        ├── ProgramNotReleased      the program is not known as released
        ├── ProgramRetired          the program is retired
        ├── OfferIncomplete         publishing needs more
        ├── SessionsOverlap         two sessions of the offer overlap
        ├── DoubleBooking           a room or a trainer is booked by another offer
        ├── PriceListInvalid        the price list breaks rules of pricing
        ├── ScheduleInvalid         the plan breaks rules of scheduling
        ├── CapacityInvalid         the capacity, the sales window or the waitlist breaks rules of availability
        ├── CapacityBelowTaken      the capacity would be smaller than what is taken
        ├── FieldLocked             the field can't be changed in this state, or never
        └── SalesRefusal            (in `sales_errors`)
            ├── NotOnSale           the offer can't be booked now
            ├── NoSeats             the seats wanted are not free, or others wait for them
            ├── AlreadyReserved     the participant has a live reservation
            ├── NoPrice             no tier applies
            ├── QuoteInvalid        the quote is no quote, or one for something else
            ├── QuoteExpired        the price is not promised any more
            ├── TierSoldOut         too few seats are left at the price quoted
            ├── HoldRanOut          the hold has expired
            ├── HoldLimit           the hold can't be extended further
            ├── ReservationUnfit    the reservation's state does not allow the command
            ├── TooLateToLeave      the offer has begun
            ├── WaitlistNotNeeded   the seats wanted are free
            ├── WaitlistFull        the waitlist takes no more entries
            └── NoWaitlist          there is no waitlist

Where several rules are broken, the metadata name the first. The rules' names stand in `pricing`, `scheduling`,
`availability` and `completeness`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from chassis.refusal import Refusal, ResourceExists, ResourceNotFound, Violation

RESOURCE_TYPE: Final = "training.offer.v1.Offer"
RESERVATION_TYPE: Final = "training.offer.v1.Reservation"


def offer_not_found(offer_id: UUID) -> ResourceNotFound:
    """Say that there is no such offer."""
    return ResourceNotFound(f"There is no offer {offer_id}.", metadata=_resource(offer_id))


def offer_exists(offer_id: UUID) -> ResourceExists:
    """Say that the id is taken; by an import: that the offer exists and differs."""
    return ResourceExists(f"The offer {offer_id} exists already.", metadata=_resource(offer_id))


def reservation_not_found(reservation_id: UUID) -> ResourceNotFound:
    """Say that the offer has no such reservation."""
    return ResourceNotFound(f"There is no reservation {reservation_id}.", metadata=_reservation(reservation_id))


def reservation_exists(reservation_id: UUID) -> ResourceExists:
    """Say that the id is taken."""
    return ResourceExists(f"The reservation {reservation_id} exists already.", metadata=_reservation(reservation_id))


def _reservation(reservation_id: UUID) -> dict[str, str]:
    return {"resource_type": RESERVATION_TYPE, "resource_name": str(reservation_id)}


def _resource(offer_id: UUID) -> dict[str, str]:
    return {"resource_type": RESOURCE_TYPE, "resource_name": str(offer_id)}


class OfferRefusal(Refusal):
    """A refusal by a rule of offers."""


class OfferState(OfferRefusal):
    """The state does not allow the command; metadata: `state`, `command`."""

    reason = "OFFER_STATE"

    def __init__(self, state: str, command: object) -> None:
        name = type(command).__name__
        super().__init__(
            f"{name} is not possible while the offer is {state}.", metadata={"state": state, "command": name}
        )


class ProgramNotReleased(OfferRefusal):
    """The program is not known as released; metadata: `program_id`, `state`."""

    reason = "PROGRAM_NOT_RELEASED"

    def __init__(self, program_id: UUID) -> None:
        super().__init__(
            f"The program {program_id} is not known as released.",
            {"program_id": str(program_id), "state": "UNKNOWN"},
        )


class ProgramRetired(OfferRefusal):
    """No offer of a retired program can be created or published; metadata: `program_id`."""

    reason = "PROGRAM_RETIRED"

    def __init__(self, program_id: UUID) -> None:
        super().__init__(f"The program {program_id} is retired.", {"program_id": str(program_id)})


class OfferIncomplete(OfferRefusal):
    """The offer lacks what publishing needs; everything missing is listed."""

    reason = "OFFER_INCOMPLETE"

    def __init__(self, missing: Sequence[Violation]) -> None:
        super().__init__(f"The offer lacks what publishing needs: {_rules(missing)}.", violations=tuple(missing))


class SessionsOverlap(OfferRefusal):
    """Two sessions of the offer overlap; metadata: `first`, `second` (their starts)."""

    reason = "SESSIONS_OVERLAP"

    def __init__(self, first: datetime, second: datetime) -> None:
        super().__init__(
            f"The sessions that start at {instant(first)} and {instant(second)} overlap.",
            {"first": instant(first), "second": instant(second)},
        )


class DoubleBooking(OfferRefusal):
    """A room or a trainer is booked by another offer; metadata: `resource`, `start`, `end`."""

    reason = "DOUBLE_BOOKING"

    def __init__(self, resource: str, start: datetime, end: datetime) -> None:
        super().__init__(
            f"{resource} is booked by another offer from {instant(start)} to {instant(end)}.",
            {"resource": resource, "start": instant(start), "end": instant(end)},
        )


class PriceListInvalid(OfferRefusal):
    """The price list breaks rules of pricing; metadata: `rule`, `tier` (empty for a rule of the whole list)."""

    reason = "PRICE_LIST_INVALID"

    def __init__(self, broken: Sequence[tuple[str, Violation]]) -> None:
        violations = tuple(violation for _, violation in broken)
        super().__init__(
            f"The price list is invalid: {_rules(violations)}.",
            {"rule": violations[0].rule, "tier": broken[0][0]},
            violations,
        )


class ScheduleInvalid(OfferRefusal):
    """The plan breaks rules of scheduling; metadata: `rule`."""

    reason = "SCHEDULE_INVALID"

    def __init__(self, broken: Sequence[Violation]) -> None:
        super().__init__(f"The schedule is invalid: {_rules(broken)}.", {"rule": broken[0].rule}, tuple(broken))


class CapacityInvalid(OfferRefusal):
    """The capacity, the sales window or the waitlist breaks rules of availability; metadata: `rule`."""

    reason = "CAPACITY_INVALID"

    def __init__(self, broken: Sequence[Violation]) -> None:
        super().__init__(f"The capacity is invalid: {_rules(broken)}.", {"rule": broken[0].rule}, tuple(broken))


class CapacityBelowTaken(OfferRefusal):
    """The capacity would be smaller than what is taken; metadata: `taken`, `wanted`."""

    reason = "CAPACITY_BELOW_TAKEN"

    def __init__(self, taken: int, wanted: int) -> None:
        super().__init__(
            f"{taken} seats are taken: {wanted} are too few.", {"taken": str(taken), "wanted": str(wanted)}
        )


class FieldLocked(OfferRefusal):
    """The field can't be changed in this state, or never; metadata: `field`, `state`."""

    reason = "FIELD_LOCKED"

    def __init__(self, field: str, state: str) -> None:
        super().__init__(f"{field} can't be changed while the offer is {state}.", {"field": field, "state": state})


def _rules(violations: Sequence[Violation]) -> str:
    return ", ".join(dict.fromkeys(violation.rule for violation in violations))


def instant(moment: datetime) -> str:
    """Write an instant as metadata have it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
