from typing import Any
from uuid import uuid4

import grpc
from training.program.v1 import program_pb2 as pb
from training.program.v1 import program_service_pb2 as service

from tests.integration.program.desk import ANNA, BEN, PIA, RAJ, RUTH, Desk, Who, person
from tests.integration.refusals import refused


async def resolve(desk: Desk, who: Who, program_id: str, comment_id: str) -> Any:  # noqa: ANN401 - the response
    request = service.ResolveReviewCommentRequest(program_id=program_id, comment_id=comment_id)
    return await desk.ask("ResolveReviewComment", who, request)


async def listed(desk: Desk, program_id: str, **fields: Any) -> list[str]:  # noqa: ANN401 - any field of the request
    request = service.ListReviewCommentsRequest(program_id=program_id, **fields)
    found = list[str]()
    while True:
        page = await desk.ask("ListReviewComments", ANNA, request)
        found += [each.text for each in page.comments]
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


async def test_an_open_blocking_comment_keeps_a_program_from_being_approved_until_it_is_resolved(desk: Desk) -> None:
    made = await desk.in_review()
    blocking = await desk.comment(RAJ, made.program_id, "Who trains the trainers?", blocking=True)
    assert (blocking.author, blocking.version, blocking.field_path) == ("raj", 1, "plan")
    told = await refused(desk.do("ApproveProgram", RUTH, made.program_id))
    assert (told.reason, told.metadata["count"]) == ("OPEN_BLOCKING_COMMENTS", "1")
    assert (await refused(resolve(desk, ANNA, made.program_id, blocking.comment_id))).reason == "FOUR_EYES"
    answer = await resolve(desk, RUTH, made.program_id, blocking.comment_id)
    assert (answer.comment.resolver, answer.program.working.open_blocking_comments) == ("ruth", 0)
    assert answer.comment.HasField("resolve_time")
    again = await resolve(desk, RUTH, made.program_id, blocking.comment_id)
    assert (again.comment, again.program.revision) == (answer.comment, answer.program.revision)
    approved = await desk.do("ApproveProgram", RUTH, made.program_id)
    assert approved.working.state == pb.Program.STATE_APPROVED


async def test_answers_are_about_what_the_comment_they_answer_is_about(desk: Desk) -> None:
    made = await desk.in_review()
    root = await desk.comment(RAJ, made.program_id, "Too short.", field_path="agenda[1].title")
    answer = await desk.comment(ANNA, made.program_id, "Is it?", parent_comment_id=root.comment_id, field_path="")
    assert (answer.parent_comment_id, answer.field_path) == (root.comment_id, "agenda[1].title")
    other = await desk.in_review()
    elsewhere = desk.comment(RAJ, other.program_id, "Yes.", parent_comment_id=root.comment_id)
    assert (await refused(elsewhere)).code is grpc.StatusCode.NOT_FOUND


async def test_comments_are_listed_oldest_first_page_by_page_by_version_and_by_whether_they_are_open(
    desk: Desk,
) -> None:
    made = await desk.in_review()
    id_ = made.program_id
    told = [await desk.comment(RAJ, id_, f"No {number}") for number in range(5)]
    await resolve(desk, ANNA, id_, told[1].comment_id)
    assert await listed(desk, id_, page_size=2) == [f"No {number}" for number in range(5)]
    assert await listed(desk, id_, open_only=True) == ["No 0", "No 2", "No 3", "No 4"]
    await desk.do("RejectProgram", RAJ, id_, reason="No.")
    await desk.do("ReviseProgram", ANNA, id_)
    await desk.comment(BEN, id_, "Of the second version")
    assert await listed(desk, id_, version=2) == ["Of the second version"]
    assert await listed(desk, id_, version=1, page_size=3) == [f"No {number}" for number in range(5)]
    assert len(await listed(desk, id_)) == 6


async def test_only_those_with_a_say_in_the_review_comment(desk: Desk) -> None:
    made = await desk.in_review()
    stranger = desk.comment(person("carl", "author"), made.program_id)
    assert (await refused(stranger)).reason == "NOT_A_REVIEWER"
    assert (await refused(desk.comment(PIA, made.program_id))).reason == "ROLE_MISSING"
    both = person("anna", "author", "reviewer")
    assert (await refused(desk.comment(both, made.program_id, blocking=True))).reason == "FOUR_EYES"
    wrong = await refused(desk.comment(RAJ, made.program_id, field_path="price"))
    assert (wrong.reason, wrong.fields) == ("INVALID_FIELD", ["field_path"])


async def test_the_id_of_a_comment_is_given_once_and_one_of_another_program_is_not_found(desk: Desk) -> None:
    made, other = await desk.in_review(), await desk.in_review()
    first = await desk.comment(RAJ, made.program_id, comment_id=str(uuid4()))
    again = desk.comment(RAJ, other.program_id, comment_id=first.comment_id)
    assert (await refused(again)).reason == "RESOURCE_EXISTS"
    elsewhere = resolve(desk, RUTH, other.program_id, first.comment_id)
    assert (await refused(elsewhere)).code is grpc.StatusCode.NOT_FOUND
