"""P1: GetOffer of the catalogue, unary calls a second over 10,000 offers; authentication and metrics on."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import grpc.aio
from training.catalogue.v1.catalogue_service_pb2 import GetOfferRequest
from training.catalogue.v1.catalogue_service_pb2_grpc import CatalogueServiceStub

from bench.children import CpuMeter, Standing, standing
from bench.figures import Bound, Plan, Reach, Result
from bench.floors.serving import METHOD
from bench.ground import SERVICES, Ground
from bench.load import Driven, Load, drive
from bench.stock import publish_stock

if TYPE_CHECKING:
    from training.catalogue.v1.catalogue_service_pb2_grpc import CatalogueServiceAsyncStub

_OFFERS: Final = 10_000
_PROGRAMS: Final = 1_000
_GET: Final = "/training.catalogue.v1.CatalogueService/GetOffer"
_READER: Final = {"training-principal": "bench;roles=reader"}
_REACH: Final = (Reach(Bound.RATIO_AT_LEAST, 0.80),)


async def measure(ground: Ground, plan: Plan) -> Sequence[Result]:
    """Measure it with every offer as likely as another, and with few that most ask for."""
    await publish_stock(ground, programs=_PROGRAMS, offers=_OFFERS)
    await ground.only(*SERVICES)
    await ground.projected("program")
    await ground.projected("offer")
    ids = [str(each) for each in ground.offers[:_OFFERS]]
    size = await _mean_size(ground, ids[:100])
    requests = [GetOfferRequest(offer_id=each).SerializeToString().hex() for each in ids]
    load = Load(ground.stack.address("catalogue"), _GET, requests, plan.seconds, metadata=_READER)
    await drive(replace(load, seconds=0.5, warm_seconds=len(ids) / 3000))  # each offer once: reads are of what is hot
    async with standing("bench.floors.unary_server", {"bytes": size}) as bare:
        return [await _measure(ground, bare, replace(load, drawn=drawn), plan, size) for drawn in ("uniform", "zipf")]


async def _measure(ground: Ground, bare: Standing, load: Load, plan: Plan, size: int) -> Result:
    figures: list[Driven] = []
    floors: list[Driven] = []
    cpu: list[float] = []
    floor_cpu: list[float] = []
    floor_load = replace(load, address=bare.address, method=METHOD)
    for _ in range(plan.rounds):
        floors.append(await _metered(floor_load, bare.pid, floor_cpu))
        figures.append(await _metered(load, ground.stack.pid("catalogue"), cpu))
    middle = plan.rounds // 2
    return Result(
        key=f"P1 {load.drawn}",
        title=f"GetOffer, {load.drawn} over {_OFFERS:,} offers",
        unit="calls/s",
        figures=[each.rate for each in figures],
        floors=[each.rate for each in floors],
        reaches=_REACH,
        busy=max(each.busy for each in (*figures, *floors)),
        details={
            "response_bytes": size,
            "in_flight": load.in_flight,
            "server_cpu_us": sorted(cpu)[middle],
            "floor_server_cpu_us": sorted(floor_cpu)[middle],
            "p50_ms": sorted(each.p50_ms for each in figures)[middle],
            "p99_ms": sorted(each.p99_ms for each in figures)[middle],
        },
    )


async def _metered(load: Load, pid: int, cpu: list[float]) -> Driven:
    meter = CpuMeter(pid)
    driven = await drive(load)
    cpu.append(meter.seconds() / driven.all_calls * 1e6)
    return driven


async def _mean_size(ground: Ground, ids: Sequence[str]) -> int:
    async with grpc.aio.insecure_channel(ground.stack.address("catalogue")) as channel:
        stub: CatalogueServiceAsyncStub = CatalogueServiceStub(channel)
        sizes = [(await stub.GetOffer(GetOfferRequest(offer_id=each))).ByteSize() for each in ids]
    return sum(sizes) // len(sizes)
