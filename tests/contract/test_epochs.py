"""A database that is not the one in which the present epoch began begins another, before anything else happens."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest
from training.ops.v1.journal_service_pb2 import EpochStarted

from bus.broker import Broker
from bus.event import EPOCH_STARTED, Event, headers
from bus.journal.epochs import Epochs, present_epoch
from bus.journal.tables import IDENTITY, begin_lanes
from bus.lanes import LANES, lane_of
from bus.tokens import decode
from bus.topology import StreamLimits, ensure_stream
from chassis.embedded import EmbeddedPostgres
from chassis.postgres import Connections
from tests.contract.line import Line, open_line, running, some_ids, until
from tests.contract.places import Place
from tests.contract.stream import is_whole, lanes_of

FAR = UUID("ff000000-0000-7000-8000-000000000000")


async def epochs_of(line: Line) -> list[UUID]:
    """Return all epochs that were recorded, in order."""
    return [row["epoch"] for row in await line.commands.fetch("SELECT epoch FROM epoch ORDER BY began_at, epoch")]


async def started(line: Line) -> dict[int, list[tuple[UUID, int]]]:
    """Return the epochs that each lane's journal says were begun, with the numbers of these events."""
    rows = await line.commands.fetch("SELECT lane, epoch, seq FROM journal WHERE type = $1 ORDER BY seq", EPOCH_STARTED)
    return {lane: [(row["epoch"], row["seq"]) for row in rows if row["lane"] == lane] for lane in range(LANES)}


async def test_the_first_epoch_is_recorded_with_its_identity(line: Line) -> None:
    first = await present_epoch(line.commands)
    assert first.cause == "the first"
    row = await line.commands.fetchrow(
        "SELECT epoch.*, (pg_control_system()).system_identifier AS system, "
        "pg_walfile_name(pg_current_wal_lsn()) AS log, "
        "(SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS oid FROM epoch"
    )
    assert row is not None
    assert (row["epoch"], row["system_identifier"], row["database_oid"]) == (first.epoch, row["system"], row["oid"])
    assert row["timeline"] == int(row["log"][:8], 16)


async def test_a_role_without_privileges_can_read_the_identity(line: Line, postgres: EmbeddedPostgres) -> None:
    role = f"plain_{uuid4().hex[:8]}"
    select = "SELECT " + ", ".join(f"{column.element} AS {column.name}" for column in IDENTITY)
    admin = await asyncpg.connect(line.dsn, timeout=10)
    try:
        await admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'plain' NOSUPERUSER")
        plain = await asyncpg.connect(line.dsn, user=role, password="plain", timeout=10)
        try:
            assert await plain.fetchrow(select) == await admin.fetchrow(select)
        finally:
            await plain.close()
    finally:
        await admin.execute(f"DROP ROLE {role}")
        await admin.close()


async def test_new_connections_to_the_same_database_begin_nothing(line: Line) -> None:
    await line.raise_to(uuid4())
    for _ in range(3):
        async with Connections(line.dsn, size=1, name="another", prepare=line.epochs.confirm) as another:
            assert await another.answer()
    assert len(await epochs_of(line)) == 1
    assert not any((await started(line)).values())


async def test_a_restored_database_begins_an_epoch_in_every_lane_before_anything_else(line: Line, place: Place) -> None:
    counters = some_ids(30)
    for counter in counters:
        await line.raise_to(counter)
    backup = await place.back_up()
    before = await line.lane_events()
    (first,) = await epochs_of(line)
    await place.restore(backup)

    outcome = await line.raise_to(counters[0])

    _, second = await epochs_of(line)
    assert second > first
    token = decode(outcome.token)["thing"]
    assert token.epoch == second
    heads = {lane: events[-1][0] for lane, events in before.items()}
    assert await started(line) == {lane: [(second, heads.get(lane, 0) + 1)] for lane in range(LANES)}
    lane = lane_of(counters[0])
    assert token.lanes == {lane: heads[lane] + 2}
    for number, events in (await line.lane_events()).items():
        assert events[: len(before.get(number, []))] == before.get(number, [])
        assert [previous for _, _, previous in events] == [None, *(event for _, event, _ in events[:-1])]
    begun = await present_epoch(line.commands)
    assert begun.epoch == second
    assert begun.cause.startswith("restored or promoted: another database oid (")
    await place.drop(backup)


