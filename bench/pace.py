"""Commands at a steady pace, each followed by a read that must see it; a process of its own.

`python -m bench.pace` reads a `Pace` as JSON from its input and writes a `Seen` as JSON. The pace does not wait for
answers: a slow one delays nobody else's beginning.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from time import process_time, time
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import grpc.aio
import uvloop
from google.protobuf.duration_pb2 import Duration
from training.catalogue.v1.catalogue_service_pb2 import GetOfferRequest
from training.catalogue.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from training.offer.v1.offer_service_pb2 import SetPriceListRequest
from training.offer.v1.offer_service_pb2_grpc import OfferServiceStub
from training.type.v1.consistency_pb2 import AtLeastAsFresh, Consistency

from bench.children import run_module
from bench.world import prices
from bus.tokens import decode

if TYPE_CHECKING:
    from training.catalogue.v1.catalogue_service_pb2_grpc import CatalogueServiceAsyncStub
    from training.offer.v1.offer_service_pb2_grpc import OfferServiceAsyncStub

_PATIENCE: Final = Duration(seconds=5)


@dataclass(frozen=True, slots=True)
class Pace:
    """What to change, where to look for it, how often and how long."""

    offer_address: str
    catalogue_address: str
    offers: Sequence[str]
    rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Seen:
    """For each command its lane, its number there, and when (seconds since 1970) a reader saw it."""

    commands: Sequence[tuple[int, int, float]]
    busy: float


async def keep_pace(pace: Pace) -> Seen:
    """Run the generator."""
    found = json.loads(await run_module("bench.pace", json.dumps(asdict(pace))))
    return Seen([(lane, seq, seen) for lane, seq, seen in found["commands"]], found["busy"])


async def _run(pace: Pace) -> Seen:
    async with (
        grpc.aio.insecure_channel(pace.offer_address) as to_offers,
        grpc.aio.insecure_channel(pace.catalogue_address) as to_catalogue,
    ):
        commands: OfferServiceAsyncStub = OfferServiceStub(to_offers)
        queries: CatalogueServiceAsyncStub = CatalogueServiceStub(to_catalogue)

        async def change(offer_id: str) -> tuple[int, int, float]:
            request = SetPriceListRequest(
                offer_id=offer_id, request_id=str(uuid4()), price_list=prices(name=str(uuid4()))
            )
            token = (await commands.SetPriceList(request)).consistency_token
            fresh = AtLeastAsFresh(consistency_tokens=[token], max_wait=_PATIENCE)
            await queries.GetOffer(GetOfferRequest(offer_id=offer_id, consistency=Consistency(at_least_as_fresh=fresh)))
            seen = time()
            [(lane, seq)] = decode(token)["offer"].lanes.items()
            return lane, seq, seen

        await asyncio.gather(*(change(each) for each in pace.offers[:20]))
        loop, cpu = asyncio.get_running_loop(), process_time()
        begun, offers, tasks = loop.time(), cycle(pace.offers), []
        for number in range(int(pace.rate * pace.seconds)):
            await asyncio.sleep(begun + number / pace.rate - loop.time())
            tasks.append(asyncio.create_task(change(next(offers))))
        found = await asyncio.gather(*tasks)
        return Seen(found, (process_time() - cpu) / (loop.time() - begun))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(uvloop.run(_run(Pace(**json.load(sys.stdin)))))))
