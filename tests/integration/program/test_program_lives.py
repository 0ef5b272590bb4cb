from uuid import uuid4

import grpc
import pytest
from google.rpc.error_details_pb2 import PreconditionFailure
from training.program.v1 import program_pb2 as pb
from training.program.v1 import program_service_pb2 as service

from tests.integration.chassis_server import failure, status_of
from tests.integration.program.desk import ANNA, BEN, PIA, RAJ, RUTH, Desk, content, person
from tests.integration.refusals import read, refused


async def test_a_program_goes_from_draft_through_changes_approval_and_release_to_a_second_version(desk: Desk) -> None:
    made = await desk.in_review()
    assert (made.state, made.version_count, made.working.number) == (pb.Program.STATE_IN_REVIEW, 1, 1)
    sent_back = await desk.do("RequestChanges", RUTH, made.program_id, text="Say more of the plan.")
    assert sent_back.working.change_request.text == "Say more of the plan."
    await desk.do("SubmitProgram", BEN, made.program_id)
    await desk.do("ApproveProgram", RAJ, made.program_id)
    live = await desk.do("ReleaseProgram", PIA, made.program_id)
    assert (live.state, live.HasField("working"), live.public_revision) == (
        pb.Program.STATE_RELEASED,
        False,
        live.revision,
    )
    revised = await desk.do("ReviseProgram", ANNA, made.program_id)
    assert (revised.state, revised.working.number) == (pb.Program.STATE_RELEASED, 2)
    assert revised.working.content == live.live.content
    await desk.do("UpdateProgram", BEN, made.program_id, content=pb.ProgramContent(title="Clusters in operation"))
    await desk.do("SubmitProgram", ANNA, made.program_id)
    await desk.do("ApproveProgram", RUTH, made.program_id)
    second = await desk.do("ReleaseProgram", PIA, made.program_id)
    assert (second.live.number, second.live.content.title) == (2, "Clusters in operation")
    listed = await desk.ask("ListProgramVersions", RAJ, service.ListProgramVersionsRequest(program_id=made.program_id))
    assert [(each.number, each.state) for each in listed.versions] == [
        (2, pb.Program.STATE_RELEASED),
        (1, pb.Program.STATE_SUPERSEDED),
    ]
    compared = await desk.ask(
        "CompareVersions", RAJ, service.CompareVersionsRequest(program_id=made.program_id, from_version=1, to_version=2)
    )
    assert [(each.path, each.before, each.after) for each in compared.differences] == [
        ("title", content().title, "Clusters in operation")
    ]


async def test_withdrawing_takes_a_program_back_from_review(desk: Desk) -> None:
    made = await desk.in_review()
    back = await desk.do("WithdrawProgram", BEN, made.program_id)
    assert back.working.state == pb.Program.STATE_DRAFT
    assert not back.working.HasField("waiting_since")


async def test_a_rejected_program_is_kept_when_it_is_revised_and_compared(desk: Desk) -> None:
    made = await desk.in_review()
    told = await refused(desk.do("RejectProgram", RAJ, made.program_id))
    assert told.reason == "REJECTION_REASON_MISSING"
    ended = await desk.do("RejectProgram", RAJ, made.program_id, reason="It is what others teach.")
    assert ended.working.rejection.reason == "It is what others teach."
    revised = await desk.do("ReviseProgram", ANNA, made.program_id)
    assert (revised.working.number, revised.working.state) == (2, pb.Program.STATE_DRAFT)
    await desk.do("UpdateProgram", ANNA, made.program_id, content=pb.ProgramContent(audience="Everybody"))
    listed = await desk.ask("ListProgramVersions", PIA, service.ListProgramVersionsRequest(program_id=made.program_id))
    assert [(each.number, each.state) for each in listed.versions] == [
        (2, pb.Program.STATE_DRAFT),
        (1, pb.Program.STATE_REJECTED),
    ]
    compare = service.CompareVersionsRequest(program_id=made.program_id, from_version=1)
    compared = await desk.ask("CompareVersions", PIA, compare)
    assert (compared.from_version, compared.to_version) == (1, 2)
    assert [each.path for each in compared.differences] == ["audience"]


@pytest.mark.parametrize("numbers", [{"from_version": 7}, {"to_version": 7}, {}])
async def test_versions_that_are_not_there_are_not_compared(desk: Desk, numbers: dict[str, int]) -> None:
    made = await desk.draft()
    request = service.CompareVersionsRequest(program_id=made.program_id, **{"from_version": 0, **numbers})
    told = await refused(desk.ask("CompareVersions", ANNA, request))
    assert (told.code, told.metadata["resource_type"]) == (
        grpc.StatusCode.NOT_FOUND,
        "training.program.v1.ProgramVersion",
    )


