"""The one statement by which several accepted commands on one aggregate are committed: a revision and an event each.

It is ordered as a single commit is. The lane takes all the numbers at once, behind the locks of everything else; the
journal rows and the stored responses count back from the last one. The first event follows the lane's last one, each of
the others the one before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    LargeBinary,
    Select,
    Table,
    Text,
    Uuid,
    bindparam,
    func,
    insert,
    select,
    true,
)
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeEngine
from uuid_utils.compat import uuid7

from bus.commands.commit import AggregateTable, advance, update_row
from bus.commands.handling import CommandCall, Revision
from bus.journal.published import published_by
from bus.journal.tables import JOURNAL
from chassis.sql import Statement

_Columns = Mapping[str, TypeEngine[Any]]
_EVENTS: Final[_Columns] = {
    "event_id": Uuid(),
    "previous": Uuid(),
    "revision": BigInteger(),
    "type": Text(),
    "principal": Text(),
    "request_id": Uuid(),
    "traceparent": Text(),
    "public": LargeBinary(),
    "private": LargeBinary(),
}
_RESPONSES: Final[_Columns] = {
    "principal": Text(),
    "method": Text(),
    "request_id": Uuid(),
    "fingerprint": LargeBinary(),
    "response": LargeBinary(),
    "subject": Text(),
    "position": BigInteger(),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One accepted command: its call, its revision and the number of that."""

    call: CommandCall
    number: int
    revision: Revision


@dataclass(frozen=True, slots=True)
class Response:
    """What a request is to be answered when it is repeated; `position` counts the batch's revisions it contains."""

    call: CommandCall
    response: bytes
    subject: str
    position: int
    changed: bool


class BatchStatement:
    """The commit of a batch, with effects or without, compiled."""

    def __init__(self, aggregate: AggregateTable) -> None:
        self._plain: Final = Statement(_commit(aggregate, affecting=False))
        self._affecting: Final = Statement(_commit(aggregate, affecting=True))

    def of(self, *, effects: bool) -> Statement:
        """Return the statement; its row has `epoch` and the last `seq`, and there is none if others were faster."""
        return self._affecting if effects else self._plain


def values_of(events: Sequence[Event], responses: Sequence[Response], *, publishes: bool) -> dict[str, object]:
    """Return the parameters of a batch, without those of the effects.

    Of the aggregate's row they are those of what is published last, if it `publishes`.
    """
    ids: list[UUID] = [uuid7() for _ in events]
    rows = [
        (
            event_id,
            previous,
            event.number,
            event.revision.event_type,
            event.call.principal,
            event.call.request_id,
            event.call.traceparent,
            event.revision.public,
            event.revision.private,
        )
        for event, (previous, event_id) in zip(events, pairwise((None, *ids)), strict=True)
    ]
    answers = [
        (
            each.call.principal,
            each.call.method,
            each.call.request_id,
            each.call.fingerprint,
            each.response,
            each.subject or None,
            each.position,
        )
        for each in responses
    ]
    return {
        **(_last_published(events, ids) if publishes else {}),
        "count": len(events),
        "event_id": ids[-1],
        **_arrays("event", _EVENTS, rows),
        **_arrays("response", _RESPONSES, answers),
    }


def _last_published(events: Sequence[Event], ids: Sequence[UUID]) -> dict[str, object]:
    """Return the parameters of the last revision that publishes something, or of the last."""
    pairs = list(zip(events, ids, strict=True))
    event, event_id = next((pair for pair in reversed(pairs) if pair[0].revision.public), pairs[-1])
    return published_by(event.number, event_id, event.revision.public)


def _arrays(prefix: str, columns: _Columns, rows: Sequence[tuple[object, ...]]) -> dict[str, object]:
    arrays = zip(*rows, strict=True) if rows else ([] for _ in columns)
    return {_named(prefix, name): values for name, values in zip(columns, arrays, strict=True)}


def _named(prefix: str, column: str) -> str:
    return f"each_{prefix}_{column}"


def _given(prefix: str, columns: _Columns) -> TableValuedAlias:
    arrays = (bindparam(_named(prefix, name), type_=ARRAY(kind)) for name, kind in columns.items())
    return func.unnest(*arrays).table_valued(*columns, with_ordinality="n").render_derived(f"each_{prefix}")


def _commit(aggregate: AggregateTable, *, affecting: bool) -> Select[Any]:
    row = update_row(aggregate).cte("aggregate")
    effects = list(aggregate.effects(row)) if affecting else []
    count = bindparam("count", type_=BigInteger())
    lane = advance(row, effects, count).cte("advanced")
    query = select(lane.c.epoch, lane.c.seq).add_cte(*effects)
    return query.add_cte(_journal(lane, count).cte("written"), _responses(lane, count).cte("answered"))


def _journal(lane: CTE, count: ColumnElement[int]) -> Insert:
    each = _given("event", _EVENTS)
    chosen: dict[str, ColumnElement[Any]] = {
        "lane": lane.c.lane,
        "seq": lane.c.seq - count + each.c.n,
        "epoch": lane.c.epoch,
        "previous_event_id": func.coalesce(each.c.previous, lane.c.previous_event_id),
        "aggregate_id": bindparam("aggregate_id", type_=Uuid()),
        **{name: each.c[name] for name in _EVENTS if name != "previous"},
    }
    return _insert(JOURNAL.journal, lane, each, chosen)


def _responses(lane: CTE, count: ColumnElement[int]) -> Insert:
    each = _given("response", _RESPONSES)
    chosen: dict[str, ColumnElement[Any]] = {
        "epoch": lane.c.epoch,
        "lane": lane.c.lane,
        "seq": lane.c.seq - count + each.c.position,
        **{name: each.c[name] for name in _RESPONSES if name != "position"},
    }
    return _insert(JOURNAL.idempotency, lane, each, chosen)


def _insert(table: Table, lane: CTE, each: TableValuedAlias, chosen: Mapping[str, ColumnElement[Any]]) -> Insert:
    rows = select(*chosen.values()).select_from(lane.join(each, true()))
    return insert(table).from_select(list(chosen), rows).returning(table.c.seq)
