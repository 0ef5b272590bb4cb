"""A first look at the catalogue: a few of its programs and offers, and queries to go on with."""

import json
from dataclasses import dataclass
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.interval_pb2 import Interval
from google.type.money_pb2 import Money
from training.catalogue.v1 import catalogue_service_pb2 as pb
from training.catalogue.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from training.catalogue.v1.entries_pb2 import OfferEntry, ProgramEntry
from training.type.v1.consistency_pb2 import AtLeastAsFresh, Consistency
from training.type.v1.vocabulary_pb2 import DeliveryMode, Level

from trainingctl.channel import connect, identified

_CATALOGUE: Final = "training.catalogue.v1.CatalogueService"
_PATIENCE_SECONDS: Final = 30
_SHOWN: Final = 4


@dataclass(frozen=True, slots=True)
class Tour:
    """What there is to see, and an offer to ask for."""

    lines: tuple[str, ...]
    offer_id: str


async def tour(address: str, principal: str, tokens: list[str]) -> Tour:
    """Look at the catalogue, which must have seen what the tokens stand for. Raises grpc.aio.AioRpcError."""
    consistency = Consistency()
    if tokens:
        consistency.at_least_as_fresh.CopyFrom(AtLeastAsFresh(consistency_tokens=tokens))
        consistency.at_least_as_fresh.max_wait.seconds = _PATIENCE_SECONDS
    now, metadata = Timestamp(), identified(principal)
    now.GetCurrentTime()
    async with connect(address) as channel:
        stub = CatalogueServiceStub(channel)
        programs = await stub.ListPrograms(
            pb.ListProgramsRequest(page_size=_SHOWN, language_codes=["en"], consistency=consistency), metadata=metadata
        )
        offers = await stub.ListOffers(
            pb.ListOffersRequest(
                page_size=_SHOWN,
                filter=pb.OfferFilter(start=Interval(start_time=now)),
                language_codes=["en"],
                consistency=consistency,
            ),
            metadata=metadata,
        )
    lines = [
        "Some programs, in English where there is English:",
        *map(_program_line, programs.programs),
        "",
        "The next offers to begin:",
        *map(_offer_line, offers.offers),
    ]
    return Tour(tuple(lines), offers.offers[-1].offer.offer_id if offers.offers else "")


def queries(shown: Tour, address: str) -> list[str]:
    """Return three grpcurl lines that work as pasted."""
    filtered = {"filter": {"categories": ["data"]}, "language_codes": ["fr", "en"], "page_size": 5}
    hybrid = {"filter": {"modes": ["DELIVERY_MODE_HYBRID"], "min_free_seats": 5}}
    asked = [("ListPrograms", filtered), ("StreamOffers", hybrid)]
    if shown.offer_id:
        asked.insert(1, ("GetOffer", {"offer_id": shown.offer_id, "language_codes": ["de", "en"]}))
    return [f"grpcurl -plaintext -d '{json.dumps(body)}' {address} {_CATALOGUE}/{method}" for method, body in asked]


def _program_line(entry: ProgramEntry) -> str:
    hours = entry.total_duration.seconds / 3600
    level = Level.Name(entry.level).removeprefix("LEVEL_").lower()
    return f"  {entry.title} ({', '.join(entry.categories)}; {level}; {hours:g} h)"


def _offer_line(entry: OfferEntry) -> str:
    offer = entry.offer
    mode = DeliveryMode.Name(offer.mode).removeprefix("DELIVERY_MODE_").lower().replace("_", "-")
    tiers = offer.price_list.tiers
    price = f"; {_amount(tiers[-1].price)}" if tiers else ""
    return f"  {offer.start_time.ToDatetime():%Y-%m-%d}  {entry.program.title} ({mode}{price})"


def _amount(money: Money) -> str:
    return f"{money.currency_code} {money.units:,}" + (f".{money.nanos // 10_000_000:02}" if money.nanos else "")
