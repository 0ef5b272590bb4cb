"""Embedded servers end with the process that started them, whatever ends it, and start again with their data."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chassis.embedded import EmbeddedNats, EmbeddedPostgres, temporary_data_folder
from chassis.embedded.account import Account, server_account

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(90)]

PATH = os.pathsep.join(entry for entry in sys.path if entry)

STARTER = """
import asyncio, json, sys, threading
from pathlib import Path
import asyncpg
from chassis.embedded import EmbeddedNats, EmbeddedPostgres

async def main():
    folder = Path(sys.argv[1])
    async with EmbeddedPostgres(folder / "pg") as pg, EmbeddedNats(folder / "nats") as nats:
        connection = await asyncpg.connect(pg.dsn(), timeout=10)
        await connection.execute("CREATE TABLE IF NOT EXISTS start (at timestamptz DEFAULT now())")
        await connection.execute("INSERT INTO start DEFAULT VALUES")
        starts = await connection.fetchval("SELECT count(*) FROM start")
        pids = [pg.pid, nats.pid, *pg.processes, *nats.processes]
        print(json.dumps({"pids": pids, "starts": starts}), flush=True)
        await asyncio.Event().wait()

if sys.argv[2] == "main thread":
    asyncio.run(main())
else:
    worker = threading.Thread(target=lambda: asyncio.run(main()))
    worker.start()
    worker.join()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_data_folder() as path:
        yield path


@contextmanager
def starter(
    folder: Path, thread: str = "main thread", python: str = sys.executable, user: Account | None = None
) -> Iterator[tuple["subprocess.Popen[str]", list[int], int]]:
    """Run a process that starts both servers; give it, all their process ids, and how often they were started."""
    process = subprocess.Popen(
        [python, "-c", STARTER, str(folder), thread],
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env={**os.environ, "HOME": str(folder), "PYTHONPATH": PATH, "PYTHONDONTWRITEBYTECODE": "1"},
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        yield process, said["pids"], said["starts"]
    finally:
        process.kill()
        process.communicate()


def lives(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    try:
        return not status.exists() or status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def all_gone(pids: list[int], within: float = 15) -> bool:
    """Wait until none of the processes lives; tell whether that came true in time."""
    deadline = asyncio.get_running_loop().time() + within
    while any(lives(pid) for pid in pids):
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.01)
    return True


@pytest.mark.parametrize("thread", ["main thread", "another thread"])
async def test_killing_the_starter_leaves_no_process_and_its_successor_finds_the_data(
    folder: Path, thread: str
) -> None:
    for start in (1, 2, 3):
        with starter(folder, thread) as (process, pids, starts):
            assert starts == start
            assert all(lives(pid) for pid in pids)
            process.send_signal(signal.SIGKILL)
            process.wait()
            # The last successor does not wait for its predecessor's servers to be gone.
            assert start == 2 or await all_gone(pids)


async def test_a_successor_ends_suspended_servers_that_their_starter_left_behind(folder: Path) -> None:
    with starter(folder) as (process, pids, _):
        for pid in pids[:2]:
            os.kill(pid, signal.SIGSTOP)
        process.send_signal(signal.SIGKILL)
        process.wait()
    async with EmbeddedPostgres(folder / "pg") as postgres, EmbeddedNats(folder / "nats") as nats:
        assert await all_gone(pids)
        assert postgres.running
        assert nats.running


async def test_an_interrupted_starter_stops_its_servers(folder: Path) -> None:
    with starter(folder) as (process, pids, _):
        process.send_signal(signal.SIGINT)
        process.wait(30)
        assert not any(lives(pid) for pid in pids)
        assert "database system is shut down" in (folder / "pg" / "log").read_text(encoding="utf-8")


async def test_an_ordinary_user_has_the_same_and_owns_all_of_it(folder: Path) -> None:
    account = server_account()
    python = python_for(account)
    home = folder / "home"
    home.mkdir(mode=0o700)
    if account is not None:
        os.chown(home, account.uid, account.gid)
    owner = home.stat().st_uid
    for start in (1, 2):
        with starter(home, python=python, user=account) as (process, pids, starts):
            assert starts == start
            assert {path.stat().st_uid for path in home.rglob("*")} == {owner}
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert await all_gone(pids)


def python_for(account: Account | None) -> str:
    """Return a Python of this version that the account can run with our packages, or say why there is none."""
    if account is None:
        return sys.executable
    needed = [Path(entry) for entry in PATH.split(os.pathsep) if "site-packages" in entry] + [Path(__file__).parent]
    for part in needed:
        if not account.reaches(part):
            pytest.fail(
                f"'{account.name}' cannot use {part}: {account.barrier(part)} keeps it out; run the tests as a user"
            )
    candidates = [Path(sys.executable).resolve(), Path(f"/usr/bin/python3.{sys.version_info.minor}")]
    for candidate in candidates:
        if candidate.exists() and account.reaches(candidate.parent):
            return str(candidate)
    barrier = account.barrier(candidates[0].parent)
    pytest.fail(f"'{account.name}' cannot run {candidates[0]}: {barrier} keeps it out, and there is no {candidates[1]}")
