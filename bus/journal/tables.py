"""The tables that make a command database a source of change: journal, lanes, stored responses, the relay's memory.

The journal is a transactional outbox kept as a log. Each lane is one counter row; its lock makes the order of sequence
numbers the order of commits, and a rollback gives the number back: a lane has no gaps and no reordering.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    bindparam,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy import (
    Index as SqlIndex,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from uuid_utils.compat import uuid7

from bus.lanes import LANES
from bus.lease import lease_table
from chassis.postgres import Connection
from chassis.sql import Statement


@dataclass(frozen=True, slots=True)
class JournalTables:
    """The tables, declared in one command database's metadata."""

    lane: Table
    journal: Table
    history: Table
    idempotency: Table
    relay_lane: Table
    lease: Table
    epoch: Table


def journal_tables(metadata: MetaData) -> JournalTables:
    """Declare the tables in a command database's metadata."""
    return JournalTables(
        _lane(metadata),
        _journal(metadata),
        _history(metadata),
        _idempotency(metadata),
        _relay_lane(metadata),
        lease_table(metadata),
        _epoch(metadata),
    )


def _lane(metadata: MetaData) -> Table:
    """Declare the counters.

    `previous_event_id` is the last event before the latest commit, for that commit's first journal row to point at.
    """
    return Table(
        "lane",
        metadata,
        Column("lane", SmallInteger, primary_key=True, autoincrement=False),
        Column("epoch", Uuid, nullable=False),
        Column("seq", BigInteger, nullable=False, server_default="0"),
        Column("event_id", Uuid),
        Column("previous_event_id", Uuid),
        # Every commit rewrites one of 16 rows: room in their page keeps the updates HOT.
        postgresql_with={"fillfactor": 10},
    )


def _journal(metadata: MetaData) -> Table:
    """Declare the log, a row for each revision: `public` is the event's body, `private` stays here for the history.

    It is divided by time, so that what is too old is dropped at once. PostgreSQL asks of every unique index of such a
    table that it has the time in it; that a number in a lane and a revision come but once is seen to by the row of the
    lane and that of the aggregate, whose locks a commit holds.
    """
    return Table(
        "journal",
        metadata,
        Column("lane", SmallInteger, primary_key=True, autoincrement=False),
        Column("seq", BigInteger, primary_key=True, autoincrement=False),
        Column("epoch", Uuid, nullable=False),
        Column("event_id", Uuid, nullable=False),
        Column("previous_event_id", Uuid),
        Column("aggregate_id", Uuid, nullable=False),
        Column("revision", BigInteger, nullable=False),
        Column("type", Text, nullable=False),
        Column("recorded_at", DateTime(timezone=True), primary_key=True, server_default=func.now()),
        Column("principal", Text, nullable=False),
        Column("request_id", Uuid),
        Column("traceparent", Text, nullable=False),
        Column("public", LargeBinary, nullable=False),
        Column("private", LargeBinary, nullable=False),
        SqlIndex("journal_aggregate", "aggregate_id", "revision", "recorded_at", unique=True),
        postgresql_partition_by="RANGE (recorded_at)",
    )


def _history(metadata: MetaData) -> Table:
    """Declare what outlives the journal of each revision; it is divided by time as the journal is."""
    return Table(
        "history",
        metadata,
        Column("aggregate_id", Uuid, primary_key=True),
        Column("revision", BigInteger, primary_key=True, autoincrement=False),
        Column("recorded_at", DateTime(timezone=True), primary_key=True),
        Column("principal", Text, nullable=False),
        Column("private", LargeBinary, nullable=False),
        postgresql_partition_by="RANGE (recorded_at)",
    )


