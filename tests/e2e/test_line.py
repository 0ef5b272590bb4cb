"""The whole line over real processes: from a command to what a reader sees."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import grpc.aio
import nats
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import ErrorInfo
from google.type.interval_pb2 import Interval
from google.type.money_pb2 import Money
from grpc_status import rpc_status
from training.catalogue.v1 import catalogue_service_pb2 as catalogue
from training.catalogue.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from training.offer.v1 import offer_pb2 as offers
from training.offer.v1 import offer_service_pb2 as offer
from training.offer.v1.offer_service_pb2_grpc import OfferServiceStub
from training.ops.v1.operations_service_pb2 import GetStatusRequest
from training.ops.v1.operations_service_pb2_grpc import OperationsServiceStub
from training.program.v1 import program_pb2 as programs
from training.program.v1 import program_service_pb2 as program
from training.program.v1.program_service_pb2_grpc import ProgramServiceStub
from training.type.v1.consistency_pb2 import AtLeastAsFresh, Consistency, FullyConsistent

from bus.tokens import decode
from chassis.stack.stack import Stack

EVERYTHING = programs.Waiver(rules=["*"], reason="for a test")
BOB = (("training-principal", "bob;roles=reviewer"),)


class Clients:
    """The services' stubs; every call has a deadline."""

    def __init__(self, channels: dict[str, grpc.aio.Channel]) -> None:
        self.programs = ProgramServiceStub(channels["program"])
        self.offers = OfferServiceStub(channels["offer"])
        self.catalogue = CatalogueServiceStub(channels["catalogue"])
        self.operations = {name: OperationsServiceStub(channel) for name, channel in channels.items()}

    async def released(self) -> tuple[str, str]:
        """Bring a program from draft to release; return its id and the release's token."""
        content = programs.ProgramContent(title="From end to end", categories=["Tests"], language_code="en")
        created = await self.programs.CreateProgram(program.CreateProgramRequest(content=content), timeout=10)
        program_id = created.program.program_id
        await self.programs.SubmitProgram(program.SubmitProgramRequest(program_id=program_id), timeout=10)
        await self.programs.ApproveProgram(
            program.ApproveProgramRequest(program_id=program_id), timeout=10, metadata=BOB
        )
        released = await self.programs.ReleaseProgram(
            program.ReleaseProgramRequest(program_id=program_id, waiver=EVERYTHING), timeout=10
        )
        return program_id, released.consistency_token


@pytest.fixture
async def clients(stack: Stack) -> AsyncIterator[Clients]:
    """Connect to every service."""
    channels = {name: grpc.aio.insecure_channel(stack.address(name)) for name in ("program", "offer", "catalogue")}
    yield Clients(channels)
    for channel in channels.values():
        await channel.close()


