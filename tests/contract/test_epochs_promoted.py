"""Real servers: a standby that is promoted, a primary that lives on, a copy of the files."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
import pytest

from bus.journal.epochs import present_epoch
from bus.journal.tables import IDENTITY
from bus.operations.status import journal_status
from chassis.embedded import EmbeddedNats, EmbeddedPostgres, temporary_data_folder
from chassis.postgres import Connections, Unreachable
from tests.contract.line import Line, make_line, open_line, running, some_ids, until
from tests.contract.places import copy_of, follow
from tests.contract.stream import assert_stream_is_journal, is_whole, lanes_of, raise_many

TIMELINE = next(column for column in IDENTITY if column.name == "timeline")


@dataclass
class Pair:
    """A primary with a line on it, and a server on a copy of its files, not running."""

    primary: EmbeddedPostgres
    copy: EmbeddedPostgres
    line: Line
    copies_dsn: str

    def dsn(self, server: EmbeddedPostgres) -> str:
        """Return the address of the command database on a server."""
        return server.dsn("commands")


@pytest.fixture
async def pair(nats: EmbeddedNats, bus_prefix: str) -> AsyncIterator[Pair]:
    """Copy the files of a primary on which some events were published."""
    with temporary_data_folder("training-pair-") as folder:
        async with EmbeddedPostgres(folder / "primary", durable=False) as primary:
            commands, copies = [await primary.create_database(name) for name in ("commands", "copies")]
            async with make_line(commands, copies, nats.url, bus_prefix) as line:
                await raise_many(line, 40)
                async with running(line.relay().run()):
                    await until(line.published)
                line.woken.clear()
                await primary.stop()
                copy = copy_of(primary, folder / "copy")
                await primary.start()
                try:
                    yield Pair(primary, copy, line, copies)
                finally:
                    await copy.stop()


async def promote(server: EmbeddedPostgres) -> None:
    """Promote a standby and wait until it writes."""
    admin = await asyncpg.connect(server.dsn(), timeout=10)
    try:
        assert await admin.fetchval("SELECT pg_promote(true, 30)")
    finally:
        await admin.close()


async def has_all(standby: Connections, primary: Line) -> bool:
    """Tell whether the standby has everything that was committed."""
    committed = await primary.commands.fetchrow("SELECT sum(seq) AS seq FROM lane")
    replayed = await standby.fetchrow("SELECT sum(seq) AS seq FROM lane")
    return committed == replayed


async def test_a_promoted_standby_begins_an_epoch_that_breaks_no_lane_if_nothing_was_lost(pair: Pair) -> None:
    follow(pair.copy, pair.primary)
    await pair.copy.start()
    async with Connections(pair.dsn(pair.copy), size=1, name="standby") as standby:
        await raise_many(pair.line, 40)
        await until(lambda: has_all(standby, pair.line))
    async with Connections(pair.dsn(pair.copy), size=1, name="early", prepare=pair.line.epochs.confirm) as early:
        with pytest.raises(Unreachable, match="standby"):
            await early.answer()
    before = await present_epoch(pair.line.commands)
    await pair.primary.kill()
    await promote(pair.copy)

    # At once: the control file still tells the old timeline, until the next checkpoint.
    async with open_line(
        pair.dsn(pair.copy), pair.dsn(pair.copy), pair.line.nats_url, pair.line.source.prefix
    ) as promoted:
        await raise_many(promoted, 40)
        begun = await present_epoch(promoted.commands)
        assert begun.epoch > before.epoch
        assert begun.cause == "restored or promoted: another timeline (1, now 2)"
        async with running(promoted.relay().run()):
            await until(promoted.published)
        assert all(is_whole(events) for events in (await lanes_of(promoted)).values())
        await assert_stream_is_journal(promoted)


async def test_the_timeline_is_right_at_once_after_a_promotion(pair: Pair) -> None:
    follow(pair.copy, pair.primary)
    await pair.copy.start()
    await promote(pair.copy)
    connection = await asyncpg.connect(pair.dsn(pair.copy), timeout=10)
    try:
        assert await connection.fetchval(f"SELECT {TIMELINE.element}") == 2
        await connection.execute("CHECKPOINT")
        assert await connection.fetchval(f"SELECT {TIMELINE.element}") == 2
    finally:
        await connection.close()


async def test_the_old_primary_that_lives_on_is_superseded(pair: Pair) -> None:
    """Both take commands and both relay; the stream goes on with the promoted one, even after the old one restarts."""
    follow(pair.copy, pair.primary)
    await pair.copy.start()
    async with Connections(pair.dsn(pair.copy), size=1, name="standby") as standby:
        await until(lambda: has_all(standby, pair.line))
    await promote(pair.copy)
    old, relay = pair.line, pair.line.relay("old")
    async with (
        open_line(pair.dsn(pair.copy), pair.dsn(pair.copy), old.nats_url, old.source.prefix) as promoted,
        running(relay.run()),
    ):
        await raise_many(old, 40)
        await until(old.published)
        forgotten = await old.lane_events()
        await raise_many(promoted, 40)
        async with running(promoted.relay("promoted").run()):
            await until(promoted.published)

            async def superseded() -> bool:
                try:
                    status = await journal_status(old.commands, "thing", relay)
                except Exception:  # noqa: BLE001 - while the server restarts
                    return False
                return "superseded" in relay.trouble and all(lane.stopped_reason for lane in status.lanes)

            await raise_many(old, 40)
            await until(superseded)
            await pair.primary.stop()
            await pair.primary.start()
            await raise_many(old, 40)
            await raise_many(promoted, 40)
            await until(promoted.published)
            await until(superseded)
        begun, kept = await present_epoch(promoted.commands), await promoted.lane_events()
        for lane, events in (await lanes_of(promoted)).items():
            ours = [event.event_id for event in events if event.epoch == begun.epoch]
            others = [event.event_id for event in events if event.epoch != begun.epoch]
            assert ours == [event for _, event, _ in kept[lane]][-len(ours) :]
            assert others == [event for _, event, _ in forgotten.get(lane, [])]
            assert [event.epoch for event in events] == sorted(event.epoch for event in events)


async def test_a_copy_of_the_files_has_the_identity_of_what_was_copied(pair: Pair) -> None:
    """It begins no epoch by itself; the operator does, and it goes on above what was seen."""
    await pair.copy.start()
    async with running(pair.line.relay().run()):
        await raise_many(pair.line, 60)
        await until(pair.line.published)
    seen = await lanes_of(pair.line)
    await pair.primary.stop()
    async with open_line(
        pair.dsn(pair.copy), pair.dsn(pair.copy), pair.line.nats_url, pair.line.source.prefix
    ) as copied:
        await copied.raise_to(uuid4())
        first = await present_epoch(copied.commands)
        assert first.cause == "the first"
        relay = copied.relay()
        async with running(relay.run()):

            async def stopped() -> bool:
                return all(
                    lane.stopped_reason for lane in (await journal_status(copied.commands, "thing", relay)).lanes
                )

            await until(stopped)
            async with copied.commands.lent() as connection:
                epoch, previous = await copied.epochs.begin(connection, "a copy of the files was put back")
            assert previous == first.epoch
            relay.wake()
            for counter in some_ids(20):
                await copied.raise_to(counter)
            await until(copied.published)
        for lane, events in (await lanes_of(copied)).items():
            before = seen.get(lane, [])
            assert events[: len(before)] == before
            assert events[-1].epoch == epoch
