"""A copy is compared with its source while both go on: each difference is named, no other is, and all are repaired."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from bus.audit.audit import AuditInterrupted
from bus.audit.difference import Kind
from bus.audit.listed import Listed
from bus.following import checkpoint as checkpoints
from tests.contract.auditing import Auditor, Faltering, Late, Slow, put, stock
from tests.contract.journal_server import serving_journal
from tests.contract.line import POISON, CopyProjection, CopyRow, Line, running, until

STOCK = 10_000


@pytest.fixture
async def auditor(line: Line) -> AsyncIterator[Auditor]:
    """Lend what audits the line's copy, while its relay and its projector run."""
    async with running(line.relay().run(), line.subscriber().run()):
        await line.raise_to(uuid4())
        await until(line.caught_up)
        yield Auditor(line)


@asynccontextmanager
async def being_raised(line: Line, counters: Sequence[UUID], hands: int = 4) -> AsyncIterator[None]:
    """Raise counters at full speed while the block runs, by so many hands."""
    chance = random.Random(5)  # noqa: S311 - a seed, not a secret

    async def keep_raising() -> None:
        while True:
            await line.raise_to(chance.choice(counters))

    async with running(*(keep_raising() for _ in range(hands))):
        yield


async def row_of(line: Line, counter: UUID) -> CopyRow:
    """Read a row of the copy."""
    row = await line.copies.fetchrow(
        "SELECT counter_id, revision, event_id, value FROM copy WHERE counter_id = $1", counter
    )
    assert row is not None
    return CopyRow(*row)


async def put_back(line: Line, row: CopyRow) -> None:
    """Write a row with a checksum that holds, whatever is there."""
    await line.copies.execute("DELETE FROM copy WHERE counter_id = $1", row.id)
    await put(line, [row])


async def test_a_copy_that_follows_full_speed_raises_no_false_alarm_though_its_projector_starts_again(
    line: Line,
) -> None:
    """Two audits, a projector that is killed again and again, and counters that are raised all the time."""
    moments = random.Random(3)  # noqa: S311 - a seed, not a secret
    counters = await stock(line, STOCK)

    async def project() -> None:
        while True:
            projector = asyncio.create_task(line.subscriber().run())
            await asyncio.wait([projector], timeout=moments.uniform(0.3, 1.5))
            projector.cancel()
            await asyncio.wait([projector])

    async with running(line.relay().run()):
        async with running(line.subscriber().run()):
            await line.raise_to(counters[0])
            await until(line.caught_up)
        hot, unborn = counters[:5], [uuid4() for _ in range(2000)]
        async with running(project()), being_raised(line, [*counters, *hot * 500, *unborn]):
            for _ in range(2):
                audited = await Auditor(line).run()
                assert audited.differences == []
                assert audited.complete
                assert audited.checked >= STOCK


async def test_every_kind_of_difference_is_named_and_repaired_while_writes_go_on(line: Line, auditor: Auditor) -> None:
    """A row missing, too many, earlier, changed, of another event, of a revision that never was."""
    counters = await stock(line, STOCK)
    missing, stale, changed, unsummed, other, later = counters[:6]
    for each in (missing, stale, changed):
        await line.raise_to(each)
    await until(line.caught_up)
    extra = CopyRow(uuid4(), 3, uuid7(), 3)
    before = await row_of(line, stale)
    async with being_raised(line, counters[6:], hands=1):
        await line.raise_to(stale)
        await until_shown(line, stale, before.revision + 1)
        await line.copies.execute("DELETE FROM copy WHERE counter_id = $1", missing)
        await put_back(line, before)
        await line.copies.execute("UPDATE copy SET value = value + 1 WHERE counter_id = $1", changed)
        await line.copies.execute("UPDATE copy SET checksum = checksum # 1 WHERE counter_id = $1", unsummed)
        await put_back(line, replace(await row_of(line, other), event_id=uuid7()))
        await put_back(line, replace(await row_of(line, later), revision=99))
        await put(line, [extra])
        expected = {
            missing: "MISSING",
            stale: "STALE",
            changed: "ALTERED",
            unsummed: "ALTERED",
            other: "ALTERED",
            later: "ALTERED",
            extra.id: "EXTRA",
        }
        found = await auditor.run()
        assert found.kinds == expected
        assert not any(each.repaired for each in found.differences)
        [told] = [each.message() for each in found.differences if each.aggregate_id == stale]
        assert (told.revision, told.source_revision) == (before.revision, before.revision + 1)
        assert told.applied_seq >= told.source_seq > 0
        repaired = await auditor.run(repair=True)
        assert repaired.kinds == expected
        assert all(each.repaired for each in repaired.differences), [each.detail for each in repaired.differences]
        assert (await auditor.run()).differences == []
    await until(line.caught_up)
    assert (await auditor.run()).checked == len(await line.values())


async def until_shown(line: Line, counter: UUID, revision: int) -> None:
    """Wait until the copy shows a revision."""

    async def shown() -> bool:
        return (await row_of(line, counter)).revision == revision

    await until(shown)


