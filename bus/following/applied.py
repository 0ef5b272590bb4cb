"""What a copy has of one aggregate, and how far it is with that aggregate's lane: the copy's part of `Explain`."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, literal_column, select
from training.ops.v1.operations_service_pb2 import AppliedState, ParkedEvent

from bus.audit.listed import ListedRow
from bus.following import checkpoint as checkpoints
from bus.following.checkpoint import READ_ALL, Checkpoint
from bus.following.parked_table import NO_BODY, PARKED, State
from bus.following.parking import parked_in
from bus.freshness.follower import Follower
from bus.lanes import lane_of
from bus.operations.parked_operations import told
from bus.read_store.read_model import ReadModel
from chassis.postgres import Connections
from chassis.sql import Statement

_MOST_PARKED: Final = 20
_OPEN: Final = Statement(
    select(*(NO_BODY if column.name == "body" else column for column in PARKED.c))
    .where(
        PARKED.c.source == bindparam("source", type_=Text()),
        PARKED.c.aggregate_id == bindparam("aggregate_id", type_=Uuid()),
        PARKED.c.state == literal_column(f"'{State.OPEN}'"),
    )
    .order_by(PARKED.c.revision.desc())
    .limit(literal_column(str(_MOST_PARKED)))
)
"""The latest open parked events of an aggregate, without their bodies."""


async def applied(
    connections: Connections, model: ReadModel, follower: Follower, aggregate_id: UUID
) -> list[AppliedState]:
    """Tell what the copy has of an aggregate, read in one snapshot, in the order in which a flip replaces the views.

    An id says nothing of its source: of the sources those are told that the copy has something of, else all.
    """
    states: list[AppliedState] = []
    async with connections.transaction(readonly=True, snapshot=True) as connection:
        listed = {
            source: (await projection.listed.of(connection, [aggregate_id])).get(aggregate_id)
            for source, projection in model.projections.items()
        }
        found = {row["source"]: checkpoints.of_row(row) for row in await READ_ALL.fetch(connection)}
        for source, row in listed.items():
            parked = await _OPEN.fetch(connection, {"source": source, "aggregate_id": aggregate_id})
            of_it = [told(parked_in(each)) for each in parked]
            state = _state(source, aggregate_id, found.get(source), row, of_it)
            as_of = follower.freshness[source].as_of
            if as_of is not None:
                state.as_of.FromDatetime(as_of)
            states.append(state)
    return [state for state in states if has_something(state)] or states


def has_something(state: AppliedState) -> bool:
    """Tell whether the copy shows something of the aggregate, or lacks what is parked."""
    return state.HasField("revision") or bool(state.parked)


def _state(
    source: str,
    aggregate_id: UUID,
    checkpoint: Checkpoint | None,
    row: ListedRow | None,
    parked: Sequence[ParkedEvent],
) -> AppliedState:
    number = lane_of(aggregate_id)
    state = AppliedState(source=source, aggregate_id=str(aggregate_id), lane=number, parked=parked)
    if checkpoint is not None:
        lane = checkpoint.lanes[number]
        state.applied = lane.seq
        state.epoch = "" if lane.epoch is None else str(lane.epoch)
        state.stopped_reason = lane.stopped or ""
    if row is not None and row.revision is not None:
        state.revision = row.revision
        state.event_id = "" if row.event_id is None else str(row.event_id)
    return state
