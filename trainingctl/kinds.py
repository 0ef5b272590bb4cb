"""What can be imported: the messages of a row and of its result, and the call that takes them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias, cast

import grpc.aio
from training.offer.v1.offer_service_pb2 import ImportOffersRequest, ImportOffersResponse
from training.offer.v1.offer_service_pb2_grpc import OfferServiceStub
from training.program.v1.program_service_pb2 import ImportProgramsRequest, ImportProgramsResponse
from training.program.v1.program_service_pb2_grpc import ProgramServiceStub

ImportRequest: TypeAlias = ImportProgramsRequest | ImportOffersRequest
ImportResponse: TypeAlias = ImportProgramsResponse | ImportOffersResponse
ImportCall: TypeAlias = "grpc.aio.StreamStreamCall[ImportRequest, ImportResponse]"  # generic for type checkers only
OpenImport: TypeAlias = Callable[[], ImportCall]
"""Opens one stream of an import."""


class Outcome(Enum):
    """What became of a row; the numbers are those of both protos."""

    IMPORTED = ImportProgramsResponse.OUTCOME_IMPORTED
    UNCHANGED = ImportProgramsResponse.OUTCOME_UNCHANGED
    REFUSED = ImportProgramsResponse.OUTCOME_REFUSED


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of import."""

    name: str
    new_row: Callable[[], ImportRequest]
    open: Callable[[grpc.aio.Channel, grpc.aio.Metadata], ImportCall]


def _import_programs(channel: grpc.aio.Channel, metadata: grpc.aio.Metadata) -> ImportCall:
    return cast("ImportCall", ProgramServiceStub(channel).ImportPrograms(metadata=metadata))


def _import_offers(channel: grpc.aio.Channel, metadata: grpc.aio.Metadata) -> ImportCall:
    return cast("ImportCall", OfferServiceStub(channel).ImportOffers(metadata=metadata))


PROGRAMS: Final = Kind("programs", ImportProgramsRequest, _import_programs)
OFFERS: Final = Kind("offers", ImportOffersRequest, _import_offers)
