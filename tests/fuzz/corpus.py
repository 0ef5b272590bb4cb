"""Valid requests for every RPC built so far, on things that exist; a new RPC is fuzzed by its descriptor alone."""

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from uuid import UUID

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from training.catalogue.v1 import catalogue_service_pb2 as catalogue
from training.offer.v1 import offer_service_pb2 as offers
from training.ops.v1 import journal_service_pb2 as journal
from training.ops.v1 import operations_service_pb2 as operations
from training.program.v1 import program_service_pb2 as programs
from training.program.v1.program_pb2 import Program
from training.type.v1.consistency_pb2 import AtLeastAsFresh, Consistency, FullyConsistent
from training.type.v1.vocabulary_pb2 import VIEW_FULL, DeliveryMode, Level

from tests.faults import contents
from tests.faults.client import Platform
from tests.faults.history import History
from tests.faults.imports import Importer

PROGRAMS: Final = 6
_FULLY: Final = Consistency(fully_consistent=FullyConsistent())


@dataclass(slots=True)
class Corpus:
    """What means something to the services: requests by type, ids, tokens of every kind."""

    requests: dict[str, list[Message]] = field(default_factory=dict)
    known: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def add(self, *requests: Message) -> None:
        """Remember valid requests."""
        for request in requests:
            self.requests.setdefault(request.DESCRIPTOR.full_name, []).append(request)


async def build(platform: Platform, chance: Random) -> Corpus:
    """Import a few programs and offers, leave some drafts, and return requests on them."""
    corpus, history = Corpus(), History()
    importer = Importer(platform, history)
    live = await importer.programs(chance, PROGRAMS)
    sold = await importer.offers(chance, live)
    assert not history.wrong, history.wrong
    corpus.tokens += [told.token for told in (*live, *sold)]
    drafts = [
        await platform.program.CreateProgram(
            programs.CreateProgramRequest(program_id=str(contents.new_id(chance)), content=contents.content(chance)),
            timeout=10,
        )
        for _ in range(PROGRAMS)
    ]
    planned = [
        await platform.offer.CreateOffer(
            offers.CreateOfferRequest(
                offer_id=str(contents.new_id(chance)), definition=contents.definition(told.aggregate_id, chance)
            ),
            timeout=10,
        )
        for told in live
    ]
    corpus.tokens += [draft.program.etag for draft in drafts] + [each.offer.etag for each in planned]
    program_ids = [str(told.aggregate_id) for told in live] + [draft.program.program_id for draft in drafts]
    offer_ids = [str(told.aggregate_id) for told in sold] + [each.offer.offer_id for each in planned]
    corpus.known += program_ids + offer_ids
    for program_id in program_ids:
        _on_program(corpus, program_id, chance)
    for offer_id in offer_ids:
        _on_offer(corpus, offer_id, program_ids[0], chance)
    await _reads(platform, corpus)
    return corpus


def _on_program(corpus: Corpus, program_id: str, chance: Random) -> None:
    named: dict[str, Any] = {"program_id": program_id}
    corpus.add(
        programs.CreateProgramRequest(content=contents.content(chance), co_authors=["carl"]),
        programs.UpdateProgramRequest(
            **named, content=contents.content(chance), update_mask=FieldMask(paths=["title", "agenda"])
        ),
        programs.SubmitProgramRequest(**named, request_id=str(contents.new_id(chance))),
        programs.ApproveProgramRequest(**named),
        programs.ReleaseProgramRequest(**named, waiver=contents.WAIVER),
        programs.RetireProgramRequest(**named, reason="it is over"),
        programs.GetProgramRequest(**named),
        programs.ImportProgramsRequest(
            **{**named, "program_id": str(contents.new_id(chance))},
            row_id="1",
            content=contents.content(chance),
            waiver=contents.WAIVER,
        ),
        catalogue.GetProgramRequest(**named, language_codes=["de", "en"], consistency=_FULLY),
    )


