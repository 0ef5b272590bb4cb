"""Epochs: what sets a command database apart from one that was restored in its place, or promoted, with less in it.

Such a database has forgotten events that others have seen, and would give their numbers to other events. So it begins
an epoch of its own before anything is committed, published or told: every new connection compares the identity of the
database that it reached with the one under which the present epoch began. Another identity always begins a new epoch,
whatever the stream holds: it can't know what readers saw. Epochs are UUIDv7 and ordered; a later one wins.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Select,
    SmallInteger,
    Text,
    Uuid,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.sql.dml import Insert
from training.ops.v1.journal_service_pb2 import EpochStarted
from uuid_utils.compat import uuid7

from bus.broker import Broker
from bus.event import EPOCH_STARTED
from bus.journal.epoch_tails import highest_epoch
from bus.journal.tables import IDENTITY, JOURNAL
from bus.source import Source
from chassis.postgres import Connection, Unreachable
from chassis.sql import Executor, Statement

log: Final = structlog.get_logger(__name__)

_NOBODY: Final = ""
_DURABLE: Final = (
    "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
)
_TEXT: Final = Text()
_IDENTITY: Final = {column.name: column for column in IDENTITY}
_RECORDED: Final = tuple(JOURNAL.epoch.c[name] for name in _IDENTITY)


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch, when it was begun by the database's clock, and why."""

    epoch: UUID
    began_at: datetime
    cause: str


def _look() -> Select[Any]:
    """Select the identity of the server reached, and what is recorded of the present epoch; no row without lanes."""
    present = select(JOURNAL.lane.c.epoch).order_by(JOURNAL.lane.c.lane).limit(literal_column("1")).subquery("present")
    recorded = (column.label(f"recorded_{column.name}") for column in _RECORDED)
    return select(
        func.pg_is_in_recovery().label("standby"), func.now().label("now"), present.c.epoch, *IDENTITY, *recorded
    ).select_from(present.outerjoin(JOURNAL.epoch, JOURNAL.epoch.c.epoch == present.c.epoch))


def _start() -> Insert:
    """Let every lane go on in the new epoch, with the event that says so."""
    lane, journal = JOURNAL.lane, JOURNAL.journal
    epoch = bindparam("epoch", type_=Uuid())
    given = (
        func.unnest(bindparam("lanes", type_=ARRAY(SmallInteger())), bindparam("event_ids", type_=ARRAY(Uuid())))
        .table_valued("given_lane", "given_event_id", name="given")
        .render_derived()
    )
    begun = (
        update(lane)
        .where(lane.c.lane == given.c.given_lane)
        .values(epoch=epoch, seq=lane.c.seq + 1, previous_event_id=lane.c.event_id, event_id=given.c.given_event_id)
        .returning(lane.c.lane, lane.c.seq, lane.c.epoch, lane.c.event_id, lane.c.previous_event_id)
        .cte("begun")
    )
    row = {
        "lane": begun.c.lane,
        "seq": begun.c.seq,
        "epoch": begun.c.epoch,
        "event_id": begun.c.event_id,
        "previous_event_id": begun.c.previous_event_id,
        "aggregate_id": begun.c.epoch,
        "revision": begun.c.lane + 1,
        "type": bindparam("type", type_=_TEXT),
        "principal": bindparam("principal", type_=_TEXT),
        "traceparent": bindparam("traceparent", type_=_TEXT),
        "public": bindparam("public", type_=journal.c.public.type),
        "private": bindparam("private", type_=journal.c.private.type),
    }
    return insert(journal).from_select(list(row), select(*row.values()))


_LOOK: Final = Statement(_look())
_LOCK: Final = Statement(select(JOURNAL.lane.c.lane).order_by(JOURNAL.lane.c.lane).with_for_update())
_START: Final = Statement(_start())
_RECORD: Final = Statement(
    insert(JOURNAL.epoch).values(
        epoch=bindparam("epoch", type_=Uuid()),
        **{name: bindparam(name, type_=BigInteger()) for name in _IDENTITY},
        began_at=bindparam("began_at", type_=DateTime(timezone=True)),
        cause=bindparam("cause", type_=_TEXT),
    )
)
_PRESENT: Final = Statement(
    select(JOURNAL.epoch.c.epoch, JOURNAL.epoch.c.began_at, JOURNAL.epoch.c.cause)
    .join_from(JOURNAL.epoch, JOURNAL.lane, JOURNAL.epoch.c.epoch == JOURNAL.lane.c.epoch)
    .limit(literal_column("1"))
)


