"""The subscriber on a real stream and a real read store: each event once in effect, and nothing skipped."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from bus.following import checkpoint as checkpoints
from bus.following.checkpoint import CheckpointMoved
from bus.freshness.consistency import Freshened, ProjectionBehind, TokenEpochSuperseded
from bus.freshness.follower import Follower
from bus.lanes import lane_of
from bus.tokens import Position, encode
from bus.topology import StreamLimits, ensure_stream
from tests.contract.by_hand import event, publish
from tests.contract.copies import at_heads, in_other_lane, stopped_lanes
from tests.contract.line import Line, running, until
from tests.contract.stream import raise_many


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


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"seq": 4}, "gap: seq 3 did not come; the source does not have it"),
        ({"seq": 3, "previous": 9}, "divergence"),
        ({"seq": 2, "event_id": 9, "previous": 1}, "divergence"),
    ],
)
async def test_a_lane_that_does_not_fit_stops_and_never_skips(line: Line, broken: dict[str, int], reason: str) -> None:
    counter = uuid4()
    other = in_other_lane(counter)
    lane = lane_of(counter)
    seq = broken.pop("seq")
    await publish(line, event(1, counter), event(2, counter), event(seq, counter, **broken), event(1, other))
    async with running(line.subscriber().run()):

        async def as_expected() -> bool:
            return reason in (await stopped_lanes(line)).get(lane, "") and await line.copied() == {counter: 2, other: 1}

        await until(as_expected)


async def test_duplicates_change_nothing(line: Line) -> None:
    counter = uuid4()
    one, two = event(1, counter), event(2, counter)
    await publish(line, one, two, two, one, event(3, counter))
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


async def test_a_message_that_is_no_event_is_passed_by_and_counted(line: Line) -> None:
    """On a lane's subject too: the chain, not the subject, tells whether the lane lacks something."""
    counter = uuid4()
    session = await line.broker.session()
    await ensure_stream(session.jetstream, line.source, StreamLimits(max_bytes=2**28))
    subscriber = line.subscriber()
    async with running(line.relay().run(), subscriber.run()):
        await line.raise_to(counter)
        await until(line.caught_up)
        for subject in ("99.x", "x", f"{lane_of(counter)}.{counter}", f"{lane_of(counter)}.epoch"):
            await session.jetstream.publish(f"{line.source.prefix}.v1.thing.{subject}", b"strange")
        await session.client.publish(line.source.beacon_subject, b"\xff\xff\xff")
        await line.raise_to(counter)
        await until(line.caught_up)
        assert subscriber.passed.foreign == 4
        assert await stopped_lanes(line) == {}


async def test_a_zombie_beside_the_active_projector_loses_and_doubles_nothing(line: Line) -> None:
    """Two read from one durable at once, each is given a part, and each believes that it is its turn."""
    zombie = line.subscriber("zombie", lease="another")
    async with running(line.relay().run(), line.subscriber().run(), zombie.run()):
        await raise_many(line, 300)
        await until(lambda: at_heads(line))
    assert await line.caught_up()
    assert await stopped_lanes(line) == {}
    assert line.asked_anew == []
