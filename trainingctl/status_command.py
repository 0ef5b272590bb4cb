"""`trainingctl status`: how all services are doing, in one table."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

import grpc.aio
import typer
from google.protobuf.json_format import MessageToDict
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from training.ops.v1.operations_service_pb2 import GetStatusRequest, GetStatusResponse
from training.ops.v1.operations_service_pb2_grpc import OperationsServiceStub

from trainingctl import exit_codes, options
from trainingctl.channel import connect, identified
from trainingctl.status_lines import Line, lines

_COLUMNS: Final = (
    "service",
    "source",
    "lane",
    "committed",
    "published",
    "applied",
    "behind",
    "as of",
    "leader",
    "trouble",
)
_FIGURES: Final = frozenset({"committed", "published", "applied", "behind"})
_LONG: Final = frozenset({"leader", "trouble"})
_WIDE: Final = 240


@dataclass(frozen=True, slots=True)
class Answer:
    """What one service said, or why it said nothing."""

    service: str
    address: str
    status: GetStatusResponse | None
    problem: str = ""

    def record(self) -> dict[str, object]:
        """Return it as a JSON object."""
        status = None if self.status is None else MessageToDict(self.status, preserving_proto_field_name=True)
        return {"service": self.service, "address": self.address, "status": status, "problem": self.problem}


def status(
    *,
    program: options.ProgramAddress = options.PROGRAM_ADDRESS,
    offer: options.OfferAddress = options.OFFER_ADDRESS,
    catalogue: options.CatalogueAddress = options.CATALOGUE_ADDRESS,
    principal: options.Principal = options.OPERATOR,
    by_lane: Annotated[bool, typer.Option("--lanes", help="Show every lane, too.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="How long to wait for each service.")
    ] = 5.0,
    as_json: options.AsJson = False,
) -> None:
    """Show how far each service has come with its own events and with those it follows.

    The exit code is 0 when everything is fresh, 1 when something is not, 3 when a service does not answer.
    """
    services = {"program": program, "offer": offer, "catalogue": catalogue}
    answers = asyncio.run(ask(services, principal, timeout))
    by_service = {each.service: lines(each.status, by_lane=by_lane) for each in answers if each.status is not None}
    shown = [line for found in by_service.values() for line in found]
    fresh = all(line.fresh for line in shown)
    if as_json:
        typer.echo(json.dumps({"fresh": fresh, "services": [answer.record() for answer in answers]}))
    else:
        _print(answers, shown, fresh=fresh)
    if any(answer.status is None for answer in answers):
        raise typer.Exit(exit_codes.NOT_REACHABLE)
    raise typer.Exit(exit_codes.FINE if fresh else exit_codes.NOT_FRESH)


async def ask(services: dict[str, str], principal: str, timeout: float) -> list[Answer]:  # noqa: ASYNC109 - it is the deadline of each call
    """Ask all services at once."""
    return await asyncio.gather(*(_ask(name, address, principal, timeout) for name, address in services.items()))


async def _ask(name: str, address: str, principal: str, seconds: float) -> Answer:
    async with connect(address) as channel:
        stub = OperationsServiceStub(channel)
        try:
            told = await stub.GetStatus(GetStatusRequest(), timeout=seconds, metadata=identified(principal))
        except grpc.aio.AioRpcError as error:
            return Answer(name, address, None, f"{error.code().name}: {error.details()}")
        return Answer(name, address, told)


def _print(answers: list[Answer], shown: list[Line], *, fresh: bool) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDE)  # a pipe has no width of its own, and lines are for reading by lines
    table = Table(box=None, pad_edge=False)
    for name in _COLUMNS:
        table.add_column(name, justify="right" if name in _FIGURES else "left", no_wrap=name not in _LONG)
    for line in shown:
        table.add_row(*_cells(line), style=None if line.fresh else "red")
    if shown:
        console.print(table)
    for answer in answers:
        if answer.status is None:
            told = f"{answer.service} at {answer.address} does not answer: {answer.problem}"
            console.print(escape(told), style="red", highlight=False, soft_wrap=True)
    if shown:
        console.print("everything is fresh" if fresh else "not everything is fresh", highlight=False)


def _cells(line: Line) -> list[str]:
    age = "" if line.age is None else _ago(line.age)
    if line.part == "copy" and line.lane is None and line.age is None:
        age = "unknown"
    return [
        line.service,
        f"{line.source} {line.part}" if line.lane is None else "",
        "all" if line.lane is None else str(line.lane),
        f"{line.committed:,}",
        f"{line.published:,}",
        "" if line.applied is None else f"{line.applied:,}",
        f"{line.behind:,}",
        age,
        line.leader,
        escape(line.trouble),
    ]


def _ago(age: timedelta) -> str:
    seconds = max(0.0, age.total_seconds())
    return f"{seconds:.1f} s ago" if seconds < 120 else f"{timedelta(seconds=round(seconds))} ago"  # noqa: PLR2004 - two minutes
