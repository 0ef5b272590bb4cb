"""One source's copy while it is compared with its source: the same generation and the same epoch throughout."""

import asyncio
from collections.abc import Awaitable, Sequence
from time import monotonic
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg

from bus.audit.listed import ListedRow, RangeDigest
from bus.following import checkpoint as checkpoints
from bus.following import parking
from bus.following.checkpoint import READ_ALL, Checkpoint, LaneCheckpoint
from bus.following.projection import Projection
from bus.following.source_answers import SourceHeads
from chassis.postgres import Connections
from chassis.refusal import Refusal

Answer = TypeVar("Answer")

_POLL_SECONDS: Final = 0.02
PATIENCE_SECONDS: Final = 30.0
"""How long a copy may stand still before what the source has: its projector may be starting anew."""


class AuditInterrupted(Refusal):
    """The copy is not what it was when the audit began, or does not get on; metadata: `source`."""

    reason = "AUDIT_INTERRUPTED"


class AuditedCopy:
    """Reads one source's copy by short statements, none of which sees another generation or epoch unnoticed.

    `connections` look names up in the generation's schema. All methods raise AuditInterrupted when the copy is
    another generation, follows another epoch, or does not come to what the source has within `patience` seconds.
    """

    def __init__(
        self,
        connections: Connections,
        source: str,
        projection: Projection[Any],
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.connections: Final = connections
        self.source: Final = source
        self.projection: Final = projection
        self._patience = patience
        self._generation: int | None = None
        self._epoch: UUID | None = None

    async def count(self) -> int:
        """Return how many aggregates are there."""
        return await self.there(self.projection.listed.count(self.connections))

    async def digest(self, after: UUID | None, up_to: UUID, most: int) -> RangeDigest:
        """Return the digest of a range, of so many rows at most."""
        return await self.there(self.projection.listed.digest(self.connections, after, up_to, most))

    async def page(self, after: UUID | None, up_to: UUID, most: int) -> list[ListedRow]:
        """Return at most so many rows of a range, in order of ids."""
        return await self.there(self.projection.listed.page(self.connections, after, up_to, most))

    async def rows(self, ids: Sequence[UUID]) -> dict[UUID, ListedRow]:
        """Return the rows of these aggregates, those that are there."""
        return await self.there(self.projection.listed.of(self.connections, ids))

    async def parked(self) -> set[UUID]:
        """Return the aggregates with open parked events."""
        return await self.there(parking.open_of(self.connections, self.source))

    async def checkpoint(self) -> Checkpoint:
        """Read the checkpoint; what was read before is then known to be of this generation."""
        rows = await self.there(READ_ALL.fetch(self.connections))
        found = next((row for row in rows if row["source"] == self.source), None)
        if found is None:
            raise self.interrupted("has not begun")
        checkpoint = checkpoints.of_row(found)
        self.same_generation(checkpoint)
        return checkpoint

    async def covering(self, heads: SourceHeads) -> Checkpoint:
        """Wait until everything up to the heads is applied, but for lanes that have stopped."""
        self.in_epoch(heads.epoch)
        came, since = -1, monotonic()
        while True:
            checkpoint = await self.checkpoint()
            pairs = enumerate(zip(checkpoint.lanes, heads.lanes, strict=True))
            waiting = [number for number, (lane, head) in pairs if not _covers(lane, head)]
            if not waiting:
                return checkpoint
            seqs = sum(lane.seq for lane in checkpoint.lanes)
            if seqs != came:
                came, since = seqs, monotonic()
            elif monotonic() - since > self._patience:
                at_lane, of_lane = checkpoint.lanes[waiting[0]].seq, heads.lanes[waiting[0]].seq
                raise self.interrupted(f"does not get on: lane {waiting[0]} is at {at_lane} of {of_lane}")
            await asyncio.sleep(_POLL_SECONDS)

    def in_epoch(self, epoch: UUID) -> None:
        """Take note of the source's epoch: it has to stay what it was at first."""
        if self._epoch is None:
            self._epoch = epoch
        if epoch != self._epoch:
            raise self.interrupted(f"was compared in epoch {self._epoch}; its source is in {epoch} now")

    def same_generation(self, checkpoint: Checkpoint) -> None:
        """Take note of the generation: it has to stay what it was at first."""
        generation = checkpoint.version >> checkpoints.GENERATION_BITS
        if self._generation is None:
            self._generation = generation
        if generation != self._generation:
            raise self.interrupted(f"was compared in generation {self._generation}; {generation} answers now")

    async def there(self, doing: Awaitable[Answer]) -> Answer:
        """Do something with the copy's tables, as long as they are there."""
        try:
            return await doing
        except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError) as error:
            raise self.interrupted("is not there any more") from error

    def interrupted(self, what: str) -> AuditInterrupted:
        """Return the refusal to go on."""
        return AuditInterrupted(f"the copy of {self.source} {what}", {"source": self.source})


def _covers(lane: LaneCheckpoint, head: LaneCheckpoint) -> bool:
    """Tell whether a lane has come to a head, or never will: it has stopped."""
    return head.seq == 0 or lane.stopped is not None or (lane.epoch == head.epoch and lane.seq >= head.seq)
