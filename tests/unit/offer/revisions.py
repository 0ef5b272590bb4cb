"""What commands write, as tests look at it."""

from dataclasses import replace
from datetime import timedelta

from training.offer.v1 import reservation_pb2

from bus.commands.path import Revision
from offer_svc.adapters.encoding import OfferEncoding
from offer_svc.adapters.mapping import event, record, reservation_details, reservation_message, to_message
from offer_svc.domain.bookings import Clash
from offer_svc.domain.commands import (
    Command,
)
from tests.unit.offer.sale import HOUR, MINUTE, STARTS, Sale, id_of
from tests.unit.offer.samples import (
    NOW,
    PLAN,
    WEEKLY,
)

ANN, BEN, CEM = id_of("Ann"), id_of("Ben"), id_of("Cem")
CLASH = Clash("trainer:t-1", STARTS, STARTS + HOUR, id_of("other"))
ENCODING = OfferEncoding()
OTHER = replace(PLAN, weekly_rules=(replace(WEEKLY, last_date=WEEKLY.first_date + timedelta(8)),))


def revision_of(sale: Sale, command: Command, at: timedelta = MINUTE, **more: object) -> Revision:
    """Carry a command out and return what it writes."""
    before, sale.now = sale.state, NOW + at
    changes = sale.do(command)
    revision = ENCODING.revision(before, sale.offer, changes, command, "olga", **more)  # type: ignore[arg-type] # by name
    assert (revision.event_type, revision.public) == event("olga", before, sale.offer, changes)
    assert revision.private == record(type(command).__name__, changes)
    assert revision.columns["state"] == to_message(sale.offer).SerializeToString()
    return revision


def read(sale: Sale, who: str, *, named: bool = True) -> reservation_pb2.Reservation:
    """Return somebody's reservation as a message."""
    found = sale.of(who)
    participant = found.participant if named else None
    return reservation_message(reservation_details(found), participant, int(found.state), found.update_time)
