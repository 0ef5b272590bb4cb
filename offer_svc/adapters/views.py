"""The views of offers in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    DateTime,
    SmallInteger,
    Text,
    Uuid,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    true,
)
from training.offer.v1 import offer_pb2 as pb

from chassis.listing import LatestFirst, Listed, Place
from chassis.postgres import Connections
from chassis.refusal import Violation
from chassis.sql import Statement
from offer_svc.adapters import mapping
from offer_svc.adapters.numbers import number
from offer_svc.adapters.tables import OFFER
from offer_svc.application.views import OfferFilter
from offer_svc.domain.errors import offer_not_found
from offer_svc.domain.offer import Offer, State

_THERE: Final = OFFER.c.status != number(State.DELETED)
_SOME_TRAINERS: Final = literal_column("trainers <> '{}'", Boolean())
_GET: Final = Statement(
    select(OFFER.c.offer_id, OFFER.c.state).where(
        OFFER.c.offer_id == func.any(bindparam("offer_ids", type_=ARRAY(Uuid()))), _THERE
    )
)


def _list() -> LatestFirst:
    states = bindparam("states", type_=ARRAY(SmallInteger()))
    program_id = bindparam("program_id", type_=Uuid())
    trainers = bindparam("trainers", type_=ARRAY(Text()))
    starts_from = bindparam("starts_from", type_=DateTime(timezone=True))
    starts_before = bindparam("starts_before", type_=DateTime(timezone=True))
    return LatestFirst(
        OFFER,
        "offer_id",
        _THERE,
        or_(func.cardinality(states) == literal_column("0"), OFFER.c.status == func.any(states)),
        or_(program_id.is_(None), OFFER.c.program_id == program_id),
        or_(trainers.is_(None), and_(OFFER.c.trainers.bool_op("@>")(trainers), _SOME_TRAINERS)),
        or_(starts_from.is_(None), OFFER.c.starts_at >= starts_from),
        or_(starts_before.is_(None), OFFER.c.starts_at < starts_before),
    )


def _at_present() -> Statement:
    instant = select(func.clock_timestamp().label("now")).subquery("instant")
    here = select(OFFER.c.state).where(OFFER.c.offer_id == bindparam("offer_id", type_=Uuid())).subquery("here")
    return Statement(select(instant.c.now, here.c.state).select_from(instant.outerjoin(here, true())))


_LIST: Final = _list()
_AT_PRESENT: Final = _at_present()


class PostgresOfferViews:
    """Reads offers from the command database."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def get(self, offer_id: UUID) -> bytes:
        """Return an offer's stored message. Raises ResourceNotFound."""
        [message] = await self.get_all([offer_id])
        return message

    async def get_all(self, offer_ids: Sequence[UUID]) -> Sequence[bytes]:
        """Return the stored messages in this order. Raises ResourceNotFound, which names all that are not there."""
        found = {row["offer_id"]: row["state"] for row in await _GET.fetch(self._connections, {"offer_ids": offer_ids})}
        missing = [offer_id for offer_id in offer_ids if offer_id not in found]
        if missing:
            refusal = offer_not_found(missing[0])
            refusal.violations = tuple(Violation(str(each), "", "", "") for each in missing[1:] and missing)
            raise refusal
        return [found[offer_id] for offer_id in offer_ids]

    async def list(self, chosen: OfferFilter, after: Place | None, most: int) -> Sequence[Listed]:
        """Return the offers after a place, latest change first."""
        values = {
            "states": [int(state) for state in chosen.states],
            "program_id": chosen.program_id,
            "trainers": None if chosen.trainer_id is None else [chosen.trainer_id],
            "starts_from": chosen.starts_from,
            "starts_before": chosen.starts_before,
        }
        return await _LIST.after(self._connections, values, after, most)

    async def at_present(self, offer_id: UUID) -> tuple[Offer | None, datetime]:
        """Return an offer as it stands, if there is one, and the database's time."""
        row = await _AT_PRESENT.fetchrow(self._connections, {"offer_id": offer_id})
        if row is None:
            raise LookupError("a query without FROM returned no row")
        return None if row["state"] is None else mapping.from_message(pb.Offer.FromString(row["state"])), row["now"]
