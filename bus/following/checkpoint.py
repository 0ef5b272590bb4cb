"""How far a subscriber has come with one source, kept in its own database with what it made of the events.

All lanes of a source stand in one row, so that a batch moves them together or not at all: the row's `version` is
checked and raised in the batch's transaction, which makes a projector that was succeeded harmless.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from typing import Final
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    MetaData,
    Table,
    Text,
    Uuid,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from bus.event import Event
from bus.lanes import LANES
from bus.tokens import Position
from chassis.postgres import Connection
from chassis.sql import Executor, Statement


def checkpoint_table(metadata: MetaData, schema: str | None = None) -> Table:
    """Declare the checkpoints in a subscriber's metadata."""
    return Table(
        "checkpoint",
        metadata,
        Column("source", Text, primary_key=True),
        Column("version", BigInteger, nullable=False, server_default="0"),
        Column("epochs", ARRAY(Uuid), nullable=False),
        Column("seqs", ARRAY(BigInteger), nullable=False),
        Column("event_ids", ARRAY(Uuid), nullable=False),
        Column("stopped", ARRAY(Text), nullable=False),
        Column("stream_created", DateTime(timezone=True)),
        Column("stream_sequence", BigInteger, nullable=False, server_default="0"),
        Column("as_of", DateTime(timezone=True)),
        schema=schema,
    )


@dataclass(frozen=True, slots=True)
class LaneCheckpoint:
    """The last event applied of one lane; `stopped` says why the lane does not go on, if it does not."""

    epoch: UUID | None = None
    seq: int = 0
    event_id: UUID | None = None
    stopped: str | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All lanes of one source. Every message of the stream up to `stream_sequence` has been dealt with."""

    source: str
    version: int = 0
    lanes: tuple[LaneCheckpoint, ...] = field(default=(LaneCheckpoint(),) * LANES)
    stream_created: datetime | None = None
    stream_sequence: int = 0
    as_of: datetime | None = None

    @property
    def epoch(self) -> UUID | None:
        """The earliest epoch of the lanes that have begun; None before the first event.

        Lanes are of two epochs while a new one is being taken over in place: numbering goes on from the one into the
        other, so what is told of the earlier one holds for all lanes.
        """
        return min((lane.epoch for lane in self.lanes if lane.epoch is not None), default=None)

    def position(self) -> Position | None:
        """Return the position that tokens speak of; None before the first event."""
        if (epoch := self.epoch) is None:
            return None
        return Position(epoch, {number: lane.seq for number, lane in enumerate(self.lanes) if lane.seq})


class Verdict(Enum):
    """What an event is to a lane."""

    NEXT = auto()
    DUPLICATE = auto()
    GAP = auto()
    DIVERGED = auto()
    EARLIER_EPOCH = auto()
    """Of an epoch that has been left: what the source has forgotten, or published before."""
    EPOCH_IN_PLACE = auto()
    """A later epoch that begins right after the last event applied: nothing applied was lost."""
    LATER_EPOCH = auto()
    """A later epoch that is not known to have kept what was applied: the copy must be made anew."""


def judge(lane: LaneCheckpoint, event: Event, latest: UUID | None, *, building: bool = False) -> Verdict:
    """Decide what an event is to its lane; `latest` is the latest epoch of all lanes, None while no lane has begun.

    The epoch is looked at before the number: numbers of different epochs say nothing about each other. A copy that is
    `building` may contain more than its checkpoint tells, so it takes over no later epoch in place.
    """
    if event.epoch != lane.epoch:
        if lane.epoch is not None and event.epoch < lane.epoch:
            return Verdict.EARLIER_EPOCH
        if lane.epoch is not None or (latest is not None and event.epoch > latest):
            follows = event.starts_epoch and event.seq == lane.seq + 1 and event.previous == lane.event_id
            return Verdict.EPOCH_IN_PLACE if follows and not building else Verdict.LATER_EPOCH
    if event.seq < lane.seq or (event.seq == lane.seq and event.event_id == lane.event_id):
        return Verdict.DUPLICATE
    if event.seq == lane.seq:
        return Verdict.DIVERGED
    if event.seq > lane.seq + 1:
        return Verdict.GAP
    return Verdict.NEXT if event.previous == lane.event_id else Verdict.DIVERGED


def advanced(lane: LaneCheckpoint, event: Event) -> LaneCheckpoint:
    """Return the lane after an event that was next, or that began the lane's epoch."""
    return LaneCheckpoint(event.epoch, event.seq, event.event_id, lane.stopped)


