"""The smallest aggregate there is: a counter that can only be raised, with notes beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any, assert_never
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    bindparam,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from bus.commands.commit import AggregateTable, written
from bus.commands.path import Accepted, CommandCall, Revision, Unchanged
from bus.journal.published import published_columns
from bus.journal.tables import journal_tables
from chassis.postgres import Connection
from chassis.refusal import ResourceExists

COMMANDS = MetaData()
journal_tables(COMMANDS)
COUNTER = Table(
    "counter",
    COMMANDS,
    Column("counter_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("due_at", DateTime(timezone=True)),
    Column("state", LargeBinary, nullable=False),
    *published_columns(),
)
NOTE = Table(
    "note",
    COMMANDS,
    Column("counter_id", Uuid, nullable=False),
    Column("value", BigInteger, nullable=False),
    Column("note", Text, CheckConstraint("note <> 'poison'"), nullable=False),
)
GATE = Table("gate", COMMANDS, Column("open", Boolean, nullable=False))


def ddl(metadata: MetaData) -> str:
    """Return the statements that make all tables."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    made += [
        str(CreateIndex(index).compile(dialect=dialect)) for table in metadata.sorted_tables for index in table.indexes
    ]
    return ";\n".join(made)


def _write_notes(aggregate: CTE) -> Sequence[CTE]:
    given = (
        func.unnest(bindparam("note_values", type_=ARRAY(BigInteger())), bindparam("notes", type_=ARRAY(Text())))
        .table_valued("value", "note")
        .render_derived("given")
    )
    rows = select(bindparam("aggregate_id", type_=Uuid()), given.c.value, given.c.note).where(written(aggregate))
    return [insert(NOTE).from_select(list(NOTE.c.keys()), rows).returning(NOTE.c.value).cte("noted")]


COUNTERS = AggregateTable(
    COUNTER,
    "counter_id",
    effects=_write_notes,
    guard=select(literal_column("1")).select_from(GATE).where(GATE.c.open).with_for_update(read=True),
)


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter; time raises it by one when it is due. `shown` is the last public state that was not empty."""

    value: int = 0
    due_at: datetime | None = None
    shown: bytes = b""

    @classmethod
    def read(cls, state: bytes) -> "Counter":
        """Read the digits, the time if there is one, and what is shown."""
        line, _, shown = state.partition(b"\n")
        value, _, due_at = line.decode().partition(" ")
        return cls(int(value), datetime.fromisoformat(due_at) if due_at else None, shown)

    def state(self) -> bytes:
        """Write them."""
        due_at = f" {self.due_at.isoformat()}" if self.due_at else ""
        return f"{self.value}{due_at}\n".encode() + self.shown


class PublishedCounters:
    """Tells what has been published of counters."""

    def body_of(self, state: bytes, revision: int) -> bytes:
        """Return what is shown."""
        del revision
        return Counter.read(state).shown


@dataclass(frozen=True, slots=True)
class Raise:
    """Raise a counter to a value, by one when none is given.

    `body` stands for the public state; a `note` is written beside, unless it is poison; a `guarded` one needs the gate
    to be open; one that `fails` has a fault in its decision; one that does not `adds_content` may be a little larger.
    """

    value: int | None = None
    body: bytes | None = None
    note: str = ""
    guarded: bool = False
    subject: str = ""
    due_at: datetime | None = None
    fails: bool = False
    adds_content: bool = True


@dataclass(frozen=True, slots=True)
class Strike:
    """Raise a counter by one if it is due."""


Command = Raise | Strike


class Broken(Exception):
    """A fault in a decision."""


class Counters:
    """Decides on counters."""

    async def load(
        self, connection: Connection, aggregate_id: UUID, stored: bytes | None, commands: Sequence[Command]
    ) -> Counter | None:
        """Read the counter."""
        del connection, aggregate_id, commands
        return None if stored is None else Counter.read(stored)

    def etag(self, state: Counter) -> str:
        """Name the value."""
        return f"v{state.value}"

    async def decide(
        self, state: Counter | None, command: Command, call: CommandCall, now: datetime, connection: Connection
    ) -> Accepted[Counter] | Unchanged:
        """Raise the counter, which begins at 0; it is never lowered."""
        del call, connection
        before = state or Counter()
        match command:
            case Strike() if before.due_at is None or before.due_at > now:
                return Unchanged(b"nothing is due")
            case Strike():
                return _accepted(replace(before, value=before.value + 1, due_at=None), Raise())
            case Raise(fails=True):
                raise Broken
            case Raise(value=value):
                after = before.value + 1 if value is None else value
                if after == before.value:
                    return Unchanged(str(after).encode(), command.subject)
                if after < before.value:
                    raise ResourceExists("a counter is only raised")
                return _accepted(replace(before, value=after, due_at=command.due_at or before.due_at), command)
            case _:
                assert_never(command)

    def merge(self, effects: Sequence[Mapping[str, Any]]) -> Mapping[str, object]:
        """Write all notes."""
        return {name: list(chain.from_iterable(each[name] for each in effects)) for name in ("note_values", "notes")}


def _accepted(after: Counter, command: Raise) -> Accepted[Counter]:
    written_value = str(after.value).encode()
    public = written_value if command.body is None else command.body
    after = replace(after, shown=public or after.shown)
    revision = Revision(
        columns={"state": after.state(), "due_at": after.due_at},
        event_type="test.Raised",
        public=public,
        private=f"to {after.value}".encode(),
        response=b"raised to " + written_value + command.subject.encode(),
        effects={"note_values": [after.value], "notes": [command.note]} if command.note else None,
        guarded=command.guarded,
        subject=command.subject,
        adds_content=command.adds_content,
    )
    return Accepted(after.value, revision, after)
