"""Offers, plans and price lists as tests need them."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from offer_svc.domain.availability import Capacity
from offer_svc.domain.changes import OfferEnded
from offer_svc.domain.commands import (
    CancelOffer,
    Command,
    CreateOffer,
    DeleteOffer,
    ImportOffer,
    PublishOffer,
    ScheduleSessions,
    SetPriceList,
)
from offer_svc.domain.context import Bounds, Context, ProgramFacts, ProgramState
from offer_svc.domain.decide import decide
from offer_svc.domain.evolve import apply
from offer_svc.domain.offer import Offer, OfferDefinition, State
from offer_svc.domain.pricing import Money, PriceList, PriceTier
from offer_svc.domain.schedule import (
    DeliveryMode,
    Place,
    SchedulePlan,
    SessionTraits,
    SingleSession,
    Weekday,
    WeeklyRule,
)

OFFER = UUID("01940000-0000-7000-8000-000000000001")
PROGRAM = UUID("01940000-0000-7000-8000-0000000000a1")
NOW = datetime(2027, 1, 10, 12, tzinfo=UTC)
BOUNDS = Bounds()

NEW_YORK = ZoneInfo("America/New_York")
BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")

RELEASED = ProgramFacts(PROGRAM, ProgramState.RELEASED, 3)
RETIRED = ProgramFacts(PROGRAM, ProgramState.RETIRED, 4)
CONTEXT = Context(NOW, "olga", RELEASED)

ONLINE = SessionTraits(DeliveryMode.ONLINE, join_uri="https://meet.example/secret")
ONSITE = SessionTraits(DeliveryMode.ONSITE, Place("Old Mill", "Loft"), trainer_ids=("t-1",))

WEEKLY = WeeklyRule(
    first_date=date(2027, 3, 1),
    last_date=date(2027, 3, 31),
    days=(Weekday.TUESDAY, Weekday.THURSDAY),
    start=time(10),
    end=time(11, 30),
    zone=NEW_YORK,
    traits=ONSITE,
)
PLAN = SchedulePlan(weekly_rules=(WEEKLY,))
TIER = PriceTier("Standard", Money("EUR", Decimal(490)))
PRICES = PriceList((TIER,))
DEFINITION = OfferDefinition(PROGRAM, Capacity(4, 12, 2), language_codes=("en", "de-AT"))

CREATE = CreateOffer(OFFER, DEFINITION)
PRICE = SetPriceList(OFFER, PRICES)
SCHEDULE = ScheduleSessions(OFFER, PLAN)
PUBLISH = PublishOffer(OFFER)
CANCEL = CancelOffer(OFFER, "too few people")
IMPORT = ImportOffer(OFFER, DEFINITION, PLAN, PRICES)


def single(start: str, end: str, zone: ZoneInfo = BERLIN, traits: SessionTraits = ONLINE) -> SingleSession:
    """Plan one session by its local times."""
    return SingleSession(datetime.fromisoformat(start), datetime.fromisoformat(end), zone, traits)


def after(*commands: Command, context: Context = CONTEXT) -> Offer:
    """Return the offer after some commands, a minute apart."""
    state: Offer | None = None
    for minute, command in enumerate(commands):
        now = replace(context, now=context.now + timedelta(minutes=minute))
        state = apply(state, decide(state, command, now), now)
    assert state is not None
    return state


def in_state(state: State) -> Offer:
    """Return a complete offer in a state."""
    draft = after(CREATE, SCHEDULE, PRICE)
    match state:
        case State.DRAFT:
            return draft
        case State.PUBLISHED:
            return after(CREATE, SCHEDULE, PRICE, PUBLISH)
        case State.COMPLETED:
            late = replace(CONTEXT, now=NOW + timedelta(days=365))
            return apply(in_state(State.PUBLISHED), (OfferEnded(),), late)
        case State.CANCELLED:
            return after(CREATE, SCHEDULE, PRICE, PUBLISH, CANCEL)
        case State.DELETED:
            return after(CREATE, SCHEDULE, PRICE, DeleteOffer(OFFER))
