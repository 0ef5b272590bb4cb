"""What the commit of an offer writes and locks beside the offer: its bookings, and the program it depends on.

The resources are locked in the order of their keys before a booking is dropped or written. Without that, two commits
that write bookings which exclude each other could each find the other's and wait for it: a deadlock for every race.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Boolean,
    DateTime,
    Select,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
)

from bus.commit import AggregateTable, done, written
from offer_svc.adapters.tables import BOOKING, OFFER, RELEASED_PROGRAM
from offer_svc.domain.bookings import Booking, held_by
from offer_svc.domain.context import ProgramState
from offer_svc.domain.offer import Offer
from offer_svc.domain.schedule import BookingMode

_OFFER_ID: Final = bindparam("aggregate_id", type_=Uuid())


def resource_key(resource: str) -> UUID:
    """Return the key under which a resource is booked."""
    return UUID(bytes=blake2b(resource.encode(), digest_size=16).digest())


def booking_parameters(before: Offer | None, after: Offer) -> dict[str, object] | None:
    """Return the parameters that change the bookings from one revision's to the next one's; None if they stay."""
    had, has = held_by(before), held_by(after)
    if not had and not has:
        return None
    keys = {booking.resource: resource_key(booking.resource) for booking in (*had, *has)}
    forbidding = {*_forbidding(before, had), *_forbidding(after, has)}
    return {
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


def _bookings(aggregate: CTE) -> Sequence[CTE]:
    """Lock the resources, drop the offer's bookings, write its new ones."""
    keys = func.unnest(bindparam("locks", type_=ARRAY(BigInteger()))).table_valued("key").render_derived("locks")
    locked = select(func.pg_advisory_xact_lock(keys.c.key).label("lock")).where(written(aggregate)).cte("locked")
    dropped = (
        delete(BOOKING)
        .where(BOOKING.c.offer_id == _OFFER_ID, written(aggregate), done(locked))
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
        .render_derived("new")
    )
    forbids = bindparam("forbids", type_=Boolean())
    during = func.tstzrange(new.c.from_time, new.c.until_time)
    rows = select(_OFFER_ID, new.c.resource_key, new.c.resource, during, forbids).where(
        written(aggregate), done(dropped)
    )
    columns = [BOOKING.c[name] for name in ("offer_id", "resource_key", "resource", "during", "forbids")]
    booked = insert(BOOKING).from_select(columns, rows).returning(BOOKING.c.offer_id).cte("booked")
    return locked, dropped, booked


def _released() -> Select[Any]:
    """Find the offer's program released, and hold off its retirement until the commit is done."""
    program = RELEASED_PROGRAM
    return (
        select(program.c.program_id)
        .where(
            program.c.program_id == bindparam("program_id", type_=Uuid()),
            program.c.state == literal_column(str(int(ProgramState.RELEASED))),
        )
        .with_for_update(read=True)
    )


OFFERS: Final = AggregateTable(OFFER, "offer_id", effects=_bookings, guard=_released())
