"""Which state of the read model a snapshot shows.

The versions of all checkpoints, read in the same snapshot as entries, tell it: nothing that readers see changes without
moving a checkpoint.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import ARRAY, BigInteger, ColumnElement, func, select

from bus.following import checkpoint as checkpoints
from bus.following.checkpoint import READ_ALL, Checkpoint
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


TRIES: Final = 3
"""How often entries are read, should one snapshot after another show less than what had been reached."""

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


def went_back(shown: Vector, reached: Vector) -> bool:
    """Tell whether a snapshot shows less than what had been reached before it was taken.

    A new generation has come as far as the one it follows. But a snapshot taken in the moment before it took over can
    show its tables as they were then, a little behind.
    """
    return any(
        source not in shown
        or shown[source].epoch < position.epoch
        or (shown[source].epoch == position.epoch and not shown[source].covers(position))
        for source, position in reached.items()
    )
