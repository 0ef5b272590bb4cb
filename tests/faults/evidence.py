"""What the platform holds, read from outside: the journals by SQL, the streams from the broker, the catalogue by gRPC.

Nothing here or in the checker is the services' code: a fault that both share would not be seen.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg
import grpc.aio
import nats
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig
from training.catalogue.v1 import catalogue_service_pb2 as catalogue
from training.catalogue.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from training.catalogue.v1.entries_pb2 import OfferEntry, ProgramEntry
from training.type.v1.vocabulary_pb2 import VIEW_FULL

SOURCES: Final = ("program", "offer")
EPOCH_STARTED: Final = "training.ops.v1.EpochStarted"
_CONNECT_SECONDS: Final = 10.0
_AT_ONCE: Final = 500
_JOURNAL: Final = (
    "SELECT lane, seq, epoch, event_id, previous_event_id, aggregate_id, revision, type, request_id, public "
    "FROM journal ORDER BY lane, seq"
)
_REVISIONS: Final = "SELECT {kind}_id AS id, revision FROM {kind}"
_KINDS: Final = {"program": ("program", "reviewer"), "offer": ("offer",)}
"""The kinds of aggregates that a source's journal records."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event, as it stands in a journal or as it came by a stream."""

    lane: int
    seq: int
    epoch: UUID
    event_id: UUID
    previous: UUID | None
    aggregate_id: UUID
    revision: int
    type: str
    body: bytes

    @property
    def starts_epoch(self) -> bool:
        """Whether it is no aggregate's, but begins an epoch of its lane."""
        return self.type == EPOCH_STARTED


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything can be asked; `databases` has a DSN for each of program, offer and catalogue."""

    databases: dict[str, str]
    nats_url: str
    catalogue: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was read, by source."""

    journal: dict[str, list[Entry]]
    requests: dict[str, list[tuple[UUID | None, UUID, int]]]
    aggregates: dict[str, dict[UUID, int]]
    stream: dict[str, list[Entry]]
    programs: dict[UUID, ProgramEntry]
    offers: dict[UUID, OfferEntry]
    replica: dict[UUID, tuple[int, int]]


async def gather(places: Places) -> Evidence:
    """Read everything, which must be at rest."""
    journal: dict[str, list[Entry]] = {}
    requests: dict[str, list[tuple[UUID | None, UUID, int]]] = {}
    aggregates: dict[str, dict[UUID, int]] = {}
    for source in SOURCES:
        async with _database(places.databases[source]) as connection:
            rows = await connection.fetch(_JOURNAL)
            stored = [row for kind in _KINDS[source] for row in await connection.fetch(_REVISIONS.format(kind=kind))]
            journal[source] = [_recorded(row) for row in rows]
            requests[source] = [
                (row["request_id"], row["aggregate_id"], row["revision"])
                for row in rows
                if row["type"] != EPOCH_STARTED
            ]
            aggregates[source] = {row["id"]: row["revision"] for row in stored}
    async with _database(places.databases["offer"]) as connection:
        rows = await connection.fetch("SELECT program_id, revision, state FROM program_replica_1.released_program")
        replica = {row["program_id"]: (row["revision"], row["state"]) for row in rows}
    client = await nats.connect(places.nats_url, connect_timeout=10)
    try:
        stream = {source: await _streamed(client, source) for source in SOURCES}
    finally:
        await client.close()
    async with grpc.aio.insecure_channel(places.catalogue) as channel:
        stub = CatalogueServiceStub(channel)
        known = {entry.aggregate_id for entry in journal["program"] if entry.body and not entry.starts_epoch}
        programs = await _programs(stub, known)
        offers = await _offers(stub)
    return Evidence(journal, requests, aggregates, stream, programs, offers, replica)


async def heads(places: Places, source: str) -> list[tuple[int, int, int]]:
    """Return each lane's last committed and last published number: lane, committed, published."""
    async with _database(places.databases[source]) as connection:
        rows = await connection.fetch(
            "SELECT lane, lane.seq, relay_lane.published FROM lane JOIN relay_lane USING (lane) ORDER BY lane"
        )
    return [tuple(row) for row in rows]


@asynccontextmanager
async def _database(dsn: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(dsn, timeout=_CONNECT_SECONDS, ssl=False)
    try:
        yield connection
    finally:
        await connection.close(timeout=_CONNECT_SECONDS)


def _recorded(row: Any) -> Entry:  # noqa: ANN401 - asyncpg's record
    names = ("lane", "seq", "epoch", "event_id", "previous_event_id", "aggregate_id", "revision", "type", "public")
    return Entry(*(row[name] for name in names))


async def _streamed(client: Client, source: str) -> list[Entry]:
    """Read a stream from its first message to its last, in the order of the stream."""
    jetstream = client.jetstream()
    name = f"TRAINING_{source.upper()}"
    state = (await jetstream.stream_info(name)).state
    if not state.messages:
        return []
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, inactive_threshold=5.0)
    subscription = await jetstream.pull_subscribe(f"training.v1.{source}.>", stream=name, config=config)
    found: list[Entry] = []
    async with asyncio.timeout(20):
        while len(found) < state.messages:
            found += [_carried(message) for message in await subscription.fetch(_AT_ONCE, timeout=5)]
    await subscription.unsubscribe()
    return found


def _carried(message: Any) -> Entry:  # noqa: ANN401 - a message of the broker
    """Read an event by its headers, as the contract for third parties tells."""
    given = message.headers or {}
    lane = int(message.subject.split(".")[3])
    assert int(given["ce-lane"]) == lane, f"{message.subject} carries lane {given['ce-lane']}"
    last = "epoch" if given["ce-type"] == EPOCH_STARTED else given["ce-subject"]
    assert message.subject.split(".")[4:] == [last], message.subject
    return Entry(
        lane,
        int(given["ce-seq"]),
        UUID(given["ce-epoch"]),
        UUID(given["ce-id"]),
        UUID(given["ce-previous"]) if given["ce-previous"] else None,
        UUID(given["ce-subject"]),
        int(given["ce-revision"]),
        given["ce-type"],
        bytes(message.data),
    )


async def _programs(stub: Any, known: Iterable[UUID]) -> dict[UUID, ProgramEntry]:  # noqa: ANN401 - generated
    """Return the listed programs, and those that are found by id only."""
    found: dict[UUID, ProgramEntry] = {}
    async for page in stub.StreamPrograms(catalogue.StreamProgramsRequest(view=VIEW_FULL), timeout=20):
        for entry in page.programs:
            assert UUID(entry.program_id) not in found, f"program {entry.program_id} was streamed twice"
            found[UUID(entry.program_id)] = entry
    for program_id in set(known) - found.keys():
        try:
            request = catalogue.GetProgramRequest(program_id=str(program_id), view=VIEW_FULL)
            found[program_id] = (await stub.GetProgram(request, timeout=10)).program
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
    return found


async def _offers(stub: Any) -> dict[UUID, OfferEntry]:  # noqa: ANN401 - generated
    found: dict[UUID, OfferEntry] = {}
    request = catalogue.StreamOffersRequest(view=VIEW_FULL, filter=catalogue.OfferFilter(include_ended=True))
    async for page in stub.StreamOffers(request, timeout=20):
        for entry in page.offers:
            assert UUID(entry.offer.offer_id) not in found, f"offer {entry.offer.offer_id} was streamed twice"
            found[UUID(entry.offer.offer_id)] = entry
    return found
