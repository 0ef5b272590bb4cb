"""Rooms and trainers are in one place at a time, whoever asks first and however many ask at once."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from uuid import uuid4

import asyncpg
import grpc
from training.offer.v1 import offer_pb2 as pb
from training.offer.v1 import offer_service_pb2 as service

from tests.integration.offer.line import Line, create, in_room
from tests.integration.refusals import Refused, refused

NINE, TEN, NOON = "2030-03-01T09:00:00Z", "2030-03-01T10:00:00Z", "2030-03-01T12:00:00Z"


async def schedule(line: Line, offer: pb.Offer, plan: pb.SchedulePlan) -> service.ScheduleSessionsResponse:
    """Schedule an offer."""
    request = service.ScheduleSessionsRequest(offer_id=offer.offer_id, plan=plan)
    response: service.ScheduleSessionsResponse = await line.offers.ScheduleSessions(request)
    return response


def clash(resource: str, offer: pb.Offer, start: str, end: str) -> pb.BookingClash:
    """Write a clash."""
    made = pb.BookingClash(resource=resource, offer_id=offer.offer_id)
    made.start_time.FromJsonString(start)
    made.end_time.FromJsonString(end)
    return made


async def outcome(call: Awaitable[object]) -> str:
    """Return how a call ended: `done`, or the reason of its refusal."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        failed = error
    else:
        return "done"

    async def fail() -> None:
        raise failed

    return (await refused(fail())).reason


async def deadlocks(line: Line) -> int:
    """Count the deadlocks in the database so far."""
    connection = await asyncpg.connect(line.dsn)
    try:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        return int(
            await connection.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        )
    finally:
        await connection.close()


async def test_a_booked_room_is_refused_with_the_room_and_the_time(line: Line) -> None:
    room = str(uuid4())
    await line.draft(in_room(room, "09:00", "12:00"))
    later = await line.draft()
    found = await refused(schedule(line, later, in_room(room, "10:00", "13:00")))
    assert (found.code, found.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "DOUBLE_BOOKING")
    assert found.metadata == {"resource": f"room:Old Mill/{room}", "start": TEN, "end": NOON}
    assert await line.get(later.offer_id) == later


async def test_a_room_is_booked_however_its_name_is_written(line: Line) -> None:
    room = f"room {uuid4()}"
    await line.draft(in_room(room))
    written = f" {room.upper().replace(' ', '  ')}"
    found = await refused(schedule(line, await line.draft(), in_room(written)))
    assert (found.reason, found.metadata["resource"]) == ("DOUBLE_BOOKING", f"room:Old Mill/{written}")


async def test_a_trainer_is_not_in_two_rooms_at_once(line: Line) -> None:
    trainer = str(uuid4())
    await line.draft(in_room(str(uuid4()), trainer=trainer))
    found = await refused(schedule(line, await line.draft(), in_room(str(uuid4()), trainer=trainer)))
    assert found.metadata["resource"] == f"trainer:{trainer}"


async def test_a_room_is_free_when_the_other_session_has_ended(line: Line) -> None:
    room = str(uuid4())
    await line.draft(in_room(room, "09:00", "12:00"))
    await line.draft(in_room(room, "12:00", "13:00"))
    await line.draft(in_room(room, "08:00", "09:00"))


async def test_an_offer_may_book_its_own_room_anew(line: Line) -> None:
    room = str(uuid4())
    offer = await line.draft(in_room(room, "09:00", "12:00"))
    await schedule(line, offer, in_room(room, "10:00", "13:00"))
    await line.draft(in_room(room, "09:00", "10:00"))


async def test_a_cancelled_offer_gives_its_room_back(line: Line) -> None:
    room = str(uuid4())
    offer = await line.draft(in_room(room), priced=True)
    await line.offers.PublishOffer(service.PublishOfferRequest(offer_id=offer.offer_id))
    await line.offers.CancelOffer(service.CancelOfferRequest(offer_id=offer.offer_id, reason="flood"))
    await line.draft(in_room(room))


