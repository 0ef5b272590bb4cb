"""What time brings about: deadlines, ends, expiries, retirements; late after a downtime, and never twice."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.interval_pb2 import Interval
from training.offer.v1 import offer_pb2 as pb
from training.offer.v1 import offer_service_pb2 as service

from chassis.embedded import EmbeddedNats, EmbeddedPostgres
from tests.integration.offer.ledger import journal_of, judge
from tests.integration.offer.line import Line, row, running
from tests.integration.offer.selling import (
    CANCELLED,
    EXPIRED,
    RELEASED,
    confirm,
    outcome,
    read,
    release,
    reserve,
    until,
    wait_for,
)
from tests.integration.refusals import refused

NewDatabase = Callable[[], Awaitable[str]]


def soon(seconds: float = 1.0) -> Timestamp:
    """Name a time in a moment."""
    stamp = Timestamp()
    stamp.FromDatetime(datetime.now(UTC) + timedelta(seconds=seconds))
    return stamp


def open_until(end: Timestamp) -> pb.SchedulePlan:
    """Plan an access window that closes."""
    start = Timestamp()
    start.FromJsonString("2024-01-01T00:00:00Z")
    return pb.SchedulePlan(access_window=Interval(start_time=start, end_time=end))


async def decided(line: Line, offer_id: str) -> pb.Offer:
    """Set a decision deadline and wait until it was decided."""
    terms = service.OfferDefinition(program_id=(await line.get(offer_id)).program_id, decision_deadline=soon(0.3))
    mask = FieldMask(paths=["decision_deadline"])
    await line.offers.UpdateOffer(service.UpdateOfferRequest(offer_id=offer_id, definition=terms, update_mask=mask))

    async def is_decided() -> bool:
        return (await line.get(offer_id)).HasField("decide_time")

    await until(is_decided)
    return await line.get(offer_id)


async def test_below_its_minimum_at_the_deadline_an_offer_is_at_risk_until_it_is_reached(line: Line) -> None:
    offer = await line.published(capacity=pb.Capacity(minimum=2))
    first = await confirm(line, await reserve(line, offer.offer_id))
    found = await decided(line, offer.offer_id)
    assert (found.state, found.at_risk) == (pb.Offer.STATE_PUBLISHED, True)
    definition_changed = (await journal_of(line.dsn, offer.offer_id))[-2].revision
    assert found.etag.startswith(f"{definition_changed:x}-")  # deciding is no change of the definition
    await confirm(line, await reserve(line, offer.offer_id))
    assert not (await line.get(offer.offer_id)).at_risk
    await release(line, first)
    entries = await journal_of(line.dsn, offer.offer_id)
    assert [entry.record.command for entry in entries if entry.principal == "timekeeper"] == ["DecideAtDeadline"]


async def test_below_its_minimum_an_offer_is_cancelled_if_it_says_so(line: Line) -> None:
    offer = await line.published(capacity=pb.Capacity(minimum=3), cancel_below_minimum=True)
    seat = await confirm(line, await reserve(line, offer.offer_id))
    found = await decided(line, offer.offer_id)
    assert found.state == pb.Offer.STATE_CANCELLED
    assert (await read(line, seat)).state == CANCELLED
    await judge(line.dsn, offer.offer_id)


async def test_at_its_minimum_an_offer_goes_on(line: Line) -> None:
    offer = await line.published(capacity=pb.Capacity(minimum=1), cancel_below_minimum=True)
    await confirm(line, await reserve(line, offer.offer_id))
    found = await decided(line, offer.offer_id)
    assert (found.state, found.at_risk) == (pb.Offer.STATE_PUBLISHED, False)


async def test_an_offer_is_completed_when_it_has_ended_and_its_waitlist_with_it(line: Line) -> None:
    offer = await line.published(seats=1, plan=open_until(soon(3600)))
    seat, waiting = await confirm(line, await reserve(line, offer.offer_id)), await wait_for(line, offer.offer_id)
    moved = service.RescheduleOfferRequest(offer_id=offer.offer_id, plan=open_until(soon(2)))
    await line.offers.RescheduleOffer(moved)

    async def is_over() -> bool:
        return (await line.get(offer.offer_id)).state == pb.Offer.STATE_COMPLETED

    await until(is_over)
    after = await line.get(offer.offer_id)
    assert (after.HasField("complete_time"), after.seats.waiting, after.seats.confirmed) == (True, 0, 1)
    assert (await read(line, waiting)).state == RELEASED
    assert (await refused(release(line, seat))).reason == "OFFER_STATE"
    entry = (await journal_of(line.dsn, offer.offer_id))[-1]
    assert (entry.principal, entry.record.command) == ("timekeeper", "CompleteOffer")
    assert entry.event is not None
    assert entry.event.WhichOneof("change") == "completed"


async def test_what_became_due_while_the_service_was_down_is_done_once_when_it_is_back(
    database: NewDatabase, nats: EmbeddedNats, bus_prefix: str
) -> None:
    dsns = [await database(), await database()]
    brisk: dict[str, Any] = {"hold_minutes": 1 / 60, "longest_hold_minutes": 1 / 60}
    async with running(dsns, nats.url, bus_prefix, **brisk) as line:
        end, deadline = soon(8), soon(7)
        over = await line.published(plan=open_until(end))
        risky = await line.published(capacity=pb.Capacity(minimum=1), decision_deadline=deadline)
        held = [await reserve(line, risky.offer_id) for _ in range(3)]

    async def is_past() -> bool:
        return datetime.now(UTC) > end.ToDatetime(tzinfo=UTC)

    await until(is_past)
    async with running(dsns, nats.url, bus_prefix, **brisk) as line:

        async def caught_up() -> bool:
            return (
                (await line.get(over.offer_id)).state == pb.Offer.STATE_COMPLETED
                and (await line.get(risky.offer_id)).at_risk
                and {(await read(line, each)).state for each in held} == {EXPIRED}
            )

        await until(caught_up)
        for offer_id, commands in (
            (over.offer_id, ["CompleteOffer"]),
            (risky.offer_id, ["DecideAtDeadline", *["ExpireReservation"] * 3]),
        ):
            entries = await journal_of(line.dsn, offer_id)
            fired = sorted(entry.record.command for entry in entries if entry.principal == "timekeeper")
            assert fired == commands
            await judge(line.dsn, offer_id)


async def test_the_published_offers_of_a_program_that_was_retired_with_them_are_called_off(line: Line) -> None:
    program_id, token = await line.released()
    rows = [row(program_id, token, row_id=str(number)) for number in range(5)]
    await line.imported(*rows)
    seats = [await confirm(line, await reserve(line, each.offer_id)) for each in rows]
    await line.retire(program_id, cancel_offers=True)

    async def all_off() -> bool:
        return {(await line.get(each.offer_id)).state for each in rows} == {pb.Offer.STATE_CANCELLED}

    await until(all_off)
    assert {(await read(line, each)).state for each in seats} == {CANCELLED}
    for each in rows:
        last = (await journal_of(line.dsn, each.offer_id))[-1]
        assert (last.principal, last.record.command) == ("timekeeper", "CancelForRetirement")


async def test_calling_off_goes_on_where_it_was_broken_off(
    postgres: EmbeddedPostgres, database: NewDatabase, nats: EmbeddedNats, bus_prefix: str
) -> None:
    """Some of the offers can't be called off at first: their rows are locked. The service then stops and starts."""
    dsns = [await database(), await database()]
    blocker = None
    async with running(dsns, nats.url, bus_prefix) as line:
        program_id, token = await line.released()
        rows = [row(program_id, token, row_id=str(number)) for number in range(20)]
        await line.imported(*rows)
        blocker = await asyncpg.connect(dsns[1])
        locked = blocker.transaction()
        await locked.start()
        await blocker.execute(
            "SELECT 1 FROM offer WHERE offer_id = ANY($1) FOR UPDATE", [UUID(each.offer_id) for each in rows[17:]]
        )
        await line.retire(program_id, cancel_offers=True)

        async def off(which: slice) -> int:
            return sum([(await line.get(each.offer_id)).state == pb.Offer.STATE_CANCELLED for each in rows[which]])

        async def most_off() -> bool:
            return await off(slice(17)) == 17

        await until(most_off)
        assert await off(slice(17, 20)) == 0
        # The connections are cut, as a crash would cut them, before what is under way is let go.
        name = dsns[1].rsplit("/", 1)[1].split("?")[0]
        operator = await asyncpg.connect(postgres.dsn())
        await operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> $2",
            name,
            blocker.get_server_pid(),
        )
        await operator.close()
        await locked.rollback()
        await blocker.close()
    async with running(dsns, nats.url, bus_prefix) as line:

        async def all_off() -> bool:
            return {(await line.get(each.offer_id)).state for each in rows} == {pb.Offer.STATE_CANCELLED}

        await until(all_off)
        for each in rows:
            entries = await journal_of(line.dsn, each.offer_id)
            assert [entry.record.command for entry in entries] == ["ImportOffer", "CancelForRetirement"]


async def test_an_offer_published_while_its_program_retires_with_its_offers_does_not_survive_it(line: Line) -> None:
    for _ in range(6):
        draft = await line.draft(open_until(soon(3600)), priced=True)
        publish = line.offers.PublishOffer(_publish(draft))
        found, _ = await asyncio.gather(outcome(publish), line.retire(draft.program_id, cancel_offers=True))
        if found != "done":
            assert found == "PROGRAM_RETIRED"
            continue

        async def is_off(offer_id: str = draft.offer_id) -> bool:
            return (await line.get(offer_id)).state == pb.Offer.STATE_CANCELLED

        await until(is_off)


def _publish(draft: pb.Offer) -> service.PublishOfferRequest:
    return service.PublishOfferRequest(offer_id=draft.offer_id, request_id=str(uuid4()))
