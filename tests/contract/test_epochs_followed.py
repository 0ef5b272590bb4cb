"""A source's epochs as its followers take them: in place when nothing they have was lost, else by a copy made anew."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from bus.freshness.consistency import Freshened, TokenEpochSuperseded
from bus.journal.epochs import present_epoch
from bus.lanes import lane_of
from tests.contract.by_hand import announcing, event, heads, publish, publish_recorded, recorded
from tests.contract.copies import at_heads, checkpoint, in_other_lane, stopped_lanes
from tests.contract.line import Line, running, until
from tests.contract.places import Place
from tests.contract.stream import raise_many


async def begin_epoch(line: Line) -> UUID:
    """Begin an epoch by hand, as an operator does."""
    async with line.commands.lent() as connection:
        epoch, _ = await line.epochs.begin(connection, "a test")
    return epoch


async def epochs(line: Line) -> set[UUID | None]:
    """Return the epochs of the copy's lanes."""
    return {lane.epoch for lane in (await checkpoint(line)).lanes}


async def asked_anew(line: Line) -> bool:
    """Tell whether a copy made anew was asked for."""
    return bool(line.asked_anew)


async def test_an_epoch_that_lost_nothing_is_taken_over_in_place(line: Line, place: Place) -> None:
    """A failover without loss: nothing is built, tokens given before still hold, new ones are waited for."""
    follower = line.follower()
    async with running(line.relay().run(), line.subscriber().run(), follower.run()):
        await raise_many(line, 80)
        counter = uuid4()
        before = await line.raise_to(counter)
        await until(lambda: at_heads(line))
        copy = await line.copied()
        backup = await place.back_up()
        await place.restore(backup)
        after = await line.raise_to(counter)
        await Freshened(follower).contain([after.token], 20.0)
        assert (await line.copied())[counter] == 2
        await until(lambda: at_heads(line))
        epoch = (await present_epoch(line.commands)).epoch
        assert await epochs(line) == {epoch}
        assert (await line.copied()).keys() == copy.keys()
        assert await line.caught_up()
        with pytest.raises(TokenEpochSuperseded):
            await Freshened(follower).contain([before.token], 1.0)
    assert line.asked_anew == []
    assert await stopped_lanes(line) == {}
    await place.drop(backup)


async def test_an_epoch_with_lost_commits_needs_a_copy_made_anew(line: Line, place: Place) -> None:
    async with running(line.relay().run(), line.subscriber().run()):
        await raise_many(line, 30)
        await until(lambda: at_heads(line))
        backup = await place.back_up()
        await raise_many(line, 30)
        await until(lambda: at_heads(line))
        await place.restore(backup)
        copy = await line.copied()
        await raise_many(line, 30)
        await until(lambda: asked_anew(line))
        await until(line.published)
        assert await line.copied() == copy  # no lane goes on alone, though some lost nothing
    (cause,) = line.asked_anew
    assert "does not go on in it from seq" in cause
    await place.drop(backup)


async def test_commits_that_nobody_saw_may_be_lost_in_place(line: Line, place: Place) -> None:
    """What was committed and lost before it was published was never part of a copy."""
    async with running(line.subscriber().run()):
        async with running(line.relay().run()):
            await raise_many(line, 30)
            await until(lambda: at_heads(line))
        line.woken.clear()
        backup = await place.back_up()
        await raise_many(line, 30)
        await place.restore(backup)
        await raise_many(line, 30)
        async with running(line.relay().run()):
            await until(lambda: at_heads(line))
        assert await line.caught_up()
    assert line.asked_anew == []
    await place.drop(backup)


async def test_while_lanes_are_of_two_epochs_the_copy_stands_in_the_earlier_one(line: Line) -> None:
    follower = line.follower()
    counter = uuid4()
    mine = lane_of(counter)
    await line.raise_to(in_other_lane(counter))
    token = (await line.raise_to(counter)).token
    await publish_recorded(line)
    await begin_epoch(line)
    begun = [each for each in await recorded(line) if each.starts_epoch]
    async with running(line.subscriber().run(), follower.run()):
        await publish(line, *(each for each in begun if each.lane == mine))

        async def mixed() -> bool:
            return len(await epochs(line) - {None}) == 2

        await until(mixed)
        await Freshened(follower).contain([token], 5.0)
        await publish(line, *(each for each in begun if each.lane != mine))
        await until(lambda: at_heads(line))
        assert await epochs(line) == {begun[0].epoch}
    assert line.asked_anew == []


