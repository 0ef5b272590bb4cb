"""P4: durable commands a second at 32 in flight: one that makes an aggregate, one that changes one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from training.offer.v1.offer_service_pb2 import SetPriceListRequest
from training.program.v1.program_service_pb2 import CreateProgramRequest

from bench import world
from bench.children import CpuMeter, standing
from bench.figures import Bound, Plan, Reach, Result
from bench.floors.serving import METHOD
from bench.ground import Ground
from bench.load import FRESH, Driven, Load, drive
from bench.stock import import_offers

_REACH: Final = (Reach(Bound.RATIO_AT_LEAST, 0.70),)
_CONTENTS: Final = 50
_OFFERS: Final = 1_000
_COPIED: Final = ("lane", "journal", "idempotency")


@dataclass(frozen=True, slots=True)
class _Command:
    """A command: who carries it out, how it is asked for, and where it writes."""

    service: str
    name: str
    method: str
    principal: str
    requests: Sequence[str]
    table: str
    id_column: str
    ids: Sequence[str] = ()


async def measure(ground: Ground, plan: Plan) -> Sequence[Result]:
    """Measure both commands, each with its service alone: the other services have machines of their own elsewhere."""
    await ground.only("program")
    found = [await _measure(ground, plan, _create_program())]
    offers = await import_offers(ground, _OFFERS)
    await ground.only("offer")
    return [*found, await _measure(ground, plan, _set_price_list(offers))]


def _create_program() -> _Command:
    requests = [
        CreateProgramRequest(program_id=FRESH[0], request_id=FRESH[1], content=world.content())
        for _ in range(_CONTENTS)
    ]
    return _Command(
        "program",
        "CreateProgram",
        "/training.program.v1.ProgramService/CreateProgram",
        "bench;roles=author",
        [request.SerializeToString().hex() for request in requests],
        "program",
        "program_id",
    )


def _set_price_list(offers: Sequence[str]) -> _Command:
    requests = [
        SetPriceListRequest(offer_id=each, request_id=FRESH[0], price_list=world.prices(name=FRESH[1]))
        for each in offers
    ]
    return _Command(
        "offer",
        "SetPriceList",
        "/training.offer.v1.OfferService/SetPriceList",
        "bench;roles=offer_manager",
        [request.SerializeToString().hex() for request in requests],
        "offer",
        "offer_id",
        offers,
    )


async def _measure(ground: Ground, plan: Plan, command: _Command) -> Result:
    metadata = {"training-principal": command.principal}
    address = ground.stack.address(command.service)
    load = Load(address, command.method, command.requests, plan.seconds, metadata=metadata)
    await drive(replace(load, seconds=1.0))  # the floor needs rows to write again, and everyone a warm start
    figures: list[Driven] = []
    floors: list[Driven] = []
    cpu: list[float] = []
    floor_cpu: list[float] = []
    async with standing("bench.floors.command_server", await _copies(ground, command)) as bare:
        floor_load = replace(load, address=bare.address, method=METHOD)
        for _ in range(plan.rounds):
            meter = CpuMeter(bare.pid)
            floors.append(await drive(floor_load))
            floor_cpu.append(meter.seconds() / floors[-1].all_calls * 1e6)
            meter = CpuMeter(ground.stack.pid(command.service))
            figures.append(await drive(load))
            cpu.append(meter.seconds() / figures[-1].all_calls * 1e6)
            await ground.published(command.service)
    middle = plan.rounds // 2
    return Result(
        key=f"P4 {command.name}",
        title=f"{command.name}, durable, 32 in flight",
        unit="commands/s",
        figures=[each.rate for each in figures],
        floors=[each.rate for each in floors],
        reaches=_REACH,
        busy=max(each.busy for each in (*figures, *floors)),
        details={
            "server_cpu_us": sorted(cpu)[middle],
            "floor_server_cpu_us": sorted(floor_cpu)[middle],
            "p50_ms": sorted(each.p50_ms for each in figures)[middle],
            "p99_ms": sorted(each.p99_ms for each in figures)[middle],
        },
    )


async def _copies(ground: Ground, command: _Command) -> Mapping[str, Any]:
    """Copy the tables with their indexes, and the rows that are read and changed; return what the floor must know."""
    database = await ground.database(command.service)
    await database.execute("CREATE SCHEMA floor")
    for table in (*_COPIED, command.table):
        await database.execute(f"CREATE TABLE floor.{table} (LIKE public.{table} INCLUDING ALL)")
    await database.execute("ALTER TABLE floor.lane SET (fillfactor = 10)")
    await database.execute("INSERT INTO floor.lane SELECT * FROM public.lane")
    if command.ids:
        await database.execute(f"INSERT INTO floor.{command.table} SELECT * FROM public.{command.table}")  # noqa: S608 - our own words
    columns = await database.fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'floor' AND table_name = $1",
        command.table,
    )
    names = [row["column_name"] for row in columns if row["column_name"] not in {command.id_column, "revision"}]
    return {
        "dsn": ground.stack.dsn(command.service),
        "method": command.method,
        "table": command.table,
        "id_column": command.id_column,
        "columns": names,
        "ids": list(command.ids),
    }
