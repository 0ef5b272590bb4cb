"""A source's journal as those read it who mend, build or compare copies of it: the calling side of `JournalService`.

What can be raised besides SourceUnavailable:

JournalError
├── JournalTrimmed   the journal does not go back that far
├── JournalShort     the journal ends before what the caller has: the source went back
└── EpochMoved       the source began another epoch while it was being read
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any, Final, TypeVar, cast
from uuid import UUID

import grpc.aio
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status.rpc_status import from_call
from training.ops.v1 import journal_service_pb2 as pb
from training.ops.v1.journal_service_pb2_grpc import JournalServiceStub

from bus.event import Event
from bus.following.source_answers import SnapshotChunk, SourceHeads, SourceRange, chunk_of, events_of, range_of
from bus.freshness.consistency import SourceUnavailable

_HEADS_SECONDS: Final = 3.0
_ANSWER_SECONDS: Final = 10.0
"""How long the next part of a stream may take."""

Answer = TypeVar("Answer")
Part = TypeVar("Part")
WithHeads = TypeVar("WithHeads", bound="SnapshotChunk | SourceRange")


class JournalError(Exception):
    """The journal can't give what is asked for."""


class JournalTrimmed(JournalError):
    """The journal does not go back that far."""


class JournalShort(JournalError):
    """The journal ends before what the caller has."""


class EpochMoved(JournalError):
    """The source began another epoch while it was being read."""


class SourceJournal:
    """One source's journal, over a channel that outlives this; `metadata` names the caller.

    Every method raises SourceUnavailable when the source can't be asked, or answers what can't be understood.
    """

    def __init__(self, source: str, channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...] = ()) -> None:
        self.source: Final = source
        self._stub = JournalServiceStub(channel)
        self._metadata = metadata

    async def heads(self) -> SourceHeads:
        """Ask for the present heads of all lanes."""
        try:
            answer = await self._stub.GetLaneHeads(
                pb.GetLaneHeadsRequest(), timeout=_HEADS_SECONDS, metadata=self._metadata
            )
            return SourceHeads.of(answer.heads)
        except grpc.aio.AioRpcError as error:
            raise self._away(f"does not tell its heads: {error.code().name}") from error
        except ValueError as error:
            raise self._away(f"tells what are no heads: {error}") from error

    async def read(self, lane: int, after: int, up_to: int) -> AsyncGenerator[list[Event]]:
        """Read the events of a lane with sequence numbers in `(after, up_to]`, as far as they are committed, in order.

        They can be of several epochs. Raises JournalTrimmed, or JournalShort when the lane ends before `after`.
        """
        if up_to <= after:
            return
        request = pb.ReadJournalRequest(lane=lane, after=after, limit=up_to - after)
        call = self._stub.ReadJournal(request, metadata=self._metadata)
        async with aclosing(self._parts(call, events_of)) as parts:
            async for events in parts:
                yield events

    async def snapshot(self, after_id: UUID | None = None, ids: Sequence[UUID] = ()) -> AsyncGenerator[SnapshotChunk]:
        """Read what is published, in order of ids: after one, or of these aggregates only; at least one chunk comes.

        Raises EpochMoved when a chunk is of another epoch than the first.
        """
        request = pb.ExportSnapshotRequest(after_id=_bytes(after_id), aggregate_ids=[each.bytes for each in ids])
        call = self._stub.ExportSnapshot(request, metadata=self._metadata)
        async with aclosing(self._parts(call, chunk_of)) as chunks:
            async for chunk in self._of_one_epoch(chunks):
                yield chunk

    async def digests(
        self,
        after_id: UUID | None = None,
        up_to_id: UUID | None = None,
        *,
        range_size: int = 0,
        with_entries: bool = False,
        ids: Sequence[UUID] = (),
    ) -> AsyncGenerator[SourceRange]:
        """Read digests of what is published, by ranges of `range_size` aggregates (0: as the source likes).

        Raises EpochMoved when a range is of another epoch than the first.
        """
        request = pb.GetDigestsRequest(
            after_id=_bytes(after_id),
            up_to_id=_bytes(up_to_id),
            range_size=range_size,
            with_entries=with_entries,
            aggregate_ids=[each.bytes for each in ids],
        )
        call = self._stub.GetDigests(request, metadata=self._metadata)
        async with aclosing(self._parts(call, range_of)) as ranges:
            async for each in self._of_one_epoch(ranges):
                yield each

    async def _of_one_epoch(self, parts: AsyncIterator[WithHeads]) -> AsyncIterator[WithHeads]:
        epoch: UUID | None = None
        async for part in parts:
            if epoch is not None and part.heads.epoch != epoch:
                raise EpochMoved(f"{self.source} went from epoch {epoch} to {part.heads.epoch} while it was read")
            epoch = part.heads.epoch
            yield part

    async def _parts(
        self, call: "grpc.aio.UnaryStreamCall[Any, Answer]", understood: Callable[[Answer], Part]
    ) -> AsyncGenerator[Part]:
        """Yield a stream's parts as they are understood; it is cancelled when its reader leaves it."""
        try:
            while True:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    answer = await call.read()
                if answer is grpc.aio.EOF:
                    return
                yield understood(cast("Answer", answer))
        except grpc.aio.AioRpcError as error:
            raise self._refused(error) from error
        except TimeoutError as error:
            raise self._away("does not go on with its answer") from error
        except ValueError as error:
            raise self._away(f"answers what can't be understood: {error}") from error
        finally:
            call.cancel()

    def _refused(self, error: grpc.aio.AioRpcError) -> Exception:
        reason = _reason(error)
        if reason == "JOURNAL_TRIMMED":
            return JournalTrimmed(error.details() or reason)
        if reason == "JOURNAL_POSITION_UNKNOWN":
            return JournalShort(error.details() or reason)
        return self._away(f"does not answer: {error.code().name} {error.details() or ''}")

    def _away(self, what: str) -> SourceUnavailable:
        return SourceUnavailable(f"{self.source} {what}", {"source": self.source})


def _reason(error: grpc.aio.AioRpcError) -> str:
    """Return the reason that a refusal names, empty if it names none."""
    status = from_call(error)  # type: ignore[arg-type] # an AioRpcError has what it reads
    info = ErrorInfo()
    for detail in status.details if status is not None else ():
        if detail.Unpack(info):
            return info.reason
    return ""


def _bytes(given: UUID | None) -> bytes:
    return b"" if given is None else given.bytes