async def test_an_epoch_whose_beginning_the_stream_lost_is_read_in_the_journal(line: Line) -> None:
    """It is announced, nothing of it comes, and the journal shows that nothing was lost."""
    await raise_many(line, 60)
    await publish_recorded(line)
    async with running(line.subscriber().run(), announcing(line)):
        await until(lambda: at_heads(line))
        second = await begin_epoch(line)
        await until(lambda: at_heads(line))
        assert await epochs(line) == {second}
    assert line.asked_anew == []


async def test_an_announced_epoch_that_lost_commits_needs_a_copy_made_anew(line: Line, place: Place) -> None:
    """Nothing of it is published yet; the journal shows that it does not go on from what was applied."""
    counter = uuid4()
    await line.raise_to(counter)
    backup = await place.back_up()
    await line.raise_to(counter)
    await publish_recorded(line)
    async with running(line.subscriber().run()):
        await until(lambda: at_heads(line))
        await place.restore(backup)
        async with running(announcing(line)):
            await until(lambda: asked_anew(line))
    assert await line.copied() == {counter: 2}
    await place.drop(backup)


@pytest.mark.parametrize("heard", ["in an event", "in a beacon"])
async def test_a_copy_that_is_being_built_takes_over_no_epoch_in_place(line: Line, heard: str) -> None:
    await line.raise_to(uuid4())
    await publish_recorded(line)
    async with running(line.subscriber(building=True).run()):
        await until(lambda: at_heads(line))
        await begin_epoch(line)
        if heard == "in an event":
            await publish(line, *(each for each in await recorded(line) if each.starts_epoch))
            await until(lambda: asked_anew(line))
        else:
            async with running(announcing(line, await heads(line))):
                await until(lambda: asked_anew(line))
    assert len(line.asked_anew) == 1


async def test_a_stopped_lane_is_healed_by_a_later_epoch(line: Line) -> None:
    """A forged event stopped it; the source's new epoch follows the last event that was applied."""
    counter = uuid4()
    lane = lane_of(counter)
    await line.raise_to(counter)
    (true,) = await recorded(line)
    await publish(line, true, replace(event(2, counter, previous=77), epoch=true.epoch))
    async with running(line.subscriber().run()):

        async def stopped() -> bool:
            return "divergence" in (await stopped_lanes(line)).get(lane, "")

        await until(stopped)
        await begin_epoch(line)
        await line.raise_to(counter)
        await publish(line, *(each for each in await recorded(line) if each.event_id != true.event_id))
        await until(lambda: at_heads(line))
    assert await stopped_lanes(line) == {}
    assert await line.copied() == {counter: 2}
    assert line.asked_anew == []


async def test_a_stopped_lane_that_lost_commits_asks_for_a_copy_made_anew(line: Line) -> None:
    """A forged event stopped it, and the source has forgotten one that was applied when it begins an epoch."""
    counter = uuid4()
    lane = lane_of(counter)
    for _ in range(2):
        await line.raise_to(counter)
    first, second = await recorded(line)
    await publish(line, first, second, replace(event(3, counter, previous=77), epoch=first.epoch))
    async with running(line.subscriber().run()):

        async def stopped() -> bool:
            return "divergence" in (await stopped_lanes(line)).get(lane, "")

        await until(stopped)
        await line.commands.execute("DELETE FROM journal WHERE event_id = $1", second.event_id)
        await line.commands.execute(
            "UPDATE lane SET seq = 1, event_id = $2, previous_event_id = NULL WHERE lane = $1", lane, first.event_id
        )
        await begin_epoch(line)
        await publish(line, *(each for each in await recorded(line) if each.starts_epoch))
        await until(lambda: asked_anew(line))
    assert await line.copied() == {counter: 2}


async def test_events_of_an_epoch_that_was_left_are_dropped_and_counted(line: Line) -> None:
    counter = uuid4()
    other = in_other_lane(counter)
    await line.raise_to(counter)
    old = await recorded(line)
    await begin_epoch(line)
    await publish_recorded(line)
    subscriber = line.subscriber()
    async with running(subscriber.run()):
        await until(lambda: at_heads(line))
        await publish(line, *old, event(7, counter), event(7, other))
        await line.raise_to(counter)
        await publish(line, [each for each in await recorded(line) if each.aggregate_id == counter][-1])
        await until(lambda: at_heads(line))
        assert subscriber.passed.earlier == 3
    assert await line.copied() == {counter: 2}
    assert await stopped_lanes(line) == {}


async def test_a_database_made_anew_needs_a_copy_made_anew(line: Line) -> None:
    """Its first epoch begins without a word; lanes that the copy had not begun are not mixed in."""
    counter = uuid4()
    other = in_other_lane(counter)
    await publish(line, event(1, counter), event(1, other, epoch=2))
    async with running(line.subscriber().run()):
        await until(lambda: asked_anew(line))
    assert await line.copied() == {counter: 1}
    assert await epochs(line) == {UUID(int=1), None}
