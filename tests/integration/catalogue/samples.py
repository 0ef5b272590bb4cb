"""Published programs and offers as the command services would publish them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from training.offer.v1.events_pb2 import OfferEvent, PublishedOffer
from training.offer.v1.offer_pb2 import Offer, Session
from training.program.v1.events_pb2 import ProgramEvent, PublishedProgram
from training.program.v1.program_pb2 import AgendaModule, LocalizedContent, Program
from training.type.v1.vocabulary_pb2 import DELIVERY_MODE_ONSITE, LEVEL_INTERMEDIATE

Published = tuple[UUID, int, str, bytes]

START = datetime(2027, 3, 1, 9, tzinfo=UTC)


def program(
    program_id: UUID | None = None,
    revision: int = 3,
    *,
    title: str = "Reading the sky",
    languages: Sequence[str] = ("en", "de-AT"),
    categories: Sequence[str] = ("science",),
    tags: Sequence[str] = (),
    level: int = LEVEL_INTERMEDIATE,
    retired: bool = False,
    words: int = 20,
) -> PublishedProgram:
    """Return a program whose texts name their language."""
    message = PublishedProgram(program_id=str(program_id or uuid4()), revision=revision, version=1)
    message.state = Program.STATE_RETIRED if retired else Program.STATE_RELEASED
    message.release_time.FromDatetime(START - timedelta(days=90))
    content = message.content
    content.language_code = languages[0]
    content.title = f"{title} ({languages[0]})"
    content.summary = "Clouds, winds and what they tell."
    content.description = " ".join(f"word{number}" for number in range(words))
    content.plan = "First we look up. Then we look down."
    content.learning_outcomes.extend(["Name ten clouds", "Predict tomorrow"])
    content.agenda.extend([AgendaModule(title="Clouds", topics=["cirrus"]), AgendaModule(title="Winds")])
    content.categories.extend(categories)
    content.tags.extend(tags)
    content.level = level  # type: ignore[assignment] # senders may know more levels than the stubs
    content.credits.value = "1.5"
    content.total_duration.FromTimedelta(timedelta(hours=6))
    for language in languages[1:]:
        content.localizations.append(LocalizedContent(language_code=language, title=f"{title} ({language})"))
    return message


def offer(
    program_id: str,
    offer_id: UUID | None = None,
    revision: int = 4,
    *,
    start: datetime = START,
    sessions: int = 2,
    mode: int = DELIVERY_MODE_ONSITE,
    languages: Iterable[str] = ("en",),
    seats: int = 12,
    taken: int = 2,
    state: Offer.State.ValueType = Offer.STATE_PUBLISHED,
) -> PublishedOffer:
    """Return an offer with daily sessions."""
    message = PublishedOffer(
        offer_id=str(offer_id or uuid4()),
        program_id=program_id,
        revision=revision,
        state=state,
        seats_taken=taken,
        language_codes=languages,
    )
    message.mode = mode  # type: ignore[assignment] # senders may know more modes than the stubs
    message.capacity.maximum = seats
    message.start_time.FromDatetime(start)
    message.end_time.FromDatetime(start + timedelta(days=max(0, sessions - 1), hours=2))
    for day in range(sessions):
        session = Session(time_zone="Europe/Berlin", trainer_ids=["t-1"])
        session.start_time.FromDatetime(start + timedelta(days=day))
        session.end_time.FromDatetime(start + timedelta(days=day, hours=2))
        message.schedule.sessions.append(session)
    if not sessions:
        message.schedule.access_window.start_time.FromDatetime(start)
    return message


def released(message: PublishedProgram) -> Published:
    """Return the event that publishes a program."""
    body = ProgramEvent(actor="paula", program=message)
    body.released.version = message.version
    return UUID(message.program_id), message.revision, "training.program.v1.ProgramReleased", body.SerializeToString()


def offered(message: PublishedOffer) -> Published:
    """Return the event that publishes an offer."""
    body = OfferEvent(actor="olga", offer=message)
    body.published.SetInParent()
    return UUID(message.offer_id), message.revision, "training.offer.v1.OfferPublished", body.SerializeToString()
