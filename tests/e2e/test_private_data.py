"""No draft, review, participant, code or reason leaves the command databases.

Markers are planted in every such field; then every byte of the streams, the read store, the logs, the journals as other
services read them, and the catalogue's answers is searched.
"""

from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.type.money_pb2 import Money
from training.catalogue.v1 import catalogue_service_pb2 as catalogue
from training.catalogue.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from training.offer.v1 import offer_pb2 as offers
from training.offer.v1 import offer_service_pb2 as offer
from training.offer.v1.offer_service_pb2_grpc import OfferServiceStub
from training.ops.v1.journal_service_pb2 import ExportSnapshotRequest, ReadJournalRequest
from training.ops.v1.journal_service_pb2_grpc import JournalServiceStub
from training.program.v1 import program_pb2 as programs
from training.program.v1 import program_service_pb2 as program
from training.program.v1.program_service_pb2_grpc import ProgramServiceStub
from training.type.v1.consistency_pb2 import Consistency, FullyConsistent
from training.type.v1.vocabulary_pb2 import DELIVERY_MODE_HYBRID, VIEW_FULL

from bus.lanes import LANES
from chassis.stack.stack import Stack
from tests.e2e.markers import Markers, database_bytes, message_bytes, stream_bytes

Metadata = tuple[tuple[str, str], ...]
NOW = Consistency(fully_consistent=FullyConsistent())


def caller(name: str, *roles: str) -> Metadata:
    """Name who calls."""
    return (("training-principal", f"{name};roles={','.join(roles)}"),)


ALICE = caller("alice", "author")
CAROL = caller("carol", "publisher")
OLGA = caller("olga", "offer_manager")
SAM = caller("sam", "sales")


class Line:
    """The services' stubs."""

    def __init__(self, channels: dict[str, grpc.aio.Channel]) -> None:
        self.programs = ProgramServiceStub(channels["program"])
        self.offers = OfferServiceStub(channels["offer"])
        self.catalogue = CatalogueServiceStub(channels["catalogue"])
        self.journals = {name: JournalServiceStub(channels[name]) for name in ("program", "offer")}


@pytest.fixture
async def line(stack: Stack) -> AsyncIterator[Line]:
    """Connect to every service."""
    channels = {name: grpc.aio.insecure_channel(stack.address(name)) for name in ("program", "offer", "catalogue")}
    yield Line(channels)
    for channel in channels.values():
        await channel.close()


def public_content() -> programs.ProgramContent:
    """Return content that readers may see."""
    return programs.ProgramContent(title="Open to all", categories=["Tests"], language_code="en")


def private_content(markers: Markers, where: str) -> programs.ProgramContent:
    """Return content with a marker in every text."""
    plant = markers.plant
    return programs.ProgramContent(
        title=plant(f"{where}.title"),
        summary=plant(f"{where}.summary"),
        description=plant(f"{where}.description"),
        agenda=[
            programs.AgendaModule(
                title=plant(f"{where}.agenda.title"),
                topics=[plant(f"{where}.agenda.topics")],
                duration=Duration(seconds=60),
            )
        ],
        plan=plant(f"{where}.plan"),
        learning_outcomes=[plant(f"{where}.learning_outcomes")],
        audience=plant(f"{where}.audience"),
        prerequisites=programs.Prerequisites(text=plant(f"{where}.prerequisites")),
        categories=[plant(f"{where}.categories"), "Tests"],
        tags=[plant(f"{where}.tags")],
        language_code="en",
        localizations=[
            programs.LocalizedContent(
                language_code="de",
                title=plant(f"{where}.localizations.title"),
                summary=plant(f"{where}.localizations.summary"),
                description=plant(f"{where}.localizations.description"),
                plan=plant(f"{where}.localizations.plan"),
                learning_outcomes=[plant(f"{where}.localizations.learning_outcomes")],
                audience=plant(f"{where}.localizations.audience"),
            )
        ],
        cover_image_uri=f"https://images.example/{plant(f'{where}.cover_image_uri')}",
    )


async def in_review(line: Line, content: programs.ProgramContent) -> str:
    """Create a program and submit it."""
    created = await line.programs.CreateProgram(program.CreateProgramRequest(content=content), metadata=ALICE)
    program_id = created.program.program_id
    await line.programs.SubmitProgram(program.SubmitProgramRequest(program_id=program_id), metadata=ALICE)
    return program_id


