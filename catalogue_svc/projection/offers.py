"""Offers in the read model.

An offer's program may come later than the offer: the row is written all the same, and shown once the program is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from training.offer.v1.events_pb2 import OfferEvent, PublishedOffer

from bus.audit.listed import Listed, checksum
from bus.event import Event
from bus.following.body import agree, decode, is_empty
from bus.following.newest import newest
from bus.following.projection import Undecodable
from catalogue_svc.store.changes import recording
from catalogue_svc.store.languages import ranges
from catalogue_svc.store.schema import OFFER, OFFER_KIND
from catalogue_svc.store.texts import joined, split
from chassis.postgres import Connection
from chassis.sql import Statement
from chassis.wire import field

_SCHEDULE: Final = PublishedOffer.SCHEDULE_FIELD_NUMBER


@dataclass(frozen=True, slots=True)
class OfferRow:
    """What is written of one offer."""

    id: UUID
    revision: int
    event_id: UUID
    program_id: UUID
    state: int
    mode: int
    start_time: datetime
    free_seats: int
    language_ranges: str
    card: bytes
    detail: bytes


class OfferProjection:
    """Makes rows of the offer source's events."""

    listed: Final = Listed(OFFER.c.offer_id)

    def row(self, event: Event) -> OfferRow | None:
        """Return the row that shows the event's state. Raises Undecodable."""
        if is_empty(event):
            return None
        body = decode(OfferEvent, event)
        if not body.HasField("offer"):
            raise Undecodable(f"{event.type} carries no offer")
        offer = body.offer
        agree(event, offer.offer_id, offer)
        if not offer.HasField("start_time"):
            raise Undecodable("the offer has no start")
        card, detail = parts(offer)
        return OfferRow(
            event.aggregate_id,
            event.revision,
            event.event_id,
            UUID(offer.program_id),
            offer.state,
            offer.mode,
            offer.start_time.ToDatetime(UTC),
            max(0, offer.capacity.maximum - offer.seats_taken),
            joined(ranges(offer.language_codes)),
            card,
            detail,
        )

    async def write(self, connection: Connection, rows: Sequence[OfferRow]) -> None:
        """Write the rows that are newer than what is there, and record which."""
        given = newest(rows)
        columns = {name: [getattr(row, name) for row in given] for name in OfferRow.__slots__}
        await _WRITE.execute(connection, columns)

    async def delete(self, connection: Connection, ids: Sequence[UUID]) -> None:
        """Delete these offers, and record which."""
        await _DELETE.execute(connection, {"ids": ids})

    async def columns(self, connection: Connection, aggregate_id: UUID) -> Mapping[str, str]:
        """Return what is there of one offer, as text by column."""
        return await self.listed.columns(connection, aggregate_id)


def parts(offer: PublishedOffer) -> tuple[bytes, bytes]:
    """Return an offer's card and detail; the offer given is changed by it.

    The detail is a second field `schedule`, with the sessions that the card's lacks: Protobuf merges the two.
    """
    if not offer.schedule.sessions:
        return offer.SerializeToString(), b""
    detail = field(_SCHEDULE, offer.schedule.SerializeToString())
    offer.schedule.ClearField("sessions")
    return offer.SerializeToString(), detail


def _write() -> Statement:
    given = (
        func.unnest(
            bindparam("id", type_=ARRAY(Uuid())),
            bindparam("revision", type_=ARRAY(BigInteger())),
            bindparam("event_id", type_=ARRAY(Uuid())),
            bindparam("program_id", type_=ARRAY(Uuid())),
            bindparam("state", type_=ARRAY(Integer())),
            bindparam("mode", type_=ARRAY(Integer())),
            bindparam("start_time", type_=ARRAY(DateTime(timezone=True))),
            bindparam("free_seats", type_=ARRAY(BigInteger())),
            bindparam("language_ranges", type_=ARRAY(Text())),
            bindparam("card", type_=ARRAY(LargeBinary())),
            bindparam("detail", type_=ARRAY(LargeBinary())),
        )
        .table_valued(*OfferRow.__slots__, name="given")
        .render_derived()
    )
    values: list[ColumnElement[Any]] = [
        split(column) if column.name == "language_ranges" else column for column in given.c
    ]
    insertion = upsert(OFFER).from_select([column.name for column in OFFER.c], select(*values, checksum(values)))
    written = (
        insertion.on_conflict_do_update(
            index_elements=[OFFER.c.offer_id],
            set_={column.name: column for column in insertion.excluded if column.name != "offer_id"},
            where=insertion.excluded.revision > OFFER.c.revision,
        )
        .returning(OFFER.c.offer_id)
        .cte("written")
    )
    return Statement(recording(written, OFFER_KIND, written.c.offer_id))


def _delete() -> Statement:
    gone = delete(OFFER).where(OFFER.c.offer_id == func.any(bindparam("ids", type_=ARRAY(Uuid()))))
    deleted = gone.returning(OFFER.c.offer_id).cte("deleted")
    return Statement(recording(deleted, OFFER_KIND, deleted.c.offer_id))


_WRITE: Final = _write()
_DELETE: Final = _delete()
