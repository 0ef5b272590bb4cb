"""Programs and offers as the load makes them, from a seeded source of chance."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from google.type.money_pb2 import Money
from training.offer.v1 import offer_pb2 as offer
from training.offer.v1.offer_service_pb2 import OfferDefinition
from training.program.v1 import program_pb2 as program
from training.type.v1.vocabulary_pb2 import DELIVERY_MODE_ONSITE, LEVEL_ADVANCED, LEVEL_INTRODUCTORY

WAIVER: Final = program.Waiver(rules=["*"], reason="a rehearsal")
_WORDS: Final = ("bread", "glass", "river", "Zürich", "модель", "数据", "wood", "clay", "light", "sound")
_OPENS: Final = datetime(2030, 1, 1, tzinfo=UTC)


def new_id(chance: Random) -> UUID:
    """Return an id that the seed decides."""
    return UUID(int=chance.getrandbits(128), version=4)


def words(chance: Random, count: int) -> str:
    """Return a text."""
    return " ".join(chance.choices(_WORDS, k=count))


def content(chance: Random) -> program.ProgramContent:
    """Return what a program says."""
    made = program.ProgramContent(
        title=f"Working with {words(chance, 3)}",
        summary=words(chance, 12),
        description=words(chance, chance.randint(20, 200)),
        plan=words(chance, 30),
        learning_outcomes=[words(chance, 5) for _ in range(chance.randint(0, 3))],
        audience=words(chance, 4),
        categories=[words(chance, 1)],
        tags=[words(chance, 1) for _ in range(chance.randint(0, 2))],
        level=chance.choice((LEVEL_INTRODUCTORY, LEVEL_ADVANCED)),
        language_code="en",
        agenda=[
            program.AgendaModule(title=words(chance, 2), topics=[words(chance, 2)]) for _ in range(chance.randint(0, 3))
        ],
    )
    made.total_duration.FromTimedelta(timedelta(minutes=chance.randint(30, 3000)))
    return made


def definition(program_id: UUID, chance: Random) -> OfferDefinition:
    """Return what an offer is."""
    capacity = offer.Capacity(minimum=1, maximum=chance.randint(5, 60))
    return OfferDefinition(program_id=str(program_id), capacity=capacity, language_codes=["en"])


def plan(chance: Random) -> offer.SchedulePlan:
    """Return sessions of a few days, or an access window."""
    opens = _OPENS + timedelta(days=chance.randint(0, 300))
    if chance.random() < 0.5:
        made = offer.SchedulePlan()
        made.access_window.start_time.FromDatetime(opens)
        return made
    traits = offer.SessionTraits(
        mode=DELIVERY_MODE_ONSITE, place=offer.Place(venue=words(chance, 1), room=str(chance.randint(1, 9)))
    )
    days = (opens + timedelta(days=day) for day in range(chance.randint(1, 4)))
    sessions = [
        offer.SingleSession(
            local_start=f"{day:%Y-%m-%d}T09:00",
            local_end=f"{day:%Y-%m-%d}T17:30",
            time_zone="Europe/Berlin",
            traits=traits,
        )
        for day in days
    ]
    return offer.SchedulePlan(sessions=sessions, booking_mode=offer.BOOKING_MODE_WARN)


def prices(units: int) -> offer.PriceList:
    """Return a price list that differs from any other by its amount."""
    return offer.PriceList(tiers=[offer.PriceTier(name="Standard", price=Money(currency_code="EUR", units=units))])
