"""Readers of the catalogue, and what they are told."""

import asyncio
from collections.abc import AsyncIterator

import grpc.aio
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status
from training.catalogue.v1 import catalogue_service_pb2 as catalogue
from training.catalogue.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from training.type.v1.consistency_pb2 import AtLeastAsFresh, Consistency

from chassis.stack import Stack
from tests.e2e.mishaps import id_of

_CALL_SECONDS = 10
_AGAIN_SECONDS = 0.02


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """Return the reason that an error names; its code where it names none."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type] # an aio error has what a call has
    info = ErrorInfo()
    for detail in status.details if status is not None else ():
        if detail.Unpack(info):
            return info.reason
    return str(error.code().name)


def as_fresh_as(*tokens: str) -> Consistency:
    """Ask for what tokens stand for."""
    return Consistency(at_least_as_fresh=AtLeastAsFresh(consistency_tokens=tokens))


async def told_of(stack: Stack, number: str, *tokens: str) -> str:
    """Ask for a program; return why that is refused, or nothing when it is not."""
    request = catalogue.GetProgramRequest(
        program_id=id_of(number), consistency=as_fresh_as(*tokens) if tokens else None
    )
    async with grpc.aio.insecure_channel(stack.address("catalogue")) as channel:
        try:
            await CatalogueServiceStub(channel).GetProgram(request, timeout=_CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            return reason_of(error)
    return ""


async def parked_ids(stack: Stack, *tokens: str) -> list[str]:
    """List the programs; return which of them a list says are parked."""
    request = catalogue.ListProgramsRequest(consistency=as_fresh_as(*tokens))
    async with grpc.aio.insecure_channel(stack.address("catalogue")) as channel:
        return list((await CatalogueServiceStub(channel).ListPrograms(request, timeout=_CALL_SECONDS)).parked_ids)


async def refusals(stack: Stack, number: str) -> AsyncIterator[str]:
    """Ask for a program, from its first refusal on until it is shown; yield why it was refused."""
    refused = False
    async with asyncio.timeout(45):
        while (reason := await told_of(stack, number)) or not refused:
            if reason:
                refused = True
                yield reason
            await asyncio.sleep(_AGAIN_SECONDS)
