"""The whole way of the real data, on a stack of its own: convert, import, read back, compare."""

import argparse
import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.umd.convert import Files, add_options, convert
from bench.umd.expect import Expected, expect
from bench.umd.importing import Imported, ImportFailed, import_offers, import_programs
from bench.umd.terms import TODAY
from bench.umd.verify import Findings, ReadingFailed, Span, compare, read_catalogue
from chassis.embedded import EmbeddedError
from chassis.stack import Stack

PROGRAMS: Final = 1_815
OFFERS: Final = 7_295
REFUSED: Final = {"CAPACITY_INVALID": 23, "SESSIONS_OVERLAP": 33}
"""What the data of this revision must come to."""

_LIMIT: Final = 600.0
_SHOWN: Final = 20
_MISSING_DATA: Final = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it all."""

    imports: tuple[Imported, Imported]
    findings: Findings

    @property
    def refused(self) -> Counter[str]:
        """The refused rows by reason."""
        return Counter(str(row["reason"]) for each in self.imports for row in each.refused)

    @property
    def holds(self) -> bool:
        """Whether everything is as the source says, in the numbers known."""
        counts = (self.findings.programs, self.findings.offers, self.refused)
        return not self.findings.differences and counts == (PROGRAMS, OFFERS, Counter(REFUSED))


def main() -> int:
    """Run as the command line says; the exit code is 0 only if everything matches."""
    parser = argparse.ArgumentParser(prog="python -m bench.umd", description=__doc__)
    # The server sells nothing that has ended: once the fixed day is past, the terms must begin after the present one.
    add_options(parser, max(TODAY, datetime.now(UTC).date()))
    options = parser.parse_args()
    console = Console()
    if not options.data.is_dir():
        console.print(f"there is no folder {escape(str(options.data))}; --data says where the data is", style="red")
        return _MISSING_DATA
    began = monotonic()
    try:
        outcome = asyncio.run(_run(options.data, options.today, console))
    except (EmbeddedError, ImportFailed, ReadingFailed, TimeoutError) as error:
        console.print(escape(str(error) or f"not done within {_LIMIT:g} s"), style="red")
        return 1
    _show(outcome, console)
    console.print(
        f"{'everything matches' if outcome.holds else 'NOT as the source says'}; {monotonic() - began:.1f} s in all"
    )
    return 0 if outcome.holds else 1


async def _run(data: Path, today: date, console: Console) -> Outcome:
    async with asyncio.timeout(_LIMIT), AsyncExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="training-umd-")))
        with _timed("converted", console):
            files = convert(data, folder, today)
        with _timed("read the source again", console):
            expected = expect(data, today)
        with _timed("started a stack", console):
            stack = await exits.enter_async_context(Stack.temporary())
        return await _import_and_compare(stack, files, expected, console)


async def _import_and_compare(stack: Stack, files: Files, expected: Expected, console: Console) -> Outcome:
    token_file = files.programs.with_suffix(".token")
    began = datetime.now(UTC)
    programs = await import_programs(files.programs, stack.address("program"), token_file)
    offers = await import_offers(files.offers, stack.address("offer"), token_file)
    span = Span(began, datetime.now(UTC))
    with _timed("read the catalogue", console):
        found = await read_catalogue(stack.address("catalogue"))
    with _timed("compared", console):
        findings = compare(expected, *found, [*programs.refused, *offers.refused], span)
    return Outcome((programs, offers), findings)


@contextmanager
def _timed(what: str, console: Console) -> Iterator[None]:
    began = monotonic()
    yield
    console.print(f"{what}: {monotonic() - began:.1f} s", style="dim", highlight=False)


def _show(outcome: Outcome, console: Console) -> None:
    table = Table("import", "rows", "imported", "refused", "seconds", "rows/s")
    for each in outcome.imports:
        counts = (each.rows, each.imported, len(each.refused))
        table.add_row(
            each.kind, *(f"{count:,}" for count in counts), f"{each.seconds:.1f}", f"{each.rows_per_second:,.0f}"
        )
    console.print(table)
    for reason, count in sorted(outcome.refused.items()):
        console.print(f"refused, {reason}: {count} (expected {REFUSED.get(reason, 0)})", highlight=False)
    found = outcome.findings
    console.print(
        f"catalogue: {found.programs:,} programs (expected {PROGRAMS:,}), "
        f"{found.offers:,} offers (expected {OFFERS:,})",
        highlight=False,
    )
    console.print(
        f"{found.facts:,} facts compared, {len(found.differences):,} differences",
        highlight=False,
    )
    for difference in found.differences[:_SHOWN]:
        console.print(escape(difference), style="red", highlight=False, soft_wrap=True)
