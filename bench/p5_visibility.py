"""P5: from the commit of a command to a reader of the catalogue seeing it, at 200 commands a second.

A command's clock begins with the database's transaction that commits it and ends when a read that asks for at least
that change (by its token) has its answer: the way back to the caller and the caller's read are in it.
"""

from collections.abc import Sequence
from typing import Final

from bench.figures import Bound, Plan, Reach, Result
from bench.floors.pipe import open_pipe
from bench.ground import SERVICES, Ground
from bench.pace import Pace, keep_pace
from bench.stock import import_offers, publish_stock

_RATE: Final = 200.0
_OFFERS: Final = 200
_STOCK: Final = 2_000
_BEGUN: Final = """
SELECT extract(epoch FROM recorded_at)::float8 AS begun
FROM unnest($1::smallint[], $2::bigint[]) WITH ORDINALITY AS asked (lane, seq, place) JOIN journal USING (lane, seq)
ORDER BY place
"""


async def measure(ground: Ground, plan: Plan) -> Sequence[Result]:
    """Measure it by its median and by its slowest hundredth."""
    await publish_stock(ground, programs=100, offers=_STOCK)
    offers = await import_offers(ground, _OFFERS)
    await ground.only(*SERVICES)
    await ground.projected("offer")
    pace = Pace(ground.stack.address("offer"), ground.stack.address("catalogue"), offers, _RATE, plan.seconds)
    figures: list[list[float]] = []
    floors: list[list[float]] = []
    busy = [(await _paced(ground, pace))[1]]
    async with open_pipe(ground) as pipe:
        await pipe.run(_RATE, 0.5)
        for _ in range(plan.rounds):
            floors.append(sorted(await pipe.run(_RATE, plan.seconds)))
            took, share = await _paced(ground, pace)
            figures.append(sorted(took))
            busy.append(share)
    return [
        Result(
            key=f"P5 p{percent}",
            title=f"commit → visible at {_RATE:g} commands/s, {percent} %",
            unit="ms",
            figures=[_quantile(each, percent) for each in figures],
            floors=[_quantile(each, percent) for each in floors],
            reaches=[Reach(Bound.RATIO_AT_MOST, most)],
            busy=max(busy),
            details={"commands": sum(map(len, figures))},
        )
        for percent, most in ((50, 2.0), (99, 5.0))
    ]


async def _paced(ground: Ground, pace: Pace) -> tuple[list[float], float]:
    seen = await keep_pace(pace)
    lanes, seqs, times = zip(*seen.commands, strict=True)
    rows = await (await ground.database("offer")).fetch(_BEGUN, lanes, seqs)
    return [time - row["begun"] for time, row in zip(times, rows, strict=True)], seen.busy


def _quantile(ordered: Sequence[float], percent: int) -> float:
    return ordered[len(ordered) * percent // 100] * 1000
