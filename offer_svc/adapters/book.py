"""The reservations that commands are decided on, read at once for a whole batch."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Select,
    Text,
    Uuid,
    bindparam,
    func,
    literal_column,
    select,
    true,
    union_all,
)
from training.offer.v1 import offer_pb2 as pb

from chassis.postgres import Connection
from chassis.sql import Statement
from offer_svc.adapters import mapping
from offer_svc.adapters.numbers import among, number
from offer_svc.adapters.tables import OFFER, RESERVATION
from offer_svc.application.affected import MOST_LISTED, Affected
from offer_svc.application.needs import Needs
from offer_svc.domain.offer import Offer
from offer_svc.domain.reservation import LIVE, Book, Reservation, ReservationState

_OFFER_ID: Final = bindparam("offer_id", type_=Uuid())
_COLUMNS: Final = ("reservation_id", "participant", "status", "updated_at", "details")
_NAMED: Final = literal_column("false", Boolean())
_IN_LINE: Final = literal_column("true", Boolean())


def _is_live() -> ColumnElement[bool]:
    """Name the live states as the index of live reservations does."""
    return among(RESERVATION.c.status, LIVE)


def _named(*which: ColumnElement[bool]) -> Select[Any]:
    return select(_NAMED.label("in_line"), *(RESERVATION.c[name] for name in _COLUMNS)).where(*which)


def _load() -> Statement:
    table = RESERVATION
    line = (
        select(*(table.c[name] for name in (*_COLUMNS, "wait_number")))
        .where(table.c.offer_id == _OFFER_ID, table.c.status == number(ReservationState.WAITING))
        .order_by(table.c.wait_number)
        .limit(bindparam("waiting", type_=BigInteger()))
        .subquery("line")
    )
    participants = bindparam("participants", type_=ARRAY(Text()))
    erased = bindparam("erased", type_=ARRAY(Text()))
    found = union_all(
        _named(table.c.reservation_id == func.any(bindparam("ids", type_=ARRAY(Uuid())))),
        _named(table.c.offer_id == _OFFER_ID, table.c.participant == func.any(participants), _is_live()),
        _named(
            func.cardinality(erased) > literal_column("0"),  # without any, nothing is looked at
            table.c.offer_id == _OFFER_ID,
            table.c.participant == func.any(erased),
        ),
        select(_IN_LINE.label("in_line"), *(line.c[name] for name in _COLUMNS)),
    ).subquery("found")
    return Statement(
        select(OFFER.c.revision, *found.c)
        .select_from(OFFER.outerjoin(found, true()))
        .where(OFFER.c.offer_id == _OFFER_ID)
    )


_LOAD: Final = _load()
_OFFER: Final = Statement(select(OFFER.c.state).where(OFFER.c.offer_id == _OFFER_ID))
_AFFECTED: Final = Statement(
    select(*(RESERVATION.c[name] for name in _COLUMNS))
    .where(RESERVATION.c.offer_id == _OFFER_ID, _is_live())
    .order_by(RESERVATION.c.created_at, RESERVATION.c.reservation_id)
    .limit(bindparam("most", type_=BigInteger()))
)
_COUNTS: Final = Statement(
    select(RESERVATION.c.status, func.count().label("count"))
    .where(RESERVATION.c.offer_id == _OFFER_ID, _is_live())
    .group_by(RESERVATION.c.status)
)


class PostgresBooks:
    """Reads reservations in the command database."""

    async def open(self, connection: Connection, offer: Offer, needs: Needs) -> Book:
        """Return the reservations that commands need, as they are at the offer's revision.

        Raises SerializationError where the offer has another revision by now, as a commit does that others overtook.
        """
        values = {
            "offer_id": offer.offer_id,
            "ids": needs.ids,
            "participants": needs.participants,
            "erased": needs.erased,
            "waiting": needs.waiting,
        }
        rows = await _LOAD.fetch(connection, values)
        if not rows or rows[0]["revision"] != offer.revision:
            raise asyncpg.SerializationError("the offer was changed while its reservations were read")
        return _book(offer, [row for row in rows if row["reservation_id"] is not None])

    async def affected(self, connection: Connection, offer_id: UUID) -> Affected:
        """Return the live reservations of an offer."""
        values: dict[str, object] = {"offer_id": offer_id}
        rows = await _AFFECTED.fetch(connection, values | {"most": MOST_LISTED})
        counts = Counter({row["status"]: row["count"] for row in await _COUNTS.fetch(connection, values)})
        return Affected(
            tuple(map(_read, rows)),
            cancelled=counts[ReservationState.CONFIRMED],
            released=counts[ReservationState.HELD],
            left_waitlist=counts[ReservationState.WAITING],
        )

    async def offer(self, connection: Connection, offer_id: UUID) -> Offer | None:
        """Return another offer, as it stands."""
        row = await _OFFER.fetchrow(connection, {"offer_id": offer_id})
        return None if row is None else mapping.from_message(pb.Offer.FromString(row["state"]))


def _book(offer: Offer, rows: Sequence[asyncpg.Record]) -> Book:
    line = sorted((_read(row) for row in rows if row["in_line"]), key=lambda each: each.wait_number)
    named = [_read(row) for row in rows if not row["in_line"]]
    own = [each for each in named if each.offer_id == offer.offer_id]
    book = Book.of(own, waiting=line, has_more_waiting=offer.seats.waiting > len(line))
    # Another offer's reservation is there to be refused by its id; whoever has it may reserve here.
    book.by_id.update({each.reservation_id: each for each in named if each.offer_id != offer.offer_id})
    return book


def _read(row: asyncpg.Record) -> Reservation:
    return mapping.reservation_from_row(row["details"], row["participant"], row["status"], row["updated_at"])
