"""What readers are told of a revision, if it changed anything that they see.

They see no draft, and nothing that a public offer keeps from them. Whatever they see must be compared here: the public
state of an offer that was told nothing new of is the one that was told last.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Final

from offer_svc.domain.changes import Change, OfferCalledOff, OfferEnded, OfferMadePublic, OfferMoved
from offer_svc.domain.offer import Offer, State
from offer_svc.domain.seats import Seats


class Told(Enum):
    """What readers are told of one revision."""

    PUBLISHED = auto()
    REPRICED = auto()
    CANCELLED = auto()
    RESCHEDULED = auto()
    AVAILABILITY_CHANGED = auto()
    UPDATED = auto()
    AT_RISK = auto()
    COMPLETED = auto()


_UNSEEN: Final = frozenset({State.DRAFT, State.DELETED})
_STEPS: Final[Mapping[type[Change], Told]] = {
    OfferMadePublic: Told.PUBLISHED,
    OfferCalledOff: Told.CANCELLED,
    OfferEnded: Told.COMPLETED,
    OfferMoved: Told.RESCHEDULED,
}


def told(before: Offer | None, after: Offer, changes: Sequence[Change]) -> Told | None:
    """Return what readers are told of a revision; None if nothing that they see has changed."""
    if after.state in _UNSEEN:
        return None
    for change in changes:
        step = _STEPS.get(type(change))
        if step is not None:
            return step
    return None if before is None else _difference(before, after)


def are_counts_told(state: State, had: Seats, has: Seats) -> bool:
    """Tell whether readers see other counts of seats or of those who wait; of most reservations that is all."""
    differ = had.held != has.held or had.confirmed != has.confirmed or had.waiting != has.waiting
    return differ and state not in _UNSEEN


def is_waitlist_open(offer: Offer) -> bool:
    """Tell whether the waitlist takes another entry; that of an offer that is over does not."""
    return offer.state is State.PUBLISHED and offer.waitlist_open


def _difference(before: Offer, after: Offer) -> Told | None:
    """Return which difference readers see between two states of an offer that is public in both."""
    if are_counts_told(after.state, before.seats, after.seats):
        return Told.AVAILABILITY_CHANGED
    return _edit(before, after)


def _edit(before: Offer, after: Offer) -> Told | None:
    """Return which difference readers see where nobody came or went."""
    prices = after.price_list
    if prices is not before.price_list and prices is not None and not prices.same_in_public(before.price_list):
        return Told.REPRICED
    if _availability(before) != _availability(after):
        return Told.AVAILABILITY_CHANGED
    if before.at_risk is not after.at_risk:
        return Told.AT_RISK if after.at_risk else Told.UPDATED
    had, has = before.definition, after.definition
    if (had.sales_window, had.language_codes) != (has.sales_window, has.language_codes):
        return Told.UPDATED
    return None


def _availability(offer: Offer) -> tuple[object, ...]:
    return offer.definition.capacity, offer.sales_closed, is_waitlist_open(offer)