async def present_epoch(executor: Executor) -> Epoch:
    """Read the epoch that the database is in. Raises LookupError when it was not set up."""
    row = await _PRESENT.fetchrow(executor)
    if row is None:
        raise LookupError("the database has no epoch: it was not set up")
    return Epoch(row["epoch"], row["began_at"], row["cause"])


class Epochs:
    """The epochs of one source; `confirm` is what prepares every connection to its database."""

    def __init__(self, broker: Broker, source: Source) -> None:
        self._broker = broker
        self._source = source

    async def confirm(self, connection: Connection) -> None:
        """Begin an epoch if the database reached is not the one in which the present epoch began.

        Raises Unreachable for a standby, which must not be asked anything: it may lag.
        """
        found = await _LOOK.fetchrow(connection)
        if found is None:
            return  # nothing was ever committed here
        if found["standby"]:
            raise Unreachable("the server is a standby")
        if _differences(found):
            await self._begin(connection, None)

    async def begin(self, connection: Connection, cause: str) -> tuple[UUID, UUID]:
        """Begin an epoch by hand; return it and the one before."""
        begun = await self._begin(connection, cause)
        if begun is None:
            raise LookupError("the database has no lanes: it was not set up")
        return begun

    async def _begin(self, connection: Connection, cause: str | None) -> tuple[UUID, UUID] | None:
        """Begin an epoch in one transaction; without a `cause` only if the identity is still another one."""
        highest = await highest_epoch(self._broker, self._source)  # before anything is locked
        async with connection.transaction():
            # The relay's connections do not wait for the disk, but what it publishes next must not be forgotten.
            await connection.execute(_DURABLE)
            lanes = [row["lane"] for row in await _LOCK.fetch(connection)]
            found = await _LOOK.fetchrow(connection)
            if found is None:
                return None
            if cause is None:
                differences = _differences(found)
                if not differences:
                    return None  # another connection began it meanwhile
                cause = f"restored or promoted: {', '.join(differences)}"
            previous: UUID = found["epoch"]
            epoch = _after(previous, highest)
            await _START.execute(connection, _started(epoch, previous, lanes, found["now"]))
            identity = {name: found[name] for name in _IDENTITY}
            await _RECORD.execute(connection, {"epoch": epoch, "began_at": found["now"], "cause": cause, **identity})
        log.warning("epoch_begun", source=self._source.name, epoch=str(epoch), previous=str(previous), cause=cause)
        return epoch, previous


def _differences(found: asyncpg.Record) -> list[str]:
    """Name what is not as it was when the present epoch began."""
    if found["recorded_system_identifier"] is None:
        return ["no identity was recorded"]
    return [
        f"another {name.replace('_', ' ')} ({found[f'recorded_{name}']}, now {found[name]})"
        for name in _IDENTITY
        if found[name] != found[f"recorded_{name}"]
    ]


def _after(previous: UUID, highest: UUID | None) -> UUID:
    """Return a new epoch above its own and every other that is known, also when the clock runs behind."""
    known = [previous.int, *([highest.int] if highest is not None else [])]
    return UUID(int=max(uuid7().int, *(each + 1 for each in known)))


def _started(epoch: UUID, previous: UUID, lanes: list[int], now: datetime) -> dict[str, object]:
    time = Timestamp()
    time.FromDatetime(now)
    return {
        "epoch": epoch,
        "lanes": lanes,
        "event_ids": [uuid7() for _ in lanes],
        "type": EPOCH_STARTED,
        "principal": _NOBODY,
        "traceparent": "",
        "public": EpochStarted(epoch=epoch.bytes, previous_epoch=previous.bytes, time=time).SerializeToString(
            deterministic=True
        ),
        "private": b"",
    }
