"""`CatalogueService`: what each method asks of the queries. Responses are spliced, never built from fields."""

from typing import Any, Final, TypeAlias
from uuid import UUID

import grpc.aio
from training.catalogue.v1 import catalogue_service_pb2 as pb
from training.catalogue.v1.catalogue_service_pb2_grpc import CatalogueServiceServicer
from training.type.v1.vocabulary_pb2 import VIEW_BASIC, VIEW_FULL

from bus.freshness.consistency import Freshened
from bus.tokens import Vector
from catalogue_svc.query.filters import Filter, offer_filter, program_filter
from catalogue_svc.query.listing import OfferListing, ProgramListing, Question
from catalogue_svc.query.lookup import Lookup
from catalogue_svc.query.pages import page
from catalogue_svc.query.reading import Reading
from catalogue_svc.query.streaming import stream
from catalogue_svc.store.languages import candidates
from catalogue_svc.store.texts import storable
from chassis.call import current_call
from chassis.refusal import ResourceNotFound
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
        self._check_parked("program", request.program_id, await self._freshen(request))
        return await self._lookup.program(request.program_id, request.language_codes, full=request.view != VIEW_BASIC)

    async def GetOffer(self, request: pb.GetOfferRequest, context: _Context) -> Serialized:
        """Return one offer with its program."""
        needed = await self._freshen(request)
        self._check_parked("offer", request.offer_id, needed)
        try:
            return await self._lookup.offer(request.offer_id, request.language_codes, full=request.view != VIEW_BASIC)
        except ResourceNotFound:
            program_id = await self._lookup.program_of(request.offer_id) if needed else None
            if program_id is not None:  # it is there, but not its program: parked perhaps, else still to come
                self._freshened.check_parked("program", program_id, needed)
                self._lookup.check_coming(program_id)
            raise

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

    async def _freshen(self, request: _Request) -> Vector:
        """Wait as the request asks; return the positions that its answer must contain."""
        return await self._freshened.satisfy(request.consistency) if request.HasField("consistency") else {}

    def _check_parked(self, source: str, asked_id: str, needed: Vector) -> None:
        if needed:
            self._freshened.check_parked(source, UUID(asked_id), needed)


def _question(chosen: Filter, request: _Listed) -> Question:
    """Return what a list is asked for; BASIC is a list's default."""
    return Question(chosen, candidates(storable(request.language_codes)), full=request.view == VIEW_FULL)
