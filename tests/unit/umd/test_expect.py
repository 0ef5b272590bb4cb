from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from training.catalogue.v1.entries_pb2 import OfferEntry

from bench.umd.convert import offer_row
from bench.umd.expect import Expected, Refusal, expect
from bench.umd.facts import Facts, facts_of
from bench.umd.rows import Section
from offer_svc.adapters import mapping
from offer_svc.domain.context import Context, ProgramFacts, ProgramState
from offer_svc.domain.decide import decide
from offer_svc.domain.errors import CapacityInvalid, SessionsOverlap
from offer_svc.domain.evolve import apply
from tests.unit.umd.samples import BLANK, COURSE, ONLINE_ANYTIME, TODAY, meeting, section, write

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOM = meeting("TuTh", "12:00pm", "1:15pm", "KLN", "0110")
MADE = ("offer.create_time", "offer.update_time", "offer.publish_time")


def read(folder: Path, given: Section, today: date = TODAY) -> Expected:
    """Return what is expected of one section."""
    return expect(write(folder, [COURSE], [given]), today)


def imported(given: Section) -> Facts:
    """Return what readers see of a section after the converter and the rules of offers."""
    command = mapping.import_offer(offer_row(given, TODAY))
    context = Context(NOW, "importer", ProgramFacts(command.definition.program_id, ProgramState.RELEASED, 1))
    offer = apply(None, decide(None, command, context), context)
    facts = facts_of(OfferEntry(offer=mapping.published(offer)))
    return {path: fact for path, fact in facts.items() if path not in MADE}


@pytest.mark.parametrize(
    "given",
    [
        section(ROOM),
        section(BLANK, term="202005", open_seats="20"),
        section(ROOM, meeting("TuTh", "12:00pm", "1:15pm"), term="201805"),
        section(ROOM, meeting("Sa", "8:00am", "8:00pm"), ONLINE_ANYTIME, term="201905"),
        section(meeting("MTuWThFSaSu", "12:00am", "12:30am", "", "ONLNE"), term="201712"),
        section(meeting("F", "11:00pm", "12:00am", "TBA", ""), term="201812"),
    ],
)
def test_both_readings_of_a_section_come_to_the_same_offer(given: Section, tmp_path: Path) -> None:
    (expected,) = read(tmp_path, given).offers.values()

    assert {path: fact for path, fact in expected.items() if path.startswith("offer.")} == imported(given)


def test_a_session_is_expected_at_its_time_on_the_wall_and_in_utc(tmp_path: Path) -> None:
    (expected,) = read(tmp_path, section(ROOM)).offers.values()

    first = {path: expected[f"offer.schedule.sessions[0].{path}"] for path in ("start_time", "local_end", "mode")}
    assert first == {
        "start_time": datetime(2027, 1, 5, 17, tzinfo=UTC),
        "local_end": "2027-01-05T13:15:00",
        "mode": "DELIVERY_MODE_ONSITE",
    }
    assert expected["program.title"] == "Blowing Glass"


@pytest.mark.parametrize(("today", "year"), [(date(2027, 1, 1), 2027), (date(2027, 1, 2), 2028)])
def test_a_term_is_expected_after_the_day(today: date, year: int, tmp_path: Path) -> None:
    (expected,) = read(tmp_path, section(BLANK), today).offers.values()

    assert expected["offer.start_time"] == datetime(year, 1, 2, 5, tzinfo=UTC)


def test_a_section_without_seats_is_expected_to_be_refused(tmp_path: Path) -> None:
    given = section(ROOM, seats="0", open_seats="0")

    expected = read(tmp_path, given)

    assert expected.offers == {}
    assert expected.refusals == {"201912/GLAS100-0101": Refusal("CAPACITY_INVALID", "capacity.seats")}
    with pytest.raises(CapacityInvalid):
        imported(given)


def test_a_section_that_overlaps_itself_is_expected_to_be_refused_naming_two_of_its_sessions(tmp_path: Path) -> None:
    given = section(ROOM, meeting("Th", "1:00pm", "2:00pm"))

    expected = read(tmp_path, given).refusals["201912/GLAS100-0101"]

    assert expected.reason == "SESSIONS_OVERLAP"
    with pytest.raises(SessionsOverlap) as refused:
        imported(given)
    named = tuple(datetime.fromisoformat(refused.value.metadata[name]) for name in ("first", "second"))
    assert named in expected.overlaps


def test_meetings_that_only_touch_do_not_overlap(tmp_path: Path) -> None:
    assert read(tmp_path, section(ROOM, meeting("Th", "1:15pm", "2:00pm"))).refusals == {}


def test_a_course_is_expected_with_all_its_texts(tmp_path: Path) -> None:
    (expected,) = read(tmp_path, section(ROOM)).programs.values()

    assert expected["description"] == "From sand to  vase."
    assert expected["prerequisites.text"] == "A steady hand."
    assert expected["credits.value"] == "3"
