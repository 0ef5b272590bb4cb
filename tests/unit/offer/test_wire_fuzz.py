"""Whatever the wire can carry is decided and written down, or refused; it is never another exception."""

from contextlib import suppress
from datetime import timedelta

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.decimal_pb2 import Decimal
from google.type.interval_pb2 import Interval
from google.type.money_pb2 import Money
from google.type.timeofday_pb2 import TimeOfDay
from hypothesis import given
from hypothesis import strategies as st
from training.offer.v1 import offer_pb2
from training.offer.v1 import offer_service_pb2 as service

from chassis.refusal import Refusal
from offer_svc.adapters import mapping
from offer_svc.adapters.encoding import OfferEncoding
from offer_svc.adapters.mapping import from_message, import_offer, to_message
from offer_svc.adapters.quotes import Seal
from offer_svc.domain.commands import Command
from offer_svc.domain.decide import decide
from offer_svc.domain.evolve import apply
from offer_svc.domain.quoting import present_price, quote_price
from tests.unit.offer import requests
from tests.unit.offer.sale import Sale, id_of, on_sale
from tests.unit.offer.samples import CONTEXT, OFFER

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


definitions = st.builds(
    service.OfferDefinition,
    program_id=st.just(requests.definition().program_id) | st.text(max_size=3),
    capacity=st.none() | capacities,
    sales_window=st.none() | intervals,
    language_codes=st.lists(st.sampled_from(["en", "de_AT", ""]), max_size=2),
    decision_deadline=st.none() | timestamps,
    cancel_below_minimum=st.booleans(),
    waitlist_limit=st.none() | int32,
)
offer_ids = st.just(str(OFFER))
masks = st.builds(
    FieldMask,
    paths=st.lists(st.sampled_from(["*", "capacity", "waitlist_limit", "decision_deadline", "x"]), max_size=2),
)
updates = st.builds(
    service.UpdateOfferRequest, offer_id=offer_ids, definition=definitions, update_mask=st.none() | masks
)
repricings = st.builds(service.SetPriceListRequest, offer_id=offer_ids, price_list=lists)
resizings = st.builds(service.SetCapacityRequest, offer_id=offer_ids, minimum=int32, maximum=int32)
movings = st.builds(service.RescheduleOfferRequest, offer_id=offer_ids, plan=plans)
wanted = {
    "offer_id": offer_ids,
    "seats": st.integers(0, 1000),  # as far as it is let in
    "currency_code": st.just("EUR") | st.text(max_size=3),
    "code": st.text(max_size=3),
}
named = {**wanted, "participant_id": st.text(min_size=1, max_size=3)}
questions = st.builds(service.QuotePriceRequest, **wanted)
reservings = st.builds(service.ReserveSeatsRequest, **named)
joinings = st.builds(service.JoinWaitlistRequest, **named)


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


ENCODING, SEAL = OfferEncoding(), Seal(b"k" * 32)


def carry_out(sale: Sale, command: Command) -> None:
    """Carry a command out, write everything down, and read the state back."""
    before, context = sale.offer, sale.at_this_moment()
    changes = sale.do(command)
    revision = ENCODING.revision(before, sale.offer, changes, command, context.principal)
    state = revision.columns["state"]
    assert isinstance(state, bytes)
    assert ENCODING.decode(state) == sale.offer


@given(updates, repricings, resizings, movings)
def test_any_change_at_all_is_made_or_refused(
    update: service.UpdateOfferRequest,
    reprice: service.SetPriceListRequest,
    resize: service.SetCapacityRequest,
    move: service.RescheduleOfferRequest,
) -> None:
    sale = on_sale()
    with suppress(Refusal):
        carry_out(sale, mapping.update_offer(update))
    with suppress(Refusal):
        carry_out(sale, mapping.set_price_list(reprice))
    with suppress(Refusal):
        carry_out(sale, mapping.set_capacity(resize))
    with suppress(Refusal):
        carry_out(sale, mapping.reschedule_offer(move))


@given(repricings, questions, reservings, joinings)
def test_any_sale_at_all_is_made_or_refused(
    reprice: service.SetPriceListRequest,
    question: service.QuotePriceRequest,
    reserve: service.ReserveSeatsRequest,
    join: service.JoinWaitlistRequest,
) -> None:
    sale, quote = on_sale(), None
    with suppress(Refusal):
        carry_out(sale, mapping.set_price_list(reprice))
    with suppress(Refusal):
        quote = quote_price(sale.state, mapping.quote_price(question), sale.at_this_moment())
        assert SEAL.open(SEAL.seal(quote)) == quote
        asked = mapping.confirm_price(service.ConfirmPriceRequest(offer_id=str(OFFER), code=question.code), quote)
        assert present_price(sale.state, asked, sale.at_this_moment()) == quote.price
    for who in ("Ann", "Ben", "Ann"):
        with suppress(Refusal):
            carry_out(sale, mapping.reserve_seats(reserve, id_of(who), quote if who == "Ben" else None))
        with suppress(Refusal):
            carry_out(sale, mapping.join_waitlist(join, id_of(who)))
        sale.now += timedelta(minutes=20)
