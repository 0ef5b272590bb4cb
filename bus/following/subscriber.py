"""The durable subscriber: applies a source's events to a read store, each exactly once in effect.

One projector is active per source and generation of a read store, by a lease in the read store. Per batch there is one
transaction: what the projection makes of the events, and the checkpoint; only then the broker is told. On every start
the checkpoint in the database is the truth and the durable consumer is reset to it.

Nothing is skipped. What did not come is had from the stream or from the source's journal; an event that can't be
applied is parked; a divergence stops its lane, visibly; and what can't be mended asks for a copy made anew.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Generic, TypeVar

import asyncpg
import structlog
from google.protobuf.message import DecodeError
from training.ops.v1.journal_service_pb2 import LaneHeads

from bus.broker import BROKER_ERRORS, Broker, BrokerAway, Session, quietly
from bus.following import checkpoint as checkpoints
from bus.following.advancing import Advancing, Passed, RebuildNeeded
from bus.following.applying import Applying
from bus.following.checkpoint import Checkpoint, CheckpointMoved
from bus.following.choosing import unstopped
from bus.following.projection import Projection
from bus.following.pull import Pull
from bus.following.session import Following, Reread
from bus.following.source_answers import SourceHeads
from bus.following.source_journal import SourceJournal
from bus.freshness.freshness import Freshness, beacon_in
from bus.lease import Lease, LeaseLost
from bus.source import Source
from bus.tasks import asked, together, told
from bus.tokens import Position
from bus.topology import StreamState, ensure_durable, stream_state
from chassis.postgres import UNAVAILABLE, Connections

Row = TypeVar("Row")

_RETRY_SECONDS: Final = 0.2
_EXPECTED: Final = (
    *UNAVAILABLE,
    *BROKER_ERRORS,
    asyncpg.PostgresError,
    BrokerAway,
    LeaseLost,
    CheckpointMoved,
    RebuildNeeded,
    Reread,
)

log: Final = structlog.get_logger(__name__)


class Subscriber(Generic[Row]):
    """Applies one source's events while `run` runs and it is this projector's turn.

    `trouble` says why it does not get on, if it does not; `passed` counts what arrived and was not the copy's to apply.
    """

    def __init__(
        self,
        connections: Connections,
        broker: Broker,
        source: Source,
        projection: Projection[Row],
        *,
        journal: SourceJournal,
        durable: str,
        holder: str,
        lease: str,
        needs_rebuild: Callable[[str], None],
        building: bool = False,
    ) -> None:
        """Follow a source into the schema in which `connections` look names up first, then in the home's.

        `durable` is the consumer's name on the source's stream, `lease` that of the lease by which one projector of a
        generation is active at a time, held as `holder` (in the home). `journal` is asked for what the stream lacks.
        `needs_rebuild` is told once why the copy can't go on but must be made anew: nothing more is applied until
        `run` is cancelled. `building` is a copy that may contain more than its checkpoint tells, since a snapshot
        filled it and it has not come to the heads of the snapshot's last chunk: it takes over no later epoch in place.
        A copy that is replayed from the first event contains what its checkpoint tells: it is not `building`.
        """
        self._connections = connections
        self._broker = broker
        self._source = source
        self._applying = Applying(connections, source.name, projection)
        self._journal = journal
        self._durable = durable
        self._holder = holder
        self._lease = lease
        self._needs_rebuild = needs_rebuild
        self._building = building
        self._freshness = Freshness()
        self._position: Position | None = None
        self._heads: SourceHeads | None = None
        self._ended = False
        self.passed: Final = Passed()
        self.trouble = ""

    async def run(self) -> None:
        """Be active whenever it is this projector's turn, until cancelled."""
        while True:
            try:
                await self._turn()
            except RebuildNeeded as error:
                self._end(error)
            except Exception as error:  # noqa: BLE001 - whatever fails here, the process goes on answering
                self._note(error)
            await asyncio.sleep(_RETRY_SECONDS)

    def _end(self, error: RebuildNeeded) -> None:
        """Apply nothing more, and have the copy made anew."""
        self._note(error)
        if not self._ended:
            self._ended = True
            self._needs_rebuild(str(error))

    def _note(self, error: Exception) -> None:
        """Keep what is wrong for the status; log it once, not at every retry."""
        trouble = told(error)
        if trouble != self.trouble:
            unexpected = error if not isinstance(error, _EXPECTED) else None
            log.warning("projector_interrupted", source=self._source.name, reason=trouble, exc_info=unexpected)
        self.trouble = trouble

    def _tell(self, trouble: str) -> None:
        self.trouble = trouble

    async def _turn(self) -> None:
        async with self._connections.lent() as connection:
            lease = await Lease.await_turn(connection, self._lease, self._holder)
            log.info("projector_active", source=self._source.name, term=lease.term)
            try:
                await together(lease.keep(connection), self._apply_sessions())
            finally:
                connection.terminate()  # frees the lease; the next term begins on a connection of its own

    async def _apply_sessions(self) -> None:
        """Apply over one session after another."""
        while not self._ended:
            session = await self._broker.session()
            try:
                await together(session.until_lost(), self._confirm(session), self._apply(session))
            except RebuildNeeded as error:
                self._end(error)
            except Reread as error:
                log.info("projector_reads_again", source=self._source.name, reason=str(error))
            except (*BROKER_ERRORS, BrokerAway, CheckpointMoved) as error:
                self._note(error)
            await asyncio.sleep(_RETRY_SECONDS)
        await asyncio.Event().wait()

    async def _apply(self, session: Session) -> None:
        """Reset the consumer to the checkpoint, then apply batch after batch."""
        state = await stream_state(session.jetstream, self._source)
        await ensure_durable(session.jetstream, self._source, self._durable)
        stored = await checkpoints.begin(self._connections, self._source.name)
        checkpoint = _in_stream(stored, state)
        await asked(
            session.jetstream.reset_consumer(self._source.stream, self._durable, checkpoint.stream_sequence + 1)
        )
        copy = Advancing(self._applying, stored, checkpoint, self.passed, building=self._building)
        pull = Pull(session, self._source.stream, self._durable)
        following = Following(session, self._source, self._journal, copy, pull, passed=self.passed, tell=self._tell)
        await pull.open()
        try:
            self.trouble = ""
            while True:
                self._position = copy.checkpoint.position()
                self._freshness.came_to(self._position)
                messages = await pull.batch()
                await following.take(messages)
                if messages:
                    await messages[-1].ack()
                if self._heads is not None:
                    heads, self._heads = self._heads, None
                    await following.hear(heads)
                await following.retry()
        finally:
            await following.close()
            await quietly(pull.close())

    async def _confirm(self, session: Session) -> None:
        """Hear beacons; write down how fresh the copy is now and then, for who starts while the source is silent."""
        beacons = await session.client.subscribe(self._source.beacon_subject)
        try:
            async for message in beacons.messages:
                beacon, before = beacon_in(message.data), self._freshness.as_of
                if beacon is None or beacon.source != self._source.name:
                    continue
                self._heads = _heads_in(message.data) or self._heads
                self._freshness.heard(beacon, self._position)
                if self._freshness.as_of is not None and self._freshness.as_of != before:
                    await checkpoints.confirm(self._connections, self._source.name, self._freshness.as_of)
        finally:
            await quietly(beacons.unsubscribe())


def _heads_in(beacon: bytes) -> SourceHeads | None:
    """Return the heads that a beacon announces; None when they are not those of all lanes."""
    try:
        return SourceHeads.of(LaneHeads.FromString(beacon))
    except (DecodeError, ValueError):
        return None


def _in_stream(checkpoint: Checkpoint, state: StreamState) -> Checkpoint:
    """Return the checkpoint as a place in the stream as it is now; in another stream than before, its beginning.

    Stopped lanes are tried again.
    """
    same = checkpoint.stream_created == state.created and checkpoint.stream_sequence <= state.last_seq
    return replace(
        unstopped(checkpoint),
        stream_created=state.created,
        stream_sequence=checkpoint.stream_sequence if same else 0,
    )
