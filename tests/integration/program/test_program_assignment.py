import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from uuid import uuid4

import grpc
from training.program.v1 import program_pb2 as pb
from training.program.v1 import program_service_pb2 as service

from chassis.embedded import EmbeddedNats
from tests.integration.program.conftest import Serve
from tests.integration.program.desk import ANNA, PIA, RAJ, Desk, assigned, awaited, person, serving
from tests.integration.refusals import refused


async def test_reviewers_are_registered_changed_removed_and_registered_again(own_desk: Desk) -> None:
    raj = await own_desk.register("raj", "cloud", most=2)
    assert (raj.principal, list(raj.categories), raj.max_open_reviews, raj.revision) == ("raj", ["cloud"], 2, 1)
    assert (await own_desk.register("ruth")).max_open_reviews == 3
    again = service.RegisterReviewerRequest(principal="raj")
    assert (await refused(own_desk.ask("RegisterReviewer", PIA, again))).reason == "RESOURCE_EXISTS"
    change = service.UpdateReviewerRequest(principal="raj", categories=["data"], etag=raj.etag)
    changed = (await own_desk.ask("UpdateReviewer", PIA, change)).reviewer
    assert (list(changed.categories), changed.max_open_reviews) == (["data"], 2)
    assert (await refused(own_desk.ask("UpdateReviewer", PIA, change))).reason == "ETAG_MISMATCH"
    await own_desk.ask("RemoveReviewer", PIA, service.RemoveReviewerRequest(principal="raj"))
    assert await own_desk.loads() == {"ruth": 0}
    gone = service.RemoveReviewerRequest(principal="raj")
    assert (await refused(own_desk.ask("RemoveReviewer", PIA, gone))).code is grpc.StatusCode.NOT_FOUND
    back = await own_desk.register("raj", "cloud")
    assert (back.revision, back.state, back.max_open_reviews) == (4, back.STATE_REGISTERED, 3)
    assert back.register_time.ToDatetime() > back.create_time.ToDatetime()


async def test_nobody_can_tell_from_the_journal_who_is_a_reviewer(
    own_desk: Desk, database: Callable[[], Awaitable[str]], nats: EmbeddedNats
) -> None:
    """Whatever is made of names alone is the same everywhere, and anybody could make it to compare."""
    names, journal = ["raj", "ruth"], "SELECT aggregate_id, type, public FROM journal"
    ids = list[set[object]]()
    async with serving(await database(), nats.url, f"t{uuid4().hex[:12]}") as other:
        for desk in (own_desk, other):
            for name in names:
                await desk.register(name)
            rows = await desk.rows(journal)
            assert {(row["type"], row["public"]) for row in rows} == {("training.program.v1.Advanced", b"")}
            ids.append({row["aggregate_id"] for row in rows})
    assert [len(each) for each in ids] == [2, 2]
    assert ids[0].isdisjoint(ids[1])


async def test_a_reviewer_is_the_same_one_after_a_downtime(serve: Serve) -> None:
    async with serve(None) as desk:
        await desk.register("raj")
    async with serve(None) as desk:
        again = service.RegisterReviewerRequest(principal="raj")
        assert (await refused(desk.ask("RegisterReviewer", PIA, again))).reason == "RESOURCE_EXISTS"


async def test_reviewers_are_listed_by_name_page_by_page(own_desk: Desk) -> None:
    names = [f"reviewer {number:02}" for number in range(7)]
    for name in reversed(names):
        await own_desk.register(name)
    request, found, pages = service.ListReviewersRequest(page_size=3), list[str](), 0
    while True:
        page = await own_desk.ask("ListReviewers", ANNA, request)
        found, pages = found + [each.principal for each in page.reviewers], pages + 1
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert (found, pages) == (names, 3)
    request.page_token = "AQAAAAAAAAAAAAAA"
    assert (await refused(own_desk.ask("ListReviewers", ANNA, request))).reason == "PAGE_TOKEN_MALFORMED"


async def test_who_knows_the_categories_is_assigned_and_nobody_else_approves(own_desk: Desk) -> None:
    await own_desk.register("ruth", "data")
    await own_desk.register("raj", "cloud")
    await own_desk.register("anna", "cloud")
    made = await own_desk.in_review(categories=["cloud"])
    assert assigned(made) == ["raj"]
    assert await own_desk.loads() == {"anna": 0, "raj": 1, "ruth": 0}
    assert await own_desk.ids(reviewer="raj") == [made.program_id]
    assert await own_desk.ids(reviewer="ruth") == []
    told = await refused(own_desk.do("ApproveProgram", person("ruth", "reviewer"), made.program_id))
    assert told.reason == "NOT_ASSIGNED"
    approved = await own_desk.do("ApproveProgram", RAJ, made.program_id)
    assert approved.working.state == pb.Program.STATE_APPROVED
    assert await own_desk.loads() == {"anna": 0, "raj": 0, "ruth": 0}
    assert await own_desk.ids(reviewer="raj") == []


async def test_reviewers_are_assigned_by_name(own_desk: Desk) -> None:
    await own_desk.register("raj", most=1)
    await own_desk.register("ruth", most=1)
    made = await own_desk.in_review()
    assert assigned(made) == ["raj"]
    both = await own_desk.do("AssignReviewer", PIA, made.program_id, reviewer="ruth")
    assert assigned(both) == ["raj", "ruth"]
    for name, reason in {
        "ruth": "ALREADY_ASSIGNED",
        "anna": "FOUR_EYES",
        "carl": "REVIEWER_NOT_REGISTERED",
        "\0": "INVALID_FIELD",
    }.items():
        told = await refused(own_desk.do("AssignReviewer", PIA, made.program_id, reviewer=name))
        assert told.reason == reason
    other = await own_desk.in_review()
    told = await refused(own_desk.do("AssignReviewer", PIA, other.program_id, reviewer="raj"))
    assert (told.reason, told.metadata["open_reviews"]) == ("REVIEWER_BUSY", "1")


