"""Short words for what tests ask of the catalogue."""

from datetime import timedelta

import grpc.aio
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status
from training.type.v1.consistency_pb2 import AtLeastAsFresh, Consistency, FullyConsistent


def at(*tokens: str, wait: float = 10.0) -> Consistency:
    """Ask for a state that contains what the tokens stand for."""
    return Consistency(at_least_as_fresh=AtLeastAsFresh(consistency_tokens=tokens, max_wait=_duration(wait)))


def fully(wait: float = 10.0) -> Consistency:
    """Ask for a state that contains everything accepted before."""
    return Consistency(fully_consistent=FullyConsistent(max_wait=_duration(wait)))


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromTimedelta(timedelta(seconds=seconds))
    return duration


def reason(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str]:
    """Return the code and the reason of an error."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type] # an AioRpcError has what it reads
    assert status is not None
    for detail in status.details:
        info = ErrorInfo()
        if detail.Unpack(info):
            return error.code(), info.reason
    raise AssertionError("an error without ErrorInfo")
