"""How a commit changes the bookings of an offer's rooms and trainers.

The resources are locked in the order of their keys before a booking is dropped or written. Without that, two commits
that write bookings which exclude each other could each find the other's and wait for it: a deadlock for every race.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Boolean,
    DateTime,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from bus.commands.commit import done, written
from offer_svc.adapters.tables import BOOKING
from offer_svc.domain.bookings import Booking, booking_key, held_by
from offer_svc.domain.offer import Offer
from offer_svc.domain.schedule import BookingMode

_OFFER_ID: Final = bindparam("aggregate_id", type_=Uuid())

SAME_BOOKINGS: Final[Mapping[str, object]] = {
    "rebooks": False,
    "locks": [],
    "booked_keys": [],
    "booked": [],
    "booked_from": [],
    "booked_until": [],
    "forbids": False,
}
"""The parameters of a commit that leaves the bookings alone."""


def resource_key(resource: str) -> UUID:
    """Return the key under which a resource is booked."""
    return UUID(bytes=blake2b(booking_key(resource).encode(), digest_size=16).digest())


def booking_parameters(before: Offer | None, after: Offer) -> Mapping[str, object]:
    """Return the parameters that change the bookings from one revision's to the next one's."""
    had, has = held_by(before), held_by(after)
    if not had and not has:
        return SAME_BOOKINGS
    keys = {booking.resource: resource_key(booking.resource) for booking in (*had, *has)}
    forbidding = {*_forbidding(before, had), *_forbidding(after, has)}
    return {
        "rebooks": True,
        "locks": sorted(int.from_bytes(keys[resource].bytes[:8], signed=True) for resource in forbidding),
        "booked_keys": [keys[booking.resource] for booking in has],
        "booked": [booking.resource for booking in has],
        "booked_from": [booking.start_time for booking in has],
        "booked_until": [booking.end_time for booking in has],
        "forbids": after.booking_mode is not BookingMode.WARN,
    }


def _forbidding(offer: Offer | None, bookings: Sequence[Booking]) -> set[str]:
    if offer is None or offer.booking_mode is BookingMode.WARN:
        return set()
    return {booking.resource for booking in bookings}


def write_bookings(aggregate: CTE) -> Sequence[CTE]:
    """Lock the resources, drop the offer's bookings, write its new ones; nothing unless the commit `rebooks`."""
    keys = func.unnest(bindparam("locks", type_=ARRAY(BigInteger()))).table_valued("key").render_derived("locks")
    locked = select(func.pg_advisory_xact_lock(keys.c.key).label("lock")).where(written(aggregate)).cte("locked")
    rebooks = bindparam("rebooks", type_=Boolean())
    dropped = (
        delete(BOOKING)
        .where(rebooks, BOOKING.c.offer_id == _OFFER_ID, written(aggregate), done(locked))
        .returning(BOOKING.c.offer_id)
        .cte("dropped")
    )
    new = (
        func.unnest(
            bindparam("booked_keys", type_=ARRAY(Uuid())),
            bindparam("booked", type_=ARRAY(Text())),
            bindparam("booked_from", type_=ARRAY(DateTime(timezone=True))),
            bindparam("booked_until", type_=ARRAY(DateTime(timezone=True))),
        )
        .table_valued("resource_key", "resource", "from_time", "until_time")
        .render_derived("new_bookings")
    )
    forbids = bindparam("forbids", type_=Boolean())
    during = func.tstzrange(new.c.from_time, new.c.until_time)
    rows = select(_OFFER_ID, new.c.resource_key, new.c.resource, during, forbids).where(
        written(aggregate), done(dropped)
    )
    columns = [BOOKING.c[name] for name in ("offer_id", "resource_key", "resource", "during", "forbids")]
    booked = insert(BOOKING).from_select(columns, rows).returning(BOOKING.c.offer_id).cte("booked")
    return locked, dropped, booked
