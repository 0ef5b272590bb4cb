"""Of several revisions in one batch only the newest is written."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar
from uuid import UUID


class Revised(Protocol):
    """A row to be written, at a revision."""

    @property
    def id(self) -> UUID:
        """What it is a row of."""
        ...

    @property
    def revision(self) -> int:
        """The revision that it shows."""
        ...


Row = TypeVar("Row", bound=Revised)


def newest(rows: Iterable[Row]) -> Sequence[Row]:
    """Return the row of the highest revision for each id, in order of the ids: rows are locked in one order by all."""
    best: dict[UUID, Row] = {}
    for row in rows:
        kept = best.get(row.id)
        if kept is None or row.revision > kept.revision:
            best[row.id] = row
    return sorted(best.values(), key=lambda row: row.id.int)