CHECKPOINT: Final = checkpoint_table(MetaData())
_SOURCE: Final = CHECKPOINT.c.source == bindparam("of_source", type_=Text())
_BEGIN: Final = Statement(
    upsert(CHECKPOINT)
    .values(
        source=bindparam("source", type_=Text()),
        epochs=bindparam("epochs", type_=ARRAY(Uuid())),
        seqs=bindparam("seqs", type_=ARRAY(BigInteger())),
        event_ids=bindparam("ids", type_=ARRAY(Uuid())),
        stopped=bindparam("stopped", type_=ARRAY(Text())),
    )
    .on_conflict_do_nothing()
)
_READ: Final = Statement(select(CHECKPOINT).where(_SOURCE))
READ_ALL: Final = Statement(select(CHECKPOINT))
_MOVE: Final = Statement(
    update(CHECKPOINT)
    .where(_SOURCE, CHECKPOINT.c.version == bindparam("expected", type_=BigInteger()))
    .values(
        version=CHECKPOINT.c.version + literal_column("1"),
        epochs=bindparam("epochs", type_=ARRAY(Uuid())),
        seqs=bindparam("seqs", type_=ARRAY(BigInteger())),
        event_ids=bindparam("event_ids", type_=ARRAY(Uuid())),
        stopped=bindparam("stopped", type_=ARRAY(Text())),
        stream_created=bindparam("stream_created", type_=DateTime(timezone=True)),
        stream_sequence=bindparam("stream_sequence", type_=BigInteger()),
    )
    .returning(CHECKPOINT.c.version, func.pg_notify(bindparam("channel", type_=Text()), ""))
)
_TOUCH: Final = Statement(
    update(CHECKPOINT)
    .where(_SOURCE)
    .values(version=CHECKPOINT.c.version + literal_column("1"))
    .returning(CHECKPOINT, func.pg_notify(bindparam("channel", type_=Text()), ""))
)
_AS_OF: Final = bindparam("new_as_of", type_=DateTime(timezone=True))
_CONFIRM: Final = Statement(
    update(CHECKPOINT)
    .where(_SOURCE, or_(CHECKPOINT.c.as_of.is_(None), CHECKPOINT.c.as_of < _AS_OF))
    .values(as_of=_AS_OF)
)

GENERATION_BITS: Final = 40
"""A generation's number, so many bits to the left, is where the versions of its checkpoints begin: versions of two
generations are never equal."""

GONE: Final = (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError)
"""What a statement on a copy meets where there is none, or none any more."""

CHANNEL: Final = "checkpoint_moved"
"""The channel on which a moved checkpoint is told to the processes that read this database."""


class CheckpointMoved(Exception):
    """Another projector has moved the checkpoint: this one was succeeded."""


def of_row(row: asyncpg.Record) -> Checkpoint:
    """Return the checkpoint that a row holds."""
    lanes = zip(row["epochs"], row["seqs"], row["event_ids"], row["stopped"], strict=True)
    return Checkpoint(
        row["source"],
        row["version"],
        tuple(LaneCheckpoint(*lane) for lane in lanes),
        row["stream_created"],
        row["stream_sequence"],
        row["as_of"],
    )


async def begin(connection: Executor, source: str) -> Checkpoint:
    """Read a source's checkpoint, made when it is not there."""
    empty = [None] * LANES
    values = {"source": source, "epochs": empty, "seqs": [0] * LANES, "ids": empty, "stopped": empty}
    await _BEGIN.execute(connection, values)
    row = await _READ.fetchrow(connection, {"of_source": source})
    if row is None:
        raise LookupError(f"no checkpoint of {source}")
    return of_row(row)


async def move(connection: Connection, before: Checkpoint, after: Checkpoint) -> Checkpoint:
    """Write a batch's checkpoint in the batch's transaction, and tell whoever follows.

    Raises CheckpointMoved when it is not the one this batch began from; the transaction must be rolled back.
    """
    values = {
        "of_source": before.source,
        "expected": before.version,
        "epochs": [lane.epoch for lane in after.lanes],
        "seqs": [lane.seq for lane in after.lanes],
        "event_ids": [lane.event_id for lane in after.lanes],
        "stopped": [lane.stopped for lane in after.lanes],
        "stream_created": after.stream_created,
        "stream_sequence": after.stream_sequence,
        "channel": CHANNEL,
    }
    row = await _MOVE.fetchrow(connection, values)
    if row is None:
        raise CheckpointMoved(before.source)
    return replace(after, version=row["version"])


async def touch(connection: Connection, source: str) -> Checkpoint:
    """Lock a source's checkpoint for a change to the copy that no event makes, and tell whoever follows.

    Its version counts up, so the projector reads it again. Run it last in the change's transaction: whoever writes to a
    copy locks its rows, then the feed, then what is parked, then the checkpoint.
    """
    row = await _TOUCH.fetchrow(connection, {"of_source": source, "channel": CHANNEL})
    if row is None:
        raise LookupError(f"no checkpoint of {source}")
    return of_row(row)


async def confirm(on: Executor, source: str, as_of: datetime) -> None:
    """Write down that the copy contains everything the source accepted before a time; for who starts later."""
    await _CONFIRM.execute(on, {"of_source": source, "new_as_of": as_of})
