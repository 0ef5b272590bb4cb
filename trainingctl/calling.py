"""Calling the operator's RPCs of a service, and what becomes of a command when that fails."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import grpc.aio
import typer
from training.ops.v1.operations_service_pb2_grpc import OperationsServiceStub

from trainingctl import exit_codes
from trainingctl.channel import connect, identified
from trainingctl.problem import CallFailed, problem_of
from trainingctl.records import put
from trainingctl.telling import line, on_a_wide_console

if TYPE_CHECKING:
    from training.ops.v1.operations_service_pb2_grpc import OperationsServiceAsyncStub  # there is none at run time

_T = TypeVar("_T")

UNARY_SECONDS: Final = 20.0
"""How long one answer may take."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service, where it listens, and in whose name it is called."""

    name: str
    address: str
    principal: str

    @property
    def metadata(self) -> grpc.aio.Metadata:
        """The metadata that name the caller."""
        return identified(self.principal)

    @asynccontextmanager
    async def operations(self) -> AsyncIterator["OperationsServiceAsyncStub"]:
        """Connect for as long as the context lasts; what gRPC raises in it comes out as CallFailed."""
        async with connect(self.address) as channel:
            try:
                yield OperationsServiceStub(channel)
            except grpc.aio.AioRpcError as error:
                raise CallFailed(problem_of(self.name, self.address, error)) from error


def carry_out(work: Coroutine[Any, Any, _T], *, as_json: bool, when_interrupted: str = "") -> _T:
    """Do the work of a command; a failed call or Ctrl-C ends the command with one line and its exit code."""
    try:
        return asyncio.run(work)
    except CallFailed as failed:
        if as_json:
            put({"problem": failed.problem.record()})
        else:
            line(on_a_wide_console(stderr=True), str(failed.problem), style="red")
        raise typer.Exit(failed.problem.exit_code) from failed
    except KeyboardInterrupt as interrupt:
        if when_interrupted:
            line(on_a_wide_console(stderr=True), when_interrupted)
        raise typer.Exit(exit_codes.INTERRUPTED) from interrupt


def all_services(program: str, offer: str, catalogue: str, principal: str) -> list[Service]:
    """Return all three services at their addresses."""
    addresses = {"program": program, "offer": offer, "catalogue": catalogue}
    return [Service(name, address, principal) for name, address in addresses.items()]


def copy_of(offer: str, catalogue: str, principal: str, *, at_offer: bool) -> Service:
    """Return the service whose copy of its sources is meant: the catalogue, or the offer service."""
    return Service("offer", offer, principal) if at_offer else Service("catalogue", catalogue, principal)
