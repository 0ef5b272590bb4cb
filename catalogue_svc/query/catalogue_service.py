"""`CatalogueService`: what each method asks of the queries. Responses are spliced, never built from fields."""

from typing import Any, Final, TypeAlias

import grpc.aio
from training.catalogue.v1 import catalogue_service_pb2 as pb
from training.catalogue.v1.catalogue_service_pb2_grpc import CatalogueServiceServicer
from training.type.v1.vocabulary_pb2 import VIEW_BASIC, VIEW_FULL

from bus.consistency import Freshened
from catalogue_svc.query.filters import Filter, offer_filter, program_filter
from catalogue_svc.query.listing import OfferListing, ProgramListing, Question
from catalogue_svc.query.lookup import Lookup
from catalogue_svc.query.pages import page
from catalogue_svc.query.reading import Reading
from catalogue_svc.query.streaming import stream
from catalogue_svc.store.languages import candidates
from catalogue_svc.store.texts import storable
from chassis.call import current_call
from chassis.wire import Serialized

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"  # generic for type checkers only
_Listed: TypeAlias = pb.ListProgramsRequest | pb.ListOffersRequest | pb.StreamProgramsRequest | pb.StreamOffersRequest
_Request: TypeAlias = pb.GetProgramRequest | pb.GetOfferRequest | _Listed


class CatalogueService(CatalogueServiceServicer):
    """Answers queries, each once the read model is as fresh as its caller asks."""

    def __init__(self, freshened: Freshened, lookup: Lookup, reading: Reading) -> None:
        self._freshened: Final = freshened
        self._lookup: Final = lookup
        self._reading: Final = reading
        self._programs: Final = ProgramListing()
        self._offers: Final = OfferListing()

    async def GetProgram(self, request: pb.GetProgramRequest, context: _Context) -> Serialized:
        """Return one program, released or retired."""
        await self._freshen(request)
        return await self._lookup.program(request.program_id, request.language_codes, full=request.view != VIEW_BASIC)

    async def GetOffer(self, request: pb.GetOfferRequest, context: _Context) -> Serialized:
        """Return one offer with its program."""
        await self._freshen(request)
        return await self._lookup.offer(request.offer_id, request.language_codes, full=request.view != VIEW_BASIC)

    async def ListPrograms(self, request: pb.ListProgramsRequest, context: _Context) -> Serialized:
        """List released programs by page."""
        question = _question(program_filter(request.filter), request)
        await self._freshen(request)
        return await page(self._reading, self._programs, question, request)

    async def ListOffers(self, request: pb.ListOffersRequest, context: _Context) -> Serialized:
        """List offers by page."""
        question = _question(offer_filter(request.filter), request)
        await self._freshen(request)
        return await page(self._reading, self._offers, question, request)

    async def StreamPrograms(self, request: pb.StreamProgramsRequest, context: _Context) -> None:  # type: ignore[override] # a coroutine that writes, as grpc.aio has it
        """Stream all released programs that match."""
        question = _question(program_filter(request.filter), request)
        await self._freshen(request)
        await stream(self._reading, self._programs, question, request, sink=context, drain=current_call().drain)

    async def StreamOffers(self, request: pb.StreamOffersRequest, context: _Context) -> None:  # type: ignore[override] # as above
        """Stream all offers that match."""
        question = _question(offer_filter(request.filter), request)
        await self._freshen(request)
        await stream(self._reading, self._offers, question, request, sink=context, drain=current_call().drain)

    async def _freshen(self, request: _Request) -> None:
        if request.HasField("consistency"):
            await self._freshened.satisfy(request.consistency)


def _question(chosen: Filter, request: _Listed) -> Question:
    """Return what a list is asked for; BASIC is a list's default."""
    return Question(chosen, candidates(storable(request.language_codes)), full=request.view == VIEW_FULL)
