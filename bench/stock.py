"""What stands in the services before a figure is measured, made once for all figures that need it."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import grpc.aio
from google.protobuf.duration_pb2 import Duration
from training.offer.v1 import offer_pb2 as offers
from training.offer.v1 import offer_service_pb2 as service
from training.offer.v1.offer_service_pb2_grpc import OfferServiceStub
from training.program.v1 import program_service_pb2 as programs
from training.program.v1.program_pb2 import Waiver
from training.program.v1.program_service_pb2_grpc import ProgramServiceStub
from training.type.v1.vocabulary_pb2 import DELIVERY_MODE_ONLINE

from bench import world
from bench.backlog import offer_bodies, program_bodies, write_backlog
from bench.ground import Ground

if TYPE_CHECKING:
    from training.offer.v1.offer_service_pb2_grpc import OfferServiceAsyncStub
    from training.program.v1.program_service_pb2_grpc import ProgramServiceAsyncStub

_PATIENCE: Final = Duration(seconds=20)


class NotStocked(Exception):
    """A service refused what the figures are measured with."""


async def publish_stock(ground: Ground, *, programs: int, offers: int) -> None:
    """Make sure that so many programs and offers have been published; the catalogue may be behind."""
    await ground.only("program", "offer")
    if (missing := programs - len(ground.programs)) > 0:
        made = program_bodies(missing)
        await write_backlog(ground, "program", made)
        ground.programs.extend(each for each, _ in made)
    if (missing := offers - len(ground.offers)) > 0:
        made = offer_bodies(missing, ground.programs)
        await write_backlog(ground, "offer", made)
        ground.offers.extend(each for each, _ in made)
    await ground.published("program")
    await ground.published("offer")


async def import_offers(
    ground: Ground, count: int, *, seats: int = 12, prices: offers.PriceList | None = None
) -> Sequence[str]:
    """Import a program and so many offers of it by the services' own commands; return the offers' ids."""
    await ground.only("program", "offer")
    program_id, token = await _import_program(ground)
    rows = [_row(program_id, token, seats, prices or world.prices()) for _ in range(count)]

    async def sent() -> AsyncIterator[service.ImportOffersRequest]:
        for row in rows:
            yield row

    async with grpc.aio.insecure_channel(ground.stack.address("offer")) as channel:
        stub: OfferServiceAsyncStub = OfferServiceStub(channel)
        async for result in stub.ImportOffers(sent()):
            if result.outcome != result.OUTCOME_IMPORTED:
                raise NotStocked(str(result))
    return [row.offer_id for row in rows]


async def _import_program(ground: Ground) -> tuple[str, str]:
    row = programs.ImportProgramsRequest(
        row_id="1",
        program_id=str(uuid4()),
        content=world.content(),
        waiver=Waiver(rules=["*"], reason="a measurement"),
    )
    async with grpc.aio.insecure_channel(ground.stack.address("program")) as channel:
        stub: ProgramServiceAsyncStub = ProgramServiceStub(channel)
        [result] = [each async for each in stub.ImportPrograms(iter([row]))]
    if result.outcome != result.OUTCOME_IMPORTED:
        raise NotStocked(str(result))
    return row.program_id, result.consistency_token


def _row(program_id: str, token: str, seats: int, prices: offers.PriceList) -> service.ImportOffersRequest:
    session = offers.SingleSession(
        local_start="2030-03-01T09:00",
        local_end="2030-03-01T12:00",
        time_zone="Europe/Berlin",
        traits=offers.SessionTraits(mode=DELIVERY_MODE_ONLINE),
    )
    return service.ImportOffersRequest(
        row_id="1",
        offer_id=str(uuid4()),
        definition=service.OfferDefinition(
            program_id=program_id, capacity=offers.Capacity(maximum=seats), language_codes=["en"]
        ),
        plan=offers.SchedulePlan(sessions=[session]),
        price_list=prices,
        min_tokens=[token],
        max_wait=_PATIENCE,
    )
