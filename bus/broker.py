"""One live connection to the broker, replaced whenever it is lost.

nats-py's own reconnection keeps buffered publishes and pulls of a past it knows nothing of, and can hang after a
partition. Here a connection that fails is closed and a new one is made; who works on a session ends
with it and begins anew.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable
from typing import Final

import nats
import nats.errors
import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext

from bus.acknowledgements import Acknowledgements
from bus.tasks import asked

BROKER_ERRORS: Final = (nats.errors.Error, OSError, TimeoutError, asyncio.TimeoutError)
"""What nats-py raises when the broker, rather than the call, is at fault."""

_PROBE_SECONDS: Final = 2.0
_PROBE_TIMEOUT: Final = 3.0
_RETRY_SECONDS: Final = (0.05, 0.1, 0.2, 0.5, 1.0)

log: Final = structlog.get_logger(__name__)


class BrokerAway(Exception):
    """There is no connection to the broker now."""


class Session:
    """One connection, from its success to its loss."""

    def __init__(self, client: Client) -> None:
        self.client: Final = client
        self.acknowledgements: Final = Acknowledgements(client)
        self.jetstream: Final[JetStreamContext] = client.jetstream(timeout=5.0)
        self.lost: Final = asyncio.Event()

    async def until_lost(self) -> None:
        """Wait for the end of the connection, then raise BrokerAway."""
        await self.lost.wait()
        raise BrokerAway("the connection to the broker was lost")


class Broker:
    """Keeps a session while `run` runs."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._session: Session | None = None
        self._changed = asyncio.Condition()
        self.trouble = "not connected yet"

    @property
    def present(self) -> Session | None:
        """The session, if there is one now."""
        return self._session

    @contextlib.asynccontextmanager
    async def at_hand(self) -> AsyncGenerator[Session]:
        """Lend the session there is, or one that is made for this block and closed. Raises one of `BROKER_ERRORS`."""
        if self._session is not None:
            yield self._session
            return
        made = await self._connect()
        try:
            yield made
        finally:
            await quietly(made.client.close())

    async def session(self) -> Session:
        """Wait for a session."""
        async with self._changed:
            while self._session is None:
                await self._changed.wait()
            return self._session

    async def run(self) -> None:
        """Connect, watch, and connect again, until cancelled."""
        attempt = 0
        while True:
            try:
                session = await self._connect()
            except BROKER_ERRORS as error:
                self.trouble = f"the broker can't be reached: {str(error) or type(error).__name__}"
                await asyncio.sleep(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
                attempt += 1
                continue
            attempt = 0
            await self._set(session, "")
            log.info(
                "broker_connected",
                server=session.client.connected_url and session.client.connected_url.netloc.rpartition("@")[2],
            )
            try:
                await self._watch(session)
            finally:
                session.lost.set()
                await self._set(None, "the connection to the broker was lost")
                await quietly(session.client.close())
            log.warning("broker_lost")

    async def _connect(self) -> Session:
        client = Client()
        session = Session(client)

        async def on_closed() -> None:
            session.lost.set()

        async def on_error(error: Exception) -> None:
            if client.is_connected:  # before that it is told by what `connect` raises
                log.warning("broker_error", error=str(error))

        try:
            await asked(
                client.connect(
                    self._url,
                    name=self._name,
                    allow_reconnect=False,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    connect_timeout=2,
                    ping_interval=5,
                    max_outstanding_pings=2,
                    drain_timeout=2,
                    inbox_prefix=f"_INBOX_{self._name.replace('.', '_').replace('/', '_')}".encode(),
                    closed_cb=on_closed,
                    disconnected_cb=on_closed,
                    error_cb=on_error,
                )
            )
        except BaseException:  # a cancelled attempt too may have opened a socket
            await quietly(client.close())
            raise
        return session

    async def _watch(self, session: Session) -> None:
        """Return when the connection is lost; a round trip now and then proves that it lives."""
        while not session.lost.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PROBE_SECONDS):
                    await session.lost.wait()
                return
            try:
                await asked(session.client.flush(timeout=_PROBE_TIMEOUT))  # type: ignore[arg-type] # it takes fractions too
            except BROKER_ERRORS:
                return

    async def _set(self, session: Session | None, trouble: str) -> None:
        async with self._changed:
            self._session = session
            self.trouble = trouble
            self._changed.notify_all()


async def quietly(farewell: Awaitable[object]) -> None:
    """Take leave of the broker if it is there, without caring if it is not."""
    with contextlib.suppress(*BROKER_ERRORS):
        async with asyncio.timeout(2.0):
            await farewell
