"""The stack as tests use it: each process can be killed, halted and started again, and everything else goes on."""

import asyncio
import socket
from collections.abc import AsyncIterator

import asyncpg
import pytest

from chassis.embedded import FolderInUse, StartFailed
from chassis.stack import Stack
from chassis.stack.supervision import Supervisor

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(90)]

NAMES = ("postgres", "nats", "program", "offer", "catalogue")
SERVICES = NAMES[2:]


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[Stack]:
    async with Stack.temporary() as running:
        yield running


@pytest.fixture
async def stack(shared: Stack) -> Stack:
    """Give the shared stack, whole again whatever the test before did to it."""
    await shared.start_all()
    await shared.wait_ready()
    return shared


@pytest.mark.parametrize("name", NAMES)
async def test_a_killed_process_comes_back_where_it_was_and_the_others_stay(stack: Stack, name: str) -> None:
    before = {other: stack.pid(other) for other in NAMES}
    await stack.kill(name)
    assert not stack.running(name)
    assert stack.processes(name) == []
    await stack.start(name)
    await stack.wait_ready()
    await stack.wait_ready(health="training.freshness")
    assert [other for other in NAMES if stack.pid(other) != before[other]] == [name]


@pytest.mark.parametrize("name", SERVICES)
async def test_a_halted_service_does_not_answer_until_it_goes_on(stack: Stack, name: str) -> None:
    stack.suspend(name)
    assert not await stack.serving(name)
    assert stack.running(name)
    stack.resume(name)
    await stack.wait_ready(name)


async def test_a_halted_process_can_be_stopped_in_order(stack: Stack) -> None:
    stack.suspend("program")
    await asyncio.wait_for(stack.stop("program"), 20)
    assert stack.exit_status("program") == 0
    with pytest.raises(StartFailed, match="program does not run"):
        await stack.wait_ready()
    await stack.start("program")


async def test_a_service_enters_its_own_database_only(stack: Stack) -> None:
    own = await asyncpg.connect(stack.dsn("program"), timeout=10)
    try:
        assert await own.fetchval("SELECT current_user || '@' || current_database()") == "program@program"
        assert not await own.fetchval(
            "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = 'program'"
        )
    finally:
        await own.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(stack.dsn("program").removesuffix("program") + "offer", timeout=10)


async def test_what_keeps_failing_is_given_up_with_the_reason(stack: Stack) -> None:
    said: list[str] = []
    await stack.kill("catalogue")
    host, _, port = stack.address("catalogue").rpartition(":")
    with (
        socket.create_server((host, int(port))),
        pytest.raises(StartFailed, match="catalogue has failed 2 times in a row"),
    ):
        await Supervisor(stack, lambda name, text: said.append(f"{name} {text}"), delays=(0.01, 0.02)).run()
    assert said[0] == "catalogue ended by signal 9; starting it again in 0.01 s"
    assert said[1].startswith("catalogue cannot listen at")


async def test_a_folder_has_one_stack(stack: Stack) -> None:
    with pytest.raises(FolderInUse):
        await Stack(stack.folder).start_all()
    await stack.wait_ready()
