"""A bare grpc.aio server in a process of its own: one method, bytes in, bytes out."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

import grpc
import grpc.aio
import uvloop

from chassis.process import collect_seldom

RpcMethodHandler: TypeAlias = "grpc.RpcMethodHandler[bytes, bytes]"  # generic for type checkers only
Answer = Callable[[bytes, Any], Awaitable[bytes]]

METHOD: Final = "/floor.Floor/Call"


def serve(make: Callable[[Mapping[str, Any]], Awaitable[Answer]]) -> None:
    """Serve what `make` makes of the line of JSON that comes in, until the input ends."""
    uvloop.run(_serve(make))


async def _serve(make: Callable[[Mapping[str, Any]], Awaitable[Answer]]) -> None:
    collect_seldom()  # as the services do: a floor has every advantage that they have
    loop = asyncio.get_running_loop()
    given = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    handler: RpcMethodHandler = grpc.unary_unary_rpc_method_handler(await make(given))
    server = grpc.aio.server()
    service, _, name = METHOD[1:].partition("/")
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, {name: handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    await server.stop(0.1)
