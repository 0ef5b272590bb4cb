"""`trainingctl import`: programs and offers from files."""

import json
import os
import tempfile
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from trainingctl import options
from trainingctl.done_rows import StateMismatch
from trainingctl.flight import IN_FLIGHT
from trainingctl.import_run import Order, Result, carry_out
from trainingctl.kinds import OFFERS, PROGRAMS
from trainingctl.rows import STDIN
from trainingctl.summary import exit_code, say, summary

app: Final = typer.Typer(
    no_args_is_help=True,
    help="Import programs or offers that are live elsewhere; what was imported before changes nothing.",
)


@app.command()
def programs(
    files: options.Files,
    *,
    address: options.ProgramAddress = options.PROGRAM_ADDRESS,
    principal: options.Principal = options.IMPORTER,
    report: options.ReportFile = None,
    state: options.StateFile = None,
    resume: options.Resume = False,
    validate_only: options.ValidateOnly = False,
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, help="Write there what stands for the imported programs."),
    ] = None,
    in_flight: options.InFlight = IN_FLIGHT,
    retry_for: options.RetryFor = 30.0,
    as_json: options.AsJson = False,
) -> None:
    """Import programs: each row of ImportPrograms becomes a released program."""
    order = Order(
        PROGRAMS,
        _readable(files),
        address,
        principal,
        in_flight,
        retry_for,
        validate_only,
        report=report,
        state=_state(files, state, resume=resume, validate_only=validate_only),
    )
    result = _carry_out(order)
    if token_file is not None and result.token:
        _write_whole(token_file, result.token + "\n")
    _finish(order, result, as_json=as_json)


@app.command()
def offers(
    files: options.Files,
    *,
    address: options.OfferAddress = options.OFFER_ADDRESS,
    principal: options.Principal = options.IMPORTER,
    report: options.ReportFile = None,
    state: options.StateFile = None,
    resume: options.Resume = False,
    validate_only: options.ValidateOnly = False,
    min_token: options.MinTokens = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", dir_okay=False, exists=True, help="The token file that the import of programs wrote."
        ),
    ] = None,
    in_flight: options.InFlight = IN_FLIGHT,
    retry_for: options.RetryFor = 30.0,
    as_json: options.AsJson = False,
) -> None:
    """Import offers: each row of ImportOffers becomes a published offer of a released program."""
    tokens = [*(min_token or ()), *(token_file.read_text("ascii").split() if token_file is not None else ())]
    order = Order(
        OFFERS,
        _readable(files),
        address,
        principal,
        in_flight,
        retry_for,
        validate_only,
        tuple(tokens),
        report,
        _state(files, state, resume=resume, validate_only=validate_only),
    )
    _finish(order, _carry_out(order), as_json=as_json)


def _finish(order: Order, result: Result, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(summary(order, result)))
    else:
        say(Console(stderr=True), order, result)
    raise typer.Exit(exit_code(result))


def _carry_out(order: Order) -> Result:
    try:
        return carry_out(order, Console(stderr=True))
    except (OSError, StateMismatch) as error:
        raise typer.BadParameter(str(error)) from error


def _readable(files: list[str]) -> list[str]:
    for file in files:
        if file != STDIN and not os.access(file, os.R_OK):
            raise typer.BadParameter(f"{file} can't be read", param_hint="FILE…")
        if file != STDIN and not Path(file).is_file():
            raise typer.BadParameter(f"{file} is no file; `-` reads a pipe", param_hint="FILE…")
    return files


def _state(files: list[str], state: Path | None, *, resume: bool, validate_only: bool) -> Path | None:
    if (resume or state is not None) and validate_only:
        raise typer.BadParameter("--validate-only imports nothing: there is nothing to resume")
    if state is None and resume:
        if STDIN in files:
            raise typer.BadParameter("standard input has no name: give --state FILE", param_hint="--resume")
        return Path(f"{files[0]}.state")
    return state


def _write_whole(path: Path, text: str) -> None:
    """Write a file that is either whole or as it was."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)
