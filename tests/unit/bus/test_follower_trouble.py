"""A follower says once what keeps it from its database, however often it tries again."""

import asyncio
from typing import Final

from structlog.testing import capture_logs

from bus.broker import Broker
from bus.freshness.follower import Follower
from chassis.postgres import Connections

ATTEMPTS: Final = 4


async def test_trouble_is_logged_once_however_often_it_comes_again() -> None:
    attempts = asyncio.Semaphore(0)

    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        attempts.release()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    dsn = f"postgresql://nobody@127.0.0.1:{port}/none?sslmode=disable"
    async with server, Connections(dsn, size=1, name="test") as connections:
        follower = Follower(connections, Broker("nats://127.0.0.1:1", "test"), [])
        with capture_logs() as logs:
            following = asyncio.create_task(follower.run())
            async with asyncio.timeout(20):
                for _ in range(ATTEMPTS):
                    await attempts.acquire()
            following.cancel()
            await asyncio.wait([following])
    assert [each["reason"] for each in logs if each["event"] == "follower_interrupted"] == [follower.trouble]
