"""A line from a journal to a copy, with counters as its aggregates."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Column, MetaData, Table, Uuid

from bus.audit.listed import Listed, checksum_column, event_column
from bus.broker import Broker
from bus.commands.path import CommandCall, CommandPath, Outcome
from bus.event import Event
from bus.following.checkpoint import checkpoint_table
from bus.following.newest import newest
from bus.following.parked_table import parked_table
from bus.following.projection import Undecodable
from bus.following.source_journal import SourceJournal
from bus.following.subscriber import Subscriber
from bus.freshness.follower import Follower
from bus.journal.epochs import Epochs
from bus.journal.partitions import net_ddl
from bus.journal.tables import JOURNAL, begin_lanes
from bus.lease import lease_table
from bus.relay.relay import Relay
from bus.source import Source
from bus.topology import StreamLimits
from chassis.postgres import Connection, Connections
from tests.contract.counter import COMMANDS, COUNTERS, Command, Counter, Counters, Raise, ddl
from tests.contract.journal_server import serving_journal

COPIES = MetaData()
checkpoint_table(COPIES)
parked_table(COPIES)
lease_table(COPIES)
COPY = Table(
    "copy",
    COPIES,
    Column("counter_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    event_column(),
    Column("value", BigInteger, nullable=False),
    checksum_column(),
)
POISON = b"poison"


@dataclass(frozen=True, slots=True)
class CopyRow:
    """What is kept of one counter."""

    id: UUID
    revision: int
    event_id: UUID
    value: int


class CopyProjection:
    """Keeps the value of each counter."""

    listed = Listed(COPY.c.counter_id)

    def __init__(self) -> None:
        self.batches: list[int] = []

    def row(self, event: Event) -> CopyRow | None:
        """Read the value, or choke on poison."""
        if event.body == POISON:
            raise Undecodable("poison")
        return CopyRow(event.aggregate_id, event.revision, event.event_id, int(event.body)) if event.body else None

    async def write(self, connection: Connection, rows: Sequence[CopyRow]) -> None:
        """Keep the latest value of each counter."""
        self.batches.append(len(rows))
        latest = newest(rows)
        await connection.execute(
            "INSERT INTO copy SELECT given.*, hash_record_extended(given, 0) "
            "FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[]) AS given "
            "ON CONFLICT (counter_id) DO UPDATE SET revision = excluded.revision, event_id = excluded.event_id, "
            "value = excluded.value, checksum = excluded.checksum WHERE copy.revision < excluded.revision",
            *([getattr(row, name) for row in latest] for name in CopyRow.__slots__),
        )

    async def delete(self, connection: Connection, ids: Sequence[UUID]) -> None:
        """Delete the rows of these counters."""
        await connection.execute("DELETE FROM copy WHERE counter_id = any($1)", ids)

    async def columns(self, connection: Connection, aggregate_id: UUID) -> Mapping[str, str]:
        """Return what is there of one counter, as text by column."""
        return await self.listed.columns(connection, aggregate_id)


@dataclass
class Line:
    """The parts, not running until they are run."""

    source: Source
    dsn: str
    commands: Connections
    relaying: Connections
    copies: Connections
    nats_url: str
    broker: Broker
    epochs: Epochs
    path: CommandPath[Counter, Command]
    woken: list[Callable[[], None]]
    asked_anew: list[str] = field(default_factory=list)  # why a subscriber wants the copy made anew
    journal: SourceJournal = field(init=False)

    async def raise_to(
        self,
        counter_id: UUID,
        value: int | None = None,
        *,
        request_id: UUID | None = None,
        etag: str = "",
        validate_only: bool = False,
        fingerprint: bytes = b"f",
        body: bytes | None = None,
        hot: bool = False,
    ) -> Outcome:
        """Raise a counter to a value, by one when none is given."""
        call = CommandCall("alice", "/test/Raise", "00-t", request_id, fingerprint, etag, validate_only)
        return await self.path.execute(call, counter_id, Raise(value, body), hot=hot)

    def another_path(self) -> CommandPath[Counter, Command]:
        """Make a path as another process has it."""
        return make_path(self.commands, lambda: None)

    def relay(self, holder: str = "relay") -> Relay:
        """Make a relay."""
        relay = Relay(self.relaying, self.broker, self.source, holder, StreamLimits(max_bytes=256 * 1024**2))
        self.woken.append(relay.wake)
        return relay

    def subscriber(
        self,
        holder: str = "projector",
        *,
        journal: SourceJournal | None = None,
        lease: str = "projector/thing",
        building: bool = False,
    ) -> Subscriber[CopyRow]:
        """Make a subscriber with a projection of its own; it asks another journal than the line's if one is given."""
        return Subscriber(
            self.copies,
            self.broker,
            self.source,
            CopyProjection(),
            journal=journal or self.journal,
            durable=f"{self.source.prefix}-copy",
            holder=holder,
            lease=lease,
            needs_rebuild=self.asked_anew.append,
            building=building,
        )

    def follower(self) -> Follower:
        """Make a follower of the copies."""
        return Follower(self.copies, self.broker, [self.source])

    async def lane_events(self) -> dict[int, list[tuple[int, UUID, UUID | None]]]:
        """Return the journal by lane: seq, id and the id before."""
        rows = await self.commands.fetch(
            "SELECT lane, seq, event_id, previous_event_id FROM journal ORDER BY lane, seq"
        )
        lanes: dict[int, list[tuple[int, UUID, UUID | None]]] = {}
        for row in rows:
            lanes.setdefault(row["lane"], []).append((row["seq"], row["event_id"], row["previous_event_id"]))
        return lanes

    async def streamed(self) -> list[tuple[int, int, str]]:
        """Return every message of the stream: lane, seq, event id."""
        session = await self.broker.session()
        info = await session.jetstream.stream_info(self.source.stream)
        found = []
        for sequence in range(info.state.first_seq, info.state.last_seq + 1):
            message = await session.jetstream.get_msg(self.source.stream, sequence)
            given = message.headers or {}
            found.append((int(given["ce-lane"]), int(given["ce-seq"]), given["ce-id"]))
        return found

    async def copied(self) -> dict[UUID, int]:
        """Return the copy."""
        return {row["counter_id"]: row["value"] for row in await self.copies.fetch("SELECT * FROM copy")}

    async def values(self) -> dict[UUID, int]:
        """Return the truth."""
        return {
            row["counter_id"]: Counter.read(row["state"]).value
            for row in await self.commands.fetch("SELECT * FROM counter")
        }

    async def published(self) -> bool:
        """Tell whether everything committed is remembered as published."""
        row = await self.commands.fetchrow(
            "SELECT bool_and(lane.seq = relay_lane.published) AS all FROM lane JOIN relay_lane USING (lane)"
        )
        return row is not None and bool(row["all"])

    async def waits_for_a_lock(self) -> bool:
        """Tell whether somebody waits for a lock in the database of the commands."""
        row = await self.relaying.fetchrow(
            "SELECT count(*) AS waiting FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return row is not None and row["waiting"] > 0

    async def caught_up(self) -> bool:
        """Tell whether the copy is the truth."""
        return await self.copied() == await self.values()


def make_path(
    connections: Connections, committed: Callable[[], None], due: Callable[[], None] = lambda: None
) -> CommandPath[Counter, Command]:
    """Make a command path for counters."""
    return CommandPath(connections, COUNTERS, Counters(), source="thing", committed=committed, due=due)


@asynccontextmanager
async def make_line(commands_dsn: str, copies_dsn: str, nats_url: str, prefix: str) -> AsyncIterator[Line]:
    """Make a line on empty databases; its broker connection runs."""
    async with Connections(commands_dsn, size=1, name="setup") as setup:
        await setup.execute(ddl(COMMANDS))
        for divided in (JOURNAL.journal, JOURNAL.history):
            await setup.execute(net_ddl(divided))
        async with setup.transaction() as connection:
            await begin_lanes(connection)
    async with Connections(copies_dsn, size=1, name="setup") as setup:
        await setup.execute(ddl(COPIES))
    async with open_line(commands_dsn, copies_dsn, nats_url, prefix) as line:
        yield line


@asynccontextmanager
async def open_line(commands_dsn: str, copies_dsn: str, nats_url: str, prefix: str) -> AsyncIterator[Line]:
    """Make a line on databases that are there, as another process has it; its broker connection runs."""
    source, broker = Source("thing", prefix), Broker(nats_url, prefix)
    epochs = Epochs(broker, source)
    commands = Connections(commands_dsn, size=8, name="commands", prepare=epochs.confirm)
    relaying = Connections(commands_dsn, size=6, name="relay", prepare=epochs.confirm, durable=False)
    copies = Connections(copies_dsn, size=8, name="copies", durable=False)
    async with commands, relaying, copies:
        woken: list[Callable[[], None]] = []

        def committed() -> None:
            for wake in woken:
                wake()

        path = make_path(commands, committed)
        async with running(broker.run()):
            line = Line(source, commands_dsn, commands, relaying, copies, nats_url, broker, epochs, path, woken)
            async with serving_journal(line) as channel:
                line.journal = SourceJournal(source.name, channel)
                yield line


@asynccontextmanager
async def running(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run work beside a block, and cancel it at the end."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def until(condition: Callable[[], Awaitable[bool]], within: float = 20.0) -> None:
    """Wait until a condition of the outside world holds; it is asked again and again."""
    async with asyncio.timeout(within):
        while not await condition():  # noqa: ASYNC110 - the world has no events to wait for
            await asyncio.sleep(0.02)


def some_ids(count: int) -> list[UUID]:
    """Return new ids."""
    return [uuid4() for _ in range(count)]
