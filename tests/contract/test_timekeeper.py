"""What is due is done by one timekeeper at a time, whatever fails, and nothing is done for nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import UUID, uuid4

import pytest
from prometheus_client import CollectorRegistry

from bus.commands.path import CommandCall
from bus.timekeeping.timekeeper import Timekeeper
from chassis.postgres import Connection, Connections
from tests.contract.counter import Raise, Strike
from tests.contract.line import Line, make_path, running, some_ids, until

PAST = datetime(2020, 1, 1, tzinfo=UTC)


class DueCounters:
    """Raises counters that are due; those in `failing` fail, those in `hanging` never end."""

    name = "counters-due"
    at_once = 4

    def __init__(self, line: Line) -> None:
        self._line = line
        self.failing: set[UUID] = set()
        self.hanging: set[UUID] = set()
        self.performed: list[UUID] = []

    async def due(self, connection: Connection, most: int) -> Sequence[UUID]:
        """Return what is due."""
        rows = await connection.fetch(
            "SELECT counter_id FROM counter WHERE due_at <= clock_timestamp() ORDER BY due_at, counter_id LIMIT $1",
            most,
        )
        return [row["counter_id"] for row in rows]

    async def perform(self, aggregate_id: UUID, call: CommandCall) -> bool:
        """Raise it."""
        self.performed.append(aggregate_id)
        if aggregate_id in self.failing:
            raise RuntimeError("it fails")
        if aggregate_id in self.hanging:
            await asyncio.Event().wait()
        return (await self._line.path.execute(call, aggregate_id, Strike())).changed


class Idle:
    """Finds the same counter due for ever, with nothing to do."""

    name = "idle"
    at_once = 1

    def __init__(self, counter: UUID) -> None:
        self._counter = counter
        self.performed: list[float] = []

    async def due(self, connection: Connection, most: int) -> Sequence[UUID]:
        """Return it."""
        del connection, most
        return [self._counter]

    async def perform(self, aggregate_id: UUID, call: CommandCall) -> bool:
        """Find nothing to do."""
        del aggregate_id, call
        self.performed.append(monotonic())
        return False


class Endless(Idle):
    """Changes something every time, and leaves it due."""

    name = "endless"

    async def perform(self, aggregate_id: UUID, call: CommandCall) -> bool:
        """Tell of a change."""
        await super().perform(aggregate_id, call)
        return True


class Hanging(Idle):
    """Finds many things due, and ends with none of them."""

    name = "hanging"
    at_once = 3

    async def due(self, connection: Connection, most: int) -> Sequence[UUID]:
        """Return some."""
        del connection
        return [UUID(int=number) for number in range(min(most, 100))]

    async def perform(self, aggregate_id: UUID, call: CommandCall) -> bool:
        """Hang."""
        await super().perform(aggregate_id, call)
        await asyncio.Event().wait()
        return True


class Unanswerable(Idle):
    """Fails to say what is due."""

    name = "unanswerable"

    async def due(self, connection: Connection, most: int) -> Sequence[UUID]:
        """Fail."""
        await connection.execute("SELECT 1 / 0")
        return await super().due(connection, most)


NewKeeper = Callable[..., Timekeeper]


@pytest.fixture
def keeper(line: Line) -> NewKeeper:
    """Make timekeepers, each as a process of its own has it."""

    def make(*duties: DueCounters | Idle, holder: str = "keeper") -> Timekeeper:
        made = Timekeeper(Connections(line.dsn, size=2, name=holder), holder)
        made.take_on(duties)
        return made

    return make


async def make_due(line: Line, count: int, at: datetime = PAST) -> list[UUID]:
    """Make counters that are due."""
    counters = some_ids(count)
    for start in range(0, count, 50):
        await asyncio.gather(
            *(line.path.execute(raising(), each, Raise(due_at=at)) for each in counters[start : start + 50])
        )
    return counters


def raising() -> CommandCall:
    return CommandCall("alice", "/test/Raise", "00-t")


def all_struck(line: Line, counters: Sequence[UUID]) -> Callable[[], Awaitable[bool]]:
    """Ask whether each of these was raised by time, once."""

    async def asked() -> bool:
        values = await line.values()
        assert all(values[counter] in {1, 2} for counter in counters)
        return all(values[counter] == 2 for counter in counters)

    return asked


async def test_what_becomes_due_is_done_then_in_the_name_of_the_timekeeper(line: Line, keeper: NewKeeper) -> None:
    at = datetime.now(UTC) + timedelta(seconds=0.4)
    [counter] = await make_due(line, 1, at)
    async with running(keeper(DueCounters(line)).run()):
        await until(all_struck(line, [counter]))
    rows = await line.commands.fetch("SELECT principal, recorded_at FROM journal ORDER BY revision")
    assert [row["principal"] for row in rows] == ["alice", "timekeeper"]
    assert rows[1]["recorded_at"] >= at


async def test_what_became_due_while_no_timekeeper_ran_is_done_afterwards(line: Line, keeper: NewKeeper) -> None:
    counters, duty = await make_due(line, 700), DueCounters(line)
    async with running(keeper(duty).run()):
        await until(all_struck(line, counters))
    assert sorted(duty.performed) == sorted(counters)


async def test_one_of_two_timekeepers_works_and_the_other_succeeds_it(line: Line, keeper: NewKeeper) -> None:
    duties = {name: DueCounters(line) for name in ("first", "second")}
    keepers = {name: asyncio.create_task(keeper(duty, holder=name).run()) for name, duty in duties.items()}
    try:
        await until(all_struck(line, before := await make_due(line, 20)))
        [leader] = [name for name, duty in duties.items() if duty.performed]
        keepers.pop(leader).cancel()
        await until(all_struck(line, after := await make_due(line, 20)))
    finally:
        for task in keepers.values():
            task.cancel()
    [successor] = keepers
    assert sorted(duties[leader].performed) == sorted(before)
    assert sorted(duties[successor].performed) == sorted(after)


async def test_a_timekeeper_outlives_its_connections(line: Line, keeper: NewKeeper) -> None:
    async with running(keeper(DueCounters(line)).run()):
        for _ in range(3):
            await until(all_struck(line, await make_due(line, 5)))
            ended = await line.commands.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = 'keeper'"
            )
            assert ended
        await until(all_struck(line, await make_due(line, 5)))


async def test_many_that_fail_hide_none_that_does_not(line: Line, keeper: NewKeeper) -> None:
    duty = DueCounters(line)
    duty.failing.update(await make_due(line, 1200, PAST - timedelta(days=1)))
    counters = await make_due(line, 10)
    made = keeper(duty)
    async with running(made.run()):
        await until(all_struck(line, counters))
        duty.failing.clear()
        await until(all_struck(line, sorted(set(duty.performed))))
    registry = CollectorRegistry()
    registry.register(made.statistics)

    def ended(ending: str) -> float:
        return registry.get_sample_value("training_duties_total", {"duty": duty.name, "ending": ending}) or 0

    assert (ended("changed"), ended("failed")) == (1210, len(duty.performed) - 1210)


async def test_one_that_never_ends_blocks_no_other(line: Line, keeper: NewKeeper) -> None:
    duty = DueCounters(line)
    duty.hanging.update(await make_due(line, 3))
    async with running(keeper(duty).run()):
        for _ in range(3):
            await until(all_struck(line, await make_due(line, 10)))
    assert all(duty.performed.count(counter) == 1 for counter in duty.hanging)


async def test_many_of_one_duty_keep_no_other_duty_waiting_and_only_some_are_performed_at_once(
    line: Line, keeper: NewKeeper
) -> None:
    hanging, duty = Hanging(uuid4()), DueCounters(line)
    async with running(keeper(hanging, duty).run()):
        for _ in range(3):
            await until(all_struck(line, await make_due(line, 10)))
    assert len(hanging.performed) == Hanging.at_once


async def test_what_stays_due_through_very_many_changes_goes_on(
    line: Line, keeper: NewKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bus.timekeeping.pauses.PATIENCE", 5)
    monkeypatch.setattr("bus.timekeeping.duties.POLL_SECONDS", 3600.0)
    duty = Endless(uuid4())

    async def many() -> bool:
        return len(duty.performed) >= 20

    async with running(keeper(duty).run()):
        await until(many)


async def test_one_with_nothing_to_do_makes_no_revision_and_is_left_alone_for_longer_each_time(
    line: Line, keeper: NewKeeper
) -> None:
    counter = uuid4()
    await line.raise_to(counter)
    duty = Idle(counter)

    async def thrice() -> bool:
        return len(duty.performed) == 3

    async with running(keeper(duty).run()):
        await until(thrice)
    first, second, third = duty.performed
    assert second - first >= 0.5
    assert third - second >= 1.0
    assert await line.values() == {counter: 1}


async def test_a_duty_that_can_not_say_what_is_due_stops_no_other(line: Line, keeper: NewKeeper) -> None:
    counters = await make_due(line, 5)
    async with running(keeper(Unanswerable(uuid4()), DueCounters(line)).run()):
        await until(all_struck(line, counters))


async def test_a_commit_that_leaves_something_due_at_once_wakes_the_timekeeper(
    line: Line, keeper: NewKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bus.timekeeping.duties.POLL_SECONDS", 3600.0)
    first = await make_due(line, 1)
    made = keeper(DueCounters(line))
    path = make_path(line.commands, lambda: None, made.wake)
    async with running(made.run()):
        await until(all_struck(line, first))  # it has looked once, and waits
        for hot in (False, True):
            counters = some_ids(3)
            for counter in counters:
                await path.execute(raising(), counter, Raise(due_at=PAST), hot=hot)
            await until(all_struck(line, counters))


async def test_a_commit_that_leaves_something_due_later_wakes_nobody(line: Line) -> None:
    def wake() -> None:
        raise AssertionError

    path = make_path(line.commands, lambda: None, wake)
    await path.execute(raising(), uuid4(), Raise(due_at=datetime.now(UTC) + timedelta(days=1)))
    await path.execute(raising(), uuid4(), Raise())