async def test_warned_bookings_name_every_clash_and_forbid_nothing(line: Line) -> None:
    room = str(uuid4())
    strict = await line.draft(in_room(room, "09:00", "10:00"))
    first, second = await line.draft(), await line.draft()
    resource = f"room:Old Mill/{room}"
    told = await schedule(line, first, in_room(room, "09:00", "12:00", warn=True))
    assert list(told.clashes) == [clash(resource, strict, NINE, TEN)]
    told = await schedule(line, second, in_room(room, "09:00", "12:00", warn=True))
    expected = [clash(resource, strict, NINE, TEN), clash(resource, first, NINE, NOON)]
    assert sorted(told.clashes, key=lambda each: each.end_time.seconds) == expected
    again = await schedule(line, second, in_room(room, "09:00", "12:00", warn=True))
    assert (again.offer, list(again.clashes)) == (told.offer, list(told.clashes))


async def test_a_booking_that_forbids_does_not_mind_one_that_warns(line: Line) -> None:
    room = str(uuid4())
    await line.draft(in_room(room, warn=True))
    strict = await line.draft(in_room(room))
    assert strict.booking_mode == pb.BOOKING_MODE_FORBID
    change = await schedule(line, await line.draft(), in_room(room, warn=True))
    assert len(change.clashes) == 2


async def test_of_five_hundred_who_race_for_a_room_and_its_trainer_one_gets_them(line: Line) -> None:
    room, program_id = str(uuid4()), (await line.draft()).program_id
    drafts = await asyncio.gather(*(line.offers.CreateOffer(create(program_id)) for _ in range(500)))
    before = await deadlocks(line)
    plan = in_room(room, trainer=room)
    found = await asyncio.gather(*(outcome(schedule(line, each.offer, plan)) for each in drafts))
    assert Counter(found) == {"done": 1, "DOUBLE_BOOKING": 499}
    assert await deadlocks(line) == before


async def test_racing_for_rooms_in_any_order_ends_without_a_deadlock_and_without_a_clash(line: Line) -> None:
    rooms = [str(uuid4()) for _ in range(6)]
    program_id = (await line.draft()).program_id
    drafts = [(await line.offers.CreateOffer(create(program_id))).offer for _ in range(24)]
    before = await deadlocks(line)

    def plan(number: int, round_: int) -> pb.SchedulePlan:
        """Plan a day in each of three rooms, a different three each time, in a different order."""
        merged = pb.SchedulePlan()
        for day in range(3):
            room = rooms[(number * (day + 1) + round_ * 5) % len(rooms)]
            merged.MergeFrom(in_room(room, trainer=f"{rooms[0]}-{(number + day) % 4}", days=[f"2030-04-0{day + 1}"]))
        return merged

    seen: Counter[str] = Counter()
    for round_ in range(4):
        asked = (outcome(schedule(line, each, plan(number, round_))) for number, each in enumerate(drafts))
        seen.update(await asyncio.gather(*asked))
    assert seen.keys() <= {"done", "DOUBLE_BOOKING"}
    assert seen["done"]
    assert await deadlocks(line) == before
    held = [(await line.get(each.offer_id)).schedule.sessions for each in drafts]
    booked = Counter((session.place.room, session.local_start) for sessions in held for session in sessions)
    assert set(booked.values()) == {1}


async def test_offers_that_trade_rooms_at_once_do_not_deadlock(line: Line) -> None:
    one, two = str(uuid4()), str(uuid4())
    first, second = await line.draft(in_room(one)), await line.draft(in_room(two))
    before = await deadlocks(line)
    for _ in range(10):
        results = await asyncio.gather(
            outcome(schedule(line, first, in_room(two))), outcome(schedule(line, second, in_room(one)))
        )
        assert set(results) <= {"done", "DOUBLE_BOOKING"}
    assert await deadlocks(line) == before


async def test_names_of_any_length_and_script_can_be_booked(line: Line) -> None:
    name = "𝄞" * 160 + str(uuid4())
    plan = in_room(name, trainer="😀" * 150 + name[-36:])
    plan.sessions[0].traits.place.venue = "/" * 200
    await line.draft(plan)
    found: Refused = await refused(schedule(line, await line.draft(), plan))
    assert found.reason == "DOUBLE_BOOKING"
