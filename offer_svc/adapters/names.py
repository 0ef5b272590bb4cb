"""Where the names of participants stand: in one column, and in the stored responses that are about them."""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Text, bindparam, func, select

from bus.journal.forgetting import forget
from chassis.postgres import Connections
from chassis.sql import Statement
from offer_svc.adapters.tables import RESERVATION

Redact = Callable[[str, bytes], bytes]

_AT_A_TIME: Final = 100
_IN_NAME: Final = RESERVATION.c.participant == bindparam("participant", type_=Text())
_OFFERS: Final = Statement(
    select(RESERVATION.c.offer_id).where(_IN_NAME).distinct().limit(bindparam("most", type_=BigInteger()))
)
_COUNT: Final = Statement(
    select(
        func.count().label("reservations"),
        func.count(RESERVATION.c.offer_id.distinct()).label("offers"),
    ).where(_IN_NAME)
)


class PostgresNames:
    """Finds the names in the command database; `redact` takes the name out of a method's stored response."""

    def __init__(self, connections: Connections, redact: Redact) -> None:
        self._connections = connections
        self._redact = redact

    async def offers_of(self, participant: str) -> Sequence[UUID]:
        """Return some of the offers with reservations in the name; none when there are none."""
        rows = await _OFFERS.fetch(self._connections, {"participant": participant, "most": _AT_A_TIME})
        return [row["offer_id"] for row in rows]

    async def count(self, participant: str) -> tuple[int, int]:
        """Return how many reservations are in the name, and of how many offers."""
        row = await _COUNT.fetchrow(self._connections, {"participant": participant})
        if row is None:
            raise LookupError("an aggregate returned no row")
        return row["reservations"], row["offers"]

    async def forget(self, participant: str) -> None:
        """Take the name out of the stored responses."""
        async with self._connections.transaction() as connection:
            await forget(connection, participant, self._redact)
