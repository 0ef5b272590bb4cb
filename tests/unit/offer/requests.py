"""Requests that mean the sample commands, written field by field as a client writes them."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from google.type.date_pb2 import Date
from google.type.dayofweek_pb2 import THURSDAY, TUESDAY
from google.type.money_pb2 import Money
from google.type.timeofday_pb2 import TimeOfDay
from training.offer.v1 import offer_pb2 as pb
from training.offer.v1 import offer_service_pb2 as service
from training.type.v1.vocabulary_pb2 import DELIVERY_MODE_ONSITE

from offer_svc.domain.pricing import ApplicablePrice, TaxTreatment
from offer_svc.domain.pricing import Money as Amount
from offer_svc.domain.quote import Quote
from tests.unit.offer.samples import OFFER, PROGRAM

RESERVATION = UUID("01940000-0000-7000-8000-0000000000b1")
QUOTE = Quote(
    OFFER,
    2,
    ApplicablePrice("Standard", Amount("EUR", Decimal(490)), TaxTreatment.INCLUDED, Decimal(19)),
    datetime(2027, 1, 10, 12, 10, tzinfo=UTC),
)


def definition(opening_balance: int = 0) -> service.OfferDefinition:
    """Write the definition; only an import may have an opening balance."""
    return service.OfferDefinition(
        program_id=str(PROGRAM),
        capacity=pb.Capacity(minimum=4, maximum=12, opening_balance=opening_balance),
        language_codes=["en", "de-AT"],
    )


def prices() -> pb.PriceList:
    """Write the price list."""
    return pb.PriceList(tiers=[pb.PriceTier(name="Standard", price=Money(currency_code="EUR", units=490))])


def plan() -> pb.SchedulePlan:
    """Write the plan."""
    return pb.SchedulePlan(
        weekly_rules=[
            pb.WeeklyRule(
                first_date=Date(year=2027, month=3, day=1),
                last_date=Date(year=2027, month=3, day=31),
                days=[TUESDAY, THURSDAY],
                start=TimeOfDay(hours=10),
                end=TimeOfDay(hours=11, minutes=30),
                time_zone="America/New_York",
                traits=pb.SessionTraits(
                    mode=DELIVERY_MODE_ONSITE,
                    place=pb.Place(venue="Old Mill", room="Loft"),
                    trainer_ids=["t-1"],
                ),
            )
        ]
    )


def single() -> pb.SchedulePlan:
    """Write a plan of one session."""
    return pb.SchedulePlan(
        sessions=[
            pb.SingleSession(
                local_start="2027-03-01T09:00",
                local_end="2027-03-01T10:00:00",
                time_zone="Europe/Berlin",
                traits=pb.SessionTraits(mode=DELIVERY_MODE_ONSITE, place=pb.Place(venue="Old Mill")),
            )
        ]
    )


def create() -> service.CreateOfferRequest:
    """Write CreateOffer."""
    return service.CreateOfferRequest(definition=definition())


def price() -> service.SetPriceListRequest:
    """Write SetPriceList."""
    return service.SetPriceListRequest(offer_id=str(OFFER), price_list=prices())


def schedule() -> service.ScheduleSessionsRequest:
    """Write ScheduleSessions."""
    return service.ScheduleSessionsRequest(offer_id=str(OFFER), plan=plan())


def row() -> service.ImportOffersRequest:
    """Write a row of ImportOffers."""
    return service.ImportOffersRequest(
        row_id="1", offer_id=str(OFFER), definition=definition(2), plan=plan(), price_list=prices()
    )


def update() -> service.UpdateOfferRequest:
    """Write UpdateOffer."""
    return service.UpdateOfferRequest(offer_id=str(OFFER), definition=definition())


def reschedule() -> service.RescheduleOfferRequest:
    """Write RescheduleOffer."""
    return service.RescheduleOfferRequest(offer_id=str(OFFER), plan=plan())


def copy() -> service.CopyOfferRequest:
    """Write CopyOffer."""
    return service.CopyOfferRequest(source_offer_id=str(OFFER), plan=plan())


def capacity() -> service.SetCapacityRequest:
    """Write SetCapacity."""
    return service.SetCapacityRequest(offer_id=str(OFFER), minimum=3, maximum=20)


def cancel(reason: str) -> service.CancelOfferRequest:
    """Write CancelOffer."""
    return service.CancelOfferRequest(offer_id=str(OFFER), reason=reason)


def reserve() -> service.ReserveSeatsRequest:
    """Write ReserveSeats."""
    return service.ReserveSeatsRequest(
        offer_id=str(OFFER), participant_id="ann", seats=2, currency_code="EUR", code="P-77"
    )


def join() -> service.JoinWaitlistRequest:
    """Write JoinWaitlist."""
    return service.JoinWaitlistRequest(
        offer_id=str(OFFER), participant_id="ann", seats=2, currency_code="EUR", code="P-77"
    )


def quote_price() -> service.QuotePriceRequest:
    """Write QuotePrice."""
    return service.QuotePriceRequest(offer_id=str(OFFER), seats=2, currency_code="EUR", code="P-77")


def confirm_price() -> service.ConfirmPriceRequest:
    """Write ConfirmPrice."""
    return service.ConfirmPriceRequest(offer_id=str(OFFER), quote="sealed", code="P-77")
