"""P9: seats reserved a second on one hot offer at 256 in flight, beside bare updates of a single row."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from google.type.money_pb2 import Money
from training.offer.v1 import offer_pb2 as offers
from training.offer.v1.offer_service_pb2 import ReserveSeatsRequest

from bench.children import CpuMeter
from bench.figures import Bound, Plan, Reach, Result
from bench.floors.single_row import prepare_row, update_row
from bench.ground import Ground
from bench.load import FRESH, Driven, Load, drive
from bench.stock import import_offers

_REACH: Final = (Reach(Bound.RATIO_AT_LEAST, 1.0),)
_SEATS: Final = 1_000_000
_IN_FLIGHT: Final = 256
_TRIED: Final = (1, 2, 4, 8)
_PRICES: Final = offers.PriceList(
    tiers=[
        offers.PriceTier(name="Early bird", price=Money(currency_code="EUR", units=420), quantity_limit=100),
        offers.PriceTier(name="Standard", price=Money(currency_code="EUR", units=490)),
    ]
)


class Oversold(Exception):
    """More seats were given than there are, or a reservation was lost: the figure means nothing."""


async def measure(ground: Ground, plan: Plan) -> Sequence[Result]:
    """Measure with the offer service alone; the floor uses as many connections as make it fastest."""
    [offer_id] = await import_offers(ground, 1, seats=_SEATS, prices=_PRICES)
    await ground.only("offer")
    request = ReserveSeatsRequest(
        offer_id=offer_id, request_id=FRESH[0], participant_id=FRESH[1], seats=1, currency_code="EUR"
    )
    load = Load(
        ground.stack.address("offer"),
        "/training.offer.v1.OfferService/ReserveSeats",
        [request.SerializeToString().hex()],
        plan.seconds,
        in_flight=_IN_FLIGHT,
        connections=8,
        metadata={"training-principal": "bench;roles=sales"},
    )
    database, dsn = await ground.database("offer"), ground.stack.dsn("offer")
    await prepare_row(database)
    tried = {connections: await update_row(dsn, connections, 0.5) for connections in _TRIED}
    connections = max(tried, key=tried.__getitem__)
    reserved = (await drive(replace(load, seconds=1.0))).all_calls
    figures: list[Driven] = []
    floors: list[float] = []
    cpu: list[float] = []
    for _ in range(plan.rounds):
        floors.append(await update_row(dsn, connections, plan.seconds))
        meter = CpuMeter(ground.stack.pid("offer"))
        figures.append(await drive(load))
        cpu.append(meter.seconds() / figures[-1].all_calls * 1e6)
        reserved += figures[-1].all_calls
        await ground.published("offer")
    await _check(ground, offer_id, reserved)
    middle = plan.rounds // 2
    return [
        Result(
            key="P9",
            title="ReserveSeats on one offer, 256 in flight",
            unit="commands/s",
            figures=[each.rate for each in figures],
            floors=floors,
            reaches=_REACH,
            busy=max(each.busy for each in figures),
            details={
                "floor_connections": connections,
                "server_cpu_us": sorted(cpu)[middle],
                "p50_ms": sorted(each.p50_ms for each in figures)[middle],
                "p99_ms": sorted(each.p99_ms for each in figures)[middle],
                "reserved": reserved,
            },
        )
    ]


async def _check(ground: Ground, offer_id: str, reserved: int) -> None:
    """Compare the seats in the reservations' rows, and the offer's revisions, with the calls that were answered."""
    database = await ground.database("offer")
    rows = await database.fetchval("SELECT sum(seats) FROM reservation WHERE offer_id = $1", offer_id)
    revisions = await database.fetchval("SELECT count(*) FROM journal WHERE aggregate_id = $1", offer_id)
    if not reserved == rows == revisions - 1 or rows > _SEATS:
        raise Oversold(f"{reserved} reservations were answered, {rows} seats stand, {revisions} revisions were made")