async def test_counters_that_are_repaired_while_they_are_raised_end_at_the_truth(line: Line, auditor: Auditor) -> None:
    """What the projector writes meanwhile is never taken back."""
    counters = await stock(line, 60)
    chance = random.Random(7)  # noqa: S311 - a seed, not a secret

    async def spoil() -> None:
        while True:
            counter = chance.choice(counters)
            async with line.copies.transaction() as connection:
                await connection.execute("LOCK TABLE copy")
                await connection.execute(
                    chance.choice(
                        (
                            "DELETE FROM copy WHERE counter_id = $1",
                            "UPDATE copy SET value = 0 WHERE counter_id = $1",
                            "UPDATE copy SET revision = 10000 WHERE counter_id = $1",
                        )
                    ),
                    counter,
                )
            await asyncio.sleep(0.005)

    async with being_raised(line, counters, hands=2):
        async with running(spoil()):
            kinds = set()
            for _ in range(6):
                kinds |= set((await auditor.run(repair=True)).kinds.values())
        assert kinds
        await auditor.run(repair=True)
        assert (await auditor.run()).differences == []
    await until(line.caught_up)


async def test_a_row_that_the_projector_wrote_since_the_source_was_read_stays(line: Line, auditor: Auditor) -> None:
    """What was found wrong is gone by then."""
    [altered, missing] = await stock(line, 2)
    await line.copies.execute("UPDATE copy SET value = 7 WHERE counter_id = $1", altered)
    await line.copies.execute("DELETE FROM copy WHERE counter_id = $1", missing)

    async def raised() -> None:
        await line.raise_to(altered)
        await line.raise_to(missing)
        await until(line.caught_up)

    async with serving_journal(line) as channel:
        repaired = await Auditor(line, Slow(line, channel, raised)).run(repair=True)
    assert repaired.kinds == {altered: "ALTERED", missing: "MISSING"}
    assert all(each.repaired and "an event came meanwhile" in each.detail for each in repaired.differences)
    assert await line.caught_up()
    assert (await auditor.run()).differences == []


async def test_what_is_parked_is_told_as_parked_and_left_to_a_retry(line: Line, auditor: Auditor) -> None:
    """Its next event heals it."""
    parked, never = uuid4(), uuid4()
    await line.raise_to(parked)
    await line.raise_to(parked, body=POISON)
    await line.raise_to(never, body=POISON)

    async def both_parked() -> bool:
        return len(await line.copies.fetch("SELECT 1 FROM parked WHERE state = 'open'")) == 2

    await until(both_parked)
    found = await auditor.run(repair=True)
    assert found.kinds == {parked: "PARKED", never: "PARKED"}
    assert not any(each.repaired for each in found.differences)
    await line.raise_to(parked)
    await line.raise_to(never)
    await until(line.caught_up)
    assert (await auditor.run()).differences == []


async def test_an_audit_ends_when_the_copy_becomes_another_generation(line: Line, auditor: Auditor) -> None:
    """Which generation a checkpoint is of is told by its version."""
    await stock(line, 2500)
    steps = auditor.audit().run()
    await anext(steps)
    await line.copies.execute("UPDATE checkpoint SET version = version + (1::bigint << 40)")
    with pytest.raises(AuditInterrupted):
        async for _ in steps:
            pass


async def test_an_audit_ends_when_its_source_begins_another_epoch(line: Line, auditor: Auditor) -> None:
    """What was compared before belongs to another history."""
    counters = await stock(line, 2500)
    steps = auditor.audit().run()
    await anext(steps)
    async with line.commands.lent() as connection:
        await line.epochs.begin(connection, "by hand")
    await line.copies.execute("DELETE FROM copy WHERE counter_id = any($1)", counters)
    with pytest.raises(AuditInterrupted):
        async for _ in steps:
            pass


async def test_an_audit_does_not_wait_for_ever_for_a_copy_that_stands_still(line: Line) -> None:
    """It does not take for a difference what was not applied."""
    async with running(line.relay().run()):
        async with running(line.subscriber().run()):
            await line.raise_to(uuid4())
            await until(line.caught_up)
        await line.raise_to(uuid4())
        with pytest.raises(AuditInterrupted, match="does not get on"):
            await Auditor(line).run(patience=0.3)


async def test_a_lane_that_has_stopped_is_not_waited_for_and_what_it_lacks_is_told(line: Line) -> None:
    """The detail says why the lane has stopped."""
    counter = uuid4()
    async with running(line.relay().run()):
        async with running(line.subscriber().run()):
            await line.raise_to(counter)
            await until(line.caught_up)
        await line.raise_to(counter)
        await line.copies.execute("UPDATE checkpoint SET stopped = array_fill('broken'::text, ARRAY[16])")
        [found] = (await Auditor(line).run()).differences
    assert (found.kind, found.aggregate_id) == (Kind.STALE, counter)
    assert "its lane has stopped: broken" in found.detail


