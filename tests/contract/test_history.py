"""What the journal keeps of an aggregate can be read; what responses keep of a person can be forgotten."""

import asyncio
from uuid import UUID, uuid4

import pytest

from bus.commands.errors import RequestIdReused
from bus.commands.path import CommandCall
from bus.journal.forgetting import forget
from bus.journal.history import History, Recorded
from tests.contract.counter import Raise
from tests.contract.line import Line


def call(request_id: UUID | None = None, *, method: str = "/test/Raise") -> CommandCall:
    return CommandCall("alice", method, "00-t", request_id)


def redact(method: str, response: bytes) -> bytes:
    return response.replace(b"paula", b"") + method.encode()


async def test_the_history_is_read_backwards_in_pages(line: Line) -> None:
    counter = uuid4()
    for _ in range(7):
        await line.raise_to(counter)
        await line.raise_to(uuid4())
    history = History(line.commands)
    before: int | None = None
    read: list[Recorded] = []
    while page := await history.of(counter, before, 3):
        assert len(page) <= 3
        read += page
        before = page[-1].revision
    assert [entry.revision for entry in read] == list(range(7, 0, -1))
    assert [entry.private for entry in read] == [f"to {value}".encode() for value in range(7, 0, -1)]
    assert {entry.principal for entry in read} == {"alice"}
    times = [entry.recorded_at for entry in read]
    assert times == sorted(times, reverse=True)


async def test_what_was_never_there_has_no_history(line: Line) -> None:
    assert await History(line.commands).of(uuid4(), None, 10) == []


async def test_a_forgotten_person_is_in_no_stored_response_any_more(line: Line) -> None:
    counter, about, other = uuid4(), uuid4(), uuid4()
    await line.raise_to(counter)
    for hot in (False, True):
        await line.path.execute(call(about, method=f"/{hot}"), counter, Raise(subject="paula"), hot=hot)
    await line.path.execute(call(about, method="/same"), counter, Raise(3, subject="paula"))
    await line.path.execute(call(other), counter, Raise(subject="peter"))
    async with line.commands.transaction() as connection:
        assert await forget(connection, "paula", redact) == 3
    responses = {row["response"] for row in await line.commands.fetch("SELECT response FROM idempotency")}
    assert responses == {b"raised to 2/False", b"raised to 3/True", b"3/same", b"raised to 4peter"}
    with pytest.raises(RequestIdReused):  # nobody finds out any more which request it was
        await line.path.outcome_of(call(about, method="/False"))
    async with line.commands.transaction() as connection:
        assert await forget(connection, "paula", redact) == 0
        assert await forget(connection, "peter", redact) == 1


async def test_many_responses_are_forgotten_by_two_at_once_without_a_deadlock(line: Line) -> None:
    counter = uuid4()
    await line.raise_to(counter)
    await asyncio.gather(
        *(line.path.execute(call(uuid4()), counter, Raise(subject="paula"), hot=True) for _ in range(1200))
    )

    async def forgotten() -> int:
        async with line.commands.transaction() as connection:
            return await forget(connection, "paula", redact)

    assert sum(await asyncio.gather(forgotten(), forgotten())) == 1200
    assert await line.commands.fetch("SELECT 1 FROM idempotency WHERE position('paula' IN response) > 0") == []
