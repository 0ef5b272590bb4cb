"""The command path on a real database: one outcome per request, one revision per command, no gap in a lane."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from bus.commands.path import CommandCall, CommandPath, EtagMismatch, RequestIdReused, ResourceTooLarge
from bus.lanes import lane_of
from bus.tokens import decode
from chassis.postgres import Connection
from chassis.refusal import ResourceExists
from tests.contract.counter import COUNTERS, Command, Counter, Counters, Raise
from tests.contract.line import Line, some_ids, until
from tests.contract.standing import call


async def test_an_accepted_command_is_one_revision_and_one_event(line: Line) -> None:
    counter, request = uuid4(), uuid4()
    outcome = await line.raise_to(counter, request_id=request)
    position = decode(outcome.token)["thing"]
    assert position.lanes == {lane_of(counter): 1}
    assert await line.values() == {counter: 1}
    row = await line.commands.fetchrow("SELECT * FROM journal")
    assert row is not None
    assert (row["aggregate_id"], row["revision"], row["public"], row["principal"]) == (counter, 1, b"1", "alice")
    stored = await line.commands.fetchrow("SELECT response, seq FROM idempotency WHERE request_id = $1", request)
    assert stored is not None
    assert (stored["response"], stored["seq"]) == (outcome.response, 1)


async def test_a_refused_command_writes_nothing(line: Line) -> None:
    counter = uuid4()
    await line.raise_to(counter, 5)
    before = await line.lane_events()
    with pytest.raises(ResourceExists):
        await line.raise_to(counter, 3, request_id=uuid4())
    assert await line.lane_events() == before
    assert await line.commands.fetch("SELECT * FROM idempotency") == []


async def test_a_dry_run_answers_and_writes_nothing(line: Line) -> None:
    counter = uuid4()
    outcome = await line.raise_to(counter, 5, validate_only=True)
    assert (outcome.response, outcome.token) == (b"raised to 5", "")
    assert await line.values() == {}
    assert await line.lane_events() == {}


async def test_a_command_with_nothing_to_do_makes_no_revision(line: Line) -> None:
    counter = uuid4()
    first = await line.raise_to(counter, 1)
    again = await line.raise_to(counter, 1)
    assert not again.changed
    assert decode(again.token) == decode(first.token)
    assert sum(map(len, (await line.lane_events()).values())) == 1


async def test_a_stale_etag_is_refused(line: Line) -> None:
    counter = uuid4()
    await line.raise_to(counter)
    await line.raise_to(counter, etag="v1")
    with pytest.raises(EtagMismatch) as refused:
        await line.raise_to(counter, etag="v1")
    assert refused.value.metadata == {"have": "v2", "given": "v1"}


async def test_a_repeated_request_learns_the_first_outcome(line: Line) -> None:
    counter, request = uuid4(), uuid4()
    first = await line.raise_to(counter, request_id=request)
    await line.raise_to(counter)
    assert await line.raise_to(counter, request_id=request) == first
    assert await line.values() == {counter: 2}


async def test_a_request_id_used_again_with_another_body_is_refused(line: Line) -> None:
    counter, request = uuid4(), uuid4()
    await line.raise_to(counter, request_id=request)
    with pytest.raises(RequestIdReused):
        await line.raise_to(counter, request_id=request, fingerprint=b"other")


@pytest.mark.parametrize("existing", [False, True])
async def test_eight_concurrent_repeats_get_one_outcome(line: Line, *, existing: bool) -> None:
    for _ in range(10):
        counter, request = uuid4(), uuid4()
        if existing:
            await line.raise_to(counter)
        outcomes = await asyncio.gather(*(line.raise_to(counter, request_id=request) for _ in range(8)))
        assert len(set(outcomes)) == 1
        assert (await line.values())[counter] == 1 + existing


async def test_eight_concurrent_repeats_of_a_creation_make_one_thing(line: Line) -> None:
    """The service makes a new id for each repeat; the stored response decides which of them exists."""
    request = uuid4()
    outcomes = await asyncio.gather(*(line.raise_to(uuid4(), request_id=request) for _ in range(8)))
    assert len(set(outcomes)) == 1
    assert len(await line.values()) == 1


async def test_many_writers_of_one_thing_lose_nothing(line: Line) -> None:
    counter = uuid4()
    await line.raise_to(counter)
    await asyncio.gather(*(line.raise_to(counter) for _ in range(32)))
    assert await line.values() == {counter: 33}
    revisions = await line.commands.fetch("SELECT revision FROM journal ORDER BY seq")
    assert [row["revision"] for row in revisions] == list(range(1, 34))


async def test_lanes_are_gapless_whatever_fails(line: Line) -> None:
    counters, refused = some_ids(24), 0

    async def work(counter: UUID) -> None:
        nonlocal refused
        for target in (3, 1, 4, None, 2, None):
            try:
                await line.raise_to(counter, target, request_id=uuid4())
            except ResourceExists:
                refused += 1

    await asyncio.gather(*(work(counter) for counter in counters))
    assert refused
    for events in (await line.lane_events()).values():
        assert [seq for seq, _, _ in events] == list(range(1, len(events) + 1))
        assert [previous for _, _, previous in events] == [None, *(event_id for _, event_id, _ in events[:-1])]


async def test_a_commit_outlives_its_caller(line: Line) -> None:
    counter, request = uuid4(), uuid4()
    await line.raise_to(counter)
    locked = asyncio.Event()

    async def hold() -> None:
        async with line.commands.transaction() as connection:
            await connection.execute("SELECT 1 FROM counter FOR UPDATE")
            locked.set()
            await call_gone.wait()

    call_gone = asyncio.Event()
    holder = asyncio.create_task(hold())
    await locked.wait()
    writing = asyncio.create_task(line.raise_to(counter, request_id=request))
    await asyncio.wait([writing], timeout=0.2)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    call_gone.set()
    await holder
    await line.path.drain()
    assert await line.values() == {counter: 2}
    assert (await line.raise_to(counter, request_id=request)).response == b"raised to 2"


async def test_a_public_state_that_no_event_can_carry_is_refused(line: Line) -> None:
    with pytest.raises(ResourceTooLarge):
        await line.raise_to(uuid4(), body=b"x" * (512 * 1024 + 1))
    assert await line.lane_events() == {}


async def test_what_has_grown_to_the_limit_can_still_be_ended(line: Line) -> None:
    counter = uuid4()
    await line.raise_to(counter, body=b"x" * 512 * 1024)
    longest = b"x" * (512 + 64) * 1024
    await line.path.execute(call(), counter, Raise(body=longest, adds_content=False))
    with pytest.raises(ResourceTooLarge) as refused:
        await line.path.execute(call(), counter, Raise(body=longest + b"x", adds_content=False))
    assert refused.value.metadata == {"size": str(len(longest) + 1), "limit": str(len(longest))}
    with pytest.raises(ResourceTooLarge):
        await line.path.execute(call(), counter, Raise(body=longest))
    assert await line.values() == {counter: 2}


async def test_a_repeat_of_a_request_that_changed_nothing_changes_nothing_later_either(line: Line) -> None:
    counter, request = uuid4(), uuid4()
    await line.raise_to(counter, 1)
    first = await line.raise_to(counter, 1, request_id=request)
    assert not first.changed
    await line.raise_to(counter, 2)
    again = await line.raise_to(counter, 1, request_id=request)
    assert (again.response, again.token) == (first.response, first.token)
    assert await line.values() == {counter: 2}
    with pytest.raises(RequestIdReused):
        await line.raise_to(counter, 9, request_id=request, fingerprint=b"other")


async def test_no_response_is_stored_about_what_is_being_changed(line: Line) -> None:
    """Whoever changes a thing and then looks for the responses about it would miss one stored beside it."""
    counter = uuid4()
    await line.raise_to(counter, 1)
    async with line.commands.transaction() as connection:
        await connection.execute("UPDATE counter SET revision = 2, state = '2'")
        repeat = asyncio.create_task(line.raise_to(counter, 1, request_id=uuid4()))
        await until(line.waits_for_a_lock)
    with pytest.raises(ResourceExists):
        await repeat
    assert await line.commands.fetch("SELECT 1 FROM idempotency") == []


class Beaten(Counters):
    """Loses to another writer as often as it hopes to be faster, before it locks the counter."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._beaten = 0

    async def load(
        self, connection: Connection, aggregate_id: UUID, stored: bytes | None, commands: Sequence[Command]
    ) -> Counter | None:
        """Let somebody be faster."""
        if self._beaten < 3:
            self._beaten += 1
            await self._line.raise_to(aggregate_id)
        return await super().load(connection, aggregate_id, stored, commands)


SLOW_COMMITS = """
    CREATE FUNCTION await_permission() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER slowly AFTER INSERT ON journal DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (new.principal = 'bob') EXECUTE FUNCTION await_permission()
"""


@pytest.mark.parametrize("many", [1, 2])
async def test_the_relay_and_the_timekeeper_are_told_of_a_commit_when_it_has_ended(line: Line, many: int) -> None:
    counter, told = uuid4(), list[str]()
    await line.raise_to(counter)
    await line.commands.execute(SLOW_COMMITS)
    path = CommandPath(
        line.commands,
        COUNTERS,
        Beaten(line),
        source="thing",
        committed=lambda: told.append("relay"),
        due=lambda: told.append("timekeeper"),
    )
    by_bob, command = CommandCall("bob", "/test/Raise", "00-t"), Raise(due_at=datetime(2020, 1, 1, tzinfo=UTC))
    async with line.relaying.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(1)")
        made = [asyncio.create_task(path.execute(by_bob, counter, command, hot=True)) for _ in range(many)]
        await until(line.waits_for_a_lock)
        assert told == []
    await asyncio.gather(*made)
    assert told == ["relay", "timekeeper"]
    assert await line.values() == {counter: 4 + many}
