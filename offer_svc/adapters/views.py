"""The views of the command database in PostgreSQL."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, SmallInteger, Uuid, bindparam, func, literal_column, or_, select

from chassis.listing import LatestFirst, Listed, Place
from chassis.postgres import Connections
from chassis.sql import Statement
from offer_svc.adapters.tables import OFFER
from offer_svc.application.views import OfferFilter
from offer_svc.domain.errors import offer_not_found

_GET: Final = Statement(select(OFFER.c.state).where(OFFER.c.offer_id == bindparam("offer_id", type_=Uuid())))


def _list() -> LatestFirst:
    states = bindparam("states", type_=ARRAY(SmallInteger()))
    program_id = bindparam("program_id", type_=Uuid())
    return LatestFirst(
        OFFER,
        "offer_id",
        or_(func.cardinality(states) == literal_column("0"), OFFER.c.status == func.any(states)),
        or_(program_id.is_(None), OFFER.c.program_id == program_id),
    )


_LIST: Final = _list()


class PostgresOfferViews:
    """Reads offers from the command database."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def get(self, offer_id: UUID) -> bytes:
        """Return an offer's stored message. Raises ResourceNotFound."""
        row = await _GET.fetchrow(self._connections, {"offer_id": offer_id})
        if row is None:
            raise offer_not_found(offer_id)
        return bytes(row["state"])

    async def list(self, chosen: OfferFilter, after: Place | None, most: int) -> Sequence[Listed]:
        """Return the offers after a place, latest change first."""
        values = {"states": [int(state) for state in chosen.states], "program_id": chosen.program_id}
        return await _LIST.after(self._connections, values, after, most)
