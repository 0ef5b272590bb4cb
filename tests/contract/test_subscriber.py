"""The subscriber on a real stream and a real read store: each event once in effect, and nothing skipped."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from bus import checkpoint as checkpoints
from bus.checkpoint import CheckpointMoved
from bus.consistency import Freshened, ProjectionBehind, TokenEpochSuperseded
from bus.event import Event
from bus.follower import Follower
from bus.lanes import lane_of
from bus.publishing import Publisher
from bus.tokens import Position, encode
from bus.topology import StreamLimits, ensure_stream
from tests.contract.line import POISON, Line, running, until
from tests.contract.test_relay import raise_many


async def stopped_lanes(line: Line) -> dict[int, str]:
    """Return the lanes that the copy's checkpoint tells as stopped."""
    row = await line.copies.fetchrow("SELECT stopped FROM checkpoint")
    return {} if row is None else {number: reason for number, reason in enumerate(row["stopped"]) if reason}


def in_other_lane(than: UUID) -> UUID:
    """Return a new id in another lane."""
    return next(other for other in iter(uuid4, None) if lane_of(other) != lane_of(than))


async def test_the_copy_becomes_the_truth(line: Line) -> None:
    async with running(line.relay().run(), line.subscriber().run()):
        await raise_many(line, 150)
        await until(line.caught_up)


async def test_a_projector_that_dies_at_any_moment_loses_and_doubles_nothing(line: Line) -> None:
    moments = random.Random(11)  # noqa: S311 - a seed, not a secret
    async with running(line.relay().run()):
        writing = asyncio.create_task(raise_many(line, 300))
        for _ in range(12):
            projector = asyncio.create_task(line.subscriber().run())
            await asyncio.wait([projector], timeout=moments.uniform(0.0, 0.2))
            projector.cancel()
            await asyncio.wait([projector])
        await writing
        async with running(line.subscriber().run()):
            await until(line.caught_up)
    seqs = await line.copies.fetchrow("SELECT seqs FROM checkpoint")
    heads = await line.commands.fetch("SELECT seq FROM lane ORDER BY lane")
    assert seqs is not None
    assert seqs["seqs"] == [row["seq"] for row in heads]


async def test_a_projector_that_was_succeeded_can_write_nothing_more(line: Line) -> None:
    counter = uuid4()
    async with running(line.relay().run(), line.subscriber().run()):
        await line.raise_to(counter)
        await until(line.caught_up)
        stale = await checkpoints.begin(line.copies, "thing")
        await line.raise_to(counter)
        await until(line.caught_up)
    with pytest.raises(CheckpointMoved):  # noqa: PT012 - the transaction belongs to it
        async with line.copies.transaction() as connection:
            await connection.execute("UPDATE copy SET value = -1")
            await checkpoints.move(connection, stale, stale)
    assert await line.copied() == {counter: 2}


async def test_only_one_of_two_projectors_is_active_and_the_other_takes_over(line: Line) -> None:
    first = asyncio.create_task(line.subscriber("first").run())

    async def led_by(name: str) -> bool:
        row = await line.copies.fetchrow("SELECT holder FROM lease WHERE expires_at > now()")
        return row is not None and row["holder"] == name

    await until(lambda: led_by("first"))
    async with running(line.relay().run(), line.subscriber("second").run()):
        await raise_many(line, 30)
        await until(line.caught_up)
        first.cancel()
        await asyncio.wait([first])
        await raise_many(line, 30)
        await until(line.caught_up)
        assert await led_by("second")


async def test_a_copy_made_anew_is_filled_from_the_stream(line: Line) -> None:
    async with running(line.relay().run()):
        await raise_many(line, 60)
        async with running(line.subscriber().run()):
            await until(line.caught_up)
        await line.copies.execute("TRUNCATE copy, checkpoint, lease")
        async with running(line.subscriber().run()):
            await until(line.caught_up)


async def test_a_stream_made_anew_is_followed_from_its_beginning(line: Line) -> None:
    async with running(line.relay().run(), line.subscriber().run()):
        await raise_many(line, 60)
        await until(line.caught_up)
        session = await line.broker.session()
        await session.jetstream.delete_stream(line.source.stream)
        await raise_many(line, 60)
        await until(line.caught_up)
        assert await stopped_lanes(line) == {}


