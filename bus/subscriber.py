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
from nats.js.errors import NotFoundError

from bus import checkpoint as checkpoints
from bus.broker import BROKER_ERRORS, Broker, BrokerAway, Session, quietly
from bus.checkpoint import Checkpoint, CheckpointMoved, LaneCheckpoint, Verdict, advanced, judge
from bus.event import Event, MalformedEvent, lane_named, received
from bus.freshness import Freshness, beacon_in
from bus.lease import Lease, LeaseLost
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
    """A number did not come in a lane; the stream is read again from the checkpoint."""

    def __init__(self, lane: int, seq: int, after: int) -> None:
        super().__init__(f"lane {lane}: seq {seq} did not come")
        self.lane = lane
        self.seq = seq
        self.after = after


_EXPECTED: Final = (
    *UNAVAILABLE,
    *BROKER_ERRORS,
    asyncpg.PostgresError,
    BrokerAway,
    LeaseLost,
    CheckpointMoved,
    _Reread,
)


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
            except Exception as error:  # noqa: BLE001 - whatever fails here, the process goes on answering
                self._note(error)
            await asyncio.sleep(_RETRY_SECONDS)

    def _note(self, error: Exception) -> None:
        """Keep what is wrong for the status; log it once, not at every retry."""
        trouble = told(error)
        if trouble != self.trouble:
            unexpected = error if not isinstance(error, _EXPECTED) else None
            log.warning("projector_interrupted", source=self._source.name, reason=trouble, exc_info=unexpected)
        self.trouble = trouble

    async def _turn(self) -> None:
        async with self._connections.lent() as connection:
            lease = await Lease.await_turn(connection, lease_name(self._source.name), self._holder)
            log.info("projector_active", source=self._source.name, term=lease.term)
            try:
                await together(lease.keep(connection), self._apply_sessions())
            finally:
                connection.terminate()  # frees the lease; the next term begins on a connection of its own

    async def _apply_sessions(self) -> None:
        """Apply over one session after another."""
        while True:
            session = await self._broker.session()
            try:
                await together(session.until_lost(), self._confirm(session), self._apply(session))
            except _Reread as error:
                self._note(error)
                if await self._is_missing(session, error):
                    self._gaps.add((error.lane, error.seq))
            except (*BROKER_ERRORS, BrokerAway) as error:
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
                beacon, before = beacon_in(message.data), self._freshness.as_of
                if beacon is None or beacon.source != self._source.name:
                    continue
                self._freshness.heard(beacon, self._position)
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
                lanes = list(checkpoint.lanes)
                self._stop(lanes, messages[0], f"the read store refused it: SQLSTATE {error.sqlstate}")
                return await self._commit([], checkpoint, replace(checkpoint, lanes=tuple(lanes)))
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
        lanes = list(before.lanes)
        epoch = before.epoch
        stopped = any(lane.stopped for lane in lanes)
        last: Msg | None = None  # of those before any lane was stopped
        for message in messages:
            try:
                event = received(message.subject, message.headers, message.data, self._source)
                lane = lanes[event.lane]
                verdict = judge(lane, event, epoch)
                if verdict is Verdict.NEXT and lane.stopped is None:
                    if (row := self._row(event)) is not None:
                        rows.append(row)
                    lanes[event.lane] = advanced(lane, event)
                    epoch = event.epoch
                    if self._gaps:
                        self._gaps.discard((event.lane, event.seq))
                elif verdict is not Verdict.DUPLICATE:
                    self._stop(lanes, message, self._trouble(verdict, lane, event, before))
                    stopped = True
            except (MalformedEvent, Undecodable) as error:
                stopped = self._stop(lanes, message, told(error)) or stopped
            if not stopped:
                last = message
        sequence = before.stream_sequence if last is None else last.metadata.sequence.stream
        return rows, replace(before, lanes=tuple(lanes), stream_sequence=sequence)

    def _row(self, event: Event) -> Row | None:
        try:
            return self._projection.row(event)
        except Undecodable:
            raise
        except Exception as error:  # whatever a pure mapping raises is the fault of this one event
            log.exception("event_not_mapped", source=self._source.name, event_id=str(event.event_id))
            raise Undecodable(f"{type(error).__name__}: {error}") from error

    def _trouble(self, verdict: Verdict, lane: LaneCheckpoint, event: Event, before: Checkpoint) -> str:
        """Say what is wrong with an event; unless the stream is known to lack a number, it is read again instead."""
        if verdict is Verdict.GAP and lane.stopped is None:
            if (event.lane, lane.seq + 1) not in self._gaps:
                raise _Reread(event.lane, lane.seq + 1, before.stream_sequence)
            return f"gap: seq {lane.seq + 1} is missing, the stream goes on with {event.seq}"
        if verdict is Verdict.FOREIGN_EPOCH:
            return f"epoch {event.epoch} instead of {before.epoch}"
        return (
            f"divergence: seq {event.seq} is event {event.event_id} after {event.previous}, not after {lane.event_id}"
        )

    async def _is_missing(self, session: Session, gap: _Reread) -> bool:
        """Look whether the stream really lacks a number, or another reader of the durable was given it."""
        subject, after = self._source.lane_subjects(gap.lane), gap.after
        while True:
            try:
                message = await asked(
                    session.jetstream.get_msg(self._source.stream, seq=after + 1, subject=subject, next=True)
                )
                event = received(message.subject or "", message.headers, message.data or b"", self._source)
            except (NotFoundError, MalformedEvent):
                return True
            except (*BROKER_ERRORS, BrokerAway):
                return False
            if event.seq >= gap.seq:
                return event.seq != gap.seq
            after = message.seq or after + 1

    def _stop(self, lanes: list[LaneCheckpoint], message: Msg, reason: str) -> bool:
        """Stop the lane of a message, unless it is stopped already: the first reason stays.

        Tell whether there is such a lane. A message on a subject that names none is no lane's event: it is passed by.
        """
        number = lane_named(message.subject)
        if number is None:
            log.error("message_of_no_lane", source=self._source.name, subject=message.subject, reason=reason)
            return False
        lane = lanes[number]
        if lane.stopped is not None:
            return True
        stopped = f"stream sequence {message.metadata.sequence.stream}: {reason}"
        log.error("projector_lane_stopped", source=self._source.name, lane=number, reason=stopped)
        lanes[number] = replace(lane, stopped=stopped)
        return True


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
