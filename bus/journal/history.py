"""The history of an aggregate: the own part of its revisions, which never leaves the command database.

It is the journal's, for as long as the journal is kept, and the table `history` has what is older.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Select, Table, Uuid, bindparam, select, union_all
from sqlalchemy.dialects.postgresql import distinct_on

from bus.journal.tables import JOURNAL
from chassis.postgres import Connections
from chassis.sql import Statement

_LATEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is recorded of one revision: when it was committed, by whom, and the service's private bytes."""

    revision: int
    recorded_at: datetime
    principal: str
    private: bytes


def _before() -> Statement:
    """Read from both: what is being moved, and what the journal keeps of it, is in both and counts once."""
    both = union_all(*(_latest(kept).subquery().select() for kept in (JOURNAL.journal, JOURNAL.history))).subquery()
    return Statement(
        select(both.c.revision, both.c.recorded_at, both.c.principal, both.c.private)
        .ext(distinct_on(both.c.revision))
        .order_by(both.c.revision.desc())
        .limit(bindparam("most", type_=BigInteger()))
    )


def _latest(kept: Table) -> Select[Any]:
    return (
        select(kept.c.revision, kept.c.recorded_at, kept.c.principal, kept.c.private)
        .where(
            kept.c.aggregate_id == bindparam("aggregate_id", type_=Uuid()),
            kept.c.revision < bindparam("before", type_=BigInteger()),
        )
        .order_by(kept.c.revision.desc())
        .limit(bindparam("most", type_=BigInteger()))
    )


_BEFORE: Final = _before()


class History:
    """Reads the revisions of aggregates."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def of(self, aggregate_id: UUID, before: int | None, most: int) -> Sequence[Recorded]:
        """Return an aggregate's revisions below one, or its latest, the later ones first."""
        values = {"aggregate_id": aggregate_id, "before": _LATEST if before is None else before, "most": most}
        rows = await _BEFORE.fetch(self._connections, values)
        return [Recorded(row["revision"], row["recorded_at"], row["principal"], row["private"]) for row in rows]
