"""The history of an aggregate: the journal's own part of its revisions, which never leaves the command database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Uuid, bindparam, select

from bus.journal import JOURNAL
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
    journal = JOURNAL.journal
    return Statement(
        select(journal.c.revision, journal.c.recorded_at, journal.c.principal, journal.c.private)
        .where(
            journal.c.aggregate_id == bindparam("aggregate_id", type_=Uuid()),
            journal.c.revision < bindparam("before", type_=BigInteger()),
        )
        .order_by(journal.c.revision.desc())
        .limit(bindparam("most", type_=BigInteger()))
    )


_BEFORE: Final = _before()


class History:
    """Reads the revisions of aggregates from the journal."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def of(self, aggregate_id: UUID, before: int | None, most: int) -> Sequence[Recorded]:
        """Return an aggregate's revisions below one, or its latest, the later ones first."""
        values = {"aggregate_id": aggregate_id, "before": _LATEST if before is None else before, "most": most}
        rows = await _BEFORE.fetch(self._connections, values)
        return [Recorded(row["revision"], row["recorded_at"], row["principal"], row["private"]) for row in rows]
