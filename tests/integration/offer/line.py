"""Both command services, over real sockets, PostgreSQL and NATS, and the requests that tests send them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import grpc
from google.protobuf.duration_pb2 import Duration
from google.type.money_pb2 import Money
from pydantic import SecretStr
from training.offer.v1 import offer_pb2 as pb
from training.offer.v1 import offer_service_pb2 as service
from training.offer.v1.offer_service_pb2_grpc import OfferServiceStub
from training.ops.v1.journal_service_pb2_grpc import JournalServiceStub
from training.ops.v1.operations_service_pb2 import GetStatusRequest
from training.ops.v1.operations_service_pb2_grpc import OperationsServiceStub
from training.program.v1 import program_service_pb2 as programs
from training.program.v1.program_pb2 import ProgramContent, Waiver
from training.program.v1.program_service_pb2_grpc import ProgramServiceStub
from training.type.v1.vocabulary_pb2 import DELIVERY_MODE_ONLINE, DELIVERY_MODE_ONSITE

from chassis.embedded.ports import LOOPBACK, free_port
from chassis.settings import Address
from offer_svc import bootstrap as offer_service
from offer_svc.settings import OfferSettings
from program_svc import bootstrap as program_service
from program_svc.settings import ProgramSettings

if TYPE_CHECKING:
    from training.offer.v1.offer_service_pb2_grpc import OfferServiceAsyncStub
    from training.ops.v1.journal_service_pb2_grpc import JournalServiceAsyncStub
    from training.ops.v1.operations_service_pb2_grpc import OperationsServiceAsyncStub
    from training.program.v1.program_service_pb2_grpc import ProgramServiceAsyncStub

_STREAM_BYTES: Final = 64 * 1024**2
"""Small, because the broker sets aside what its streams may need."""

_PATIENCE: Final = Duration(seconds=20)
"""Long enough for a relay and a subscriber that have just started, on a busy machine."""


@dataclass(frozen=True, slots=True)
class Line:
    """Clients of the running services; what is not said to be the program service's is the offer service's.

    `dsn` is its database, `metrics` the address where its figures are read.
    """

    programs: "ProgramServiceAsyncStub"
    offers: "OfferServiceAsyncStub"
    operations: "OperationsServiceAsyncStub"
    journal: "JournalServiceAsyncStub"
    dsn: str
    program_operations: "OperationsServiceAsyncStub"
    metrics: str

    async def knows_programs(self) -> bool:
        """Tell whether a generation of the offer service's replica answers."""
        status = await self.operations.GetStatus(GetStatusRequest())
        return bool(status.read_model.generation)

    async def released(self) -> tuple[str, str]:
        """Release a new program; return its id and the token of that."""
        program_id = str(uuid4())
        row = programs.ImportProgramsRequest(
            row_id="1",
            program_id=program_id,
            content=ProgramContent(title="Grafting apple trees", categories=["orchard"], language_code="en"),
            waiver=Waiver(rules=["*"], reason="it is live elsewhere"),
        )
        [result] = [each async for each in self.programs.ImportPrograms(iter([row]))]
        assert result.outcome == result.OUTCOME_IMPORTED, result
        return program_id, result.consistency_token

    async def retire(self, program_id: str, *, cancel_offers: bool = False) -> str:
        """Retire a program; return the token of that."""
        request = programs.RetireProgramRequest(
            program_id=program_id, reason="nobody came", cancel_offers=cancel_offers
        )
        return str((await self.programs.RetireProgram(request)).consistency_token)

    async def draft(self, plan: pb.SchedulePlan | None = None, *, priced: bool = False) -> pb.Offer:
        """Create a draft of a new program, scheduled and priced if asked for."""
        program_id, token = await self.released()
        created = await self.offers.CreateOffer(create(program_id, token))
        offer = created.offer
        if plan is not None:
            request = service.ScheduleSessionsRequest(offer_id=offer.offer_id, plan=plan)
            offer = (await self.offers.ScheduleSessions(request)).offer
        if priced:
            offer = (await self.offers.SetPriceList(price(offer.offer_id))).offer
        return offer

    async def imported(self, *rows: service.ImportOffersRequest) -> dict[str, service.ImportOffersResponse]:
        """Import rows; return their results by row."""
        return {result.row_id: result async for result in self.offers.ImportOffers(iter(rows))}

    async def published(
        self, *, seats: int = 12, plan: pb.SchedulePlan | None = None, amount: int = 490, **terms: object
    ) -> pb.Offer:
        """Publish an offer of a new program; `terms` are further fields of its definition."""
        program_id, token = await self.released()
        wanted = row(program_id, token, plan=plan, seats=seats, amount=amount)
        wanted.definition.MergeFrom(service.OfferDefinition(**terms))  # type: ignore[arg-type] # fields by name
        result = (await self.imported(wanted))["1"]
        assert result.outcome == result.OUTCOME_IMPORTED, result
        return await self.get(wanted.offer_id)

    async def get(self, offer_id: str) -> pb.Offer:
        """Read an offer."""
        return (await self.offers.GetOffer(service.GetOfferRequest(offer_id=offer_id))).offer


