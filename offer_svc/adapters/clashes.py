"""Where rooms and trainers are booked already."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    func,
    select,
    true,
    union_all,
)

from chassis.postgres import Connection
from chassis.sql import Statement
from offer_svc.adapters.booking_rows import resource_key
from offer_svc.adapters.tables import BOOKING
from offer_svc.domain.bookings import Booking, Clash
from offer_svc.domain.schedule import BookingMode

MOST_CLASHES: Final = 200
"""How many clashes are told at most; the first ones, by resource and time."""


def _clashes(*kinds: ColumnElement[bool]) -> Statement:
    """Look up bookings of these kinds, one wanted booking after the other, so that each look-up is by an index."""
    wanted = (
        func.unnest(
            bindparam("keys", type_=ARRAY(Uuid())),
            bindparam("resources", type_=ARRAY(Text())),
            bindparam("starts", type_=ARRAY(DateTime(timezone=True))),
            bindparam("ends", type_=ARRAY(DateTime(timezone=True))),
        )
        .table_valued("key", "resource", "start_time", "end_time")
        .render_derived("wanted")
    )
    span = func.tstzrange(wanted.c.start_time, wanted.c.end_time)

    def of_kind(kind: ColumnElement[bool]) -> Select[tuple[object, ...]]:
        return (
            select(BOOKING.c.offer_id, BOOKING.c.during)
            .where(
                BOOKING.c.resource_key == wanted.c.key,
                BOOKING.c.during.op("&&")(span),
                BOOKING.c.offer_id != bindparam("offer_id", type_=Uuid()),
                kind,
            )
            .limit(bindparam("most", type_=Integer()))
            .correlate(wanted)
        )

    found = union_all(*(select(of_kind(kind).subquery()) for kind in kinds)).subquery("found").lateral()
    start = func.greatest(func.lower(found.c.during), wanted.c.start_time).label("start_time")
    return Statement(
        select(
            wanted.c.resource,
            start,
            func.least(func.upper(found.c.during), wanted.c.end_time).label("end_time"),
            found.c.offer_id,
        )
        .select_from(wanted.join(found, true()))
        .order_by(wanted.c.resource, start, found.c.offer_id)
        .limit(bindparam("most", type_=Integer()))
    )


_FORBIDS: Final = BOOKING.c.forbids
_WITH: Final = {
    BookingMode.FORBID: _clashes(_FORBIDS),
    BookingMode.WARN: _clashes(_FORBIDS, ~_FORBIDS),
}


class PostgresBookings:
    """Reads the bookings in the command database."""

    async def clashes(self, connection: Connection, wanted: Sequence[Booking], mode: BookingMode) -> Sequence[Clash]:
        """Return where other offers have booked what is wanted, by resource and time, at most `MOST_CLASHES`."""
        values = {
            "keys": [resource_key(booking.resource) for booking in wanted],
            "resources": [booking.resource for booking in wanted],
            "starts": [booking.start_time for booking in wanted],
            "ends": [booking.end_time for booking in wanted],
            "offer_id": wanted[0].offer_id,
            "most": MOST_CLASHES,
        }
        rows = await _WITH[mode].fetch(connection, values)
        return [Clash(row["resource"], row["start_time"], row["end_time"], row["offer_id"]) for row in rows]