def _on_offer(corpus: Corpus, offer_id: str, program_id: str, chance: Random) -> None:
    named: dict[str, Any] = {"offer_id": offer_id}
    definition = contents.definition(UUID(program_id), chance)
    parts: dict[str, Any] = {"plan": contents.plan(chance), "price_list": contents.prices(chance.randint(1, 500))}
    corpus.add(
        offers.CreateOfferRequest(definition=definition, min_tokens=corpus.tokens[:1]),
        offers.SetPriceListRequest(**named, price_list=parts["price_list"]),
        offers.ScheduleSessionsRequest(**named, plan=parts["plan"]),
        offers.PublishOfferRequest(**named, request_id=str(contents.new_id(chance))),
        offers.CancelOfferRequest(**named, reason="too few people"),
        offers.GetOfferRequest(**named),
        offers.ImportOffersRequest(offer_id=str(contents.new_id(chance)), row_id="1", definition=definition, **parts),
        catalogue.GetOfferRequest(**named, consistency=_with_tokens(corpus.tokens[:2])),
    )


def _operating(corpus: Corpus) -> None:
    """Add what operators ask of every service."""
    aggregate_id = corpus.known[0]
    corpus.add(
        operations.WatchStatusRequest(),
        operations.ExplainRequest(aggregate_id=aggregate_id, limit=5),
        operations.ExplainRequest(request_id=aggregate_id),
        operations.ListParkedEventsRequest(source="program", include_closed=True, page_size=2),
        operations.GetParkedEventRequest(source="program", event_id=aggregate_id),
        operations.RetryParkedAggregateRequest(source="program", aggregate_id=aggregate_id, dry_run=True),
        operations.SkipParkedEventRequest(source="offer", event_id=aggregate_id, reason="it is of no use"),
        operations.AuditCatalogueRequest(sources=["program"], repair=True),
        operations.RebuildCatalogueRequest(method=operations.REBUILD_METHOD_REPLAY, cause="to see whether it works"),
        operations.BeginEpochRequest(cause="to see whether it works"),
    )


def _with_tokens(tokens: list[str]) -> Consistency:
    return Consistency(at_least_as_fresh=AtLeastAsFresh(consistency_tokens=tokens))


async def _reads(platform: Platform, corpus: Corpus) -> None:
    """Add lists and streams, and take their page and resume tokens."""
    filtered = catalogue.ProgramFilter(language_codes=["en"], categories=["bread"], levels=[Level.LEVEL_INTRODUCTORY])
    modes = [DeliveryMode.DELIVERY_MODE_ONSITE, DeliveryMode.DELIVERY_MODE_SELF_PACED]
    kinds = catalogue.OfferFilter(program=filtered, modes=modes, min_free_seats=1, include_ended=True)
    corpus.add(
        programs.ListProgramsRequest(page_size=2, states=[Program.STATE_DRAFT, Program.STATE_RELEASED]),
        offers.ListOffersRequest(page_size=2, view=VIEW_FULL),
        catalogue.ListProgramsRequest(page_size=2, filter=filtered),
        catalogue.ListOffersRequest(page_size=2, filter=kinds, consistency=_FULLY),
        catalogue.StreamProgramsRequest(max_batch_size=2, limit=5),
        catalogue.StreamOffersRequest(max_batch_size=2, filter=kinds),
        journal.ReadJournalRequest(lane=3, after=0, limit=10),
        journal.GetLaneHeadsRequest(),
    )
    _operating(corpus)
    pages = [
        await platform.program.ListPrograms(programs.ListProgramsRequest(page_size=2), timeout=10),
        await platform.offer.ListOffers(offers.ListOffersRequest(page_size=2), timeout=10),
        await platform.catalogue.ListPrograms(catalogue.ListProgramsRequest(page_size=2), timeout=10),
        await platform.catalogue.ListOffers(catalogue.ListOffersRequest(page_size=2), timeout=10),
    ]
    corpus.tokens += [page.next_page_token for page in pages if page.next_page_token]
    for page in pages[2:]:
        corpus.tokens.append(page.consistency_token)
    async for part in platform.catalogue.StreamPrograms(catalogue.StreamProgramsRequest(max_batch_size=2), timeout=10):
        corpus.tokens.append(part.resume_token)
    corpus.tokens[:] = [token for token in dict.fromkeys(corpus.tokens) if token]
