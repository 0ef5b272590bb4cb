"""Imports of offers: each row for itself, as often as it takes."""

from uuid import uuid4

import grpc
import pytest
from training.offer.v1 import offer_pb2 as pb
from training.offer.v1 import offer_service_pb2 as service

from tests.integration.offer.line import Line, in_room, row
from tests.integration.refusals import read, refused

Result = service.ImportOffersResponse


async def test_an_imported_offer_is_published_in_one_revision(line: Line) -> None:
    program_id, token = await line.released()
    given = row(program_id, token)
    result = (await line.imported(given))["1"]
    assert (result.outcome, bool(result.consistency_token)) == (Result.OUTCOME_IMPORTED, True)
    offer = await line.get(given.offer_id)
    assert (offer.state, offer.revision, offer.price_list) == (pb.Offer.STATE_PUBLISHED, 1, given.price_list)


async def test_an_import_repeated_changes_nothing_and_one_broken_off_goes_on(line: Line) -> None:
    program_id, token = await line.released()
    rows = [row(program_id, token, row_id=str(number)) for number in range(150)]
    first = await line.imported(*rows[:70])
    assert {each.outcome for each in first.values()} == {Result.OUTCOME_IMPORTED}
    second = await line.imported(*rows)
    found = {number: second[str(number)].outcome for number in range(150)}
    assert found == dict.fromkeys(range(70), Result.OUTCOME_UNCHANGED) | dict.fromkeys(
        range(70, 150), Result.OUTCOME_IMPORTED
    )
    third = await line.imported(*rows)
    assert {each.outcome for each in third.values()} == {Result.OUTCOME_UNCHANGED}
    assert all(each.consistency_token for each in third.values())
    assert (await line.get(rows[0].offer_id)).revision == 1


async def test_a_row_that_differs_from_what_is_there_is_refused(line: Line) -> None:
    program_id, token = await line.released()
    given = row(program_id, token)
    await line.imported(given)
    result = (await line.imported(row(program_id, offer_id=given.offer_id, amount=390)))["1"]
    assert result.outcome == Result.OUTCOME_REFUSED
    assert read(grpc.StatusCode.ALREADY_EXISTS, result.error).reason == "RESOURCE_EXISTS"
    assert result.error.code == grpc.StatusCode.ALREADY_EXISTS.value[0]


async def test_a_bad_row_costs_only_itself(line: Line) -> None:
    program_id, token = await line.released()
    overlapping = in_room("Loft", days=["2030-05-01", "2030-05-01"])
    results = await line.imported(
        row(program_id, token, row_id="good"),
        row(program_id, row_id="no seats", seats=0),
        row(program_id, row_id="overlap", plan=overlapping),
        row("seven", row_id="field"),
        row(program_id, row_id="nul", plan=in_room("L\0ft")),
        row(program_id, token, row_id="good too"),
    )
    reasons = {name: read(grpc.StatusCode.OK, each.error).reason for name, each in results.items()}
    assert reasons == {
        "good": "",
        "no seats": "CAPACITY_INVALID",
        "overlap": "SESSIONS_OVERLAP",
        "field": "INVALID_FIELD",
        "nul": "INVALID_FIELD",
        "good too": "",
    }


@pytest.mark.parametrize("warn", [True, False])
async def test_validate_only_tells_the_same_and_changes_nothing(line: Line, *, warn: bool) -> None:
    program_id, token = await line.released()
    room = str(uuid4())
    await line.draft(in_room(room))
    given = row(program_id, token, plan=in_room(room, warn=warn), validate_only=True)
    result = (await line.imported(given))["1"]
    assert (len(result.clashes), result.outcome, read(grpc.StatusCode.OK, result.error).reason) == (
        (1, Result.OUTCOME_IMPORTED, "") if warn else (0, Result.OUTCOME_REFUSED, "DOUBLE_BOOKING")
    )
    assert result.consistency_token == ""
    assert (await refused(line.get(given.offer_id))).code is grpc.StatusCode.NOT_FOUND


async def test_imported_rooms_in_warn_mode_tell_their_clashes(line: Line) -> None:
    program_id, token = await line.released()
    plan = in_room(str(uuid4()), warn=True, days=["2030-05-01", "2030-05-02", "2030-05-03"])
    first, second = row(program_id, token, plan=plan), row(program_id, plan=plan)
    assert not (await line.imported(first))["1"].clashes
    told = (await line.imported(second))["1"].clashes
    assert [each.offer_id for each in told] == [first.offer_id] * 3
    assert list((await line.imported(second))["1"].clashes) == list(told)
