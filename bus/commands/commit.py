"""The one statement by which an accepted command is committed.

It is ordered by data dependency, never by the text of its parts, which PostgreSQL may run in any order: the aggregate
row first, and only if it is at the expected revision; the service's own rows next; the lane's counter last of all
locks; then the journal row and the stored response, which need the number it gave. No aggregate row means nothing is
written, and no number is burnt.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    ScalarSelect,
    Select,
    SmallInteger,
    Table,
    Uuid,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.sql.dml import Insert, Update

from bus.journal.published import PUBLISHED_COLUMNS
from bus.journal.tables import JOURNAL
from chassis.sql import Statement

DUE_COLUMN: Final = "due_at"
"""The column of an aggregate's row, where there is one, that tells when time itself next changes the aggregate."""


class Effects(Protocol):
    """The service's own rows that change with an aggregate."""

    def __call__(self, aggregate: CTE) -> Sequence[CTE]:
        """Return the parts that write them.

        Each does something only where the aggregate was `written`, and waits for the one before to be `done`. A batch
        runs them once, with the net parameters of its revisions.
        """
        ...


def no_effects(aggregate: CTE) -> Sequence[CTE]:
    """Change no other rows."""
    del aggregate
    return ()


@dataclass(frozen=True, slots=True)
class AggregateTable:
    """Where a service keeps one kind of aggregate: `(id, revision, indexed columns…, state)`.

    It `publishes` if the table can say what was published last. `effects` are its own rows that change in the same
    statement, for revisions that give their parameters. `guard` is a query that must yield a row, which it locks, for a
    guarded commit to happen.
    """

    table: Table
    id_column: str
    effects: Effects = no_effects
    guard: Select[Any] | None = None
    columns: tuple[str, ...] = field(init=False)
    publishes: bool = field(init=False)

    def __post_init__(self) -> None:
        """Name the columns that a revision sets."""
        others = {self.id_column, "revision", *PUBLISHED_COLUMNS}
        names = tuple(column.name for column in self.table.c if column.name not in others)
        object.__setattr__(self, "columns", names)
        object.__setattr__(self, "publishes", set(PUBLISHED_COLUMNS) <= set(self.table.c.keys()))


@dataclass(frozen=True, slots=True)
class CommitStatements:
    """The commit of a first revision and of a later one, each with or without a stored response, a guard, effects."""

    aggregate: AggregateTable
    unchanged: Statement = field(init=False)
    """Stores a response to which nothing changed, with the lane's head, if the aggregate is as it was decided on."""
    _compiled: dict[tuple[bool, bool, bool, bool], Statement] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Compile what needs no choice."""
        object.__setattr__(self, "unchanged", Statement(_leave(self.aggregate)))

    def statement(self, *, first: bool, stored: bool, guarded: bool = False, effects: bool = False) -> Statement:
        """Return the statement, compiled once."""
        key = (first, stored, guarded, effects)
        if key not in self._compiled:
            self._compiled[key] = Statement(
                _commit(self.aggregate, first=first, stored=stored, guarded=guarded, affecting=effects)
            )
        return self._compiled[key]


def _commit(aggregate: AggregateTable, *, first: bool, stored: bool, guarded: bool, affecting: bool) -> Select[Any]:
    guard = aggregate.guard.cte("guard") if guarded and aggregate.guard is not None else None
    row = (_insert(aggregate, guard) if first else update_row(aggregate, guard)).cte("aggregate")
    effects = list(aggregate.effects(row)) if affecting else []
    lane = advance(row, effects, literal_column("1")).cte("advanced")
    query = select(lane.c.epoch, lane.c.seq).add_cte(*effects, _journal(lane).cte("written"))
    return query.add_cte(_response(lane).cte("answered")) if stored else query


def _leave(aggregate: AggregateTable) -> Insert:
    """Hold the aggregate's row meanwhile: whoever writes it next, and then looks for responses, finds this one."""
    lane, table = JOURNAL.lane, aggregate.table
    held = select(table.c[aggregate.id_column]).where(*_at_expected(aggregate)).with_for_update(read=True)
    head = (
        select(lane.c.epoch, lane.c.lane, lane.c.seq)
        .where(lane.c.lane == bindparam("lane", type_=SmallInteger()), written(held.cte("held")))
        .cte("head")
    )
    return _response(head)


