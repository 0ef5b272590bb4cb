"""The durable subscriber: applies a source's events to a read store, each exactly once in effect.

One projector is active per source and read store, by a lease in the read store. Per batch there is one transaction:
what the projection makes of the events, and the checkpoint; only then the broker is told. On every start the checkpoint
in the database is the truth and the durable consumer is reset to it.

A gap, an event that can't be applied, a foreign epoch or a divergence stops its lane, visibly, and never skips.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Generic, Protocol, TypeVar

import asyncpg
import structlog
from nats.aio.msg import Msg
from training.ops.v1.journal_service_pb2 import LaneHeads

from bus import checkpoint as checkpoints
from bus.broker import BROKER_ERRORS, Broker, BrokerAway, Session, quietly
from bus.checkpoint import Checkpoint, CheckpointMoved, LaneCheckpoint, Verdict, advanced, judge
from bus.event import Event, MalformedEvent, parse
from bus.freshness import Freshness, beacon_of
from bus.lease import RENEW_SECONDS, Lease, LeaseLost
from bus.pull import Pull
from bus.source import Source
from bus.tasks import asked, together, told
from bus.tokens import Position
from bus.topology import StreamState, ensure_durable, stream_state
from chassis.postgres import UNAVAILABLE, Connection, Connections

Row = TypeVar("Row")

_RETRY_SECONDS: Final = 0.2
_REFUSED_AS_DATA: Final = ("22", "23", "54")

log: Final = structlog.get_logger(__name__)


def lease_name(source: str) -> str:
    """Return the name of the lease that a source's active projector holds in its read store."""
    return f"projector/{source}"


class Undecodable(Exception):
    """An event whose body can't be read or does not fit its headers."""


