import asyncio
from collections import Counter
from uuid import uuid4

import grpc
from training.program.v1 import program_pb2 as pb
from training.program.v1 import program_service_pb2 as service
from training.program.v1.events_pb2 import ProgramRevisionRecord

from tests.integration.chassis_server import reason_of
from tests.integration.program.desk import ANNA, BEN, RAJ, Desk

EDITORS = 64


async def test_sixty_four_editors_at_once_leave_gapless_revisions_and_a_history_that_is_the_journal(desk: Desk) -> None:
    made = await desk.draft()
    accepted: dict[int, str] = {1: "CreateProgram"}
    conflicts: Counter[tuple[str, str]] = Counter()

    async def edit(number: int) -> None:
        """Change the title until it is taken: with an etag, reading anew after each refusal, or without."""
        request_id = str(uuid4())
        while True:
            etag = (await desk.get(made.program_id)).etag if number % 2 else ""
            request = service.UpdateProgramRequest(
                program_id=made.program_id,
                content=pb.ProgramContent(title=f"Title {number}"),
                etag=etag,
                request_id=str(uuid4()) if etag else request_id,
            )
            try:
                answer = await desk.ask("UpdateProgram", ANNA if number % 3 else BEN, request)
            except grpc.aio.AioRpcError as error:
                conflicts[error.code().name, reason_of(error)] += 1
                continue
            program = answer.program
            assert program.working.content.title == f"Title {number}"
            assert program.revision not in accepted
            accepted[program.revision] = program.working.content.title
            return

    await asyncio.gather(*map(edit, range(EDITORS)))
    assert sorted(accepted) == list(range(1, EDITORS + 2))
    assert set(conflicts) <= {("ABORTED", "ETAG_MISMATCH"), ("ABORTED", "CONFLICT")}
    last = await desk.get(made.program_id)
    assert (last.revision, last.working.content.title) == (EDITORS + 1, accepted[EDITORS + 1])
    told = await desk.history(made.program_id)
    kept = await desk.rows(
        "SELECT revision, principal, private, type, public FROM journal WHERE aggregate_id = $1 ORDER BY revision",
        made.program_id,
    )
    assert [each.revision for each in told] == [row["revision"] for row in kept] == list(range(1, EDITORS + 2))
    for entry, row in zip(told, kept, strict=True):
        record = ProgramRevisionRecord.FromString(row["private"])
        assert (entry.actor, entry.command) == (row["principal"], record.command)
        assert (row["type"], row["public"]) == ("training.program.v1.Advanced", b"")
        if entry.revision > 1:
            assert record.changes[0].content_changed.content.title == accepted[entry.revision]
            assert list(entry.changed_fields) == ["title"]


async def test_of_two_reviewers_who_decide_at_once_one_is_told_that_it_is_over(desk: Desk) -> None:
    made = [await desk.in_review() for _ in range(8)]

    async def decide(program_id: str, rpc: str, **fields: str) -> str:
        try:
            await desk.do(rpc, RAJ, program_id, **fields)
        except grpc.aio.AioRpcError as error:
            return reason_of(error)
        return ""

    for each in made:
        told = await asyncio.gather(
            decide(each.program_id, "ApproveProgram"), decide(each.program_id, "RejectProgram", reason="No.")
        )
        assert sorted(told) == ["", "PROGRAM_STATE"]


async def test_comments_made_at_once_are_all_kept_and_counted(desk: Desk) -> None:
    made = await desk.in_review()
    await asyncio.gather(*(desk.comment(RAJ, made.program_id, f"No {number}", blocking=True) for number in range(24)))
    now = await desk.get(made.program_id)
    assert (now.working.comment_count, now.working.open_blocking_comments) == (24, 24)
    [kept] = await desk.rows("SELECT count(*) FROM review_comment WHERE program_id = $1", made.program_id)
    assert kept["count"] == 24
