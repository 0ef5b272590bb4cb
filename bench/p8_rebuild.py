"""P8: a generation built from the sources' snapshots, entries a second, and what readers notice: nothing.

The clock runs from the operator's call to the answer that the new generation is shown, so it contains the comparison
with the sources too. Meanwhile eight readers read by id, one after the other; an answer that is no answer, is another
offer or shows an earlier revision counts against the figure.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

import grpc.aio
from training.catalogue.v1.catalogue_service_pb2 import GetOfferRequest
from training.catalogue.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from training.ops.v1 import operations_service_pb2 as ops
from training.ops.v1.operations_service_pb2_grpc import OperationsServiceStub

from bench.children import CpuMeter
from bench.figures import Bound, Plan, Reach, Result
from bench.floors.copying import copy_tables
from bench.ground import SERVICES, Ground
from bench.grown import grow_offers, grow_programs
from bench.stock import import_offers

_PROGRAMS: Final = 20_000
_OFFERS: Final = 180_000
_READ: Final = 64
_READERS: Final = 8
_TABLES: Final = ("program", "program_text", "offer")
_LIMIT_SECONDS: Final = 600.0
_READER: Final = (("training-principal", "bench;roles=reader"),)
_OPERATOR: Final = (("training-principal", "bench;roles=operator"),)


class NotBuilt(Exception):
    """The generation was given up."""


@dataclass(slots=True)
class _Noticed:
    """What readers met while generations were built."""

    reads: int = 0
    wrong: list[str] = field(default_factory=list)


async def measure(ground: Ground, plan: Plan) -> Sequence[Result]:
    """Measure with all services: the sources export while the catalogue builds."""
    known = await import_offers(ground, _READ)
    await ground.only(*SERVICES)
    await ground.projected("offer")
    await grow_offers(ground, _OFFERS, await grow_programs(ground, _PROGRAMS))
    entries = _PROGRAMS + _OFFERS
    database, noticed = await ground.database("catalogue"), _Noticed()
    figures, floors, cpu = [], [], []
    for _ in range(plan.rounds):
        meters = [CpuMeter(ground.stack.pid(name)) for name in SERVICES]
        async with _read(ground, known, noticed):
            figures.append(entries / await _rebuild(ground))
        cpu.append(sum(meter.seconds() for meter in meters) / entries * 1e6)
        floors.append(entries / await copy_tables(database, await ground.read_model(), _TABLES))
    middle = plan.rounds // 2
    return [
        Result(
            key="P8",
            title=f"rebuild of {entries:,} entries from snapshots",
            unit="entries/s",
            figures=figures,
            floors=floors,
            reaches=[Reach(Bound.RATIO_AT_LEAST, 0.30)],
            details={"entries": entries, "services_cpu_us": sorted(cpu)[middle]},
        ),
        Result(
            key="P8 reads",
            title=f"reads that failed or were wrong meanwhile, of {noticed.reads:,}",
            unit="reads",
            figures=[float(len(noticed.wrong))],
            floors=[],
            reaches=[Reach(Bound.AT_MOST, 0)],
            details={"first": noticed.wrong[0] if noticed.wrong else ""},
        ),
    ]


async def _rebuild(ground: Ground) -> float:
    """Have a generation built; return how many seconds it took until it was shown."""
    async with grpc.aio.insecure_channel(ground.stack.address("catalogue")) as channel:
        begun = perf_counter()
        request = ops.RebuildCatalogueRequest(cause="a measurement")
        progress = ops.RebuildProgress()
        stub = OperationsServiceStub(channel)
        async for answer in stub.RebuildCatalogue(request, timeout=_LIMIT_SECONDS, metadata=_OPERATOR):
            progress = answer.progress
        if progress.phase != ops.REBUILD_PHASE_COMPLETE:
            raise NotBuilt(progress.trouble or ops.RebuildPhase.Name(progress.phase))
        return perf_counter() - begun


@asynccontextmanager
async def _read(ground: Ground, known: Sequence[str], noticed: _Noticed) -> AsyncIterator[None]:
    async with grpc.aio.insecure_channel(ground.stack.address("catalogue")) as channel:
        stub = CatalogueServiceStub(channel)

        async def reader(number: int) -> None:
            shown: dict[str, int] = {}
            while True:
                offer_id = known[(number + noticed.reads) % len(known)]
                noticed.reads += 1
                try:
                    answer = await stub.GetOffer(GetOfferRequest(offer_id=offer_id), timeout=10, metadata=_READER)
                except grpc.aio.AioRpcError as error:
                    noticed.wrong.append(f"{error.code().name}: {error.details()}")
                    continue
                offer = answer.offer.offer
                if offer.offer_id != offer_id or offer.revision < shown.get(offer_id, 0):
                    noticed.wrong.append(f"{offer_id}: {offer.offer_id} at {offer.revision}")
                shown[offer_id] = offer.revision
                await asyncio.sleep(0.01)  # readers that have something else to do: the builder is measured, not they

        readers = [asyncio.create_task(reader(number)) for number in range(_READERS)]
        try:
            yield
        finally:
            for each in readers:
                each.cancel()
            await asyncio.gather(*readers, return_exceptions=True)
