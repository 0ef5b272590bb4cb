"""The floor of commit → visible: a durable commit, a publish with its acknowledgement, a pull, a commit; by hand."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count, cycle
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

import asyncpg
from nats.aio.client import Client
from nats.aio.msg import Msg

from bench.floors.streams import Prepared, new_durable, new_stream, open_pull, publish_one
from bench.ground import Ground
from chassis.process import collect_seldom

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]  # generic for type checkers only

_STREAM: Final = "FLOOR_PIPE"
_COMMITTERS: Final = 4
_LOG: Final = """
INSERT INTO journal (lane, seq, epoch, event_id, aggregate_id, revision, type, principal, traceparent, public, private)
VALUES (0, $1, $2, $3, $4, $1, $5, 'bench', $6, $7, $8)
"""
_SAMPLED: Final = ("type", "traceparent", "public", "private")
_SHOW: Final = "UPDATE offer SET revision = $2, card = $3 WHERE offer_id = $1"


@dataclass(frozen=True, slots=True)
class Pipe:
    """The parts of the pipe."""

    client: Client
    committers: Sequence["Connection"]
    reader: "Connection"
    offers: Sequence[UUID]
    sample: dict[str, Any]
    numbers: Iterator[int]

    async def run(self, rate: float, seconds: float) -> list[float]:
        """Send changes through the pipe at a steady pace; return the seconds that each took."""
        begun: dict[str, float] = {}
        took: list[float] = []
        expected, everything = int(rate * seconds), asyncio.Event()

        async def receive(message: Msg) -> None:
            event_id = (message.headers or {})["ce-id"]
            number = int((message.headers or {})["ce-seq"])
            await self.reader.execute(_SHOW, UUID(message.subject.rpartition(".")[2]), number, message.data)
            took.append(perf_counter() - begun[event_id])
            await message.ack()
            if len(took) == expected:
                everything.set()

        end = await open_pull(self.client, _STREAM, "pipe", receive)
        idle, free = list(self.committers), asyncio.Semaphore(len(self.committers))

        async def change(number: int, offer_id: UUID) -> None:
            event_id = uuid4()
            async with free:
                connection = idle.pop()
                begun[str(event_id)] = perf_counter()
                row = (number, uuid4(), event_id, offer_id, *(self.sample[n] for n in _SAMPLED))
                await connection.execute(_LOG, *row)
                idle.append(connection)
            headers = {**self.sample["headers"], "ce-id": str(event_id), "ce-seq": str(number)}
            await publish_one(self.client, Prepared(f"{_STREAM}.{offer_id}", headers, self.sample["public"]))

        collect_seldom()  # as the services do
        loop = asyncio.get_running_loop()
        start, offers, tasks = loop.time(), cycle(self.offers), []
        for turn in range(expected):
            await asyncio.sleep(start + turn / rate - loop.time())
            tasks.append(asyncio.create_task(change(next(self.numbers), next(offers))))
        await asyncio.gather(*tasks)
        async with asyncio.timeout(10):
            await everything.wait()
        await end()
        return took


@asynccontextmanager
async def open_pipe(ground: Ground) -> AsyncGenerator[Pipe]:
    """Lay the pipe: copies of the tables, a stream like the services', and the bytes of a real change."""
    commands, read_store = await ground.database("offer"), await ground.database("catalogue")
    await commands.execute("CREATE SCHEMA pipe; CREATE TABLE pipe.journal (LIKE public.journal INCLUDING ALL)")
    tables = await ground.read_model()
    await read_store.execute(f"CREATE SCHEMA pipe; CREATE TABLE pipe.offer (LIKE {tables}.offer INCLUDING ALL)")
    await read_store.execute(f"INSERT INTO pipe.offer SELECT * FROM {tables}.offer LIMIT 1000")  # noqa: S608 - our own words
    row = await commands.fetchrow(
        "SELECT * FROM journal WHERE type LIKE '%OfferRepriced' ORDER BY recorded_at DESC LIMIT 1"
    )
    if row is None:
        raise LookupError("no offer has been repriced")
    offers = [row["offer_id"] for row in await read_store.fetch("SELECT offer_id FROM pipe.offer")]
    client, jetstream = await ground.nats(), await ground.jetstream()
    await new_stream(jetstream, _STREAM)
    await new_durable(jetstream, _STREAM, "pipe", unacknowledged=-1)
    async with AsyncExitStack() as exits:

        async def connect(service: str, commit: str) -> "Connection":
            settings = {"search_path": "pipe", "jit": "off", "synchronous_commit": commit}
            connection = await asyncpg.connect(ground.stack.dsn(service), server_settings=settings)
            exits.push_async_callback(connection.close)
            return connection

        committers = [await connect("offer", "on") for _ in range(_COMMITTERS)]
        sample = {**row, "headers": _headers(row)}
        yield Pipe(client, committers, await connect("catalogue", "off"), offers, sample, count(1))


def _headers(row: asyncpg.Record) -> dict[str, str]:
    """Return headers as the relay's: as many, as long."""
    return {
        "ce-specversion": "1.0",
        "ce-source": "/training/offer",
        "ce-type": row["type"],
        "ce-subject": str(row["aggregate_id"]),
        "ce-time": row["recorded_at"].isoformat(),
        "ce-datacontenttype": "application/protobuf",
        "ce-epoch": str(row["epoch"]),
        "ce-lane": str(row["lane"]),
        "ce-previous": str(row["previous_event_id"]),
        "ce-revision": str(row["revision"]),
        "traceparent": row["traceparent"],
    }
