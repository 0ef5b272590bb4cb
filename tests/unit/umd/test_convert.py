from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.protobuf.json_format import Parse
from training.offer.v1.offer_pb2 import BOOKING_MODE_WARN
from training.offer.v1.offer_service_pb2 import ImportOffersRequest
from training.program.v1.program_service_pb2 import ImportProgramsRequest

from bench.umd.convert import convert, offer_id, offer_row, program_id, program_row
from bench.umd.rows import Course, MeetingRow, Section
from chassis.refusal import InvalidField
from chassis.validation import check
from tests.unit.umd.samples import BLANK, COURSE, ONLINE_ANYTIME, TODAY, meeting, section, write

ROOM = meeting("TuTh", "12:00pm", "1:15pm", "KLN", "0110")


def test_a_course_becomes_a_program_under_a_waiver_of_every_rule_with_a_reason() -> None:
    row = program_row(COURSE)

    assert row.row_id == "GLAS100"
    assert row.content.title == "Blowing Glass"
    assert row.content.description == "From sand to  vase."
    assert row.content.prerequisites.text == "A steady hand."
    assert (list(row.content.categories), list(row.content.tags)) == (["GLAS"], ["GLAS100"])
    assert row.content.credits.value == "3"
    assert row.content.language_code == "en"
    assert list(row.waiver.rules) == ["*"]
    assert row.waiver.reason


def test_texts_that_a_course_lacks_stay_absent() -> None:
    row = program_row({**COURSE, "description": None, "prereqs": None})

    assert row.content.description == ""
    assert not row.content.HasField("prerequisites")


def test_ids_come_from_the_names_and_a_section_is_another_one_in_another_term() -> None:
    assert program_id("GLAS100") == program_id("GLAS100") != program_id("GLAS101")
    assert offer_id("201712", "GLAS100-0101") != offer_id("201812", "GLAS100-0101")
    row = offer_row(section(ROOM), TODAY)
    assert row.definition.program_id == program_row(COURSE).program_id
    assert row.row_id == "201912/GLAS100-0101"


def test_taken_seats_are_the_opening_balance() -> None:
    capacity = offer_row(section(ROOM, seats="20", open_seats="5"), TODAY).definition.capacity

    assert (capacity.minimum, capacity.maximum, capacity.opening_balance) == (0, 20, 15)


def test_rooms_are_booked_with_a_warning_and_there_is_one_price() -> None:
    row = offer_row(section(ROOM), TODAY)

    assert row.plan.booking_mode == BOOKING_MODE_WARN
    assert [tier.price.currency_code for tier in row.price_list.tiers] == ["USD"]


@pytest.mark.parametrize("meetings", [(), (BLANK,), (ONLINE_ANYTIME, BLANK), ({**ROOM, "start": "", "end": ""},)])
def test_a_section_without_a_time_is_open_through_its_term_in_new_york(meetings: tuple[MeetingRow, ...]) -> None:
    plan = offer_row(section(*meetings, term="201905"), TODAY).plan

    assert not plan.weekly_rules
    assert plan.access_window.start_time.ToDatetime(UTC) == datetime(2027, 5, 28, 4, tzinfo=UTC)
    assert plan.access_window.end_time.ToDatetime(UTC) == datetime(2027, 8, 17, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "given",
    [
        section(ROOM, seats="0", open_seats="0"),
        section(ROOM, {**ROOM, "start": "12:30pm"}),
        section(BLANK),
        section(ROOM, ONLINE_ANYTIME, {**ROOM, "room": "ONLINE", "building": ""}),
    ],
)
def test_rows_that_rules_of_the_domain_refuse_keep_the_rules_of_the_fields(given: Section) -> None:
    check(offer_row(given, TODAY))
    check(program_row(COURSE))


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (section({**ROOM, "days": "TBA"}), "plan.weekly_rules[0].days"),
        (section({**ROOM, "start": "noon"}), "plan.weekly_rules[0].start"),
        (section({**ROOM, "end": ""}), "plan.weekly_rules[0].end"),
        (section(ROOM, seats="many"), "definition.capacity.maximum"),
        (section(ROOM, seats="99999999999"), "definition.capacity.maximum"),
    ],
)
def test_what_can_not_be_read_is_left_to_the_server_to_refuse(given: Section, path: str) -> None:
    with pytest.raises(InvalidField) as refused:
        check(offer_row(given, TODAY))

    assert path in {violation.field for violation in refused.value.violations}


def test_the_files_have_one_request_a_line_in_proto3_json(tmp_path: Path) -> None:
    strange: Course = {**COURSE, "course_id": "GLAS101", "description": "One\r\n\ttwo\u2028three \u201cfour\u201d."}
    sections = [section(ROOM), section(BLANK, term="202005")]
    data = write(tmp_path, [COURSE, strange], sections)

    files = convert(data, tmp_path, TODAY)

    programs = files.programs.read_bytes().splitlines()
    offers = files.offers.read_bytes().splitlines()
    assert (files.program_rows, files.offer_rows) == (len(programs), len(offers)) == (2, 2)
    assert Parse(programs[1], ImportProgramsRequest()).content.description == strange["description"]
    assert [Parse(line, ImportOffersRequest()) for line in offers] == [offer_row(each, TODAY) for each in sections]