async def test_a_poison_event_stops_its_lane_visibly_and_no_other(line: Line) -> None:
    poisoned = uuid4()
    other = in_other_lane(poisoned)
    async with running(line.relay().run(), line.subscriber().run()):
        await line.raise_to(poisoned, body=POISON)
        await line.raise_to(poisoned)
        await line.raise_to(other)

        async def other_arrived() -> bool:
            return await line.copied() == {other: 1}

        await until(other_arrived)

        async def stopped() -> bool:
            return list(await stopped_lanes(line)) == [lane_of(poisoned)]

        await until(stopped)
        assert "poison" in (await stopped_lanes(line))[lane_of(poisoned)]


async def test_an_event_that_the_store_refuses_stops_its_lane_and_no_other(line: Line) -> None:
    await line.copies.execute("ALTER TABLE copy ADD CHECK (value <> 13)")
    refused = uuid4()
    others = [in_other_lane(refused) for _ in range(40)]
    await line.raise_to(refused, 13)
    for other in others:
        await line.raise_to(other)
    async with running(line.relay().run(), line.subscriber().run()):

        async def others_arrived() -> bool:
            return await line.copied() == dict.fromkeys(others, 1)

        await until(others_arrived)
        assert asyncpg.CheckViolationError.sqlstate in (await stopped_lanes(line))[lane_of(refused)]


async def publish(line: Line, lane: int, *events: Event) -> None:
    """Put events onto the stream that no relay would."""
    session = await line.broker.session()
    await ensure_stream(session.jetstream, line.source, StreamLimits(max_bytes=2**28))
    try:
        tail = await session.jetstream.get_last_msg(line.source.stream, line.source.lane_subjects(lane))
        fence = tail.seq or 0
    except Exception:  # noqa: BLE001 - an empty lane has no tail
        fence = 0
    await Publisher(session, line.source).publish(lane, events, fence)


def event(
    line: Line, seq: int, counter: UUID, *, epoch: int = 1, event_id: int | None = None, previous: int | None = None
) -> Event:
    """Make an event as it should be, but for what is given."""
    before = seq - 1 if previous is None else previous
    return Event(
        UUID(int=epoch),
        lane_of(counter),
        seq,
        UUID(int=event_id or seq),
        UUID(int=before) if before else None,
        counter,
        seq,
        "test.Raised",
        datetime.now(UTC),
        "00-t",
        str(seq).encode(),
    )


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"seq": 4}, "gap"),
        ({"seq": 3, "previous": 9}, "divergence"),
        ({"seq": 2, "event_id": 9, "previous": 1}, "divergence"),
        ({"seq": 3, "epoch": 2}, "epoch"),
    ],
)
async def test_a_lane_that_does_not_fit_stops_and_never_skips(line: Line, broken: dict[str, int], reason: str) -> None:
    counter = uuid4()
    other = in_other_lane(counter)
    lane = lane_of(counter)
    await publish(line, lane, event(line, 1, counter), event(line, 2, counter))
    seq = broken.pop("seq")
    await publish(line, lane, event(line, seq, counter, **broken))
    await publish(line, lane_of(other), event(line, 1, other))
    async with running(line.subscriber().run()):

        async def as_expected() -> bool:
            return reason in (await stopped_lanes(line)).get(lane, "") and await line.copied() == {counter: 2, other: 1}

        await until(as_expected)


async def test_duplicates_change_nothing(line: Line) -> None:
    counter = uuid4()
    lane = lane_of(counter)
    one, two = event(line, 1, counter), event(line, 2, counter)
    await publish(line, lane, one, two)
    await publish(line, lane, two)
    await publish(line, lane, one)
    await publish(line, lane, event(line, 3, counter))
    async with running(line.subscriber().run()):

        async def arrived() -> bool:
            return await line.copied() == {counter: 3}

        await until(arrived)
        assert await stopped_lanes(line) == {}


