"""The sample catalogue as the services will judge it, without asking them."""

import json
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from google.protobuf import json_format
from training.offer.v1.offer_service_pb2 import ImportOffersRequest
from training.program.v1.program_service_pb2 import ImportProgramsRequest

from chassis.validation import check
from offer_svc.adapters.mapping_requests import import_offer
from offer_svc.domain.bookings import Booking, bookings
from offer_svc.domain.commands import ImportOffer
from offer_svc.domain.context import Bounds, Context, ProgramFacts, ProgramState
from offer_svc.domain.decide import decide
from offer_svc.domain.schedule import DeliveryMode, Schedule
from offer_svc.domain.scheduling import expand
from program_svc.adapters.mapping_requests import import_program
from program_svc.domain.content import Level
from program_svc.domain.gate_rules import GateRules
from program_svc.domain.release_gate import violations
from trainingctl import sample_files
from trainingctl.season import WEEKS, season_of

SEASON = season_of(date(2026, 11, 24))
LAST_DAY = SEASON + timedelta(weeks=WEEKS, days=-1)


def program_rows() -> list[ImportProgramsRequest]:
    return [json_format.Parse(line, ImportProgramsRequest()) for line in sample_files.programs().splitlines()]


def offer_rows(day: date) -> list[ImportOffersRequest]:
    return [json_format.Parse(line, ImportOffersRequest()) for line in sample_files.offers(day).splitlines()]


def offers(day: date) -> list[ImportOffer]:
    return [import_offer(row) for row in offer_rows(day)]


def schedule(offer: ImportOffer) -> Schedule:
    return expand(offer.plan, Bounds())


def test_every_program_passes_the_whole_release_gate_without_a_waiver() -> None:
    for row in program_rows():
        check(row)
        assert not row.HasField("waiver")
        assert violations(import_program(row).content, GateRules()) == (), row.row_id


def test_the_texts_are_as_long_as_real_ones() -> None:
    for row in program_rows():
        assert len(row.content.description.split()) >= 100, row.row_id
        assert len(row.content.plan) >= 300, row.row_id
        assert len(row.content.learning_outcomes) >= 3, row.row_id
        assert row.content.summary, row.row_id
        assert row.content.audience, row.row_id


def test_the_programs_span_categories_levels_and_languages() -> None:
    contents = [import_program(row).content for row in program_rows()]
    assert len(contents) >= 24
    assert len({content.title for content in contents}) == len(contents)
    assert len({category for content in contents for category in content.categories}) >= 6
    assert {content.level for content in contents} == set(Level) - {Level.UNSPECIFIED}
    assert len({content.language_code.partition("-")[0] for content in contents}) >= 5
    assert len({text.language_code.partition("-")[0] for content in contents for text in content.localizations}) >= 5


def test_prerequisites_name_programs_of_the_sample() -> None:
    rows = program_rows()
    known = {row.program_id for row in rows}
    named = {id_ for row in rows for id_ in row.content.prerequisites.program_ids}
    assert named
    assert named <= known


@pytest.mark.parametrize("day", [SEASON, LAST_DAY])
def test_every_offer_can_be_published_on_any_day_of_its_season(day: date) -> None:
    now = datetime.combine(day, time(23, 59), UTC)
    for row in offer_rows(day):
        check(row)
        command = import_offer(row)
        program = ProgramFacts(command.definition.program_id, ProgramState.RELEASED, 1)
        assert len(decide(None, command, Context(now, "importer", program))) == 4, row.row_id


def test_the_offers_span_modes_zones_currencies_and_seats() -> None:
    commands = offers(SEASON)
    schedules = [schedule(command) for command in commands]
    tiers = [tier for command in commands for tier in command.price_list.tiers]
    sessions = [session for each in schedules for session in each.sessions]
    free = [command.definition.capacity.maximum - command.definition.capacity.opening_balance for command in commands]
    assert len(commands) >= 60
    assert {each.mode for each in schedules} == set(DeliveryMode)
    assert any(each.access_window is not None and each.access_window.end is None for each in schedules)
    assert len({session.time_zone for session in sessions}) >= 5
    assert len({tier.price.currency for tier in tiers}) >= 4
    assert any(tier.code for tier in tiers)
    assert any(tier.validity.end is not None and not tier.code for tier in tiers)
    assert min(free) == 0
    assert 1 in free


def test_onsite_sessions_have_an_address_a_position_and_a_trainer() -> None:
    for command in offers(SEASON):
        for session in schedule(command).sessions:
            place = session.traits.place
            assert session.traits.trainer_ids
            if session.traits.mode is not DeliveryMode.ONLINE:
                assert place is not None
                assert place.address is not None
                assert place.address.region_code
                assert place.position is not None


def test_every_offer_is_one_of_a_program_of_the_sample() -> None:
    known = {UUID(row.program_id) for row in program_rows()}
    assert {command.definition.program_id for command in offers(SEASON)} == known


def test_no_room_or_trainer_is_booked_twice_even_across_seasons() -> None:
    both = {command.offer_id: command for day in (SEASON, LAST_DAY + timedelta(days=1)) for command in offers(day)}
    by_resource: dict[str, list[Booking]] = {}
    for offer_id, command in both.items():
        for booking in bookings(offer_id, schedule(command)):
            by_resource.setdefault(booking.resource, []).append(booking)
    for found in by_resource.values():
        assert all(earlier.end_time <= later.start_time for earlier, later in pairwise(sorted(found)))


def test_sessions_lie_ahead_throughout_the_season() -> None:
    ended = datetime.combine(LAST_DAY + timedelta(days=1), time(), UTC)
    for command in offers(LAST_DAY):
        sessions = schedule(command).sessions
        assert not sessions or sessions[0].start_time >= ended


def test_the_sample_is_the_same_throughout_a_season_and_new_in_the_next_one() -> None:
    next_season = {row.row_id: row.offer_id for row in offer_rows(LAST_DAY + timedelta(days=1))}
    this_season = {row.row_id: row.offer_id for row in offer_rows(LAST_DAY)}
    assert sample_files.offers(SEASON) == sample_files.offers(LAST_DAY)
    lasting = {row_id for row_id, offer_id in this_season.items() if next_season[row_id] == offer_id}
    assert lasting == {row_id for row_id in this_season if row_id.endswith("-self-paced")} - {
        "data-storytelling-self-paced",
        "kennzahlen-fuer-fachfremde-self-paced",
    }


def test_row_ids_and_ids_are_used_once() -> None:
    rows = [json.loads(line) for line in (sample_files.programs() + sample_files.offers(SEASON)).splitlines()]
    ids = [row.get("offer_id") or row["program_id"] for row in rows]
    assert max(Counter(row["row_id"] for row in rows).values()) == 1
    assert max(Counter(ids).values()) == 1
