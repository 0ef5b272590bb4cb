"""Whatever an operator does to the command databases' statements and connections, callers are told to come again."""

from urllib.parse import urlsplit

from training.offer.v1 import offer_service_pb2 as service
from training.program.v1 import program_service_pb2 as programs
from training.program.v1.program_pb2 import ProgramContent

from tests.integration.offer.line import Line, create, price, row
from tests.integration.operator import UNAVAILABLE, told_under_trouble


async def test_cancelled_statements_and_ended_connections_are_told_as_an_unavailable_database(line: Line) -> None:
    draft = await line.draft()
    amounts = iter(range(1, 10**9))

    async def create_program() -> None:
        await line.programs.CreateProgram(programs.CreateProgramRequest(content=ProgramContent(title="Grafting")))

    async def create_offer() -> None:
        await line.offers.CreateOffer(create(draft.program_id))

    async def set_price() -> None:
        await line.offers.SetPriceList(price(draft.offer_id, next(amounts)))

    async def get_offer() -> None:
        await line.offers.GetOffer(service.GetOfferRequest(offer_id=draft.offer_id))

    async def import_offers() -> None:
        async for _ in line.offers.ImportOffers(iter([row(draft.program_id, row_id=str(each)) for each in range(5)])):
            pass

    asks = {
        "CreateProgram": create_program,
        "CreateOffer": create_offer,
        "SetPriceList": set_price,
        "GetOffer": get_offer,
        "ImportOffers": import_offers,
    }
    name = urlsplit(line.dsn).path[1:]
    told = await told_under_trouble(line.dsn, [name, name.removesuffix("offer") + "program"], asks)
    assert {outcome[1:] for outcome in told} <= {("OK", ""), ("ABORTED", "CONFLICT"), UNAVAILABLE}, told
