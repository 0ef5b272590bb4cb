"""Anything the domain accepts, for properties."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from offer_svc.domain.pricing import Money, PriceList, PriceTier, TaxTreatment
from offer_svc.domain.schedule import (
    DeliveryMode,
    Place,
    Position,
    PostalAddress,
    Schedule,
    Session,
    SessionTraits,
)
from offer_svc.domain.window import Window

TIER_NAMES = ("Early bird", "Standard", "Partner")
CURRENCIES = ("EUR", "USD", "CHF")
CODES = ("P-77", "ALUMNI")
_NANO = Decimal("1e-9")

words = st.text(st.characters(codec="utf-8"), max_size=12)


def instants() -> st.SearchStrategy[datetime]:
    """Instants to the microsecond, far from the ends of the calendar."""
    return st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """Windows with none, one or both bounds, never empty."""
    start = draw(st.none() | instants())
    end = draw(st.none() | instants())
    if start is not None and end is not None:
        start, end = min(start, end), max(start, end) + timedelta(microseconds=1)
    return Window(start, end)


amounts = st.integers(0, 10**21 - 1).map(lambda nanos: nanos * _NANO)


@st.composite
def price_lists(draw: st.DrawFn) -> PriceList:
    """Price lists that keep the rules."""
    keys = draw(st.lists(st.tuples(st.sampled_from(TIER_NAMES), st.sampled_from(CURRENCIES)), min_size=1, unique=True))
    tiers = tuple(
        PriceTier(
            name,
            Money(currency, draw(amounts)),
            draw(windows()),
            draw(st.none() | st.integers(1, 20)),
            draw(st.sampled_from(("", *CODES))),
        )
        for name, currency in keys
    )
    treatment = draw(st.sampled_from(TaxTreatment))
    rate = None if treatment is TaxTreatment.NONE else draw(st.integers(0, 10**6)) * Decimal("0.0001")
    return PriceList(tiers, treatment, rate)


_addresses = st.builds(
    PostalAddress,
    region_code=words,
    language_code=words,
    postal_code=words,
    sorting_code=words,
    administrative_area=words,
    locality=words,
    sublocality=words,
    address_lines=st.lists(words, max_size=3).map(tuple),
    recipients=st.lists(words, max_size=2).map(tuple),
    organization=words,
)
_positions = st.builds(Position, st.floats(-90, 90), st.floats(-180, 180))
_places = st.builds(Place, words, words, st.none() | _addresses, st.none() | _positions)
_traits = st.builds(
    SessionTraits,
    st.sampled_from((DeliveryMode.ONSITE, DeliveryMode.ONLINE, DeliveryMode.HYBRID)),
    st.none() | _places,
    words,
    st.lists(words, max_size=3, unique=True).map(tuple),
)
_locals = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(lambda t: t.replace(microsecond=0))  # noqa: DTZ001
_sessions = st.builds(Session, instants(), instants(), _locals, _locals, words, _traits)


def schedules() -> st.SearchStrategy[Schedule]:
    """Schedules of sessions or with an access window."""
    timed = st.lists(_sessions, min_size=1, max_size=4).map(lambda sessions: Schedule(tuple(sessions)))
    open_ended = windows().filter(lambda window: window.start is not None)
    return timed | open_ended.map(lambda window: Schedule(access_window=window))