async def test_a_lane_that_has_stopped_is_not_repaired(line: Line) -> None:
    """It would show more than its checkpoint tells."""
    counter = uuid4()
    async with running(line.relay().run()):
        async with running(line.subscriber().run()):
            await line.raise_to(counter)
            await until(line.caught_up)
        await line.raise_to(counter)
        await line.copies.execute("UPDATE checkpoint SET stopped = array_fill('broken'::text, ARRAY[16])")
        [found] = (await Auditor(line).run(repair=True)).differences
    assert not found.repaired
    assert "not repaired: its lane has stopped" in found.detail
    assert (await row_of(line, counter)).revision == 1


async def test_a_repair_shows_nothing_before_the_checkpoint_tells_it(line: Line) -> None:
    """What the source has published since it was compared waits until the copy has come as far."""
    counter = uuid4()
    async with running(line.relay().run()):
        async with running(line.subscriber().run()):
            await line.raise_to(counter)
            await until(line.caught_up)
        await line.copies.execute("UPDATE copy SET value = 77")

        async def raised() -> None:
            await line.raise_to(counter)

        async with serving_journal(line) as channel:
            with pytest.raises(AuditInterrupted, match="does not get on"):
                await Auditor(line, Late(line, channel, raised)).run(repair=True, patience=0.3)
    assert (await row_of(line, counter)).revision == 1


async def test_a_repair_supersedes_what_is_parked_of_the_aggregate(line: Line, auditor: Auditor) -> None:
    """The state written is a later one."""
    counter = uuid4()
    await line.raise_to(counter)
    await line.raise_to(counter, body=POISON)
    await line.raise_to(counter)
    await until(line.caught_up)
    await line.copies.execute("UPDATE parked SET state = 'open'")
    await line.copies.execute("UPDATE copy SET value = 77 WHERE counter_id = $1", counter)
    [found] = (await auditor.run(repair=True)).differences
    assert (found.kind, found.repaired) == (Kind.ALTERED, True)
    [parked] = await line.copies.fetch("SELECT state FROM parked")
    assert parked["state"] == "superseded"


async def test_a_repair_ends_when_the_copy_is_not_there_any_more(line: Line, auditor: Auditor) -> None:
    """As when its generation was dropped after another took its place."""
    [counter] = await stock(line, 1)
    await line.copies.execute("UPDATE copy SET value = 77 WHERE counter_id = $1", counter)

    async def dropped() -> None:
        await line.copies.execute("DROP TABLE copy")

    async with serving_journal(line) as channel:
        with pytest.raises(AuditInterrupted, match="is not there any more"):
            await Auditor(line, Late(line, channel, dropped)).run(repair=True)


async def test_a_copy_of_what_the_source_does_not_have_is_told_a_page_at_a_time(line: Line, auditor: Auditor) -> None:
    """However much there is too many, and nothing more than that is deleted."""
    await put(line, [CopyRow(uuid4(), 1, uuid7(), 1) for _ in range(2345)])
    found = await auditor.run(repair=True)
    assert [each.kind for each in found.differences] == [Kind.EXTRA] * 2345
    assert await line.caught_up()


async def test_a_source_that_goes_away_now_and_then_is_asked_for_the_rest(line: Line, auditor: Auditor) -> None:
    """Nothing is left out, and what is asked twice is told once."""
    [missing, *_] = await stock(line, 5_000)
    await line.copies.execute("DELETE FROM copy WHERE counter_id = $1", missing)
    async with serving_journal(line) as channel:
        journal = Faltering(line, channel, times=3)
        audited = await Auditor(line, journal).run()
    assert journal.times == 0
    assert audited.kinds == {missing: "MISSING"}
    assert len(audited.differences) == 1
    assert audited.checked == (await auditor.run()).checked


async def test_an_audit_that_nobody_reads_on_holds_no_transaction(line: Line) -> None:
    """Neither at the source nor in the copy, whose databases stand on one server here."""
    counters = await stock(line, 5_000)
    await checkpoints.begin(line.copies, line.source.name)
    await line.copies.execute("DELETE FROM copy WHERE counter_id = any($1)", counters[:10])

    async def none_is_open() -> bool:
        found = await line.copies.fetch(
            "SELECT FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() "
            "AND application_name IN ('commands', 'copies')"
        )
        return not found

    async with aclosing(Auditor(line).audit().run(repair=True)) as steps:
        async for _ in steps:
            await until(none_is_open)


async def test_a_checksum_holds_through_a_view_and_by_another_search_path(line: Line, auditor: Auditor) -> None:
    """As the generations of a read model are read."""
    await stock(line, 10)
    await line.copies.execute("CREATE SCHEMA home CREATE VIEW copy AS SELECT * FROM public.copy")
    listed: Listed = CopyProjection.listed
    own = await listed.page(line.copies, None, UUID(int=2**128 - 1), 100)
    async with line.copies.transaction() as connection:
        await connection.execute("SET LOCAL search_path TO home")
        shown = await listed.page(connection, None, UUID(int=2**128 - 1), 100)
    assert shown == own
    assert all(row.intact for row in own)
