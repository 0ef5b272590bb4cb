"""The table of parked events, and the statements on it."""

from enum import StrEnum
from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.sql import Statement


class State(StrEnum):
    """Where a parked event stands."""

    OPEN = "open"
    SUPERSEDED = "superseded"
    APPLIED = "applied"
    SKIPPED = "skipped"


def parked_table(metadata: MetaData) -> Table:
    """Declare the parked events in a read store's metadata."""
    return Table(
        "parked",
        metadata,
        Column("source", Text, primary_key=True),
        Column("event_id", Uuid, primary_key=True),
        Column("aggregate_id", Uuid, nullable=False),
        Column("epoch", Uuid, nullable=False),
        Column("lane", SmallInteger, nullable=False),
        Column("seq", BigInteger, nullable=False),  # 0 for what a snapshot showed
        Column("previous_event_id", Uuid),
        Column("revision", BigInteger, nullable=False),
        Column("type", Text, nullable=False),
        Column("time", DateTime(timezone=True), nullable=False),
        Column("traceparent", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("error", Text, nullable=False),
        Column("parked_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
        Column("state", Text, nullable=False, server_default=literal_column(f"'{State.OPEN}'")),
        Column("closed_at", DateTime(timezone=True)),
        Column("closed_by", Text),
        Column("close_reason", Text),
        Column("retries", Integer, nullable=False, server_default="0"),
        Index("parked_open", "source", "aggregate_id", postgresql_where=literal_column(f"state = '{State.OPEN}'")),
        Index("parked_latest", "parked_at", "source", "event_id"),
    )


PARKED: Final = parked_table(MetaData())

_IS_OPEN: Final = PARKED.c.state == literal_column(f"'{State.OPEN}'")
_OF_SOURCE: Final = PARKED.c.source == bindparam("of_source", type_=Text())
_ONE: Final = (_OF_SOURCE, PARKED.c.event_id == bindparam("id", type_=Uuid()))
_GIVEN: Final = tuple(
    column
    for column in PARKED.c
    if column.name not in {"parked_at", "closed_at", "closed_by", "close_reason", "retries"}
)

_FIRST_ID: Final = func.array_agg(aggregate_order_by(PARKED.c.event_id, PARKED.c.revision), type_=ARRAY(Uuid()))[
    literal_column("1", Integer())
]

OPEN: Final = Statement(
    select(
        PARKED.c.source,
        PARKED.c.aggregate_id,
        PARKED.c.lane,
        func.min(PARKED.c.seq),
        func.min(PARKED.c.revision),
        func.count(),
        _FIRST_ID,
    )
    .where(_IS_OPEN)
    .group_by(PARKED.c.source, PARKED.c.aggregate_id, PARKED.c.lane)
)
"""The aggregates with open parked events."""

OPEN_OF_SOURCE: Final = Statement(select(PARKED.c.aggregate_id).where(_IS_OPEN, _OF_SOURCE).distinct())

GET: Final = Statement(select(PARKED).where(*_ONE))

NO_BODY: Final = literal_column("''::bytea", LargeBinary()).label("body")

PAGE: Final = Statement(
    select(*(NO_BODY if column.name == "body" else column for column in PARKED.c))
    .where(
        or_(bindparam("of_source", type_=Text()) == literal_column("''"), _OF_SOURCE),
        or_(bindparam("include_closed", type_=Boolean()), _IS_OPEN),
        or_(
            bindparam("from_start", type_=Boolean()),
            tuple_(PARKED.c.parked_at, PARKED.c.source, PARKED.c.event_id)
            < tuple_(
                bindparam("after_time", type_=DateTime(timezone=True)),
                bindparam("after_source", type_=Text()),
                bindparam("after_id", type_=Uuid()),
            ),
        ),
    )
    .order_by(PARKED.c.parked_at.desc(), PARKED.c.source.desc(), PARKED.c.event_id.desc())
    .limit(bindparam("most", type_=BigInteger()))
)

LATEST: Final = Statement(
    select(PARKED)
    .where(_IS_OPEN, _OF_SOURCE, PARKED.c.aggregate_id == bindparam("of_aggregate", type_=Uuid()))
    .order_by(PARKED.c.revision.desc(), PARKED.c.parked_at.desc())
    .limit(literal_column("1"))
)

PARK: Final = Statement(
    upsert(PARKED)
    .values({column.name: bindparam(f"new_{column.name}", type_=column.type) for column in _GIVEN})
    .on_conflict_do_nothing()
)

CLOSE: Final = Statement(
    update(PARKED)
    .where(*_ONE, _IS_OPEN)
    .values(
        state=bindparam("as_state", type_=Text()),
        closed_at=func.clock_timestamp(),
        closed_by=bindparam("who", type_=Text()),
        close_reason=bindparam("why", type_=Text()),
        retries=PARKED.c.retries + bindparam("tried", type_=Integer()),
    )
    .returning(PARKED)
)

FAILED: Final = Statement(
    update(PARKED)
    .where(*_ONE)
    .values(error=bindparam("new_error", type_=Text()), retries=PARKED.c.retries + literal_column("1"))
    .returning(PARKED)
)


def _supersede() -> Statement:
    given = (
        func.unnest(bindparam("ids", type_=ARRAY(Uuid())), bindparam("revisions", type_=ARRAY(BigInteger())))
        .table_valued("aggregate_id", "revision")
        .render_derived("given")
    )
    return Statement(
        update(PARKED)
        .where(
            _OF_SOURCE,
            _IS_OPEN,
            PARKED.c.aggregate_id == given.c.aggregate_id,
            PARKED.c.revision <= given.c.revision,
        )
        .values(state=literal_column(f"'{State.SUPERSEDED}'"), closed_at=func.clock_timestamp())
    )


SUPERSEDE: Final = _supersede()
