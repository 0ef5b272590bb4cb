"""Hot commands on one aggregate: many in one commit, and to each caller as if it had been alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg

from bus.commands.path import CommandCall, EtagMismatch, Outcome, RequestIdReused, ResourceTooLarge
from bus.tokens import decode
from chassis.refusal import ResourceExists
from tests.contract.counter import Broken, Raise
from tests.contract.line import Line, some_ids, until
from tests.contract.standing import call, check_journal


def seq_of(outcome: Outcome) -> int:
    [seq] = decode(outcome.token)["thing"].lanes.values()
    return seq


@asynccontextmanager
async def held_up(line: Line, counter: UUID) -> AsyncIterator[None]:
    """Lock the counter and let a hot command wait for it, so that all others queue behind that one, as one batch."""
    async with line.commands.transaction() as connection:
        await connection.execute("SELECT 1 FROM counter WHERE counter_id = $1 FOR UPDATE", counter)
        first = asyncio.create_task(line.path.execute(call(), counter, Raise(), hot=True))
        await until(line.waits_for_a_lock)
        yield
    await first


async def batch(line: Line, counter: UUID, *commands: tuple[CommandCall, Raise]) -> list[Outcome | BaseException]:
    """Carry commands out as one batch."""
    async with held_up(line, counter):
        tasks = [asyncio.create_task(line.path.execute(call, counter, each, hot=True)) for call, each in commands]
        await asyncio.sleep(0)  # each of them has queued
    return await asyncio.gather(*tasks, return_exceptions=True)


async def commits(line: Line) -> int:
    """Count the transactions that wrote events."""
    row = await line.commands.fetchrow("SELECT count(DISTINCT xmin::text) AS commits FROM journal")
    assert row is not None
    return int(row["commits"])


async def test_commands_that_come_while_one_commits_are_one_commit_with_an_event_each(line: Line) -> None:
    counter = uuid4()
    await line.raise_to(counter)
    outcomes = await batch(line, counter, *[(call(uuid4()), Raise(note="n")) for _ in range(50)])
    assert [outcome.response for outcome in outcomes if isinstance(outcome, Outcome)] == [
        f"raised to {value}".encode() for value in range(3, 53)
    ]
    assert [seq_of(outcome) for outcome in outcomes if isinstance(outcome, Outcome)] == list(range(3, 53))
    assert await commits(line) == 3
    assert [row["value"] for row in await line.commands.fetch("SELECT value FROM note ORDER BY value")] == list(
        range(3, 53)
    )
    await check_journal(line)


async def test_repeats_learn_what_the_batch_stored_for_each(line: Line) -> None:
    counter, requests = uuid4(), some_ids(20)
    await line.raise_to(counter)
    first = await batch(line, counter, *[(call(request), Raise()) for request in requests])
    again = await batch(line, counter, *[(call(request), Raise()) for request in requests])
    alone = [await line.path.execute(call(request), counter, Raise()) for request in requests]
    told = [await line.path.outcome_of(call(request)) for request in requests]
    assert first == again == alone == told
    assert await line.values() == {counter: 23}


async def test_equal_requests_of_one_batch_share_one_outcome(line: Line) -> None:
    counter, request = uuid4(), uuid4()
    await line.raise_to(counter)
    *same, other = await batch(
        line, counter, *[(call(request), Raise()) for _ in range(8)], (call(request, fingerprint=b"other"), Raise())
    )
    assert len({outcome for outcome in same if isinstance(outcome, Outcome)}) == 1
    assert isinstance(other, RequestIdReused)
    assert await line.values() == {counter: 3}
    await check_journal(line)


async def test_what_is_wrong_with_one_is_told_to_it_alone(line: Line) -> None:
    counter = uuid4()
    await line.raise_to(counter)
    outcomes = await batch(
        line,
        counter,
        (call(), Raise()),
        (call(), Raise(1)),
        (call(etag="v1"), Raise()),
        (call(etag="v3"), Raise()),
        (call(), Raise(fails=True)),
        (call(), Raise(body=b"x" * (512 * 1024 + 1))),
        (call(), Raise()),
    )
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Outcome, ResourceExists, EtagMismatch, Outcome, Broken, ResourceTooLarge, Outcome]
    assert await line.values() == {counter: 5}
    await check_journal(line)


async def test_a_command_that_the_database_refuses_is_found_and_the_others_are_committed(line: Line) -> None:
    counter = uuid4()
    await line.raise_to(counter)
    notes = ["fine"] * 40
    notes[17] = "poison"
    outcomes = await batch(line, counter, *[(call(uuid4()), Raise(note=note)) for note in notes])
    assert isinstance(outcomes.pop(17), asyncpg.CheckViolationError)
    assert all(isinstance(outcome, Outcome) for outcome in outcomes)
    assert await line.values() == {counter: 41}
    assert len(await line.commands.fetch("SELECT 1 FROM note")) == 39
    assert len(await line.commands.fetch("SELECT 1 FROM idempotency")) == 39
    await check_journal(line)


async def test_what_changed_nothing_in_a_batch_is_remembered_as_that(line: Line) -> None:
    counter, request = uuid4(), uuid4()
    await line.raise_to(counter)
    outcomes = await batch(
        line, counter, (call(), Raise()), (call(request), Raise(3)), (call(uuid4()), Raise(3)), (call(), Raise())
    )
    assert [isinstance(outcome, Outcome) and outcome.changed for outcome in outcomes] == [True, False, False, True]
    assert [seq_of(outcome) for outcome in outcomes if isinstance(outcome, Outcome)] == [3, 3, 3, 4]
    again = await line.path.execute(call(request), counter, Raise(3))
    assert again.response == b"3"
    assert seq_of(again) == 3
    await check_journal(line)


async def test_a_batch_that_changes_nothing_at_all_is_answered(line: Line) -> None:
    counter, request = uuid4(), uuid4()
    await line.raise_to(counter)
    outcomes = await batch(line, counter, *[(call(request if i % 2 else None), Raise(2)) for i in range(6)])
    assert {seq_of(outcome) for outcome in outcomes if isinstance(outcome, Outcome)} == {2}
    assert await line.values() == {counter: 2}


async def test_guarded_and_first_revisions_are_carried_out_alone(line: Line) -> None:
    counter = uuid4()
    await line.commands.execute("INSERT INTO gate VALUES (true)")
    made = await asyncio.gather(
        *(line.path.execute(call(uuid4()), counter, Raise(guarded=place == 2), hot=True) for place in range(4))
    )
    assert sorted(map(seq_of, made)) == [1, 2, 3, 4]
    outcomes = await batch(line, counter, (call(), Raise()), (call(), Raise(guarded=True)), (call(), Raise()))
    assert [isinstance(outcome, Outcome) for outcome in outcomes] == [True] * 3
    assert await line.values() == {counter: 8}
    await check_journal(line)


async def test_a_dry_run_of_a_hot_command_writes_nothing(line: Line) -> None:
    counter = uuid4()
    await line.raise_to(counter)
    outcomes = await asyncio.gather(*(line.raise_to(counter, validate_only=True, hot=True) for _ in range(4)))
    assert outcomes == [Outcome(b"raised to 2", "")] * 4
    assert await line.values() == {counter: 1}


async def test_a_caller_who_goes_before_the_decision_takes_the_command_away(line: Line) -> None:
    counter = uuid4()
    await line.raise_to(counter)
    async with held_up(line, counter):
        tasks = [asyncio.create_task(line.raise_to(counter, hot=True)) for _ in range(10)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(outcome, Outcome) for outcome in outcomes) == 5
    assert await line.values() == {counter: 7}


async def test_a_batch_outlives_its_callers(line: Line) -> None:
    counter, requests = uuid4(), some_ids(10)
    await line.raise_to(counter)
    async with line.commands.transaction() as connection:
        await connection.execute("SELECT 1 FROM counter FOR UPDATE")
        tasks = [asyncio.create_task(line.raise_to(counter, request_id=request, hot=True)) for request in requests]
        await until(line.waits_for_a_lock)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await line.path.drain()
    assert await line.values() == {counter: 11}
    outcomes = [await line.path.outcome_of(call(request)) for request in requests]
    assert {outcome and outcome.response for outcome in outcomes} == {
        f"raised to {value}".encode() for value in range(2, 12)
    }


async def test_losing_the_database_is_told_to_all_who_wait(line: Line) -> None:
    counter = uuid4()
    await line.raise_to(counter)
    async with line.commands.transaction() as connection:
        await connection.execute("SELECT 1 FROM counter FOR UPDATE")
        tasks = [asyncio.create_task(line.raise_to(counter, hot=True)) for _ in range(10)]
        await until(line.waits_for_a_lock)
        await line.relaying.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(outcome).__name__ for outcome in outcomes} == {"Unreachable"}
    await line.raise_to(counter, hot=True)
    assert await line.values() == {counter: 2}


async def test_more_bytes_than_one_statement_should_carry_are_several_commits(line: Line) -> None:
    counter = uuid4()
    await line.raise_to(counter)
    body = b"x" * 400_000
    outcomes = await batch(line, counter, *[(call(), Raise(body=body)) for _ in range(60)])
    assert all(isinstance(outcome, Outcome) for outcome in outcomes)
    assert await commits(line) == 5
    assert await line.values() == {counter: 62}
