"""Any row that the wire can carry is decided or refused, never another exception."""

from contextlib import suppress

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.decimal_pb2 import Decimal
from google.type.interval_pb2 import Interval
from google.type.money_pb2 import Money
from google.type.timeofday_pb2 import TimeOfDay
from hypothesis import given
from hypothesis import strategies as st
from training.offer.v1 import offer_pb2

from chassis.refusal import Refusal
from offer_svc.adapters.mapping import from_message, import_offer, to_message
from offer_svc.domain.decide import decide
from offer_svc.domain.evolve import apply
from tests.unit.offer import requests
from tests.unit.offer.samples import CONTEXT

int32, int64 = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)
near = st.integers(-2, 61)
timestamps = st.builds(Timestamp, seconds=st.sampled_from([0, 1, 2_000_000_000]) | int64, nanos=st.just(0) | int32)
intervals = st.builds(Interval, start_time=st.none() | timestamps, end_time=st.none() | timestamps)
dates = st.builds(
    Date, year=st.sampled_from([0, 1, 2027, 9999]) | int32, month=st.integers(0, 13), day=st.integers(0, 32)
)
times = st.builds(TimeOfDay, hours=near, minutes=near, seconds=near | int32, nanos=st.just(0) | int32)
zones = st.sampled_from(["Europe/Berlin", "Pacific/Apia", "UTC", "../x"]) | st.text(max_size=8)
traits = st.builds(
    offer_pb2.SessionTraits,
    mode=st.integers(0, 5),
    place=st.none() | st.builds(offer_pb2.Place, venue=st.text(max_size=3)),
)
rules = st.builds(
    offer_pb2.WeeklyRule,
    first_date=dates,
    last_date=dates,
    days=st.lists(st.integers(0, 8), max_size=8),
    start=times,
    end=times,
    exceptions=st.lists(dates, max_size=2),
    time_zone=zones,
    traits=traits,
)
local_times = st.sampled_from(["0001-01-01T00:00", "9999-12-31T23:59:59", "2027-03-28T02:30"]) | st.text(max_size=20)
singles = st.builds(
    offer_pb2.SingleSession, local_start=local_times, local_end=local_times, time_zone=zones, traits=traits
)
plans = st.builds(
    offer_pb2.SchedulePlan,
    weekly_rules=st.lists(rules, max_size=2),
    sessions=st.lists(singles, max_size=2),
    access_window=st.none() | intervals,
    booking_mode=st.integers(0, 3),
)
tiers = st.builds(
    offer_pb2.PriceTier,
    name=st.text(max_size=3),
    price=st.builds(Money, currency_code=st.just("EUR") | st.text(max_size=3), units=int64, nanos=int32),
    validity=st.none() | intervals,
    quantity_limit=st.none() | int32,
)
lists = st.builds(
    offer_pb2.PriceList,
    tiers=st.lists(tiers, max_size=3),
    tax_treatment=st.integers(0, 3),
    tax_rate_percent=st.none() | st.builds(Decimal, value=st.text(max_size=6) | st.sampled_from(["1e99", "-0", "19"])),
)
capacities = st.builds(offer_pb2.Capacity, minimum=int32, maximum=int32, opening_balance=int32)


@given(
    plans,
    st.just(requests.prices()) | lists,
    st.just(requests.definition().capacity) | capacities,
    st.none() | intervals,
)
def test_any_row_at_all_is_decided_or_refused(
    plan: offer_pb2.SchedulePlan,
    price_list: offer_pb2.PriceList,
    capacity: offer_pb2.Capacity,
    sales_window: Interval | None,
) -> None:
    request = requests.row()
    request.plan.CopyFrom(plan)
    request.price_list.CopyFrom(price_list)
    request.definition.capacity.CopyFrom(capacity)
    if sales_window is not None:
        request.definition.sales_window.CopyFrom(sales_window)
    with suppress(Refusal):
        offer = apply(None, decide(None, import_offer(request), CONTEXT), CONTEXT)
        assert from_message(to_message(offer)) == offer
