"""What a copy has, told so that it can be compared with its source: revisions, events, and whether rows are intact.

Each row of a copy names the event that it was made of (`event_id`) and holds a `checksum` of all its other columns,
computed by the statement that wrote it. A row whose checksum does not hold was changed by something else. The rows of a
part (a program's texts) have one each, seeded with the revision: a part of another revision than its aggregate's does
not hold. The sums are comparable within one major version of PostgreSQL, as long as a generation of a copy lives.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    exists,
    false,
    func,
    literal_column,
    null,
    select,
    union_all,
    update,
)

from bus.digest import as_told, digest_of
from chassis.sql import Executor, Statement

EVENT_ID: Final = "event_id"
CHECKSUM: Final = "checksum"

_NO_REVISION: Final = literal_column("0", BigInteger())
_NO_SEED: Final = literal_column("0", BigInteger())
_AFTER: Final = bindparam("after", type_=Uuid())
_UP_TO: Final = bindparam("up_to", type_=Uuid())
_MOST: Final = bindparam("most", type_=BigInteger())
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid()))

_Select: TypeAlias = "Select[*tuple[Any, ...]]"


def event_column() -> "Column[UUID]":
    """Declare the column that names the event a row was made of."""
    return Column(EVENT_ID, Uuid, nullable=False)


def checksum_column() -> "Column[int]":
    """Declare the column of the checksum; it is computed over all others, in the order of the table."""
    return Column(CHECKSUM, BigInteger, nullable=False)


def checksum(columns: Iterable[ColumnElement[Any]], seed: ColumnElement[int] = _NO_SEED) -> "ColumnElement[int]":
    """Return the SQL for the checksum of the other columns' values, in the order of the table.

    PostgreSQL refuses a type that it can't hash, a `tsvector` for example.
    """
    return func.hash_record_extended(func.row(*columns), seed, type_=BigInteger())


def _holds(table: Table, seed: ColumnElement[int] = _NO_SEED) -> ColumnElement[bool]:
    others = [column for column in table.c if column.name != CHECKSUM]
    return table.c[CHECKSUM] == checksum(others, seed)


def _table(column: "Column[Any]") -> Table:
    if not isinstance(column.table, Table):
        raise TypeError(f"{column} is no column of a table")
    return column.table


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that belong to an aggregate's row, whose column `counted` says how many there are."""

    of: "Column[UUID]"
    ordinal: "Column[int]"
    counted: "Column[int]"

    @property
    def table(self) -> Table:
        """Where they stand."""
        return _table(self.of)


@dataclass(frozen=True, slots=True)
class ListedRow:
    """What a copy shows of one aggregate; no revision where there are only parts of something that is not there."""

    id: UUID
    revision: int | None
    event_id: UUID | None
    intact: bool


@dataclass(frozen=True, slots=True)
class RangeDigest:
    """The digest of a range of ids, by the formula of `GetDigests`, and how much of it is not intact."""

    count: int
    digest: int
    damaged: int