async def test_a_token_is_visible_at_once(line: Line) -> None:
    follower = line.follower()
    fresh = Freshened(follower)
    async with running(line.relay().run(), line.subscriber().run(), follower.run()):
        counter = uuid4()
        for value in range(1, 31):
            outcome = await line.raise_to(counter)
            await fresh.contain([outcome.token], 5.0)
            assert (await line.copied())[counter] >= value


async def test_a_copy_that_is_behind_says_so_in_time(line: Line) -> None:
    follower = line.follower()
    counter = uuid4()
    token = (await line.raise_to(counter)).token
    async with running(follower.run()):
        with pytest.raises(ProjectionBehind) as refused:
            await Freshened(follower).contain([token], 0.1)
    told = refused.value.metadata
    assert (told["source"], told["lane"], told["have"], told["need"]) == ("thing", str(lane_of(counter)), "0", "1")


async def test_a_token_of_a_superseded_epoch_is_refused_and_one_of_a_later_waited_for(line: Line) -> None:
    follower = line.follower()
    async with running(line.relay().run(), line.subscriber().run(), follower.run()):
        await line.raise_to(uuid4())
        await until(line.caught_up)
        await until(lambda: _has(follower))
        with pytest.raises(TokenEpochSuperseded):
            await Freshened(follower).contain([encode({"thing": Position(UUID(int=1), {0: 1})})], 5.0)
        with pytest.raises(ProjectionBehind):
            await Freshened(follower).contain([encode({"thing": Position(UUID(int=2**128 - 1), {0: 1})})], 0.1)


async def _has(follower: Follower) -> bool:
    return "thing" in follower.vector


async def test_as_of_moves_while_nobody_writes_and_stands_still_without_a_relay(line: Line) -> None:
    follower = line.follower()
    async with running(line.subscriber().run(), follower.run()):
        async with running(line.relay().run()):
            await line.raise_to(uuid4())

            async def fresh() -> bool:
                return follower.as_of()["thing"] is not None

            await until(fresh)
            first = follower.as_of()["thing"]

            async def moved() -> bool:
                return follower.as_of()["thing"] != first

            await until(moved)
        last = follower.as_of()["thing"]
        await line.raise_to(uuid4())
        heard = follower.freshness["thing"].latest
        session = await line.broker.session()
        await session.client.flush()
        with pytest.raises(TimeoutError):
            await until(moved_from(follower, last), within=1.5)
        assert follower.freshness["thing"].latest == heard
    again = line.follower()
    async with running(again.run()):
        await until(lambda: _has(again))
        assert again.as_of()["thing"] is not None  # what was confirmed is remembered


def moved_from(follower: Follower, last: object) -> Callable[[], Awaitable[bool]]:
    """Return the condition that `as_of` moved on."""

    async def moved() -> bool:
        return follower.as_of()["thing"] != last

    return moved


async def test_a_message_of_no_lane_and_a_beacon_that_is_none_stop_nothing(line: Line) -> None:
    counter = uuid4()
    session = await line.broker.session()
    await ensure_stream(session.jetstream, line.source, StreamLimits(max_bytes=2**28))
    await session.jetstream.publish(f"{line.source.prefix}.v1.thing.99.x", b"strange")
    await session.jetstream.publish(f"{line.source.prefix}.v1.thing.x", b"strange")
    async with running(line.relay().run(), line.subscriber().run()):
        await session.client.publish(line.source.beacon_subject, b"\xff\xff\xff")
        await line.raise_to(counter)
        await until(line.caught_up)
        assert await stopped_lanes(line) == {}


async def test_a_foreign_epoch_stops_a_lane_that_had_not_begun(line: Line) -> None:
    counter = uuid4()
    other = in_other_lane(counter)
    follower = line.follower()
    await publish(line, lane_of(counter), event(line, 1, counter))
    await publish(line, lane_of(other), event(line, 1, other, epoch=2))
    async with running(line.subscriber().run(), follower.run()):

        async def as_expected() -> bool:
            return "epoch" in (await stopped_lanes(line)).get(lane_of(other), "") and await line.copied() == {
                counter: 1
            }

        await until(as_expected)
        await until(lambda: _has(follower))
        assert follower.vector["thing"].epoch == UUID(int=1)
