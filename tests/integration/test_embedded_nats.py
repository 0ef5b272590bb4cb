"""The embedded NATS keeps its streams, its port and its privacy through every kind of end."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import nats
import nats.errors
import pytest
from nats.aio.client import Client
from nats.js.api import StreamConfig

from chassis.embedded import (
    BinariesMissing,
    EmbeddedNats,
    FolderInUse,
    PortTaken,
    StartFailed,
    temporary_data_folder,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(60)]


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_data_folder() as path:
        yield path


async def publish(url: str, word: bytes) -> None:
    client = await nats.connect(url, allow_reconnect=False)
    try:
        stream = client.jetstream()
        await stream.add_stream(StreamConfig(name="WORDS", subjects=["words"]))
        await stream.publish("words", word)
    finally:
        await client.close()


async def last(url: str) -> bytes | None:
    client = await nats.connect(url, allow_reconnect=False)
    try:
        return (await client.jetstream().get_last_msg("WORDS", "words")).data
    finally:
        await client.close()


async def test_messages_outlive_a_stop_and_a_start_by_another_owner(folder: Path) -> None:
    async with EmbeddedNats(folder / "nats") as first:
        await publish(first.url, b"kept")
    async with EmbeddedNats(folder / "nats") as second:
        assert await last(second.url) == b"kept"


async def test_acknowledged_messages_outlive_a_kill_and_the_address_stays_true(folder: Path) -> None:
    async with EmbeddedNats(folder / "nats") as server:
        url = server.url
        await publish(url, b"kept")
        await server.kill()
        assert not server.running
        await server.start()
        assert server.url == url
        assert await last(url) == b"kept"


async def test_it_starts_again_after_somebody_else_killed_it(folder: Path) -> None:
    async with EmbeddedNats(folder / "nats", durable=False) as server:
        os.kill(server.pid, signal.SIGKILL)
        assert await server.ended(10)
        await server.start()
        await publish(server.url, b"on")


async def test_it_stops_although_it_was_suspended(folder: Path) -> None:
    server = EmbeddedNats(folder / "nats", durable=False)
    await server.start()
    os.kill(server.pid, signal.SIGSTOP)
    await server.stop()
    assert not server.running


async def test_two_servers_run_side_by_side(folder: Path) -> None:
    async with EmbeddedNats(folder / "one") as one, EmbeddedNats(folder / "two") as two:
        assert one.port != two.port
        await publish(one.url, b"one")
        await publish(two.url, b"two")
        assert (await last(one.url), await last(two.url)) == (b"one", b"two")


async def test_a_folder_belongs_to_one_owner_at_a_time(folder: Path) -> None:
    async with EmbeddedNats(folder / "nats") as server:
        with pytest.raises(FolderInUse, match=f"in use by process {os.getpid()}"):
            await EmbeddedNats(folder / "nats").start()
        assert server.running


async def test_it_takes_the_port_it_is_given_and_says_when_it_cannot(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = EmbeddedNats(folder / "nats", port=port)
        with pytest.raises(PortTaken, match=str(port)):
            await server.start()
    async with server:
        assert server.port == port


async def test_it_answers_only_to_its_password(folder: Path) -> None:
    async with EmbeddedNats(folder / "nats") as server:
        client = Client()
        with pytest.raises(nats.errors.Error, match="Authorization"):
            await client.connect(f"nats://127.0.0.1:{server.port}", allow_reconnect=False, error_cb=_ignore)
        await client.close()
        assert (server.folder / "password").stat().st_mode & 0o777 == 0o600
        assert (server.folder / "nats.conf").stat().st_mode & 0o777 == 0o600


async def test_the_acknowledgement_python_cannot_read_is_off(folder: Path) -> None:
    async with EmbeddedNats(folder / "nats") as server:
        assert "js_ack_fc_v2 (disabled)" in server.log.read_text(encoding="utf-8")


async def test_a_missing_program_is_named_in_the_error(folder: Path) -> None:
    with pytest.raises(BinariesMissing, match="no program nats-server at /nowhere/nats-server"):
        await EmbeddedNats(folder / "nats", binary=Path("/nowhere/nats-server")).start()


async def test_a_start_that_fails_shows_the_end_of_the_log_and_leaves_the_folder_free(folder: Path) -> None:
    with pytest.raises(StartFailed, match=r"(?s)gave up with status 1.*max_payload"):
        await EmbeddedNats(folder / "nats", max_payload=1 << 40).start()
    async with EmbeddedNats(folder / "nats") as server:
        assert server.running


async def _ignore(_: Exception) -> None:
    """Leave the refusal to the caller."""
