"""The views of reservations in PostgreSQL."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Select,
    SmallInteger,
    Text,
    Uuid,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from chassis.listing import Listed, Place
from chassis.postgres import Connections
from chassis.sql import Statement
from offer_svc.adapters import mapping
from offer_svc.adapters.numbers import number
from offer_svc.adapters.tables import RESERVATION
from offer_svc.application.views import ReservationFilter, Waiting
from offer_svc.domain.errors import reservation_not_found
from offer_svc.domain.reservation import ReservationState

_COLUMNS: Final = [
    RESERVATION.c[name] for name in ("reservation_id", "participant", "status", "created_at", "updated_at", "details")
]
_MOST: Final = bindparam("most", type_=BigInteger())
_OFFER_ID: Final = bindparam("offer_id", type_=Uuid())
_GET: Final = Statement(
    select(*_COLUMNS).where(RESERVATION.c.reservation_id == bindparam("reservation_id", type_=Uuid()))
)


def _list(which: ColumnElement[bool]) -> Statement:
    table, states = RESERVATION, bindparam("states", type_=ARRAY(SmallInteger()))
    before = bindparam("before_time", type_=DateTime(timezone=True))
    place = tuple_(table.c.created_at, table.c.reservation_id)
    query: Select[Any] = (
        select(*_COLUMNS)
        .where(
            which,
            or_(func.cardinality(states) == literal_column("0"), table.c.status == func.any(states)),
            or_(before.is_(None), place < tuple_(before, bindparam("before_id", type_=Uuid()))),
        )
        .order_by(table.c.created_at.desc(), table.c.reservation_id.desc())
        .limit(_MOST)
    )
    return Statement(query)


_OF_OFFER: Final = _list(RESERVATION.c.offer_id == _OFFER_ID)
_OF_PARTICIPANT: Final = _list(RESERVATION.c.participant == bindparam("participant", type_=Text()))
_WAITING: Final = Statement(
    select(*_COLUMNS, RESERVATION.c.wait_number)
    .where(
        RESERVATION.c.offer_id == _OFFER_ID,
        RESERVATION.c.status == number(ReservationState.WAITING),
        RESERVATION.c.wait_number > bindparam("after", type_=BigInteger()),
    )
    .order_by(RESERVATION.c.wait_number)
    .limit(_MOST)
)


class PostgresReservationViews:
    """Reads reservations from the command database."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def get(self, reservation_id: UUID) -> bytes:
        """Return a reservation's message. Raises ResourceNotFound."""
        row = await _GET.fetchrow(self._connections, {"reservation_id": reservation_id})
        if row is None:
            raise reservation_not_found(reservation_id)
        return _message(row)

    async def list(self, chosen: ReservationFilter, after: Place | None, most: int) -> Sequence[Listed]:
        """Return the reservations after a place, the latest first by the time when they were made."""
        values: dict[str, object] = {
            "states": [int(state) for state in chosen.states],
            "before_time": after and after.update_time,
            "before_id": after and after.id,
            "most": most,
        }
        if chosen.offer_id is not None:
            rows = await _OF_OFFER.fetch(self._connections, values | {"offer_id": chosen.offer_id})
        else:
            rows = await _OF_PARTICIPANT.fetch(self._connections, values | {"participant": chosen.participant})
        return [Listed(Place(row["created_at"], row["reservation_id"]), _message(row)) for row in rows]

    async def waiting(self, offer_id: UUID, after: int, most: int) -> Sequence[Waiting]:
        """Return who waits for seats of an offer behind a number, in the order in which they get them."""
        values = {"offer_id": offer_id, "after": after, "most": most}
        rows = await _WAITING.fetch(self._connections, values)
        return [Waiting(row["wait_number"], _message(row)) for row in rows]


def _message(row: asyncpg.Record) -> bytes:
    return mapping.reservation_message(
        row["details"], row["participant"], row["status"], row["updated_at"]
    ).SerializeToString()
