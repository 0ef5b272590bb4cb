"""What a schedule is as a whole, and what it books."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from offer_svc.domain.bookings import Booking, Clash, booking_key, bookings, held_by, room_name, tolerated
from offer_svc.domain.errors import DoubleBooking
from offer_svc.domain.offer import State
from offer_svc.domain.schedule import BookingMode, DeliveryMode, Place, Schedule, SchedulePlan, SessionTraits
from offer_svc.domain.scheduling import expand
from offer_svc.domain.window import Window
from tests.unit.offer.samples import BOUNDS, CREATE, NOW, OFFER, ONLINE, ONSITE, after, in_state, single

HYBRID = SessionTraits(DeliveryMode.HYBRID, Place("Old Mill"))


def of(*traits: SessionTraits) -> Schedule:
    """Schedule one session a day, from 9 to 10 in Berlin, the first of March 2027 on."""
    planned = [
        single(f"2027-03-{day:02}T09:00", f"2027-03-{day:02}T10:00", traits=each) for day, each in enumerate(traits, 1)
    ]
    return expand(SchedulePlan(sessions=tuple(planned)), BOUNDS)


def at(day: int, hour: int) -> datetime:
    """Return an hour of March 2027 in UTC."""
    return datetime(2027, 3, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "mode"),
    [
        (of(ONSITE, ONSITE), DeliveryMode.ONSITE),
        (of(ONLINE), DeliveryMode.ONLINE),
        (of(HYBRID), DeliveryMode.HYBRID),
        (of(ONLINE, ONSITE), DeliveryMode.HYBRID),
        (Schedule(access_window=Window(NOW)), DeliveryMode.SELF_PACED),
    ],
)
def test_an_offer_is_held_as_its_sessions_are_and_hybrid_when_they_differ(
    schedule: Schedule, mode: DeliveryMode
) -> None:
    assert schedule.mode is mode


def test_an_offer_lasts_from_its_first_start_to_its_last_end() -> None:
    schedule = of(ONLINE, ONSITE, ONLINE)
    assert (schedule.start_time, schedule.end_time) == (at(1, 8), at(3, 9))


def test_a_self_paced_offer_lasts_as_its_access_window() -> None:
    schedule = Schedule(access_window=Window(NOW))
    assert (schedule.start_time, schedule.end_time) == (NOW, None)


def test_bookings_are_the_rooms_and_trainers_of_sessions_sorted() -> None:
    lecture = replace(ONSITE, trainer_ids=("zoe", "adam", "zoe"))
    assert bookings(OFFER, of(lecture, replace(ONLINE, trainer_ids=("adam",)))) == (
        Booking("room:Old Mill/Loft", at(1, 8), at(1, 9), OFFER),
        Booking("trainer:adam", at(1, 8), at(1, 9), OFFER),
        Booking("trainer:adam", at(2, 8), at(2, 9), OFFER),
        Booking("trainer:zoe", at(1, 8), at(1, 9), OFFER),
    )


def test_a_venue_without_a_room_books_nothing() -> None:
    assert bookings(OFFER, of(HYBRID)) == ()
    assert bookings(OFFER, Schedule(access_window=Window(NOW))) == ()


def test_two_rooms_never_share_a_name_nor_a_key() -> None:
    names = [room_name("A/B", "C"), room_name("A", "B/C"), room_name("A%2FB", "C"), room_name("A\uff0f2FB", "C")]
    assert names[:3] == ["room:A%2FB/C", "room:A/B/C", "room:A%252FB/C"]
    assert [booking_key(name) for name in names] == [
        "room:a%2Fb/c",
        "room:a/b/c",
        "room:a%252fb/c",
        "room:a%2F2fb/c",
    ]


@pytest.mark.parametrize(
    ("venue", "room"),
    [("old mill", "LOFT"), (" Old  Mill", "Loft\t"), ("Old\u00a0Mill", "Loft"), ("\uff2fld Mill", "Lo\uff46t")],
)
def test_a_room_is_the_same_one_however_its_name_is_spaced_and_capitalised(venue: str, room: str) -> None:
    assert booking_key(room_name(venue, room)) == booking_key("room:Old Mill/Loft")


def test_a_trainer_is_known_by_an_exact_id_without_the_space_around_it() -> None:
    lecture = replace(ONLINE, trainer_ids=(" t-1", "t-1", "T-1"))
    names = [booking.resource for booking in bookings(OFFER, of(lecture))]
    assert names == ["trainer:T-1", "trainer:t-1"]
    assert [booking_key(name) for name in names] == names


def test_a_room_of_nothing_but_space_books_nothing() -> None:
    assert bookings(OFFER, of(replace(ONSITE, place=Place("Old Mill", "  "), trainer_ids=()))) == ()


@pytest.mark.parametrize("state", [State.DRAFT, State.PUBLISHED, State.COMPLETED])
def test_an_offer_holds_what_its_schedule_needs(state: State) -> None:
    offer = in_state(state)
    assert offer.schedule is not None
    assert held_by(offer) == bookings(OFFER, offer.schedule) != ()


def test_an_offer_that_is_not_scheduled_or_is_cancelled_holds_nothing() -> None:
    assert held_by(None) == held_by(after(CREATE)) == held_by(in_state(State.CANCELLED)) == ()


def test_clashes_are_told_or_refused_as_the_booking_mode_says() -> None:
    clashes = (Clash("room:A/B", at(1, 8), at(1, 9), OFFER), Clash("trainer:adam", at(2, 8), at(2, 9), OFFER))
    assert tolerated(BookingMode.WARN, clashes) == clashes
    assert tolerated(BookingMode.FORBID, ()) == ()
    with pytest.raises(DoubleBooking) as caught:
        tolerated(BookingMode.FORBID, clashes)
    assert caught.value.metadata["resource"] == "room:A/B"
