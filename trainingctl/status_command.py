"""`trainingctl status`: how all services are doing, in one table."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from rich.live import Live
from training.ops.v1.operations_service_pb2 import GetStatusRequest

from trainingctl import exit_codes, options
from trainingctl.calling import Service, all_services
from trainingctl.problem import CallFailed
from trainingctl.records import put
from trainingctl.status_table import Answer, show, table
from trainingctl.status_watch import Watch
from trainingctl.telling import now, on_a_wide_console

_LOOK: Final = 0.25
"""Seconds between two pictures: ages and silences grow also when nothing comes."""


def status(
    *,
    program: options.ProgramAddress = options.PROGRAM_ADDRESS,
    offer: options.OfferAddress = options.OFFER_ADDRESS,
    catalogue: options.CatalogueAddress = options.CATALOGUE_ADDRESS,
    principal: options.Principal = options.OPERATOR,
    by_lane: Annotated[bool, typer.Option("--lanes", help="Show every lane, too.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Keep it up to date until Ctrl-C.")] = False,
    interval: Annotated[
        float, typer.Option(min=0.1, max=3600, metavar="SECONDS", help="With --watch: between two statuses.")
    ] = 1.0,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="How long to wait for each service.")
    ] = 5.0,
    as_json: options.AsJson = False,
) -> None:
    """Show how far each service has come with its own events and with those it follows.

    The exit code is 0 when everything is fresh, 1 when something is not, 3 when a service does not answer, 4 when one
    refuses. With --watch it is 0 after Ctrl-C; with --json besides, every status is a line as it comes.
    """
    services = all_services(program, offer, catalogue, principal)
    if watch:
        try:
            asyncio.run(_watch(services, interval, timeout, by_lane=by_lane, as_json=as_json))
        except KeyboardInterrupt:
            raise typer.Exit(exit_codes.FINE) from None
    answers = asyncio.run(ask(services, timeout))
    if as_json:
        fresh = all(answer.fresh for answer in answers)
        put({"fresh": fresh, "services": [answer.record() for answer in answers]})
    else:
        show(on_a_wide_console(), answers, by_lane=by_lane)
    raise typer.Exit(_exit_code(answers))


async def ask(services: list[Service], seconds: float) -> list[Answer]:
    """Ask all services at once; each has so many seconds."""
    return await asyncio.gather(*(_ask(service, seconds) for service in services))


async def _ask(service: Service, seconds: float) -> Answer:
    try:
        async with service.operations() as operations:
            told = await operations.GetStatus(GetStatusRequest(), timeout=seconds, metadata=service.metadata)
    except CallFailed as failed:
        return Answer(service.name, service.address, problem=failed.problem)
    return Answer(service.name, service.address, told)


def _exit_code(answers: list[Answer]) -> int:
    problems = [answer.problem.exit_code for answer in answers if answer.problem is not None]
    if problems:
        return min(problems)  # who does not answer at all is worse than who refuses
    return exit_codes.FINE if all(answer.fresh for answer in answers) else exit_codes.NOT_FRESH


async def _watch(services: list[Service], interval: float, patience: float, *, by_lane: bool, as_json: bool) -> None:
    watch = Watch(services, interval, patience)
    if as_json:
        await watch.run(lambda answer: put({"time": datetime.now(UTC).isoformat(), **answer.record()}))
        return
    await asyncio.gather(watch.run(lambda _: None), _picture(watch, interval, by_lane=by_lane))


async def _picture(watch: Watch, interval: float, *, by_lane: bool) -> None:
    """Show the present picture again and again: in place on a terminal, elsewhere one below the other."""
    console = on_a_wide_console()
    if not console.is_terminal:
        while True:
            await asyncio.sleep(interval)
            console.print(now(), highlight=False)
            show(console, watch.answers(), by_lane=by_lane)
    with Live(console=console, auto_refresh=False, transient=False) as live:
        while True:
            live.update(table(watch.answers(), by_lane=by_lane), refresh=True)
            await asyncio.sleep(_LOOK)
