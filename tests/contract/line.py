"""A line from a journal to a copy, with counters as its aggregates."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Column, MetaData, Table, Uuid

from bus.broker import Broker
from bus.checkpoint import checkpoint_table
from bus.commands import CommandCall, CommandPath, Outcome
from bus.event import Event
from bus.follower import Follower
from bus.journal import begin_lanes
from bus.lease import lease_table
from bus.relay import Relay
from bus.source import Source
from bus.subscriber import Subscriber, Undecodable
from bus.topology import StreamLimits
from chassis.postgres import Connection, Connections
from tests.contract.counter import COMMANDS, COUNTERS, Command, Counter, Counters, Raise, ddl

COPIES = MetaData()
checkpoint_table(COPIES)
lease_table(COPIES)
COPY = Table(
    "copy",
    COPIES,
    Column("counter_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("value", BigInteger, nullable=False),
)
POISON = b"poison"


class CopyProjection:
    """Keeps the value of each counter."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def row(self, event: Event) -> tuple[UUID, int, int] | None:
        """Read the value, or choke on poison."""
        if event.body == POISON:
            raise Undecodable("poison")
        return (event.aggregate_id, event.revision, int(event.body)) if event.body else None

    async def write(self, connection: Connection, rows: Sequence[tuple[UUID, int, int]]) -> None:
        """Keep the latest value of each counter."""
        self.batches.append(len(rows))
        latest = {row[0]: row for row in sorted(rows, key=lambda row: row[1])}
        await connection.execute(
            "INSERT INTO copy SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) "
            "ON CONFLICT (counter_id) DO UPDATE SET revision = excluded.revision, value = excluded.value "
            "WHERE copy.revision < excluded.revision",
            *(list(column) for column in zip(*latest.values(), strict=True)),
        )


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
    path: CommandPath[Counter, Command]
    woken: list[Callable[[], None]]

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

    def subscriber(self, holder: str = "projector") -> Subscriber[tuple[UUID, int, int]]:
        """Make a subscriber with a projection of its own."""
        return Subscriber(
            self.copies, self.broker, self.source, CopyProjection(), durable=f"{self.source.prefix}-copy", holder=holder
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
    commands = Connections(commands_dsn, size=8, name="commands")
    relaying = Connections(commands_dsn, size=6, name="relay", durable=False)
    copies = Connections(copies_dsn, size=8, name="copies", durable=False)
    async with commands, relaying, copies:
        await commands.execute(ddl(COMMANDS))
        await copies.execute(ddl(COPIES))
        async with commands.transaction() as connection:
            await begin_lanes(connection)
        woken: list[Callable[[], None]] = []

        def committed() -> None:
            for wake in woken:
                wake()

        source, broker = Source("thing", prefix), Broker(nats_url, prefix)
        path = make_path(commands, committed)
        async with running(broker.run()):
            yield Line(source, commands_dsn, commands, relaying, copies, nats_url, broker, path, woken)


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
