"""One connection to PostgreSQL, and what is raised when the database, rather than a statement, is at fault."""

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

import asyncpg

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]  # generic for type checkers only
else:
    Connection = asyncpg.Connection

_CONNECT_SECONDS: Final = 10.0


class Closed(Exception):
    """The connections were closed, or the one in use was."""


class Unreachable(Exception):
    """The database could not be connected to, or did not answer in time."""


UNAVAILABLE: Final = (
    Closed,
    Unreachable,
    asyncpg.PostgresConnectionError,  # SQLSTATE class 08
    asyncpg.InsufficientResourcesError,  # 53
    asyncpg.OperatorInterventionError,  # 57: shut down, starting up, statement cancelled
    asyncpg.PostgresSystemError,  # 58
    asyncpg.TransactionRollbackError,  # 40: deadlocks and serialization, where nobody tries again
    asyncpg.ReadOnlySQLTransactionError,  # 25006: a standby, or a server that is being switched over
    asyncpg.IdleInTransactionSessionTimeoutError,  # 25P03
    asyncpg.TransactionTimeoutError,  # 25P04
    asyncpg.LockNotAvailableError,  # 55P03
)
"""What is raised when the database, rather than the statement, is at fault, told apart by SQLSTATE.

An `OSError` or `TimeoutError` is not among them: the database's own come as `Unreachable`.
"""


class _Answering:
    """Raises Unreachable in place of `OSError` and `TimeoutError`; one for all, since every statement pays for it.

    What the database tells in detail, an error no longer says: it is a row's contents, and errors are logged.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raise Unreachable, or let the error through without its details."""
        if isinstance(error, asyncpg.PostgresError):
            error.detail = None
        if isinstance(error, OSError):
            raise Unreachable(f"{type(error).__name__}: {error}") from error


_answering: Final = _Answering()


class _Connection(Connection):
    """A connection whose own `OSError` and `TimeoutError` can be told from those of whoever uses it."""

    async def execute(self, query: str, *args: object, timeout: float | None = None) -> str:  # noqa: ASYNC109 - asyncpg's
        """Execute and return the status."""
        with _answering:
            return await super().execute(query, *args, timeout=timeout)

    async def fetch(  # type: ignore[override] # records are of no class of ours
        self,
        query: str,
        *args: object,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> list[asyncpg.Record]:
        """Execute and return the rows."""
        with _answering:
            return await super().fetch(query, *args, timeout=timeout)

    async def fetchrow(  # type: ignore[override] # as above
        self,
        query: str,
        *args: object,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> asyncpg.Record | None:
        """Execute and return the first row."""
        with _answering:
            return await super().fetchrow(query, *args, timeout=timeout)

    async def fetchval(self, query: str, *args: object, column: int = 0, timeout: float | None = None) -> Any:  # noqa: ANN401, ASYNC109
        """Execute and return one column of the first row."""
        with _answering:
            return await super().fetchval(query, *args, column=column, timeout=timeout)


async def connect(
    dsn: str, *, settings: Mapping[str, str] | None = None, statement_timeout: float | None = None
) -> Connection:
    """Open a connection. Raises one of `UNAVAILABLE` when the server cannot be reached or takes nobody in."""
    try:
        with _answering:
            return await asyncpg.connect(
                dsn,
                server_settings=dict(settings or {}),
                command_timeout=statement_timeout,
                timeout=_CONNECT_SECONDS,
                connection_class=_Connection,
            )
    except asyncpg.InternalClientError as error:  # what meets a server that says goodbye meanwhile
        raise Closed("the connection was lost") from error