def _at_expected(aggregate: AggregateTable) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    table = aggregate.table
    return (
        table.c[aggregate.id_column] == bindparam("aggregate_id", type_=Uuid()),
        table.c.revision == bindparam("expected", type_=table.c.revision.type),
    )


def _parameter(column: Column[Any], name: str | None = None) -> ColumnElement[Any]:
    return bindparam(name or column.name, type_=column.type).label(column.name)


def _insert(aggregate: AggregateTable, guard: CTE | None) -> Insert:
    table = aggregate.table
    columns = [aggregate.id_column, "revision", *aggregate.columns]
    if aggregate.publishes:
        columns += PUBLISHED_COLUMNS
    query = select(*(_parameter(table.c[name], _named(aggregate, name)) for name in columns))
    if guard is not None:
        query = query.where(exists(select(literal_column("1")).select_from(guard)))
    return insert(table).from_select(columns, query).returning(table.c[aggregate.id_column].label("id"))


def update_row(aggregate: AggregateTable, guard: CTE | None = None) -> Update:
    """Write the aggregate's row, if it is as it was decided on and the guard yields a row."""
    table = aggregate.table
    values: dict[str, ColumnElement[Any]] = {
        name: bindparam(name, type_=table.c[name].type) for name in ("revision", *aggregate.columns)
    }
    if aggregate.publishes:
        for column in (table.c[name] for name in PUBLISHED_COLUMNS):
            values[column.name] = func.coalesce(bindparam(column.name, type_=column.type), column)
    query = update(table).where(*_at_expected(aggregate)).values(values)
    if guard is not None:
        query = query.where(exists(select(literal_column("1")).select_from(guard)))
    return query.returning(table.c[aggregate.id_column].label("id"))


def _named(aggregate: AggregateTable, column: str) -> str:
    return "aggregate_id" if column == aggregate.id_column else column


def advance(row: CTE, effects: Sequence[CTE], count: ColumnElement[int]) -> Update:
    """Take the next numbers, once the aggregate's row is written and every effect has run."""
    lane = JOURNAL.lane
    return (
        update(lane)
        .where(lane.c.lane == bindparam("lane", type_=SmallInteger()), written(row), *map(done, effects[-1:]))
        .values(
            seq=lane.c.seq + count,
            previous_event_id=lane.c.event_id,
            event_id=bindparam("event_id", type_=Uuid()),
        )
        .returning(lane.c.lane, lane.c.epoch, lane.c.seq, lane.c.previous_event_id)
    )


def written(aggregate: CTE) -> ColumnElement[bool]:
    """Hold where the aggregate's row was written; it is not known before."""
    return _count(aggregate) > literal_column("0")


def done(part: CTE) -> ColumnElement[bool]:
    """Hold, whatever a part did, once it has run to its end."""
    return _count(part) >= literal_column("0")


def _count(part: CTE) -> ScalarSelect[int]:
    return select(func.count()).select_from(part).scalar_subquery()


def _journal(lane: CTE) -> Insert:
    table = JOURNAL.journal
    given = (
        "event_id",
        "aggregate_id",
        "revision",
        "type",
        "principal",
        "request_id",
        "traceparent",
        "public",
        "private",
    )
    numbered = ("lane", "seq", "epoch", "previous_event_id")
    chosen: list[ColumnElement[Any]] = [
        *(lane.c[name] for name in numbered),
        *(_parameter(table.c[name]) for name in given),
    ]
    return insert(table).from_select([*numbered, *given], select(*chosen)).returning(table.c.seq)


def _response(lane: CTE) -> Insert:
    table = JOURNAL.idempotency
    given = ("principal", "method", "request_id", "fingerprint", "response", "subject")
    numbered = ("epoch", "lane", "seq")
    chosen: list[ColumnElement[Any]] = [
        *(_parameter(table.c[name]) for name in given),
        *(lane.c[name] for name in numbered),
    ]
    return insert(table).from_select([*given, *numbered], select(*chosen)).returning(table.c.epoch, table.c.seq)