class Projection(Protocol[Row]):
    """What a read store makes of one source's events."""

    def row(self, event: Event) -> Row | None:
        """Return what is to be written for an event, None for nothing. Pure; what it raises is the event's fault."""
        ...

    async def write(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write rows, set-based; of one id's rows, the stored one too, that of the highest revision stands."""
        ...


class _Reread(Exception):
    """A number is missing in a lane; the stream is read again from the checkpoint."""


class Subscriber(Generic[Row]):
    """Applies one source's events while `run` runs and it is this projector's turn."""

    def __init__(
        self,
        connections: Connections,
        broker: Broker,
        source: Source,
        projection: Projection[Row],
        *,
        durable: str,
        holder: str,
    ) -> None:
        self._connections = connections
        self._broker = broker
        self._source = source
        self._projection = projection
        self._durable = durable
        self._holder = holder
        self._gaps: set[tuple[int, int]] = set()
        self._freshness = Freshness()
        self._position: Position | None = None
        self.trouble = ""

    async def run(self) -> None:
        """Be active whenever it is this projector's turn, until cancelled."""
        while True:
            try:
                await self._turn()
            except (*UNAVAILABLE, asyncpg.PostgresError, LeaseLost, CheckpointMoved) as error:
                self._note(error)
            await asyncio.sleep(_RETRY_SECONDS)

    def _note(self, error: Exception) -> None:
        """Keep what is wrong for the status; log it once, not at every retry."""
        trouble = told(error)
        if trouble != self.trouble:
            log.warning("projector_interrupted", source=self._source.name, reason=trouble)
        self.trouble = trouble

    async def _turn(self) -> None:
        async with self._connections.lent() as connection:
            lease = await Lease.await_turn(connection, lease_name(self._source.name), self._holder)
            log.info("projector_active", source=self._source.name, term=lease.term)
            try:
                await together(self._renew(connection, lease), self._apply_sessions())
            finally:
                connection.terminate()  # frees the lease; the next term begins on a connection of its own

    async def _renew(self, connection: Connection, lease: Lease) -> None:
        while True:
            await lease.renew(connection)
            await asyncio.sleep(RENEW_SECONDS)

    async def _apply_sessions(self) -> None:
        """Apply over one session after another."""
        while True:
            session = await self._broker.session()
            try:
                await together(session.until_lost(), self._confirm(session), self._apply(session))
            except (*BROKER_ERRORS, BrokerAway, _Reread) as error:
                self._note(error)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _apply(self, session: Session) -> None:
        """Reset the consumer to the checkpoint, then apply batch after batch."""
        state = await stream_state(session.jetstream, self._source)
        await ensure_durable(session.jetstream, self._source, self._durable)
        checkpoint = _in_stream(await checkpoints.begin(self._connections, self._source.name), state)
        await asked(
            session.jetstream.reset_consumer(self._source.stream, self._durable, checkpoint.stream_sequence + 1)
        )
        pull = Pull(session, self._source.stream, self._durable)
        await pull.open()
        try:
            self.trouble = ""
            while True:
                self._position = checkpoint.position()
                self._freshness.came_to(self._position)
                messages = await pull.batch()
                if messages:
                    checkpoint = await self._batch(checkpoint, messages)
                    await messages[-1].ack()
        finally:
            await quietly(pull.close())

    async def _confirm(self, session: Session) -> None:
        """Write down now and then how fresh the copy is, for whoever starts while the source is silent."""
        beacons = await session.client.subscribe(self._source.beacon_subject)
        try:
            async for message in beacons.messages:
                before = self._freshness.as_of
                self._freshness.heard(beacon_of(LaneHeads.FromString(message.data)), self._position)
                if self._freshness.as_of is not None and self._freshness.as_of != before:
                    await checkpoints.confirm(self._connections, self._source.name, self._freshness.as_of)
        finally:
            await quietly(beacons.unsubscribe())

    async def _batch(self, checkpoint: Checkpoint, messages: Sequence[Msg]) -> Checkpoint:
        """Apply one batch in one transaction and return the checkpoint after it."""
        rows, after = self._choose(checkpoint, messages)
        if after == checkpoint:
            return checkpoint
        try:
            return await self._commit(rows, checkpoint, after)
        except asyncpg.PostgresError as error:
            if not _refused_as_data(error):
                raise
            if len(messages) == 1:
                stopped = self._stopped(
                    checkpoint, messages[0], f"the read store refused it: SQLSTATE {error.sqlstate}"
                )
                return await self._commit([], checkpoint, stopped)
        middle = len(messages) // 2  # one event among them is refused: find it
        return await self._batch(await self._batch(checkpoint, messages[:middle]), messages[middle:])

    async def _commit(self, rows: Sequence[Row], before: Checkpoint, after: Checkpoint) -> Checkpoint:
        async with self._connections.transaction() as connection:
            if rows:
                await self._projection.write(connection, rows)
            return await checkpoints.move(connection, before, after)

    def _choose(self, before: Checkpoint, messages: Sequence[Msg]) -> tuple[list[Row], Checkpoint]:
        """Judge each message; return what to write, and the checkpoint that follows."""
        rows: list[Row] = []
        checkpoint = before
        for message in messages:
            try:
                event = parse(message.headers, message.data)
                lane = checkpoint.lanes[event.lane]
                verdict = judge(lane, event)
                if verdict is Verdict.NEXT and lane.stopped is None:
                    if (row := self._row(event)) is not None:
                        rows.append(row)
                    checkpoint = _with_lane(checkpoint, event.lane, advanced(lane, event))
                    self._gaps.discard((event.lane, event.seq))
                elif verdict is not Verdict.DUPLICATE:
                    checkpoint = self._stopped(checkpoint, message, self._trouble(verdict, lane, event))
            except (MalformedEvent, Undecodable) as error:
                checkpoint = self._stopped(checkpoint, message, f"{type(error).__name__}: {error}")
            if not any(lane.stopped for lane in checkpoint.lanes):
                checkpoint = replace(checkpoint, stream_sequence=message.metadata.sequence.stream)
        return rows, checkpoint

    def _row(self, event: Event) -> Row | None:
        try:
            return self._projection.row(event)
        except Undecodable:
            raise
        except Exception as error:  # whatever a pure mapping raises is the fault of this one event
            log.exception("event_not_mapped", source=self._source.name, event_id=str(event.event_id))
            raise Undecodable(f"{type(error).__name__}: {error}") from error

    def _trouble(self, verdict: Verdict, lane: LaneCheckpoint, event: Event) -> str:
        """Say what is wrong with an event; at a gap seen for the first time the stream is read again instead."""
        if verdict is Verdict.GAP and lane.stopped is None:
            missing = (event.lane, lane.seq + 1)
            if missing not in self._gaps:
                self._gaps.add(missing)
                raise _Reread(f"lane {event.lane}: seq {lane.seq + 1} is missing before {event.seq}")
            return f"gap: seq {lane.seq + 1} is missing, the stream goes on with {event.seq}"
        if verdict is Verdict.FOREIGN_EPOCH:
            return f"epoch {event.epoch} instead of {lane.epoch}"
        return (
            f"divergence: seq {event.seq} is event {event.event_id} after {event.previous}, not after {lane.event_id}"
        )

    def _stopped(self, checkpoint: Checkpoint, message: Msg, reason: str) -> Checkpoint:
        """Stop the lane of a message, unless it is stopped already: the first reason stays."""
        number = int(message.subject.split(".")[3])
        lane = checkpoint.lanes[number]
        if lane.stopped is not None:
            return checkpoint
        stopped = f"stream sequence {message.metadata.sequence.stream}: {reason}"
        log.error("projector_lane_stopped", source=self._source.name, lane=number, reason=stopped)
        return _with_lane(checkpoint, number, replace(lane, stopped=stopped))


def _with_lane(checkpoint: Checkpoint, number: int, lane: LaneCheckpoint) -> Checkpoint:
    lanes = (*checkpoint.lanes[:number], lane, *checkpoint.lanes[number + 1 :])
    return replace(checkpoint, lanes=lanes)


def _in_stream(checkpoint: Checkpoint, state: StreamState) -> Checkpoint:
    """Return the checkpoint as a place in the stream as it is now; in another stream than before, its beginning.

    Stopped lanes are tried again.
    """
    lanes = tuple(replace(lane, stopped=None) for lane in checkpoint.lanes)
    same = checkpoint.stream_created == state.created and checkpoint.stream_sequence <= state.last_seq
    return replace(
        checkpoint,
        lanes=lanes,
        stream_created=state.created,
        stream_sequence=checkpoint.stream_sequence if same else 0,
    )


def _refused_as_data(error: asyncpg.PostgresError) -> bool:
    """Tell whether the store refused what was written, rather than failed."""
    return str(error.sqlstate).startswith(_REFUSED_AS_DATA)
