"""Connections to one PostgreSQL database, few and long-lived.

asyncpg's own pool resets a connection at each release, a round trip that costs about a third of a read or a command.
The statements here leave nothing behind to reset: each is a transaction of its own or runs inside `transaction()`.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final, Literal, Self

import asyncpg

from chassis.connecting import UNAVAILABLE, Closed, Connection, Unreachable, connect

__all__ = ["UNAVAILABLE", "Closed", "Connection", "Connections", "Prepare", "Unreachable", "connect", "unprepared"]

Prepare = Callable[[Connection], Awaitable[None]]

_KEEPALIVES: Final = {"tcp_keepalives_idle": "15", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
"""After half a minute the server gives up a client whose machine is gone, and with it what the client has locked."""


async def unprepared(_: Connection) -> None:
    """Prepare nothing."""


class Connections:
    """At most `size` connections, opened when first needed and handed out last in, first out.

    More callers than connections wait in order. A connection found closed is forgotten and replaced. `prepare` runs
    once on every new connection. Not `durable` means that a commit does not wait for the disk: for what can be found
    out or made again. `schema` is where names without one are looked up.

    Nobody here has anything to wait for inside a transaction but the database. A process that is stopped in one loses
    it, and what it has locked, after `idle_timeout` seconds.
    """

    def __init__(
        self,
        dsn: str,
        *,
        size: int,
        name: str,
        prepare: Prepare = unprepared,
        statement_timeout: float = 30.0,
        idle_timeout: float = 5.0,
        durable: bool = True,
        schema: str = "",
    ) -> None:
        self._dsn = dsn
        self._size = size
        self._prepare = prepare
        self._timeout = statement_timeout
        self._settings = {
            "application_name": name,
            "timezone": "UTC",
            "datestyle": "ISO",
            "jit": "off",
            "idle_in_transaction_session_timeout": str(round(idle_timeout * 1_000)),
            **_KEEPALIVES,
        }
        if not durable:
            self._settings["synchronous_commit"] = "off"
        if schema:
            self._settings["search_path"] = schema
        self._idle: list[Connection] = []
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._open = 0
        self._closed = False

    async def __aenter__(self) -> Self:
        """Open nothing yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        await self.close()

    async def close(self) -> None:
        """Close the idle connections at once and the others when they come back."""
        self._closed = True
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(Closed("the connections are closed"))
        await self._close_idle()

    async def refresh(self) -> None:
        """Close the idle connections: whoever asks next gets a new one, to the database as it can be reached then."""
        await self._close_idle()

    @asynccontextmanager
    async def lent(self) -> AsyncGenerator[Connection]:
        """Lend a connection for a block. Raises one of `UNAVAILABLE` when there is none, or when it is lost."""
        connection = await self._acquire()
        try:
            yield connection
        except asyncpg.InterfaceError as error:  # asyncpg's word for wrong use, and for use of a lost connection
            if connection.is_closed():
                raise Closed("the connection was lost") from error
            raise
        except asyncpg.InternalClientError as error:  # what a statement meets that begins while the server says goodbye
            connection.terminate()
            raise Closed("the connection was lost") from error
        finally:
            self._release(connection)

    @asynccontextmanager
    async def transaction(self, *, readonly: bool = False, snapshot: bool = False) -> AsyncGenerator[Connection]:
        """Run a block in one transaction: committed at its end, rolled back by any exception.

        With `snapshot` all its statements see the same state (REPEATABLE READ).
        """
        isolation: Literal["repeatable_read"] | None = "repeatable_read" if snapshot else None
        async with self.lent() as connection, connection.transaction(isolation=isolation, readonly=readonly):
            yield connection

    async def _acquire(self) -> Connection:
        """Return a connection for one caller's use.

        Raises one of `UNAVAILABLE` when none can be opened.
        """
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._open -= 1
        if self._closed:
            raise Closed("the connections are closed")
        if self._open >= self._size:
            waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                given = await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                    self._pass_on(waiter.result())
                raise
            if given is not None:
                return given
        else:
            self._open += 1
        return await self._connect()

    def _release(self, connection: Connection) -> None:
        """Give a connection back: to the first who waits, else to the idle ones."""
        if connection.is_closed():
            self._pass_on(None)
        elif self._closed:
            self._open -= 1
            connection.terminate()
        elif connection.is_in_transaction():  # left by a cancelled caller: not fit for another
            connection.terminate()
            self._pass_on(None)
        else:
            self._pass_on(connection)

    async def fetchrow(self, sql: str, *arguments: object) -> asyncpg.Record | None:
        """Execute one statement and return its first row."""
        async with self.lent() as connection:
            return await connection.fetchrow(sql, *arguments)

    async def fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Execute one statement and return its rows."""
        async with self.lent() as connection:
            return await connection.fetch(sql, *arguments)

    async def execute(self, sql: str, *arguments: object) -> str:
        """Execute one statement and return its status, for example `UPDATE 1`."""
        async with self.lent() as connection:
            return await connection.execute(sql, *arguments)

    async def answer(self) -> bool:
        """Tell that the database answers. Raises one of `UNAVAILABLE` when it does not."""
        return await self.fetchrow("SELECT 1") is not None

    async def _connect(self) -> Connection:
        """Open a connection in a place that is already counted."""
        try:
            connection = await connect(self._dsn, settings=self._settings, statement_timeout=self._timeout)
            try:
                await self._prepare(connection)
            except asyncpg.InternalClientError as error:  # the server said goodbye meanwhile
                connection.terminate()
                raise Closed("the connection was lost") from error
            except BaseException:
                connection.terminate()
                raise
        except BaseException:
            self._pass_on(None)
            raise
        return connection

    def _pass_on(self, connection: Connection | None) -> None:
        """Hand a connection, or the place for a new one, to the first who waits."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        if connection is None:
            self._open -= 1
        else:
            self._idle.append(connection)

    async def _close_idle(self) -> None:
        """Close what is idle now. Nobody is handed any of it meanwhile, and the places are free at once."""
        idle, self._idle = self._idle, []
        for _ in idle:
            self._pass_on(None)
        try:
            for connection in idle:
                with contextlib.suppress(OSError, *UNAVAILABLE):
                    await connection.close(timeout=2.0)
        finally:
            for connection in idle:
                connection.terminate()  # nothing, where it is closed
