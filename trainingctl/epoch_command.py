"""`trainingctl epoch`: beginning a new epoch by hand."""

import sys
from typing import Annotated, Final

import typer
from training.ops.v1.operations_service_pb2 import BeginEpochRequest, BeginEpochResponse

from trainingctl import exit_codes, options
from trainingctl.calling import UNARY_SECONDS, Service, carry_out
from trainingctl.records import put, record
from trainingctl.telling import line, on_a_wide_console

app: Final = typer.Typer(no_args_is_help=True, help="Begin a new epoch of a command service.")


@app.callback()
def group() -> None:
    """Begin a new epoch of a command service."""


@app.command()
def begin(
    source: options.OneSource,
    cause: options.Cause,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    program: options.ProgramAddress = options.PROGRAM_ADDRESS,
    offer: options.OfferAddress = options.OFFER_ADDRESS,
    principal: options.Principal = options.OPERATOR,
    as_json: options.AsJson = False,
) -> None:
    """Begin a new epoch, after the database was restored as a copy of its files.

    A database restored by pg_restore, or a promoted standby, begins one by itself. The exit code is 0 when it was
    begun, 1 when the question was answered with no, 3 when the service does not answer, 4 when it refuses.
    """
    service = Service(source.value, program if source is options.Source.PROGRAM else offer, principal)
    if not yes and not _agreed(service):
        raise typer.Exit(exit_codes.DECLINED)
    response = carry_out(_begin(service, cause), as_json=as_json)
    if as_json:
        put(record(response))
    else:
        line(
            on_a_wide_console(), f"{source.value} is in epoch {response.epoch} now, before in {response.previous_epoch}"
        )


def _agreed(service: Service) -> bool:
    question = (
        f"Everybody who follows {service.name} at {service.address} will synchronise anew, and consistency tokens "
        "given before will be refused. Begin a new epoch? [y/N] "
    )
    typer.echo(question, err=True, nl=False)
    answer = sys.stdin.readline()
    if not answer:
        typer.echo(err=True)
        raise typer.BadParameter("nobody can be asked here; say --yes", param_hint="--yes")
    return answer.strip().lower() in {"y", "yes"}


async def _begin(service: Service, cause: str) -> BeginEpochResponse:
    async with service.operations() as operations:
        request = BeginEpochRequest(cause=cause)
        return await operations.BeginEpoch(request, timeout=UNARY_SECONDS, metadata=service.metadata)