async def comment(line: Line, program_id: str, markers: Markers, reviewer: Metadata) -> str:
    """Comment on a program and answer the comment; return the comment's id."""
    comment_id = str(uuid4())
    await line.programs.AddReviewComment(
        program.AddReviewCommentRequest(
            program_id=program_id,
            comment_id=comment_id,
            field_path="title",
            text=markers.plant("comment.text"),
            blocking=True,
        ),
        metadata=reviewer,
    )
    await line.programs.AddReviewComment(
        program.AddReviewCommentRequest(
            program_id=program_id, parent_comment_id=comment_id, text=markers.plant("comment.answer")
        ),
        metadata=ALICE,
    )
    return comment_id


async def released(line: Line, markers: Markers, reviewer: Metadata) -> tuple[str, str]:
    """Bring public content through a review full of private words to release; return its id and the token."""
    program_id = await in_review(line, public_content())
    comment_id = await comment(line, program_id, markers, reviewer)
    await line.programs.ResolveReviewComment(
        program.ResolveReviewCommentRequest(program_id=program_id, comment_id=comment_id), metadata=reviewer
    )
    await line.programs.ApproveProgram(program.ApproveProgramRequest(program_id=program_id), metadata=reviewer)
    waiver = programs.Waiver(rules=["*"], reason=markers.plant("waiver.reason"))
    answer = await line.programs.ReleaseProgram(
        program.ReleaseProgramRequest(program_id=program_id, waiver=waiver), metadata=CAROL
    )
    return program_id, answer.consistency_token


async def fill_programs(line: Line, markers: Markers) -> tuple[str, str]:
    """Plant markers in every private field of programs; return a released one and its token."""
    name = markers.plant("reviewer")
    reviewer = caller(name, "reviewer")
    await line.programs.RegisterReviewer(
        program.RegisterReviewerRequest(principal=name, categories=["Tests"]), metadata=CAROL
    )
    kept, token = await released(line, markers, reviewer)
    await line.programs.ReviseProgram(program.ReviseProgramRequest(program_id=kept), metadata=ALICE)
    await line.programs.UpdateProgram(
        program.UpdateProgramRequest(
            program_id=kept, content=private_content(markers, "revision"), update_mask=FieldMask(paths=["*"])
        ),
        metadata=ALICE,
    )
    await line.programs.SubmitProgram(program.SubmitProgramRequest(program_id=kept), metadata=ALICE)
    await line.programs.RequestChanges(
        program.RequestChangesRequest(program_id=kept, text=markers.plant("request_changes.text")), metadata=reviewer
    )
    refused = await in_review(line, private_content(markers, "rejected"))
    await comment(line, refused, markers, reviewer)
    await line.programs.RejectProgram(
        program.RejectProgramRequest(program_id=refused, reason=markers.plant("rejection.reason")), metadata=reviewer
    )
    gone, _ = await released(line, markers, reviewer)
    await line.programs.RetireProgram(
        program.RetireProgramRequest(program_id=gone, reason=markers.plant("retirement.reason")), metadata=CAROL
    )
    deleted = await line.programs.CreateProgram(
        program.CreateProgramRequest(content=private_content(markers, "deleted")), metadata=ALICE
    )
    await line.programs.DeleteProgram(
        program.DeleteProgramRequest(program_id=deleted.program.program_id), metadata=ALICE
    )
    await line.programs.RemoveReviewer(program.RemoveReviewerRequest(principal=name), metadata=CAROL)
    return kept, token


async def fill_offers(line: Line, markers: Markers, program_id: str, token: str) -> None:
    """Plant markers in every private field of offers: in drafts, in one that goes on, and in one that is cancelled."""
    for fate in ("draft", "published", "cancelled"):
        created = await line.offers.CreateOffer(
            offer.CreateOfferRequest(
                definition=offer.OfferDefinition(program_id=program_id, capacity=offers.Capacity(maximum=2)),
                min_tokens=[token],
            ),
            metadata=OLGA,
        )
        offer_id = created.offer.offer_id
        await line.offers.ScheduleSessions(
            offer.ScheduleSessionsRequest(offer_id=offer_id, plan=_plan(markers, fate)), metadata=OLGA
        )
        code = markers.plant(f"{fate}.code")
        await line.offers.SetPriceList(
            offer.SetPriceListRequest(offer_id=offer_id, price_list=_prices(markers, fate, code)), metadata=OLGA
        )
        if fate == "draft":
            continue
        await line.offers.PublishOffer(offer.PublishOfferRequest(offer_id=offer_id), metadata=OLGA)
        await _book(line, markers, offer_id, code)
        if fate == "cancelled":
            reason = markers.plant("cancellation.reason")
            await line.offers.CancelOffer(offer.CancelOfferRequest(offer_id=offer_id, reason=reason), metadata=OLGA)


