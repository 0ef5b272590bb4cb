"""What was published last of an offer can be made again of every later state, byte for byte."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from training.offer.v1 import events_pb2
from training.offer.v1 import offer_pb2 as pb

from chassis.refusal import Refusal
from offer_svc.adapters.encoding import OfferEncoding
from offer_svc.adapters.mapping import published, to_message
from offer_svc.adapters.published import PublishedOffers
from offer_svc.domain.availability import Capacity
from offer_svc.domain.commands import (
    CloseSales,
    Command,
    DeleteOffer,
    PublishOffer,
    ReserveSeats,
    SetPriceList,
    UpdateOffer,
)
from offer_svc.domain.offer import Offer, OfferDefinition
from offer_svc.domain.pricing import PriceList, TaxTreatment
from offer_svc.domain.window import ALWAYS, Window
from tests.unit.offer import stored
from tests.unit.offer.lives import ANYTHING, CODED, PAUSES
from tests.unit.offer.sale import DAY, HOUR, MINUTE, Sale, draft, id_of, on_sale
from tests.unit.offer.samples import DEFINITION, IMPORT, NOW, OFFER, PRICES, TIER

PORT = PublishedOffers()
FIELDS = ("sales_window", "language_codes", "decision_deadline", "cancel_below_minimum")
EDITS = st.builds(
    lambda window, languages, deadline, cancelled, fields: UpdateOffer(
        OFFER,
        replace(
            DEFINITION,
            sales_window=window,
            language_codes=languages,
            decision_deadline=deadline,
            cancel_below_minimum=cancelled,
        ),
        fields,
    ),
    st.sampled_from([ALWAYS, Window(end=NOW + 30 * DAY), Window(NOW, NOW + 30 * DAY)]),
    st.sampled_from([("en",), ("en", "de-AT")]),
    st.sampled_from([None, NOW + HOUR, NOW + 2 * HOUR]),
    st.booleans(),
    st.sets(st.sampled_from(FIELDS), min_size=1).map(frozenset),
)
TAXES = st.builds(
    lambda rate, coded: SetPriceList(
        OFFER, PriceList((TIER, CODED) if coded else (TIER,), TaxTreatment.INCLUDED, Decimal(rate))
    ),
    st.sampled_from(["19", "19.0", "19.00", "0", "0.00", "7.5", "7.50", "10", "100"]),
    st.booleans(),
)
STEPS = st.tuples(
    st.one_of(ANYTHING, EDITS, TAXES, st.sampled_from([PublishOffer(OFFER), DeleteOffer(OFFER)])), PAUSES, st.booleans()
)


def begun(way: str) -> tuple[Sale, bytes]:
    """Return an offer at a place of its life, and the body of its last public event."""
    sale, definition = Sale(), OfferDefinition(DEFINITION.program_id, Capacity(2, 4, 1), decision_deadline=NOW + HOUR)
    if way == "draft":
        return draft(definition), b""
    if way == "on sale":
        sale = draft(definition)
    command: Command = PublishOffer(OFFER) if way == "on sale" else replace(IMPORT, definition=definition)
    before = sale.state
    changes = sale.do(command)
    return sale, OfferEncoding().revision(before, sale.offer, changes, command, "olga").public


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(["draft", "on sale", "imported"]), st.lists(STEPS, max_size=25))
def test_after_any_sequence_of_commands_the_last_public_state_is_made_again(
    way: str, steps: list[tuple[Command, int, bool]]
) -> None:
    encoding = OfferEncoding()
    sale, last = begun(way)
    told = sale.offer.revision if last else 0
    for command, minutes, reloaded in steps:
        before = sale.offer
        sale.now += minutes * MINUTE
        try:
            changes = sale.do(command)
        except Refusal:
            continue
        if not changes:
            continue
        revision = encoding.revision(before, sale.offer, changes, command, "olga")
        if revision.public:
            told, last = sale.offer.revision, revision.public
        state = revision.columns["state"]
        assert isinstance(state, bytes)
        assert sale.offer.public_revision == told
        if told:
            assert_carries(last, PORT.body_of(state, told))
        if reloaded:
            sale.state = encoding.decode(state)


def assert_carries(public: bytes, body: bytes) -> None:
    """Compare the state of an event with a body that has nothing else."""
    assert body
    assert public.endswith(body)
    assert not events_pb2.OfferEvent.FromString(public.removesuffix(body)).HasField("offer")


@settings(max_examples=30, deadline=None)
@given(stored.offers())
def test_a_body_has_the_published_state_and_neither_change_nor_actor(offer: Offer) -> None:
    shown = replace(offer, public_time=offer.public_time or offer.update_time)
    for stored_offer in (offer, shown):  # one that does not remember the time was shown at its last
        body = PORT.body_of(to_message(stored_offer).SerializeToString(), offer.public_revision)
        assert events_pb2.OfferEvent.FromString(body) == events_pb2.OfferEvent(offer=published(shown))


def test_what_readers_do_not_see_leaves_the_revision_and_the_time_that_they_see() -> None:
    sale = on_sale()
    published_at = sale.now
    shown = sale.offer.public_revision
    assert (shown, sale.offer.public_time) == (sale.offer.revision, published_at)
    sale.now += HOUR
    sale.do(SetPriceList(OFFER, replace(PRICES, tiers=(*PRICES.tiers, CODED))))
    assert (sale.offer.revision, sale.offer.update_time) == (shown + 1, published_at + HOUR)
    assert (sale.offer.public_revision, sale.offer.public_time) == (shown, published_at)
    sale.now += HOUR
    sale.do(ReserveSeats(OFFER, id_of("Ann"), "Ann", 1, "EUR"))
    assert (sale.offer.public_revision, sale.offer.public_time) == (shown + 2, sale.now)


def test_a_draft_has_shown_nothing() -> None:
    sale = draft()
    assert (sale.offer.public_revision, sale.offer.public_time) == (0, None)
    sale.do(DeleteOffer(OFFER))
    assert (sale.offer.public_revision, sale.offer.public_time) == (0, None)


def test_an_offer_that_was_stored_before_this_was_remembered_is_shown_as_of_its_last_revision() -> None:
    sale = on_sale()
    sale.now += HOUR
    sale.do(CloseSales(OFFER))
    message = to_message(sale.offer)
    message.ClearField("public_revision")
    message.ClearField("public_time")
    body = PORT.body_of(message.SerializeToString(), sale.offer.revision)
    assert events_pb2.OfferEvent.FromString(body).offer == published(sale.offer)
    old = OfferEncoding().decode(message.SerializeToString())
    assert (old.public_revision, old.public_time) == (0, None)
    assert pb.Offer.FromString(to_message(old).SerializeToString()) == message


def test_a_rate_that_is_only_written_otherwise_is_the_same_to_readers() -> None:
    taxed = PriceList((TIER,), TaxTreatment.INCLUDED, Decimal(10))
    sale = draft(prices=taxed)
    sale.do(PublishOffer(OFFER))
    before = sale.offer
    command = SetPriceList(OFFER, PriceList((TIER, CODED), TaxTreatment.INCLUDED, Decimal("10.00")))
    changes = sale.do(command)
    assert OfferEncoding().revision(before, sale.offer, changes, command, "olga").public == b""
    body = PORT.body_of(to_message(sale.offer).SerializeToString(), sale.offer.public_revision)
    assert body == PORT.body_of(to_message(before).SerializeToString(), before.revision)
    told = events_pb2.OfferEvent.FromString(body).offer
    assert told.price_list.tax_rate_percent.value == "10"