async def test_what_begins_an_epoch_says_so_in_its_body(line: Line, place: Place) -> None:
    backup = await place.back_up()
    (first,) = await epochs_of(line)
    await place.restore(backup)
    begun = await present_epoch(line.commands)
    row = await line.commands.fetchrow("SELECT * FROM journal WHERE lane = 5")
    assert row is not None
    body = EpochStarted.FromString(row["public"])
    assert (UUID(bytes=body.epoch), UUID(bytes=body.previous_epoch)) == (begun.epoch, first)
    assert body.time.ToDatetime(UTC) == begun.began_at == row["recorded_at"]
    assert (row["aggregate_id"], row["revision"]) == (begun.epoch, 6)
    await place.drop(backup)


async def test_many_connections_at_once_begin_one_epoch(line: Line, place: Place) -> None:
    backup = await place.back_up()
    await place.restore(backup)
    others = [Connections(line.dsn, size=1, name="another", prepare=line.epochs.confirm) for _ in range(12)]
    try:
        await asyncio.gather(*(each.answer() for each in others), *(line.raise_to(uuid4()) for _ in range(8)))
    finally:
        for each in others:
            await each.close()
    assert len(await epochs_of(line)) == 2
    assert all(len(begun) == 1 for begun in (await started(line)).values())
    await place.drop(backup)


async def test_restored_twice_from_one_backup_it_begins_a_later_epoch_each_time(line: Line, place: Place) -> None:
    await line.raise_to(uuid4())
    backup = await place.back_up()
    (first,) = await epochs_of(line)
    seen = [first]
    for _ in range(2):
        await place.restore(backup)
        await line.raise_to(uuid4())
        recorded = await epochs_of(line)
        assert recorded[0] == first
        assert len(recorded) == 2  # what the first restored database knew is forgotten with it
        seen.append(recorded[1])
    assert seen == sorted(set(seen))
    await place.drop(backup)


async def test_a_copy_of_a_restored_database_that_wrote_on_begins_an_epoch_too(line: Line, place: Place) -> None:
    await line.raise_to(uuid4())
    first = await place.back_up()
    await place.restore(first)
    await line.raise_to(uuid4())
    second = await place.back_up()
    await line.raise_to(uuid4())
    await place.restore(second)
    await line.raise_to(uuid4())
    recorded = await epochs_of(line)
    assert len(recorded) == 3
    assert recorded == sorted(recorded)
    for backup in (first, second):
        await place.drop(backup)


async def test_lanes_made_anew_by_a_dump_are_another_identity(line: Line) -> None:
    """A dump that is read back into the same database leaves its oid as it was, but not that of its tables."""
    await line.raise_to(uuid4())
    await line.commands.execute("ALTER TABLE lane RENAME TO old; CREATE TABLE lane (LIKE old INCLUDING ALL)")
    await line.commands.execute("INSERT INTO lane SELECT * FROM old; DROP TABLE old")
    async with Connections(line.dsn, size=1, name="another", prepare=line.epochs.confirm) as another:
        assert (await present_epoch(another)).cause.startswith("restored or promoted: another lane oid (")


async def test_an_epoch_goes_above_its_own_and_those_at_the_tails_whatever_the_clock_says(line: Line) -> None:
    session = await line.broker.session()
    await ensure_stream(session.jetstream, line.source, StreamLimits(max_bytes=2**28))
    event = Event(FAR, 3, 1, uuid4(), None, FAR, 4, EPOCH_STARTED, datetime.now(UTC), "", b"")
    await session.jetstream.publish(line.source.subject_of(event), b"", headers=headers(event, line.source))
    async with line.commands.lent() as connection:
        at_tails, _ = await line.epochs.begin(connection, "by hand")
        assert at_tails == UUID(int=FAR.int + 1)
        again, previous = await line.epochs.begin(connection, "by hand")
        assert (again, previous) == (UUID(int=FAR.int + 2), at_tails)