def _plan(markers: Markers, fate: str) -> offers.SchedulePlan:
    place = offers.Place(venue=markers.plant("draft.venue") if fate == "draft" else f"Hall {uuid4()}")
    return offers.SchedulePlan(
        sessions=[
            offers.SingleSession(
                local_start="2031-03-03T09:00",
                local_end="2031-03-03T12:00",
                time_zone="Europe/Berlin",
                traits=offers.SessionTraits(
                    mode=DELIVERY_MODE_HYBRID,
                    place=place,
                    join_uri=f"https://meet.example/{markers.plant(f'{fate}.join_uri')}",
                ),
            )
        ]
    )


def _prices(markers: Markers, fate: str, code: str) -> offers.PriceList:
    price = Money(currency_code="EUR", units=100)
    return offers.PriceList(
        tiers=[
            offers.PriceTier(name=markers.plant(f"{fate}.tier with a code"), price=price, code=code, quantity_limit=1),
            offers.PriceTier(name="Standard", price=price),
        ]
    )


async def _book(line: Line, markers: Markers, offer_id: str, code: str) -> None:
    """Quote by code, hold, confirm, wait, release, promote."""
    quoted = await line.offers.QuotePrice(
        offer.QuotePriceRequest(offer_id=offer_id, currency_code="EUR", code=code), metadata=SAM
    )
    first, second, third = (str(uuid4()) for _ in range(3))
    await line.offers.ReserveSeats(
        offer.ReserveSeatsRequest(
            offer_id=offer_id,
            reservation_id=first,
            request_id=str(uuid4()),
            participant_id=markers.plant("participant of a hold"),
            quote=quoted.quote.token,
            code=code,
        ),
        metadata=SAM,
    )
    await line.offers.ConfirmReservation(
        offer.ConfirmReservationRequest(offer_id=offer_id, reservation_id=first), metadata=SAM
    )
    await line.offers.ReserveSeats(
        offer.ReserveSeatsRequest(
            offer_id=offer_id,
            reservation_id=second,
            participant_id=markers.plant("participant who leaves"),
            currency_code="EUR",
        ),
        metadata=SAM,
    )
    await line.offers.JoinWaitlist(
        offer.JoinWaitlistRequest(
            offer_id=offer_id,
            reservation_id=third,
            participant_id=markers.plant("participant who waits"),
            currency_code="EUR",
        ),
        metadata=SAM,
    )
    await line.offers.ReleaseReservation(
        offer.ReleaseReservationRequest(offer_id=offer_id, reservation_id=second), metadata=SAM
    )


async def answers_of(line: Line) -> Sequence[Message]:
    """Return everything that the catalogue and the journals tell anyone."""
    found: list[Message] = [
        await line.catalogue.ListPrograms(catalogue.ListProgramsRequest(view=VIEW_FULL, consistency=NOW)),
        await line.catalogue.ListOffers(catalogue.ListOffersRequest(view=VIEW_FULL, consistency=NOW)),
    ]
    found += [each async for each in line.catalogue.StreamPrograms(catalogue.StreamProgramsRequest(consistency=NOW))]
    found += [each async for each in line.catalogue.StreamOffers(catalogue.StreamOffersRequest(consistency=NOW))]
    for journal in line.journals.values():
        for lane in range(LANES):
            found += [each async for each in journal.ReadJournal(ReadJournalRequest(lane=lane))]
        snapshot = [each async for each in journal.ExportSnapshot(ExportSnapshotRequest())]
        assert snapshot[0].entries
        found += snapshot
    return found


async def test_nothing_private_leaves_the_command_databases(stack: Stack, line: Line) -> None:
    markers = Markers()
    program_id, token = await fill_programs(line, markers)
    await fill_offers(line, markers, program_id, token)
    assert len(markers) > 80

    assert markers.found_in(message_bytes(await answers_of(line))) == set()
    assert markers.found_in(await database_bytes(stack.dsn("catalogue"))) == set()
    for stream in ("TRAINING_PROGRAM", "TRAINING_OFFER"):
        assert markers.found_in(await stream_bytes(stack.nats_url, stream)) == set()
    for name in stack.names:
        callers = {"reviewer"} if name == "program" else set()  # a service's access log says who called it
        assert markers.found_in([stack.log(name).read_bytes()]) <= callers, name

    in_programs = markers.found_in(await database_bytes(stack.dsn("program")))
    in_offers = markers.found_in(await database_bytes(stack.dsn("offer")))
    assert in_programs.isdisjoint(in_offers), "a command service holds what is private to the other"
    assert in_programs | in_offers == markers.fields, "a marker was planted nowhere: the search would prove nothing"
