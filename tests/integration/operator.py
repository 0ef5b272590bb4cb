"""An operator who cancels and ends what runs in a database, while clients call whoever uses it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import asyncpg
import grpc.aio

from tests.integration.chassis_server import status_of
from tests.integration.refusals import read

Ask = Callable[[], Awaitable[Any]]
Told = Counter[tuple[str, str, str]]
"""How often each call ended with a code and a reason."""

UNAVAILABLE: Final = ("UNAVAILABLE", "DATABASE_UNAVAILABLE")
_OTHERS: Final = "FROM pg_stat_activity WHERE datname = ANY($1) AND pid <> pg_backend_pid()"
_CANCEL: Final = "SELECT pg_cancel_backend(pid) " + _OTHERS
_TERMINATE: Final = "SELECT pg_terminate_backend(pid) " + _OTHERS
_ROUNDS: Final = 40
_CALLERS: Final = 3


async def told_under_trouble(dsn: str, databases: list[str], asks: Mapping[str, Ask]) -> Told:
    """Return what each call was told, each of them refused at least once, while its database was troubled."""
    told: Told = Counter()
    callers = [asyncio.create_task(_call(name, ask, told)) for name, ask in asks.items() for _ in range(_CALLERS)]
    operator = await asyncpg.connect(dsn, timeout=10)
    try:
        async with asyncio.timeout(40):
            rounds = 0
            while rounds < _ROUNDS or any((name, *UNAVAILABLE) not in told for name in asks):
                await operator.execute(_TERMINATE if rounds % 2 else _CANCEL, databases)
                rounds += 1
                answered = told.total()
                while told.total() < answered + len(callers):
                    await asyncio.sleep(0.002)
                    assert not any(caller.done() for caller in callers)
    finally:
        for caller in callers:
            caller.cancel()
        await asyncio.wait(callers)
        await operator.close()
    return told


async def _call(name: str, ask: Ask, told: Told) -> None:
    while True:
        try:
            await ask()
        except grpc.aio.AioRpcError as error:
            refused = read(error.code(), status_of(error))
            told[name, refused.code.name, refused.reason] += 1
        else:
            told[name, "OK", ""] += 1
