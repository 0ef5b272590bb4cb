"""Trying again when other writers were faster: first hoping, then with the aggregate's row locked."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import asyncpg

from chassis.postgres import Connection, Connections

Answer = TypeVar("Answer")

Attempt = Callable[[Connection, bool], Awaitable[Answer | None]]
"""Tries once, with the aggregate's row locked or not; None when others were faster."""

_OPTIMISTIC_ATTEMPTS: Final = 3
_LOCKED_ATTEMPTS: Final = 5
_CONFLICTS: Final = (
    asyncpg.UniqueViolationError,
    asyncpg.ExclusionViolationError,  # decided again, the command is refused by what it now finds there
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)


async def insist(connections: Connections, attempt: Attempt[Answer]) -> Answer | None:
    """Try until nobody is faster; None when somebody always was.

    Whoever was faster, perhaps with this same request, is seen by the next attempt.
    """
    for tried in range(_OPTIMISTIC_ATTEMPTS + _LOCKED_ATTEMPTS):
        answer = await _try(connections, attempt, locked=tried >= _OPTIMISTIC_ATTEMPTS)
        if answer is not None:
            return answer
    return None


async def _try(connections: Connections, attempt: Attempt[Answer], *, locked: bool) -> Answer | None:
    async with connections.lent() as connection:
        try:
            if not locked:
                return await attempt(connection, False)  # noqa: FBT003 - as the alias above says
            async with connection.transaction():
                return await attempt(connection, True)  # noqa: FBT003
        except _CONFLICTS:
            return None
