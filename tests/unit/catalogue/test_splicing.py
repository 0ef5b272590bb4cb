"""Spliced bytes are the messages that building them field by field would give."""

from uuid import uuid4

from google.protobuf.duration_pb2 import Duration
from hypothesis import given
from hypothesis import strategies as st
from training.catalogue.v1.catalogue_service_pb2 import GetOfferResponse, ListProgramsResponse
from training.catalogue.v1.entries_pb2 import OfferEntry, ProgramEntry
from training.offer.v1.events_pb2 import PublishedOffer
from training.program.v1.events_pb2 import PublishedProgram
from training.program.v1.program_pb2 import LocalizedContent, Program

from catalogue_svc.projection.entries import entries
from catalogue_svc.projection.offers import parts
from catalogue_svc.query.lookup import offer_field, program_field
from catalogue_svc.query.standing import told
from chassis.wire import field
from tests.integration.catalogue import samples


def expected(program: PublishedProgram, language: str, *, full: bool) -> ProgramEntry:
    """Build an entry field by field."""
    content = program.content
    texts = {text.language_code: text for text in content.localizations}
    text = texts.get(language, LocalizedContent())
    entry = ProgramEntry(
        program_id=program.program_id,
        revision=program.revision,
        version=program.version,
        state=program.state,
        language_code=language,
        available_language_codes=[content.language_code, *texts],
        title=text.title or content.title,
        summary=text.summary or content.summary,
        categories=content.categories,
        tags=content.tags,
        level=content.level,
        total_duration=content.total_duration,
        credits=content.credits,
        cover_image_uri=content.cover_image_uri,
        release_time=program.release_time,
    )
    if program.HasField("retire_time"):
        entry.retire_time.CopyFrom(program.retire_time)
    if full:
        entry.description = text.description or content.description
        entry.agenda.extend(content.agenda)
        entry.plan = text.plan or content.plan
        entry.learning_outcomes.extend(text.learning_outcomes or content.learning_outcomes)
        entry.audience = text.audience or content.audience
    return entry


@given(languages=st.lists(st.sampled_from(["de", "fr", "pt-BR", "zh-Hant"]), unique=True), retired=st.booleans())
def test_each_language_has_its_entry_with_the_base_texts_where_it_has_none(
    *, languages: list[str], retired: bool
) -> None:
    program = samples.program(languages=["en", *languages], retired=retired)
    if retired:
        program.retire_time.FromDatetime(samples.START)
    found = entries(program)
    assert [entry.language for entry in found] == [code.lower() for code in ("en", *languages)]
    for code, entry in zip(["en", *languages], found, strict=True):
        assert ProgramEntry.FromString(entry.card) == expected(program, code, full=False)
        assert ProgramEntry.FromString(entry.card + entry.detail) == expected(program, code, full=True)


def test_of_two_texts_in_one_language_the_first_counts() -> None:
    program = samples.program(languages=["en", "de", "DE", "EN"])
    assert [ProgramEntry.FromString(entry.card).language_code for entry in entries(program)] == ["en", "de"]


@given(st.integers(0, 5))
def test_a_full_offer_is_the_published_one_and_a_basic_one_lacks_its_sessions(sessions: int) -> None:
    published = samples.offer(str(uuid4()), sessions=sessions)
    basic = PublishedOffer()
    basic.CopyFrom(published)
    basic.schedule.ClearField("sessions")
    again = PublishedOffer.FromString(published.SerializeToString())
    card, detail = parts(again)
    assert PublishedOffer.FromString(card) == basic
    assert PublishedOffer.FromString(card + detail) == published


def test_fields_that_a_newer_sender_knows_are_passed_on() -> None:
    newer = samples.offer(str(uuid4())).SerializeToString() + field(99, b"from the future")
    card, detail = parts(PublishedOffer.FromString(newer))
    assert PublishedOffer.FromString(card + detail) == PublishedOffer.FromString(newer)


def test_a_response_is_its_entry_and_what_it_says_of_its_state() -> None:
    program = samples.program()
    published = samples.offer(program.program_id)
    card, detail = parts(PublishedOffer.FromString(published.SerializeToString()))
    program_card = entries(program)[0].card
    response = GetOfferResponse.FromString(
        field(1, offer_field(card + detail) + program_field(program_card))
        + told({}, {"program": samples.START, "offer": None})
    )
    assert response.offer == OfferEntry(offer=published, program=ProgramEntry.FromString(program_card))
    assert response.consistency_token
    assert [(each.source, each.HasField("as_of")) for each in response.freshness] == [
        ("offer", False),
        ("program", True),
    ]


def test_several_entries_are_a_repeated_field() -> None:
    cards = [entries(samples.program(title=title))[0].card for title in ("one", "two")]
    response = ListProgramsResponse.FromString(b"".join(field(1, card) for card in cards))
    assert [entry.title for entry in response.programs] == ["one (en)", "two (en)"]
    assert response.programs[0].total_duration == Duration(seconds=6 * 3600)
    assert response.programs[0].state == Program.STATE_RELEASED
