"""How far the copies of a generation have come that is being built. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from bus.following.checkpoint import Checkpoint
from bus.following.source_answers import SourceHeads
from bus.topology import StreamState


def at(checkpoint: Checkpoint, heads: SourceHeads, stream: StreamState) -> Checkpoint:
    """Return the checkpoint of a copy that contains what a source had committed when a stream ended as it did."""
    return replace(checkpoint, lanes=heads.lanes, stream_created=stream.created, stream_sequence=stream.last_seq)


def reached(checkpoint: Checkpoint, heads: SourceHeads) -> bool:
    """Tell whether a copy contains everything up to these heads; numbering goes on in a later epoch."""
    return all(
        have.seq >= need.seq and (need.seq == 0 or (have.epoch is not None and have.epoch >= heads.epoch))
        for have, need in zip(checkpoint.lanes, heads.lanes, strict=True)
    )


def applied(found: Mapping[str, Checkpoint]) -> int:
    """Return how many events the copies contain."""
    return sum(lane.seq for checkpoint in found.values() for lane in checkpoint.lanes)
