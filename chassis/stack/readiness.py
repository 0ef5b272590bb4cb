"""Asking a service's health, as a client of it would."""

import asyncio
from typing import Any, Final

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.settings import Address

_POLL_SECONDS: Final = 0.02
_ANSWER_SECONDS: Final = 2.0
# A service that is being started refuses the first connections, and a channel of ours would wait longer and longer.
_OPTIONS: Final = (
    ("grpc.initial_reconnect_backoff_ms", 20),
    ("grpc.min_reconnect_backoff_ms", 20),
    ("grpc.max_reconnect_backoff_ms", 50),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
)


async def serving(address: Address, *, within: float, health: str = "") -> None:
    """Return once the health of that name is SERVING. Raises TimeoutError."""
    async with asyncio.timeout(within), grpc.aio.insecure_channel(str(address), options=_OPTIONS) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        while not await _serves(stub, health):  # noqa: ASYNC110 - another process, no event to await
            await asyncio.sleep(_POLL_SECONDS)


async def is_serving(address: Address, *, health: str = "") -> bool:
    """Tell whether the health of that name is SERVING now."""
    async with grpc.aio.insecure_channel(str(address), options=_OPTIONS) as channel:
        return await _serves(health_pb2_grpc.HealthStub(channel), health)


async def _serves(stub: Any, health: str) -> bool:  # noqa: ANN401 - the stub's class is generic for type checkers only
    request = health_pb2.HealthCheckRequest(service=health)
    try:
        answer = await stub.Check(request, timeout=_ANSWER_SECONDS)
    except grpc.aio.AioRpcError:
        return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
