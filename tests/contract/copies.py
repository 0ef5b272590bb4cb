"""How a line's copy stands."""

from uuid import UUID, uuid4

from bus.following import checkpoint as checkpoints
from bus.following.checkpoint import Checkpoint
from bus.following.parking import ParkedEvent, page
from bus.lanes import lane_of
from tests.contract.line import Line


async def checkpoint(line: Line) -> Checkpoint:
    """Return how far the copy has come."""
    return await checkpoints.begin(line.copies, line.source.name)


async def stopped_lanes(line: Line) -> dict[int, str]:
    """Return the lanes that are stopped, with the reasons."""
    return {number: lane.stopped for number, lane in enumerate((await checkpoint(line)).lanes) if lane.stopped}


async def at_heads(line: Line) -> bool:
    """Tell whether every lane's checkpoint is the lane's last event."""
    rows = await line.commands.fetch("SELECT epoch, seq, event_id FROM lane ORDER BY lane")
    lanes = (await checkpoint(line)).lanes
    return [(row["seq"], row["event_id"]) for row in rows] == [(lane.seq, lane.event_id) for lane in lanes] and all(
        lane.epoch in {row["epoch"], None} for lane, row in zip(lanes, rows, strict=True)
    )


async def parked(line: Line) -> list[ParkedEvent]:
    """Return all parked events, those that are closed too, the latest first."""
    return await page(line.copies, include_closed=True, most=500)


def in_lane(lane: int) -> UUID:
    """Return a new id in a lane."""
    return next(each for each in iter(uuid4, None) if lane_of(each) == lane)


def in_other_lane(than: UUID) -> UUID:
    """Return a new id in another lane."""
    return next(other for other in iter(uuid4, None) if lane_of(other) != lane_of(than))
