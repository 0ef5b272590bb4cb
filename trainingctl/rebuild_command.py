"""`trainingctl rebuild`: a new generation of a service's copy of its sources."""

from enum import StrEnum
from typing import Annotated, Final

import typer
from training.ops.v1.operations_service_pb2 import (
    RebuildCatalogueRequest,
    RebuildMethod,
    RebuildPhase,
    RebuildProgress,
)

from trainingctl import exit_codes, options
from trainingctl.building_bar import showing
from trainingctl.calling import Service, carry_out, copy_of
from trainingctl.problem import CallFailed, Problem
from trainingctl.telling import line, on_a_wide_console


class Method(StrEnum):
    """How a generation is filled."""

    SNAPSHOT = "snapshot"
    REPLAY = "replay"


_METHODS: Final = {
    Method.SNAPSHOT: RebuildMethod.REBUILD_METHOD_SNAPSHOT,
    Method.REPLAY: RebuildMethod.REBUILD_METHOD_REPLAY,
}
_GOES_ON: Final = "the building goes on without this command; `trainingctl status` tells how"


def rebuild(
    *,
    cause: options.Cause,
    at_offer: options.AtOffer = False,
    method: Annotated[
        Method,
        typer.Option(
            help="From the sources' present states, or from every event; the latter needs untrimmed journals."
        ),
    ] = Method.SNAPSHOT,
    offer: options.OfferAddress = options.OFFER_ADDRESS,
    catalogue: options.CatalogueAddress = options.CATALOGUE_ADDRESS,
    principal: options.Principal = options.OPERATOR,
    as_json: options.AsJsonLines = False,
) -> None:
    """Build a service's copy of its sources anew beside the present one, which keeps answering.

    The exit code is 0 when the new generation answers, 1 when it was given up, 3 when the service does not answer (any
    more), 4 when it refuses, for example because a building is under way. Ctrl-C ends the command, not the building.
    """
    service = copy_of(offer, catalogue, principal, at_offer=at_offer)
    request = RebuildCatalogueRequest(method=_METHODS[method], cause=cause)
    last = carry_out(_rebuild(service, request, as_json=as_json), as_json=as_json, when_interrupted=_GOES_ON)
    complete = last.phase == RebuildPhase.REBUILD_PHASE_COMPLETE
    if not as_json:
        told = f"{service.name} generation {last.generation}"
        end = f"{told} is complete and answers" if complete else f"{told} was given up: {last.trouble}"
        line(on_a_wide_console(), end, style=None if complete else "red")
    raise typer.Exit(exit_codes.FINE if complete else exit_codes.ABANDONED)


async def _rebuild(service: Service, request: RebuildCatalogueRequest, *, as_json: bool) -> RebuildProgress:
    last: RebuildProgress | None = None
    with showing(on_a_wide_console(), as_json=as_json) as show:
        try:
            async with service.operations() as operations:
                async for response in operations.RebuildCatalogue(request, metadata=service.metadata):
                    last = response.progress
                    show(response)
        except CallFailed as failed:
            if last is None or failed.problem.answered:
                raise
            raise CallFailed(_while_building(failed.problem)) from failed
    if last is None or last.phase not in (RebuildPhase.REBUILD_PHASE_COMPLETE, RebuildPhase.REBUILD_PHASE_ABANDONED):
        message = f"the service ended the call before the building ended; {_GOES_ON}"
        raise CallFailed(Problem(service.name, service.address, "UNAVAILABLE", "", message, {}))
    return last


def _while_building(problem: Problem) -> Problem:
    """Add to a lost connection what it means for the building."""
    message = f"{problem.message}; {_GOES_ON}"
    return Problem(problem.service, problem.address, problem.code, problem.reason, message, problem.metadata)