class Listed:
    """The rows of one copy; each call is one short statement."""

    def __init__(self, key: "Column[UUID]", *parts: Part) -> None:
        table = _table(key)
        self._digest = {begun: Statement(_digest(_rows(key, parts, _range(begun=begun)))) for begun in (False, True)}
        self._page = {begun: Statement(_page(_rows(key, parts, _range(begun=begun)))) for begun in (False, True)}
        self._of_ids = Statement(_ordered(_rows(key, parts, _chosen)))
        self._lock = Statement(select(key).where(_chosen(key)).order_by(key).with_for_update())
        self._void = Statement(update(table).where(_chosen(key)).values(revision=_NO_REVISION))
        self._count = Statement(select(func.count().label("count")).select_from(table))
        self._columns = [("", Statement(_as_text(table, key)))] + [
            (part.table.name, Statement(_as_text(part.table, part.of).order_by(part.ordinal))) for part in parts
        ]

    async def count(self, on: Executor) -> int:
        """Return how many aggregates are there."""
        row = await self._count.fetchrow(on)
        return 0 if row is None else row["count"]

    async def digest(self, on: Executor, after: UUID | None, up_to: UUID, most: int) -> RangeDigest:
        """Return the digest of the ids after one (None: from the first) up to another, of so many rows at most."""
        row = await self._digest[after is not None].fetchrow(on, {**_bounds(after, up_to), "most": most})
        if row is None:
            raise LookupError("an aggregation that always has a row returned none")
        return RangeDigest(row["count"], as_told(row["digest"]), row["damaged"])

    async def page(self, on: Executor, after: UUID | None, up_to: UUID, most: int) -> list[ListedRow]:
        """Return at most so many rows of a range, in order of ids."""
        rows = await self._page[after is not None].fetch(on, {**_bounds(after, up_to), "most": most})
        return [ListedRow(*row) for row in rows]

    async def of(self, on: Executor, ids: Sequence[UUID]) -> dict[UUID, ListedRow]:
        """Return the rows of these aggregates, those that are there."""
        return {row["id"]: ListedRow(*row) for row in await self._of_ids.fetch(on, {"ids": ids})}

    async def lock(self, on: Executor, ids: Sequence[UUID]) -> None:
        """Lock the rows of these aggregates, those that are there, in order of ids, as writers do."""
        await self._lock.fetch(on, {"ids": ids})

    async def void(self, on: Executor, ids: Sequence[UUID]) -> None:
        """Let whatever is written next of these aggregates stand, however early; for a transaction that writes it."""
        await self._void.execute(on, {"ids": ids})

    async def columns(self, on: Executor, aggregate_id: UUID) -> Mapping[str, str]:
        """Return everything of one aggregate but its checksums, as text by column."""
        found: dict[str, str] = {}
        for part, statement in self._columns:
            for number, row in enumerate(await statement.fetch(on, {"ids": [aggregate_id]})):
                prefix = f"{part}[{number}]." if part else ""
                found.update({prefix + name: value for name, value in row.items() if value is not None})
        return found


def _bounds(after: UUID | None, up_to: UUID) -> dict[str, object]:
    return {"up_to": up_to} if after is None else {"after": after, "up_to": up_to}


_Where: TypeAlias = Callable[["Column[UUID]"], ColumnElement[bool]]


def _range(*, begun: bool) -> _Where:
    """Return what chooses a range; unless it has begun, from the first id, which may be the least there is."""
    return lambda key: and_(key > _AFTER, key <= _UP_TO) if begun else key <= _UP_TO


def _chosen(key: "Column[UUID]") -> ColumnElement[bool]:
    return key == func.any(_IDS)


def _rows(key: "Column[UUID]", parts: Sequence[Part], where: _Where) -> list[_Select]:
    """Return what selects the rows, and per part what selects the aggregates that have parts without a row."""
    table = _table(key)
    intact = and_(_holds(table), *(_part_holds(key, part) for part in parts))
    rows: _Select = select(
        key.label("id"), table.c.revision.label("revision"), table.c[EVENT_ID].label("event_id"), intact.label("intact")
    ).where(where(key))
    orphans = [
        select(
            part.of.label("id"),
            cast(null(), BigInteger).label("revision"),
            cast(null(), Uuid).label("event_id"),
            false().label("intact"),
        )
        .where(where(part.of), ~exists().where(key == part.of))
        .distinct()
        for part in parts
    ]
    return [rows, *orphans]


def _part_holds(key: "Column[UUID]", part: Part) -> ColumnElement[bool]:
    holds = func.coalesce(func.bool_and(_holds(part.table, _table(key).c.revision)), literal_column("true"))
    return select(and_(func.count() == part.counted, holds)).where(part.of == key).scalar_subquery()


def _digest(selects: Sequence[_Select]) -> _Select:
    rows = union_all(*selects).limit(_MOST).subquery("rows")
    return select(
        func.count(rows.c.revision).label("count"),
        digest_of(rows).label("digest"),
        func.count().filter(~rows.c.intact).label("damaged"),
    )


def _page(selects: Sequence[_Select]) -> _Select:
    """Return what selects the first rows of a range: as many of each kind, then the first of those."""
    first = [each.order_by(each.selected_columns[0]).limit(_MOST).subquery() for each in selects]
    return _ordered([select(*each.c) for each in first]).limit(_MOST)


def _ordered(selects: Sequence[_Select]) -> _Select:
    rows = union_all(*selects).subquery("rows")
    return select(rows).order_by(rows.c.id)


def _as_text(table: Table, key: "Column[UUID]") -> _Select:
    told = [cast(column, Text).label(column.name) for column in table.c if column.name not in {CHECKSUM, key.name}]
    return select(*told).where(_chosen(key))