async def test_no_race_of_submitters_passes_the_cap_and_the_others_wait(own_desk: Desk) -> None:
    await own_desk.register("raj")
    await own_desk.register("ruth")
    drafts = [await own_desk.draft() for _ in range(32)]
    submitted = await asyncio.gather(*(own_desk.do("SubmitProgram", ANNA, each.program_id) for each in drafts))
    given = Counter(name for each in submitted for name in assigned(each))
    assert given == {"raj": 3, "ruth": 3}
    assert await own_desk.loads() == given
    waiting = [each for each in submitted if each.working.HasField("waiting_since")]
    assert len(waiting) == 26
    assert set(await own_desk.ids(awaiting_assignment=True)) == {each.program_id for each in waiting}
    [reviews] = await own_desk.rows("SELECT count(*) FROM review")
    assert reviews["count"] == 6


async def test_no_race_of_submitters_is_refused_or_waits_while_enough_reviewers_are_free(own_desk: Desk) -> None:
    names = [f"reviewer {number:02}" for number in range(48)]
    for name in names:
        await own_desk.register(name, most=1)
    drafts = [await own_desk.draft() for _ in names]
    submitted = await asyncio.gather(*(own_desk.do("SubmitProgram", ANNA, each.program_id) for each in drafts))
    assert Counter(name for each in submitted for name in assigned(each)) == Counter(names)
    assert await own_desk.loads() == dict.fromkeys(names, 1)
    assert await own_desk.ids(awaiting_assignment=True) == []


async def test_those_who_wait_are_given_reviewers_in_the_order_in_which_they_came(own_desk: Desk) -> None:
    await own_desk.register("raj", most=1)
    first = await own_desk.in_review()
    waiting = [(await own_desk.in_review()).program_id for _ in range(6)]
    served = [first.program_id]
    for _ in waiting:
        await own_desk.do("ApproveProgram", RAJ, served[-1])

        async def next_one() -> str | None:
            found = await own_desk.ids(reviewer="raj")
            return found[0] if found else None

        served.append(await awaited(next_one))
        assert await own_desk.loads() == {"raj": 1}
    assert served == [first.program_id, *waiting]


async def test_a_new_submission_takes_nobody_for_whom_others_wait(own_desk: Desk) -> None:
    await own_desk.register("raj", most=1)
    busy = await own_desk.in_review()
    waiting = await own_desk.in_review()
    await own_desk.do("ApproveProgram", RAJ, busy.program_id)
    late = await own_desk.in_review()
    now = await own_desk.becomes(waiting.program_id, lambda program: bool(assigned(program)))
    assert assigned(now) == ["raj"]
    assert assigned(await own_desk.get(late.program_id)) == []


async def test_who_registers_is_given_what_waits_but_never_what_is_theirs(own_desk: Desk) -> None:
    waiting = [await own_desk.in_review() for _ in range(2)]
    await own_desk.register("ben")
    await own_desk.register("raj")
    for each in waiting:
        now = await own_desk.becomes(each.program_id, lambda program: bool(assigned(program)))
        assert assigned(now) == ["raj"]
        assert not now.working.HasField("waiting_since")
        last = (await own_desk.history(each.program_id))[-1]
        assert (last.actor, last.command) == ("timekeeper", "AssignWaiting")


async def test_the_reviews_of_a_removed_reviewer_go_to_others_or_wait(own_desk: Desk) -> None:
    await own_desk.register("raj")
    made = [await own_desk.in_review() for _ in range(3)]
    await own_desk.register("ruth", most=2)
    await own_desk.ask("RemoveReviewer", PIA, service.RemoveReviewerRequest(principal="raj"))
    now = [await own_desk.becomes(each.program_id, lambda program: assigned(program) != ["raj"]) for each in made]
    assert sorted(map(assigned, now)) == [[], ["ruth"], ["ruth"]]
    assert sum(each.working.HasField("waiting_since") for each in now) == 1
    assert await own_desk.loads() == {"ruth": 2}
    [load] = await own_desk.rows("SELECT sum(open_reviews) FROM reviewer_load")
    assert load["sum"] == 2


async def test_what_waits_is_assigned_after_a_downtime_too(serve: Serve) -> None:
    async with serve(None) as desk:
        waiting = await desk.in_review()
    async with serve(None) as desk:
        await desk.register("raj")
        await desk.becomes(waiting.program_id, lambda program: assigned(program) == ["raj"])


async def test_reviews_that_begin_and_end_at_once_are_counted_right(own_desk: Desk) -> None:
    await own_desk.register("raj", most=2)
    await own_desk.register("ruth", most=2)
    drafts = [(await own_desk.draft()).program_id for _ in range(8)]

    async def go_back_and_forth(program_id: str) -> None:
        for _ in range(6):
            await own_desk.do("SubmitProgram", ANNA, program_id)
            await own_desk.do("WithdrawProgram", ANNA, program_id)

    await asyncio.gather(*map(go_back_and_forth, drafts))
    assert await own_desk.loads() == {"raj": 0, "ruth": 0}
    [reviews] = await own_desk.rows("SELECT count(*) FROM review")
    assert reviews["count"] == 0
