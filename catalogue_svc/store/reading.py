"""Which state of the read model a snapshot shows.

The versions of all checkpoints, read in the same snapshot as entries, tell it: nothing that readers see changes without
moving a checkpoint.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import ARRAY, BigInteger, ColumnElement, func, select

from bus import checkpoint as checkpoints
from bus.checkpoint import READ_ALL, Checkpoint
from bus.tokens import Vector
from catalogue_svc.store.schema import CHECKPOINT
from chassis.postgres import Connection
from chassis.sql import Statement

Versions = Sequence[int]
"""The versions of all checkpoints, in order of their sources' names."""


def versions() -> ColumnElement[list[int]]:
    """Return the SQL for the versions in a statement's snapshot."""
    ordered = select(CHECKPOINT.c.version).order_by(CHECKPOINT.c.source.collate("C")).scalar_subquery()
    return func.array(ordered, type_=ARRAY(BigInteger()))


VERSIONS: Final = Statement(select(versions().label("versions")))


def versions_of(found: Mapping[str, Checkpoint]) -> list[int]:
    """Return the versions of checkpoints that were read before."""
    return [found[source].version for source in sorted(found)]


def vector_of(found: Mapping[str, Checkpoint]) -> Vector:
    """Return the positions that tokens speak of."""
    positions = {source: checkpoint.position() for source, checkpoint in found.items()}
    return {source: position for source, position in positions.items() if position is not None}


async def read_vector(connection: Connection) -> Vector:
    """Read the positions in the connection's snapshot."""
    rows = await READ_ALL.fetch(connection)
    return vector_of({row["source"]: checkpoints.of_row(row) for row in rows})
