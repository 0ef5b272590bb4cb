"""P7: the projection, events a second of a backlog: offers, and programs with texts of 200 words.

The catalogue is stopped, its tables for the source are emptied and the checkpoint is taken back; then it starts and
reads the stream from its beginning. The clock runs from its first batch to the last.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import asyncpg

from bench.children import CpuMeter
from bench.figures import Bound, Plan, Reach, Result
from bench.floors.projecting import open_projecting
from bench.ground import SERVICES, Ground
from bench.stock import publish_stock

_POLL_SECONDS: Final = 0.005
_LIMIT_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class _Kind:
    """One source's part of the read model."""

    source: str
    events_a_second: int
    least: float
    keys: Mapping[str, Sequence[str]]

    @property
    def stream(self) -> str:
        return f"TRAINING_{self.source.upper()}"


_OFFERS: Final = _Kind("offer", 10_000, 10_000, {"offer": ["offer_id"]})
_PROGRAMS: Final = _Kind(
    "program", 2_500, 2_000, {"program": ["program_id"], "program_text": ["program_id", "ordinal"]}
)


async def measure(ground: Ground, plan: Plan) -> Sequence[Result]:
    """Measure both sources, one at a time."""
    wanted = {kind.source: int(kind.events_a_second * plan.seconds) for kind in (_PROGRAMS, _OFFERS)}
    await publish_stock(ground, programs=wanted["program"], offers=wanted["offer"])
    await ground.only(*SERVICES)
    for source in wanted:
        await ground.projected(source)
    await ground.only()
    database = await ground.database("catalogue")
    await database.execute("CREATE SCHEMA projecting")
    return [await _measure(ground, plan, kind, wanted[kind.source]) for kind in (_OFFERS, _PROGRAMS)]


async def _measure(ground: Ground, plan: Plan, kind: _Kind, events: int) -> Result:
    floor = await open_projecting(await ground.database("catalogue"), await ground.read_model(), kind.keys, events)
    figures, floors, cpu = [], [], []
    for _ in range(plan.rounds):
        floors.append(await floor.run(ground, kind.stream, events))
        rate, used = await _project(ground, kind, events)
        figures.append(rate)
        cpu.append(used)
    return Result(
        key=f"P7 {kind.source}s",
        title=f"projection of a backlog of {kind.source} events",
        unit="events/s",
        figures=figures,
        floors=floors,
        reaches=[Reach(Bound.RATIO_AT_LEAST, 0.60), Reach(Bound.AT_LEAST, kind.least)],
        details={"events": events, "projector_cpu_us": sorted(cpu)[len(cpu) // 2]},
    )


async def _project(ground: Ground, kind: _Kind, events: int) -> tuple[float, float]:
    """Have the catalogue project the source's stream anew; return events a second, and CPU microseconds an event."""
    database = await ground.database("catalogue")
    tables = await ground.read_model()
    await database.execute("; ".join(f"TRUNCATE {tables}.{table}" for table in kind.keys))
    await database.execute(f"DELETE FROM {tables}.checkpoint WHERE source = $1", kind.source)  # noqa: S608 - our own words
    starting = asyncio.create_task(ground.only("catalogue"))
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            first = await _applied(ground, kind.source, 1)
            meter, begun = CpuMeter(ground.stack.pid("catalogue")), perf_counter()
            last = await _applied(ground, kind.source, events)
            seconds, used = perf_counter() - begun, meter.seconds()
    finally:
        await starting
        await ground.stack.kill("catalogue")
    return (last - first) / seconds, used / (last - first) * 1e6


async def _applied(ground: Ground, source: str, least: int) -> int:
    while True:
        try:
            applied = await ground.applied(source)
        except asyncpg.PostgresError:
            applied = 0
        if applied >= least:
            return applied
        await asyncio.sleep(_POLL_SECONDS)
