"""`trainingctl parked`: events that could not be applied, and what to do about them."""

from typing import Annotated, Final, TypeAlias
from uuid import UUID

import typer
from training.ops.v1 import operations_service_pb2 as pb

from trainingctl import exit_codes, options
from trainingctl.calling import UNARY_SECONDS, Service, carry_out, copy_of
from trainingctl.parked_events import listed, meant
from trainingctl.parked_text import show as show_events
from trainingctl.parked_text import tried, whole
from trainingctl.records import put, record
from trainingctl.telling import line, on_a_wide_console

app: Final = typer.Typer(no_args_is_help=True, help="List events that could not be applied; try again, or give up.")

Wanted: TypeAlias = Annotated[
    UUID,
    typer.Argument(metavar="ID", help="The event's id, or the aggregate's: then its latest parked event is meant."),
]


@app.command("list")
def list_events(
    *,
    at_offer: options.AtOffer = False,
    source: options.OfSource = None,
    closed: Annotated[bool, typer.Option("--all", help="Also those that are closed.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 200,
    offer: options.OfferAddress = options.OFFER_ADDRESS,
    catalogue: options.CatalogueAddress = options.CATALOGUE_ADDRESS,
    principal: options.Principal = options.OPERATOR,
    as_json: options.AsJson = False,
) -> None:
    """List the parked events, the latest parked first.

    The exit code is 0 whether there are any or not, 3 when the service does not answer, 4 when it refuses.
    """
    service = copy_of(offer, catalogue, principal, at_offer=at_offer)
    events = carry_out(_list(service, source or "", limit, closed=closed), as_json=as_json)
    if as_json:
        put({"events": [record(event) for event in events]})
    else:
        show_events(on_a_wide_console(), events)


@app.command()
def show(
    wanted: Wanted,
    *,
    at_offer: options.AtOffer = False,
    source: options.OfSource = None,
    offer: options.OfferAddress = options.OFFER_ADDRESS,
    catalogue: options.CatalogueAddress = options.CATALOGUE_ADDRESS,
    principal: options.Principal = options.OPERATOR,
    as_json: options.AsJson = False,
) -> None:
    """Show a parked event with its body.

    The exit code is 0 when there is such an event, 3 when the service does not answer, 4 when it refuses or has none.
    """
    service = copy_of(offer, catalogue, principal, at_offer=at_offer)
    response = carry_out(_show(service, str(wanted), source or ""), as_json=as_json)
    if as_json:
        put(record(response))
        return
    console = on_a_wide_console()
    for text in whole(response):
        line(console, text)


@app.command()
def retry(
    wanted: Wanted,
    *,
    at_offer: options.AtOffer = False,
    source: options.OfSource = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would change, and change nothing.")] = False,
    offer: options.OfferAddress = options.OFFER_ADDRESS,
    catalogue: options.CatalogueAddress = options.CATALOGUE_ADDRESS,
    principal: options.Principal = options.OPERATOR,
    as_json: options.AsJson = False,
) -> None:
    """Apply the latest parked event of an aggregate again, and tell what changed.

    The exit code is 0 when it was applied (with --dry-run: when it can be), 1 when it still can't be, 3 when the
    service does not answer, 4 when it refuses or has no such event.
    """
    service = copy_of(offer, catalogue, principal, at_offer=at_offer)
    response = carry_out(_retry(service, str(wanted), source or "", dry_run=dry_run), as_json=as_json)
    if as_json:
        put(record(response))
    else:
        console = on_a_wide_console()
        for text in tried(response, dry_run=dry_run):
            line(console, text, style=None if response.applied else "red")
    raise typer.Exit(exit_codes.FINE if response.applied else exit_codes.NOT_APPLIED)


@app.command()
def skip(
    wanted: Wanted,
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is given up; it is kept.")],
    at_offer: options.AtOffer = False,
    source: options.OfSource = None,
    offer: options.OfferAddress = options.OFFER_ADDRESS,
    catalogue: options.CatalogueAddress = options.CATALOGUE_ADDRESS,
    principal: options.Principal = options.OPERATOR,
    as_json: options.AsJson = False,
) -> None:
    """Give a parked event up: what is shown stays older until the aggregate's next event.

    The exit code is 0 when it was given up, 3 when the service does not answer, 4 when it refuses or has no such event.
    """
    service = copy_of(offer, catalogue, principal, at_offer=at_offer)
    event = carry_out(_skip(service, str(wanted), source or "", reason), as_json=as_json).event
    if as_json:
        put(record(event))
    else:
        told = f"{event.source} {event.aggregate_id} revision {event.revision} is given up: {event.close_reason}"
        line(on_a_wide_console(), told)


async def _list(service: Service, source: str, limit: int, *, closed: bool) -> list[pb.ParkedEvent]:
    async with service.operations() as operations:
        found: list[pb.ParkedEvent] = []
        async for event in listed(operations, service, source, closed=closed):
            found.append(event)
            if len(found) == limit:
                break
        return found


async def _show(service: Service, wanted: str, source: str) -> pb.GetParkedEventResponse:
    async with service.operations() as operations:
        event = await meant(operations, service, wanted, source)
        request = pb.GetParkedEventRequest(source=event.source, event_id=event.event_id)
        return await operations.GetParkedEvent(request, timeout=UNARY_SECONDS, metadata=service.metadata)


async def _retry(service: Service, wanted: str, source: str, *, dry_run: bool) -> pb.RetryParkedAggregateResponse:
    async with service.operations() as operations:
        event = await meant(operations, service, wanted, source)
        request = pb.RetryParkedAggregateRequest(source=event.source, aggregate_id=event.aggregate_id, dry_run=dry_run)
        return await operations.RetryParkedAggregate(request, timeout=UNARY_SECONDS, metadata=service.metadata)


async def _skip(service: Service, wanted: str, source: str, reason: str) -> pb.SkipParkedEventResponse:
    async with service.operations() as operations:
        event = await meant(operations, service, wanted, source)
        request = pb.SkipParkedEventRequest(source=event.source, event_id=event.event_id, reason=reason)
        return await operations.SkipParkedEvent(request, timeout=UNARY_SECONDS, metadata=service.metadata)
