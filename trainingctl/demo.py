"""`trainingctl demo`: the sample catalogue goes the ordinary way of an import; then the catalogue shows it."""

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import grpc.aio
import typer
from rich.console import Console
from rich.markup import escape

from trainingctl import exit_codes, options, sample_files
from trainingctl.demo_tour import Tour, queries, tour
from trainingctl.import_run import Order, Result, carry_out
from trainingctl.kinds import OFFERS, PROGRAMS
from trainingctl.refused import RefusedRow

DEMONSTRATOR: Final = "demo;roles=publisher,offer_manager,reader"
_THEIRS: Final = frozenset({"RESOURCE_EXISTS", "PROGRAM_RETIRED", "DOUBLE_BOOKING"})
"""Why rows are refused when someone has gone on working with the sample: their work stays as it is."""


def demo(
    *,
    program: options.ProgramAddress = options.PROGRAM_ADDRESS,
    offer: options.OfferAddress = options.OFFER_ADDRESS,
    catalogue: options.CatalogueAddress = options.CATALOGUE_ADDRESS,
    principal: options.Principal = DEMONSTRATOR,
    retry_for: options.RetryFor = 30.0,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", file_okay=False, help="Only write the sample's files there; import nothing."),
    ] = None,
) -> None:
    """Load the sample catalogue and show what readers see of it.

    Loading it again changes nothing. Every 13 weeks the sample has new offers; what you changed since is left alone.
    """
    console, today = Console(), datetime.now(UTC).date()
    if save is not None:
        save.mkdir(parents=True, exist_ok=True)
        for path in sample_files.write(save, today):
            console.print(str(path), highlight=False, soft_wrap=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        programs, offers = sample_files.write(Path(folder), today)
        loaded = _load(console, Order(PROGRAMS, [str(programs)], program, principal, retry_for=retry_for))
        tokens = (loaded.token,) if loaded.token else ()
        order = Order(OFFERS, [str(offers)], offer, principal, retry_for=retry_for, min_tokens=tokens)
        sold = _load(console, order)
    try:
        shown = asyncio.run(tour(catalogue, principal, [*tokens, *([sold.token] if sold.token else [])]))
    except grpc.aio.AioRpcError as error:
        console.print(escape(f"the catalogue at {catalogue} does not answer: {error.details()}"), style="red")
        raise typer.Exit(exit_codes.NOT_REACHABLE) from error
    _show(console, shown, catalogue)


def _load(console: Console, order: Order) -> Result:
    """Import one file; end the demo if a row is refused that nobody's work explains."""
    unexplained: list[RefusedRow] = []
    result = carry_out(
        order, Console(stderr=True), lambda row: None if row.reason in _THEIRS else unexplained.append(row)
    )
    tally = result.tally
    kept = tally.refused - len(unexplained)
    told = f"{order.kind.name}: {tally.imported} loaded, {tally.unchanged} there already"
    console.print(told + (f", {kept} left as you have them" if kept else ""), highlight=False)
    for row in unexplained:
        console.print(escape(f"{row.row_id}: {row.reason or row.code}: {row.message}"), style="red", soft_wrap=True)
    if result.interrupted:
        raise typer.Exit(exit_codes.INTERRUPTED)
    if result.stopped is not None:
        console.print(escape(f"stopped: {result.stopped}"), style="red", highlight=False, soft_wrap=True)
        raise typer.Exit(exit_codes.USAGE if result.stopped.reachable else exit_codes.NOT_REACHABLE)
    if unexplained:
        raise typer.Exit(exit_codes.ROWS_REFUSED)
    return result


def _show(console: Console, shown: Tour, catalogue: str) -> None:
    console.print()
    for line in shown.lines:
        console.print(escape(line), highlight=False, soft_wrap=True)
    console.print("\nGo on with:\n", highlight=False)
    for query in queries(shown, catalogue):
        console.print(escape(f"  {query}"), highlight=False, soft_wrap=True)
    console.print()