async def test_tails_are_read_before_the_process_has_a_session_of_its_own(line: Line) -> None:
    """At its start a process confirms the identity before it works with the broker."""
    session = await line.broker.session()
    await ensure_stream(session.jetstream, line.source, StreamLimits(max_bytes=2**28))
    event = Event(FAR, 3, 1, uuid4(), None, FAR, 4, EPOCH_STARTED, datetime.now(UTC), "", b"")
    await session.jetstream.publish(line.source.subject_of(event), b"", headers=headers(event, line.source))
    starting = Epochs(Broker(line.nats_url, "starting"), line.source)
    async with line.commands.lent() as connection:
        begun, _ = await starting.begin(connection, "by hand")
    assert begun == UUID(int=FAR.int + 1)


async def test_an_epoch_does_not_wait_for_a_broker_that_refuses(line: Line) -> None:
    await begun_beside(line, 9)


async def test_an_epoch_does_not_wait_for_a_broker_that_says_nothing(line: Line) -> None:
    left = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        left.set()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as silent:
        await begun_beside(line, silent.sockets[0].getsockname()[1])
        await left.wait()


async def begun_beside(line: Line, port: int) -> None:
    """Begin an epoch beside the broker that is at a port; it is asked for a second at most."""
    away = Epochs(Broker(f"nats://127.0.0.1:{port}", "away"), line.source)
    async with asyncio.timeout(2.5), line.commands.lent() as connection:
        begun, previous = await away.begin(connection, "by hand")
    assert begun > previous


async def test_an_epoch_begun_by_hand_breaks_no_lane(line: Line) -> None:
    """Followers that have everything take it over: it follows what they have."""
    counters = some_ids(40)
    async with running(line.relay().run()):
        for counter in counters:
            await line.raise_to(counter)
        async with line.commands.lent() as connection:
            epoch, previous = await line.epochs.begin(connection, "a copy of the files was put back")
        for counter in counters:
            await line.raise_to(counter)
        await until(line.published)
    lanes = await lanes_of(line)
    assert len(lanes) == LANES
    for events in lanes.values():
        assert is_whole(events)
        assert [event.epoch for event in events] == sorted(event.epoch for event in events)
        assert [event.epoch for event in events if event.starts_epoch] == [epoch]
        assert {event.epoch for event in events} <= {epoch, previous}
    assert (await present_epoch(line.commands)).cause == "a copy of the files was put back"


async def test_an_epoch_is_on_the_disk_before_anything_is_published_in_it(line: Line) -> None:
    """Also when it is begun by a connection that does not wait for the disk otherwise, as the relay's do."""
    await line.commands.execute(
        "CREATE TABLE waited (setting text); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO waited VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$; "
        "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON epoch DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION note()"
    )
    async with line.relaying.lent() as connection:
        await line.epochs.begin(connection, "by hand")
        assert await connection.fetchval("SELECT setting FROM waited") == "on"
        assert await connection.fetchval("SHOW synchronous_commit") == "off"


@pytest.mark.parametrize("hot", [False, True])
async def test_a_repeated_request_is_answered_in_the_present_epoch(line: Line, hot: bool) -> None:  # noqa: FBT001
    """What is stored was not forgotten, and its number still holds: the token is one that followers accept."""
    counter, request = uuid4(), uuid4()
    first = await line.raise_to(counter, 5, request_id=request, hot=hot)
    async with line.commands.lent() as connection:
        epoch, previous = await line.epochs.begin(connection, "by hand")
    again = await line.raise_to(counter, 5, request_id=request, hot=hot)
    told, told_again = decode(first.token)["thing"], decode(again.token)["thing"]
    assert (told.epoch, told_again.epoch) == (previous, epoch)
    assert again.response == first.response
    assert told_again.lanes == told.lanes


async def test_a_new_database_gets_its_lanes_and_its_epoch_once(line: Line) -> None:
    (first,) = await epochs_of(line)
    async with line.commands.transaction() as connection:
        await begin_lanes(connection)
    assert await epochs_of(line) == [first]


async def test_another_process_agrees_with_the_epoch(line: Line, place: Place) -> None:
    backup = await place.back_up()
    await place.restore(backup)
    await line.raise_to(uuid4())
    async with open_line(line.dsn, line.dsn, line.nats_url, line.source.prefix) as other:
        await other.raise_to(uuid4())
        assert await epochs_of(other) == await epochs_of(line)
        assert len(await epochs_of(other)) == 2
    await place.drop(backup)
