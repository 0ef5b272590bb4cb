"""Readers are told of a revision if, and only if, they see a difference."""

from hypothesis import given, settings
from hypothesis import strategies as st
from training.offer.v1 import events_pb2

from chassis.refusal import Refusal
from offer_svc.adapters.mapping import ADVANCED, LastingParts, event, published
from offer_svc.domain.availability import Capacity
from offer_svc.domain.commands import Command
from offer_svc.domain.offer import Offer, OfferDefinition
from tests.unit.offer.lives import ANYTHING, PAUSES
from tests.unit.offer.sale import HOUR, MINUTE, on_sale
from tests.unit.offer.samples import DEFINITION, NOW


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ANYTHING, PAUSES), max_size=25))
def test_an_event_is_told_whenever_readers_see_a_difference(commands: list[tuple[Command, int]]) -> None:
    sale, parts = (
        on_sale(OfferDefinition(DEFINITION.program_id, Capacity(2, 4, 1), decision_deadline=NOW + HOUR)),
        LastingParts(),
    )
    for command, minutes in commands:
        before = sale.offer
        sale.now += minutes * MINUTE
        try:
            changes = sale.do(command)
        except Refusal:
            continue
        if changes:
            name, body = event("olga", before, sale.offer, changes, parts.write)
            assert (name == ADVANCED) == (seen(before) == seen(sale.offer)) == (body == b"")
            if body:
                assert events_pb2.OfferEvent.FromString(body).offer == published(sale.offer)


def seen(offer: Offer) -> events_pb2.PublishedOffer:
    """Return what readers see, apart from which revision it is."""
    message = published(offer)
    message.ClearField("revision")
    message.ClearField("update_time")
    return message
