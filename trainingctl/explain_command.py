"""`trainingctl explain`: the way of an aggregate, or of what one request did, through all services."""

from typing import Annotated
from uuid import UUID

import typer

from trainingctl import exit_codes, options
from trainingctl.calling import all_services, carry_out
from trainingctl.explaining import Explanation
from trainingctl.explaining import explain as ask
from trainingctl.records import put
from trainingctl.telling import line, on_a_wide_console
from trainingctl.way_text import told


def explain(
    wanted: Annotated[UUID, typer.Argument(metavar="ID", help="The id of a program or an offer, or a request_id.")],
    *,
    program: options.ProgramAddress = options.PROGRAM_ADDRESS,
    offer: options.OfferAddress = options.OFFER_ADDRESS,
    catalogue: options.CatalogueAddress = options.CATALOGUE_ADDRESS,
    principal: options.Principal = options.OPERATOR,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many of the latest revisions to tell.")] = 20,
    timeout: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="How long to wait for each service.")] = 5,
    as_json: options.AsJson = False,
) -> None:
    """Tell the way of an id through the services: command, journal, stream, copies.

    The exit code is 0 when all that is known has come everywhere, 1 when the id is unknown, or something of it waits or
    is parked, 3 when a service does not answer, 4 when one refuses.
    """
    services = all_services(program, offer, catalogue, principal)
    found = carry_out(ask(services, str(wanted), limit, timeout), as_json=as_json)
    if as_json:
        put(found.record())
    else:
        _tell(found, str(wanted))
    raise typer.Exit(_exit_code(found))


def _tell(found: Explanation, wanted: str) -> None:
    console = on_a_wide_console()
    for whole in found.aggregates:
        for text in told(whole):
            line(console, text)
    if not found.aggregates:
        answered = " that answered" if found.problems else ""
        line(console, f"no service{answered} knows an aggregate or a request {wanted}", style="red")
    for problem in found.problems:
        line(console, str(problem), style="red")


def _exit_code(found: Explanation) -> int:
    if found.problems:
        return min(problem.exit_code for problem in found.problems)
    everywhere = found.aggregates and all(whole.everywhere for whole in found.aggregates)
    return exit_codes.FINE if everywhere else exit_codes.NOT_EVERYWHERE
