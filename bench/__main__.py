"""`python -m bench`: every figure beside its floor, in one run on one machine."""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Final

import uvloop
from rich.console import Console
from rich.markup import escape

from bench import p1_get_offer, p4_commands, p5_visibility, p6_relay, p7_projection, p8_rebuild, p9_hot_offer, p14_start
from bench.children import ChildFailed
from bench.figures import Measure, Plan, Result
from bench.ground import open_ground
from bench.load import CallsFailed
from bench.p8_rebuild import NotBuilt
from bench.p9_hot_offer import Oversold
from bench.report import Machine, show, write
from bench.stock import NotStocked
from chassis.embedded import EmbeddedError

_PIPED_WIDTH: Final = 150

FIGURES: Final[Mapping[str, Measure]] = {
    "P1": p1_get_offer.measure,
    "P4": p4_commands.measure,
    "P5": p5_visibility.measure,
    "P6": p6_relay.measure,
    "P7": p7_projection.measure,
    "P8": p8_rebuild.measure,
    "P9": p9_hot_offer.measure,
    "P14": p14_start.measure,
}


def main() -> int:
    """Measure what the command line asks for; the exit code says only whether it could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", default=",".join(FIGURES), help="the figures to measure, such as P1,P4")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (default 5)")
    parser.add_argument("--seconds", type=float, default=1.5, help="how long a round is about (default 1.5)")
    parser.add_argument("--json", type=Path, help="the file for the results (default: a new one in bench/results)")
    parser.add_argument("--cold", action="store_true", help="measure the first start too, with an empty environment")
    options = parser.parse_args()
    chosen = [name.strip() for name in options.only.split(",")]
    unknown = sorted(set(chosen) - set(FIGURES))
    if unknown:
        parser.error(f"there is no figure {', '.join(unknown)}; there are {', '.join(FIGURES)}")
    console = Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH)
    machine, begun = Machine.present(), monotonic()
    plan = Plan(options.rounds, options.seconds, cold=options.cold)
    try:
        results = uvloop.run(_measure(chosen, plan, console))
    except (EmbeddedError, ChildFailed, CallsFailed, NotBuilt, NotStocked, Oversold, TimeoutError) as error:
        console.print(escape(f"{type(error).__name__}: {error}"), style="red")
        return 1
    file = options.json or Path("bench/results") / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    write(file, machine, results, monotonic() - begun)
    show(machine, results, monotonic() - begun, console)
    console.print(f"written to {file}", style="dim", highlight=False)
    return 0


async def _measure(chosen: Sequence[str], plan: Plan, console: Console) -> list[Result]:
    results: list[Result] = []
    async with open_ground() as ground:
        for name in chosen:
            begun = asyncio.get_running_loop().time()
            results += await FIGURES[name](ground, plan)
            spent = asyncio.get_running_loop().time() - begun
            console.print(f"{name} measured in {spent:.0f} s", style="dim", highlight=False)
    return results


if __name__ == "__main__":
    sys.exit(main())