@asynccontextmanager
async def running(
    dsns: Sequence[str], nats_url: str, prefix: str, *, wait: bool = True, **settings: object
) -> AsyncIterator[Line]:
    """Run a program service and an offer service on two databases; `settings` are further ones of the latter.

    Unless told otherwise, wait until the latter knows of programs.
    """
    stop = asyncio.Event()
    program = ProgramSettings(
        database_url=SecretStr(dsns[0]),
        nats_url=SecretStr(nats_url),
        grpc_address=Address(LOOPBACK, free_port()),
        metrics_address=Address(LOOPBACK, free_port()),
        bus_prefix=prefix,
        stream_max_bytes=_STREAM_BYTES,
        log_level="error",
    )
    offer = OfferSettings(
        database_url=SecretStr(dsns[1]),
        nats_url=SecretStr(nats_url),
        grpc_address=Address(LOOPBACK, free_port()),
        metrics_address=Address(LOOPBACK, free_port()),
        bus_prefix=prefix,
        program_source_address=str(program.grpc_address),
        stream_max_bytes=_STREAM_BYTES,
        log_level="error",
    ).model_copy(update=settings)
    async with asyncio.TaskGroup() as group:
        try:
            async with (
                grpc.aio.insecure_channel(str(program.grpc_address)) as to_programs,
                grpc.aio.insecure_channel(str(offer.grpc_address)) as to_offers,
                asyncio.timeout(20) as starting,
            ):
                # One after the other: Alembic runs one migration at a time in a process.
                group.create_task(program_service.run(program, stop))
                await to_programs.channel_ready()
                group.create_task(offer_service.run(offer, stop))
                await to_offers.channel_ready()
                line = Line(
                    ProgramServiceStub(to_programs),
                    OfferServiceStub(to_offers),
                    OperationsServiceStub(to_offers),
                    JournalServiceStub(to_offers),
                    dsns[1],
                    OperationsServiceStub(to_programs),
                    f"http://{offer.metrics_address}/metrics",
                )
                while wait and not await line.knows_programs():  # noqa: ASYNC110 - another service, no event to await
                    await asyncio.sleep(0.02)
                starting.reschedule(None)
                yield line
        finally:
            stop.set()


def create(program_id: str, *tokens: str, offer_id: str = "", seats: int = 12) -> service.CreateOfferRequest:
    """Write CreateOffer."""
    return service.CreateOfferRequest(
        offer_id=offer_id, min_tokens=tokens, max_wait=_PATIENCE, definition=definition(program_id, seats)
    )


def definition(program_id: str, seats: int = 12) -> service.OfferDefinition:
    """Write a definition."""
    return service.OfferDefinition(program_id=program_id, capacity=pb.Capacity(maximum=seats), language_codes=["en"])


def prices(amount: int = 490, name: str = "Standard") -> pb.PriceList:
    """Write a price list."""
    return pb.PriceList(tiers=[pb.PriceTier(name=name, price=Money(currency_code="EUR", units=amount))])


def price(offer_id: str, amount: int = 490) -> service.SetPriceListRequest:
    """Write SetPriceList."""
    return service.SetPriceListRequest(offer_id=offer_id, price_list=prices(amount))


def online(day: str = "2030-03-01") -> pb.SchedulePlan:
    """Plan a session that needs neither room nor trainer."""
    traits = pb.SessionTraits(mode=DELIVERY_MODE_ONLINE)
    return pb.SchedulePlan(sessions=[_session(day, "09:00", "12:00", traits)])


def in_room(
    room: str,
    start: str = "09:00",
    end: str = "12:00",
    *,
    trainer: str = "",
    warn: bool = False,
    days: Sequence[str] = ("2030-03-01",),
) -> pb.SchedulePlan:
    """Plan a session a day in a room."""
    traits = pb.SessionTraits(
        mode=DELIVERY_MODE_ONSITE,
        place=pb.Place(venue="Old Mill", room=room),
        trainer_ids=[trainer] if trainer else [],
    )
    return pb.SchedulePlan(
        sessions=[_session(day, start, end, traits) for day in days],
        booking_mode=pb.BOOKING_MODE_WARN if warn else pb.BOOKING_MODE_FORBID,
    )


def _session(day: str, start: str, end: str, traits: pb.SessionTraits) -> pb.SingleSession:
    return pb.SingleSession(local_start=f"{day}T{start}", local_end=f"{day}T{end}", time_zone="UTC", traits=traits)


def row(
    program_id: str,
    *tokens: str,
    row_id: str = "1",
    offer_id: str = "",
    plan: pb.SchedulePlan | None = None,
    amount: int = 490,
    seats: int = 12,
    validate_only: bool = False,
) -> service.ImportOffersRequest:
    """Write a row of ImportOffers."""
    return service.ImportOffersRequest(
        row_id=row_id,
        offer_id=offer_id or str(uuid4()),
        definition=definition(program_id, seats),
        plan=plan or online(),
        price_list=prices(amount),
        validate_only=validate_only,
        min_tokens=tokens,
        max_wait=_PATIENCE,
    )