def _idempotency(metadata: MetaData) -> Table:
    """Declare the stored responses, by which a repeated request learns the first outcome.

    `subject` is whom a response is about, so that it can be found when that person is to be forgotten.
    """
    return Table(
        "idempotency",
        metadata,
        Column("request_id", Uuid, primary_key=True),
        Column("principal", Text, primary_key=True),
        Column("method", Text, primary_key=True),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("response", LargeBinary, nullable=False),
        Column("epoch", Uuid, nullable=False),
        Column("lane", SmallInteger, nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("subject", Text),
        SqlIndex("idempotency_subject", "subject", postgresql_where=literal_column("subject IS NOT NULL")),
        SqlIndex("idempotency_recorded", "recorded_at"),
    )


def _relay_lane(metadata: MetaData) -> Table:
    """Declare the relay's memory of each lane: how far it is published, and where that stands in which stream.

    It is a table of its own, so that remembering never waits for a commit's lock on the counter.
    """
    return Table(
        "relay_lane",
        metadata,
        Column("lane", SmallInteger, primary_key=True, autoincrement=False),
        Column("published", BigInteger, nullable=False, server_default="0"),
        Column("event_id", Uuid),
        Column("stream_created", DateTime(timezone=True)),
        Column("stream_sequence", BigInteger, nullable=False, server_default="0"),
        Column("stopped_reason", Text),
        postgresql_with={"fillfactor": 10},
    )


def _epoch(metadata: MetaData) -> Table:
    """Declare the epochs that this database has been in, each with the identity it began under and why."""
    return Table(
        "epoch",
        metadata,
        Column("epoch", Uuid, primary_key=True),
        Column("system_identifier", BigInteger, nullable=False),
        Column("timeline", BigInteger, nullable=False),
        Column("database_oid", BigInteger, nullable=False),
        Column("lane_oid", BigInteger, nullable=False),
        Column("began_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("cause", Text, nullable=False),
    )


JOURNAL: Final = journal_tables(MetaData())
"""The tables for statements that belong to no service."""


IDENTITY: Final = tuple(
    literal_column(sql, BigInteger()).label(name)
    for name, sql in {
        "system_identifier": "(SELECT system_identifier FROM pg_control_system())",
        # Not that of the last checkpoint, which lags behind a promotion. A standby writes no log and has none.
        "timeline": "CASE WHEN pg_is_in_recovery() THEN NULL"
        " ELSE ('0x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bigint END",
        "database_oid": "(SELECT oid::bigint FROM pg_database WHERE datname = current_database())",
        "lane_oid": "'lane'::regclass::oid::bigint",
    }.items()
)
"""What tells a database from one that was restored or promoted in its place; named as the columns of `epoch`."""


async def begin_lanes(connection: Connection) -> None:
    """Create the lane rows in a first epoch, if they are not there. Run inside a transaction."""
    epoch, lanes = uuid7(), range(LANES)
    for table, row in ((JOURNAL.lane, {"epoch": epoch}), (JOURNAL.relay_lane, {})):
        statement = Statement(upsert(table).values([{"lane": lane, **row} for lane in lanes]).on_conflict_do_nothing())
        await statement.execute(connection)
    identity = [column.name for column in IDENTITY]
    first = (
        select(JOURNAL.lane.c.epoch, *IDENTITY, literal_column("'the first'").label("cause"))
        .where(JOURNAL.lane.c.epoch == bindparam("epoch", type_=Uuid()))
        .limit(literal_column("1"))
    )
    statement = Statement(insert(JOURNAL.epoch).from_select(["epoch", *identity, "cause"], first))
    await statement.execute(connection, {"epoch": epoch})


HEADS: Final = Statement(
    select(
        JOURNAL.lane.c.lane,
        JOURNAL.lane.c.epoch,
        JOURNAL.lane.c.seq,
        JOURNAL.lane.c.event_id,
        JOURNAL.relay_lane.c.published,
        JOURNAL.relay_lane.c.event_id.label("published_event_id"),
        JOURNAL.relay_lane.c.stopped_reason,
        func.now().label("time"),
    )
    .join_from(JOURNAL.lane, JOURNAL.relay_lane, JOURNAL.lane.c.lane == JOURNAL.relay_lane.c.lane)
    .order_by(JOURNAL.lane.c.lane)
)
"""The heads of all lanes, in one snapshot."""