async def test_a_deleted_program_is_found_by_nobody_and_its_id_is_not_given_again(desk: Desk) -> None:
    made = await desk.in_review()
    told = await refused(desk.do("DeleteProgram", ANNA, made.program_id))
    assert told.reason == "PROGRAM_STATE"
    await desk.comment(RAJ, made.program_id)
    await desk.do("RejectProgram", RAJ, made.program_id, reason="No.")
    await desk.do("ReviseProgram", ANNA, made.program_id)
    deleted = await desk.do("DeleteProgram", ANNA, made.program_id)
    assert (deleted.state, deleted.HasField("working")) == (pb.Program.STATE_DELETED, False)
    id_ = made.program_id
    reads = {
        "GetProgram": service.GetProgramRequest(program_id=id_),
        "BatchGetPrograms": service.BatchGetProgramsRequest(program_ids=[id_]),
        "ListProgramVersions": service.ListProgramVersionsRequest(program_id=id_),
        "CompareVersions": service.CompareVersionsRequest(program_id=id_, from_version=1, to_version=1),
        "ListProgramHistory": service.ListProgramHistoryRequest(program_id=id_),
        "ListReviewComments": service.ListReviewCommentsRequest(program_id=id_),
        "UpdateProgram": service.UpdateProgramRequest(program_id=id_, content=content()),
        "DeleteProgram": service.DeleteProgramRequest(program_id=id_),
    }
    for rpc, request in reads.items():
        assert (await refused(desk.ask(rpc, ANNA, request))).code is grpc.StatusCode.NOT_FOUND, rpc
    again = service.CreateProgramRequest(program_id=id_, content=content())
    assert (await refused(desk.ask("CreateProgram", ANNA, again))).reason == "RESOURCE_EXISTS"
    assert id_ not in await desk.ids(author="anna")
    assert id_ not in await desk.ids(states=[pb.Program.STATE_DELETED])
    for table in ("review_comment", "program_version"):
        [kept] = await desk.rows(f"SELECT count(*) FROM {table} WHERE program_id = $1", id_)  # noqa: S608 - names of tables
        assert kept["count"] == 0


async def test_programs_are_returned_in_the_order_asked_for_and_all_missing_ones_are_named(desk: Desk) -> None:
    first, second = await desk.draft(), await desk.draft()
    request = service.BatchGetProgramsRequest(program_ids=[second.program_id, first.program_id, second.program_id])
    answer = await desk.ask("BatchGetPrograms", RAJ, request)
    assert list(answer.programs) == [second, first, second]
    missing = [str(uuid4()) for _ in range(100)]
    told = await refused(desk.ask("BatchGetPrograms", RAJ, service.BatchGetProgramsRequest(program_ids=missing)))
    assert told.code is grpc.StatusCode.NOT_FOUND
    some = service.BatchGetProgramsRequest(program_ids=[missing[0], first.program_id, missing[1]])
    error = await failure(desk.ask("BatchGetPrograms", RAJ, some))
    broken = PreconditionFailure()
    assert any(detail.Unpack(broken) for detail in status_of(error).details)
    assert [each.subject for each in broken.violations] == missing[:2]


async def test_only_an_approved_edit_of_exempt_fields_needs_no_new_review(desk: Desk) -> None:
    made = await desk.approved()
    tagged = await desk.do("UpdateProgram", ANNA, made.program_id, content=pb.ProgramContent(tags=["new"]))
    assert tagged.working.state == pb.Program.STATE_APPROVED
    edited = await desk.do("UpdateProgram", ANNA, made.program_id, content=pb.ProgramContent(audience="All"))
    assert edited.working.state == pb.Program.STATE_DRAFT


async def test_a_dry_run_answers_as_the_command_and_changes_nothing(desk: Desk) -> None:
    made = await desk.draft(agenda=[])
    request = service.SubmitProgramRequest(program_id=made.program_id, validate_only=True)
    answer = await desk.ask("SubmitProgram", ANNA, request)
    assert {"agenda.modules", "agenda.duration_sum"} == {each.rule for each in answer.warnings}
    assert answer.program.working.state == pb.Program.STATE_IN_REVIEW
    assert answer.consistency_token == ""
    assert await desk.get(made.program_id) == made


async def test_a_command_with_another_etag_is_refused(desk: Desk) -> None:
    made = await desk.draft()
    changed = await desk.do("UpdateProgram", ANNA, made.program_id, content=pb.ProgramContent(audience="All"))
    told = await refused(desk.do("SubmitProgram", ANNA, made.program_id, etag=made.etag))
    assert (told.reason, told.metadata["have"]) == ("ETAG_MISMATCH", changed.etag)
    await desk.do("SubmitProgram", ANNA, made.program_id, etag=changed.etag)


async def test_importing_a_program_again_changes_nothing(desk: Desk) -> None:
    row = service.ImportProgramsRequest(row_id="a", program_id=str(uuid4()), content=content())
    results = [each async for each in desk.stub.ImportPrograms(iter([row]), metadata=PIA)]
    results += [each async for each in desk.stub.ImportPrograms(iter([row]), metadata=PIA)]
    made = service.ImportProgramsResponse
    assert [each.outcome for each in results] == [made.OUTCOME_IMPORTED, made.OUTCOME_UNCHANGED]
    assert (await desk.get(row.program_id)).state == pb.Program.STATE_RELEASED


async def test_what_a_role_does_not_allow_is_denied(desk: Desk) -> None:
    made = await desk.draft()
    told = await refused(desk.do("ReleaseProgram", ANNA, made.program_id))
    assert (told.code, told.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")
    reader = person("rob", "reader")
    request = service.ListProgramHistoryRequest(program_id=made.program_id)
    assert (await refused(desk.ask("ListProgramHistory", reader, request))).reason == "ROLE_MISSING"


async def test_an_imported_program_is_revised_by_the_authors_it_names(desk: Desk) -> None:
    made = service.ImportProgramsResponse
    row = service.ImportProgramsRequest(
        row_id="a", program_id=str(uuid4()), content=content(), author="anna", co_authors=["ben"]
    )
    [result] = [each async for each in desk.stub.ImportPrograms(iter([row]), metadata=PIA)]
    assert result.outcome == made.OUTCOME_IMPORTED
    program = await desk.get(row.program_id)
    assert (program.author, list(program.co_authors)) == ("anna", ["ben"])
    revised = await desk.do("ReviseProgram", BEN, row.program_id)
    assert revised.working.number == 2
    row.row_id, row.author = "b", "a\0b"
    row.program_id = str(uuid4())
    [result] = [each async for each in desk.stub.ImportPrograms(iter([row]), metadata=PIA)]
    assert (result.outcome, read(grpc.StatusCode.OK, result.error).fields) == (made.OUTCOME_REFUSED, ["author"])