def as_fresh_as(*tokens: str) -> Consistency:
    """Ask for what tokens stand for."""
    return Consistency(at_least_as_fresh=AtLeastAsFresh(consistency_tokens=tokens))


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """Return the reason that an error names."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type] # an aio error has what a call has
    assert status is not None
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    return info.reason


async def test_a_release_is_visible_through_its_token_at_once(clients: Clients) -> None:
    for _ in range(20):
        program_id, token = await clients.released()
        seen = await clients.catalogue.GetProgram(
            catalogue.GetProgramRequest(program_id=program_id, consistency=as_fresh_as(token)), timeout=10
        )
        assert seen.program.title == "From end to end"
        have, need = decode(seen.consistency_token)["program"], decode(token)["program"]
        assert have.covers(need)


async def test_an_offer_can_be_made_right_after_the_release(clients: Clients) -> None:
    program_id, token = await clients.released()
    definition = offer.OfferDefinition(program_id=program_id, capacity=offers.Capacity(maximum=5))
    created = await clients.offers.CreateOffer(
        offer.CreateOfferRequest(definition=definition, min_tokens=[token]), timeout=10
    )
    offer_id = created.offer.offer_id
    window = Interval(start_time=Timestamp(seconds=1_900_000_000))
    await clients.offers.ScheduleSessions(
        offer.ScheduleSessionsRequest(offer_id=offer_id, plan=offers.SchedulePlan(access_window=window)), timeout=10
    )
    prices = offers.PriceList(tiers=[offers.PriceTier(name="Free", price=Money(currency_code="EUR"))])
    await clients.offers.SetPriceList(offer.SetPriceListRequest(offer_id=offer_id, price_list=prices), timeout=10)
    published = await clients.offers.PublishOffer(offer.PublishOfferRequest(offer_id=offer_id), timeout=10)
    seen = await clients.catalogue.GetOffer(
        catalogue.GetOfferRequest(offer_id=offer_id, consistency=as_fresh_as(token, published.consistency_token)),
        timeout=10,
    )
    assert seen.offer.offer.capacity.maximum == 5
    assert seen.offer.program.title == "From end to end"
    cancelled = await clients.offers.CancelOffer(
        offer.CancelOfferRequest(offer_id=offer_id, reason="for a test"), timeout=10
    )
    assert cancelled.offer.state == offers.Offer.STATE_CANCELLED
    everything = Consistency(fully_consistent=FullyConsistent())
    again = await clients.catalogue.GetOffer(
        catalogue.GetOfferRequest(offer_id=offer_id, consistency=everything), timeout=10
    )
    assert again.offer.offer.state == offers.Offer.STATE_CANCELLED


async def test_eight_concurrent_repeats_of_one_request_get_one_outcome(clients: Clients) -> None:
    content = programs.ProgramContent(title="Only once", categories=["Tests"], language_code="en")
    request = program.CreateProgramRequest(content=content, request_id=str(uuid4()))
    answers = await asyncio.gather(*(clients.programs.CreateProgram(request, timeout=10) for _ in range(8)))
    assert len({answer.SerializeToString(deterministic=True) for answer in answers}) == 1


async def test_four_eyes_bite_with_the_principal_that_has_every_role(clients: Clients) -> None:
    content = programs.ProgramContent(title="By nobody in particular", categories=["Tests"], language_code="en")
    created = await clients.programs.CreateProgram(program.CreateProgramRequest(content=content), timeout=10)
    program_id = created.program.program_id
    assert created.program.author == "dev"
    await clients.programs.SubmitProgram(program.SubmitProgramRequest(program_id=program_id), timeout=10)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await clients.programs.ApproveProgram(program.ApproveProgramRequest(program_id=program_id), timeout=10)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert reason_of(refused.value) == "FOUR_EYES"


async def test_a_trace_goes_from_the_command_to_the_stream(clients: Clients, stack: Stack) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    program_id = str(uuid4())
    request = program.CreateProgramRequest(
        program_id=program_id,
        content=programs.ProgramContent(title="Followed", categories=["Tests"], language_code="en"),
    )
    answer = await clients.programs.CreateProgram(
        request, timeout=10, metadata=(("traceparent", f"00-{trace}-b7ad6b7169203331-01"),)
    )
    everything = Consistency(at_least_as_fresh=AtLeastAsFresh(consistency_tokens=[answer.consistency_token]))
    await clients.catalogue.ListPrograms(catalogue.ListProgramsRequest(consistency=everything), timeout=10)
    client = await nats.connect(stack.nats_url)
    message = await client.jetstream().get_last_msg("TRAINING_PROGRAM", f"training.v1.program.*.{UUID(program_id)}")
    await client.close()
    assert (message.headers or {})["traceparent"].split("-")[1] == trace
    assert (message.headers or {})["ce-type"] == "training.program.v1.Advanced"


async def test_every_service_tells_its_status(clients: Clients) -> None:
    await clients.released()
    for name, stub in clients.operations.items():
        status = await stub.GetStatus(GetStatusRequest(), timeout=10)
        assert status.service == name
        if name != "catalogue":
            assert len(status.journal.lanes) == 16
            assert status.journal.relay_leader
        assert {each.source for each in status.subscriptions} == {
            "program": set(),
            "offer": {"program"},
            "catalogue": {"program", "offer"},
        }[name]
