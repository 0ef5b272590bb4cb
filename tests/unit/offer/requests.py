"""Requests that mean the sample commands, written field by field as a client writes them."""

from google.type.date_pb2 import Date
from google.type.dayofweek_pb2 import THURSDAY, TUESDAY
from google.type.money_pb2 import Money
from google.type.timeofday_pb2 import TimeOfDay
from training.offer.v1 import offer_pb2 as pb
from training.offer.v1 import offer_service_pb2 as service
from training.type.v1.vocabulary_pb2 import DELIVERY_MODE_ONSITE

from tests.unit.offer.samples import OFFER, PROGRAM


def definition() -> service.OfferDefinition:
    """Write the definition."""
    return service.OfferDefinition(
        program_id=str(PROGRAM),
        capacity=pb.Capacity(minimum=4, maximum=12, opening_balance=2),
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
        row_id="1", offer_id=str(OFFER), definition=definition(), plan=plan(), price_list=prices()
    )
