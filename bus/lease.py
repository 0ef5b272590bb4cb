"""Leases: who may act alone, kept in the database that the acting concerns.

A lease belongs to one connection. It is free again when it expires, and at once when its connection is gone, so that
the successor of a killed process need not wait. Its term counts up with each new holder and fences what a zombie
writes.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    Interval,
    MetaData,
    Table,
    Text,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql import column, table

from chassis.postgres import Connection
from chassis.sql import Statement

TTL_SECONDS: Final = 4.0
"""How long a lease lasts that is not renewed: a stopped holder is succeeded after that."""
_STANDBY_SECONDS: Final = 0.25
_RENEW_SECONDS: Final = 1.0


def lease_table(metadata: MetaData) -> Table:
    """Declare the leases in a database's metadata."""
    return Table(
        "lease",
        metadata,
        Column("name", Text, primary_key=True),
        Column("holder", Text, nullable=False),
        Column("term", BigInteger, nullable=False),
        Column("backend_pid", Integer, nullable=False),
        Column("backend_start", DateTime(timezone=True), nullable=False),
        Column("renewed_at", DateTime(timezone=True), nullable=False),
        Column("expires_at", DateTime(timezone=True), nullable=False),
    )


LEASE: Final = lease_table(MetaData())
_ACTIVITY: Final = table("pg_stat_activity", column("pid", Integer), column("backend_start", DateTime(timezone=True)))
_OWN: Final = _ACTIVITY.alias("own")
_TTL: Final = bindparam("ttl", type_=Interval())


def _take() -> Statement:
    own = select(
        bindparam("name", type_=Text()),
        bindparam("holder", type_=Text()),
        literal_column("1"),
        _OWN.c.pid,
        _OWN.c.backend_start,
        func.clock_timestamp(),
        func.clock_timestamp() + _TTL,
    ).where(_OWN.c.pid == func.pg_backend_pid())
    insertion = upsert(LEASE).from_select([c.name for c in LEASE.c], own)
    given = insertion.excluded
    # The row that is there already, by its name alone: as columns of the table they would stand for any lease's row.
    held_pid = literal_column("lease.backend_pid", Integer())
    held_since = literal_column("lease.backend_start", DateTime(timezone=True))
    # Since when a session of another role is, the server does not tell: it may be the holder, until the TTL ends.
    same = or_(_ACTIVITY.c.backend_start == held_since, _ACTIVITY.c.backend_start.is_(None))
    alive = exists().select_from(_ACTIVITY).where(_ACTIVITY.c.pid == held_pid, same)
    return Statement(
        insertion.on_conflict_do_update(
            index_elements=[LEASE.c.name],
            set_={c.name: given[c.name] for c in LEASE.c if c.name not in {"name", "term"}}
            | {"term": LEASE.c.term + literal_column("1")},
            where=or_(LEASE.c.expires_at < func.clock_timestamp(), ~alive),
        ).returning(LEASE.c.term)
    )


_HELD: Final = (
    LEASE.c.name == bindparam("lease_name", type_=Text()),
    LEASE.c.term == bindparam("held_term", type_=BigInteger()),
)
_TAKE: Final = _take()
_RENEW: Final = Statement(
    update(LEASE)
    .where(*_HELD)
    .values(renewed_at=func.clock_timestamp(), expires_at=func.clock_timestamp() + _TTL)
    .returning(LEASE.c.term)
)
_GIVE_UP: Final = Statement(
    update(LEASE).where(*_HELD).values(expires_at=func.clock_timestamp()).returning(LEASE.c.term)
)
HOLDER: Final = Statement(
    select(LEASE.c.holder, LEASE.c.renewed_at).where(
        LEASE.c.name == bindparam("name", type_=Text()), LEASE.c.expires_at >= func.clock_timestamp()
    )
)
"""Who holds a lease now, and when it was last renewed."""


class LeaseLost(Exception):
    """Another one acts now."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease held in one term, by the connection that took it."""

    name: str
    term: int

    @staticmethod
    async def take(connection: Connection, name: str, holder: str, ttl: float = TTL_SECONDS) -> "Lease | None":
        """Take the lease if it is free; None while another connection holds it."""
        values = {"name": name, "holder": holder, "ttl": timedelta(seconds=ttl)}
        row = await _TAKE.fetchrow(connection, values)
        return None if row is None else Lease(name, row["term"])

    @staticmethod
    async def await_turn(
        connection: Connection, name: str, holder: str, standing_by: Callable[[], None] = lambda: None
    ) -> "Lease":
        """Wait until the lease is free, and take it; `standing_by` is called whenever another turns out to hold it."""
        lease = await Lease.take(connection, name, holder)
        while lease is None:
            standing_by()
            await asyncio.sleep(_STANDBY_SECONDS)
            lease = await Lease.take(connection, name, holder)
        return lease

    async def renew(self, connection: Connection, ttl: float = TTL_SECONDS) -> None:
        """Hold it for another while. Raises LeaseLost when another has taken it."""
        values = {"lease_name": self.name, "held_term": self.term, "ttl": timedelta(seconds=ttl)}
        if await _RENEW.fetchrow(connection, values) is None:
            raise LeaseLost(self.name)

    async def keep(self, connection: Connection) -> None:
        """Renew it again and again, until LeaseLost or until the connection fails."""
        while True:
            await self.renew(connection)
            await asyncio.sleep(_RENEW_SECONDS)

    async def give_up(self, connection: Connection) -> None:
        """Let the next one act at once."""
        values = {"lease_name": self.name, "held_term": self.term}
        await _GIVE_UP.fetchrow(connection, values)
