"""What the figures are measured with: programs with 200-word texts, and offers with sessions and prices.

Written anew for each run from a fixed seed, as the events that the services would publish of them.
"""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.interval_pb2 import Interval
from google.type.money_pb2 import Money
from training.offer.v1 import offer_pb2 as offers
from training.offer.v1.events_pb2 import OfferEvent, OfferPublished, PublishedOffer
from training.program.v1.events_pb2 import ProgramEvent, ProgramReleased, PublishedProgram
from training.program.v1.program_pb2 import AgendaModule, Prerequisites, Program, ProgramContent
from training.type.v1.vocabulary_pb2 import DELIVERY_MODE_ONSITE, LEVEL_INTERMEDIATE

PROGRAM_TYPE: Final = "training.program.v1.ProgramReleased"
OFFER_TYPE: Final = "training.offer.v1.OfferPublished"

_TEXT: Final = (
    "orchard graft timber kiln dough ferment weave loom harvest soil water pruning joint glaze oven bread survey map "
    "signal circuit repair measure plan draw build test teach learn practise explain safety tools season market cost"
)
_WORDS: Final = _TEXT.split()
_BEGIN: Final = datetime(2030, 3, 4, 8, tzinfo=UTC)
_SESSIONS: Final = 6

chance: Final = Random(17)  # noqa: S311 - texts, not secrets


def new_id() -> UUID:
    """Return an id."""
    return UUID(int=chance.getrandbits(128), version=4)


def words(count: int) -> str:
    """Return so many words."""
    return " ".join(chance.choices(_WORDS, k=count))


def content() -> ProgramContent:
    """Return a program's content: 200 words in one language, four modules."""
    return ProgramContent(
        title=words(5).capitalize(),
        summary=words(20),
        description=words(90),
        agenda=[AgendaModule(title=words(4), topics=[words(3), words(3)], duration=Duration(seconds=5400))] * 4,
        plan=words(45),
        learning_outcomes=[f"Explain {words(5)}" for _ in range(3)],
        audience=words(8),
        prerequisites=Prerequisites(text=words(6)),
        categories=[chance.choice(_WORDS[:12]), "Crafts"],
        tags=chance.sample(_WORDS, 3),
        level=LEVEL_INTERMEDIATE,
        language_code="en",
        total_duration=Duration(seconds=21_600),
    )


def prices(name: str = "Standard") -> offers.PriceList:
    """Return a price list of two tiers."""
    early = Interval(end_time=_at(_BEGIN - timedelta(days=30)))
    return offers.PriceList(
        tiers=[
            offers.PriceTier(name="Early bird", price=Money(currency_code="EUR", units=420), validity=early),
            offers.PriceTier(name=name, price=Money(currency_code="EUR", units=490)),
        ]
    )


def program_event(program_id: UUID) -> bytes:
    """Return the body of the event by which a program was released."""
    now = _at(datetime(2029, 1, 1, tzinfo=UTC))
    return ProgramEvent(
        actor="bench",
        released=ProgramReleased(version=1),
        program=PublishedProgram(
            program_id=str(program_id),
            revision=1,
            state=Program.STATE_RELEASED,
            version=1,
            content=content(),
            create_time=now,
            update_time=now,
            release_time=now,
        ),
    ).SerializeToString()


def offer_event(offer_id: UUID, program_id: UUID) -> bytes:
    """Return the body of the event by which an offer was published."""
    begin = _BEGIN + timedelta(days=chance.randrange(300))
    now = _at(datetime(2029, 6, 1, tzinfo=UTC))
    sessions = [_session(begin + timedelta(weeks=week)) for week in range(_SESSIONS)]
    return OfferEvent(
        actor="bench",
        published=OfferPublished(),
        offer=PublishedOffer(
            offer_id=str(offer_id),
            program_id=str(program_id),
            revision=1,
            state=offers.Offer.STATE_PUBLISHED,
            schedule=offers.Schedule(sessions=sessions),
            mode=DELIVERY_MODE_ONSITE,
            start_time=sessions[0].start_time,
            end_time=sessions[-1].end_time,
            capacity=offers.Capacity(minimum=4, maximum=16),
            seats_taken=chance.randrange(16),
            price_list=prices(),
            language_codes=["en"],
            create_time=now,
            update_time=now,
            publish_time=now,
        ),
    ).SerializeToString()


def _session(begin: datetime) -> offers.Session:
    end = begin + timedelta(hours=3)
    return offers.Session(
        start_time=_at(begin),
        end_time=_at(end),
        time_zone="UTC",
        local_start=begin.strftime("%Y-%m-%dT%H:%M:%S"),
        local_end=end.strftime("%Y-%m-%dT%H:%M:%S"),
        mode=DELIVERY_MODE_ONSITE,
        place=offers.Place(venue="Old Mill", room=chance.choice(_WORDS)),
        trainer_ids=["t-1"],
    )


def _at(time: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp
