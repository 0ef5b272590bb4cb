import asyncio
from datetime import UTC
from pathlib import Path

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from training.program.v1 import program_pb2 as pb

from tests.integration.chassis_server import reason_of
from tests.integration.program.conftest import Serve
from tests.integration.program.desk import ANNA, PIA, RAJ, Desk, awaited, shortly
from tests.integration.refusals import refused

SCHEDULED, APPROVED = pb.Program.STATE_SCHEDULED, pb.Program.STATE_APPROVED
RELEASED, RETIRED = pb.Program.STATE_RELEASED, pb.Program.STATE_RETIRED


async def passed(desk: Desk, time: Timestamp) -> None:
    """Wait until a time is over, by the database's clock."""

    async def look() -> bool | None:
        [row] = await desk.rows("SELECT clock_timestamp() > $1 AS over", time.ToDatetime(UTC))
        return row["over"] or None

    await awaited(look)


async def test_a_scheduled_release_fires_at_its_time(desk: Desk) -> None:
    made = await desk.approved()
    time = shortly(1.5)
    scheduled = await desk.do("ReleaseProgram", PIA, made.program_id, release_time=time)
    assert (scheduled.state, scheduled.working.release_time) == (SCHEDULED, time)
    live = await desk.becomes(made.program_id, lambda program: program.state == RELEASED)
    assert live.live.release_time.ToDatetime() >= time.ToDatetime()
    last = (await desk.history(made.program_id))[-1]
    assert (last.actor, last.command) == ("timekeeper", "FireRelease")
    assert last.changes[0].HasField("released")


async def test_a_release_that_is_called_off_does_not_fire(desk: Desk) -> None:
    made = await desk.approved()
    time = shortly(1.0)
    await desk.do("ReleaseProgram", PIA, made.program_id, release_time=time)
    back = await desk.do("CancelScheduledRelease", PIA, made.program_id)
    assert (back.state, back.working.HasField("release_time")) == (APPROVED, False)
    other = await desk.approved()
    await desk.do("ReleaseProgram", PIA, other.program_id, release_time=time)
    await desk.becomes(other.program_id, lambda program: program.state == RELEASED)
    assert (await desk.get(made.program_id)) == back
    assert (await refused(desk.do("CancelScheduledRelease", PIA, made.program_id))).reason == "PROGRAM_STATE"


async def test_a_release_is_scheduled_anew_and_never_for_the_past(desk: Desk) -> None:
    made = await desk.approved()
    await desk.do("ReleaseProgram", PIA, made.program_id, release_time=shortly(3600))
    told = await refused(desk.do("ReleaseProgram", PIA, made.program_id, release_time=shortly(-1)))
    assert told.reason == "RELEASE_TIME_PAST"
    await desk.do("ReleaseProgram", PIA, made.program_id, release_time=shortly(0.7))
    await desk.becomes(made.program_id, lambda program: program.state == RELEASED)


async def test_in_scheduled_only_exempt_fields_change(desk: Desk) -> None:
    made = await desk.approved()
    await desk.do("ReleaseProgram", PIA, made.program_id, release_time=shortly(3600))
    tagged = await desk.do("UpdateProgram", ANNA, made.program_id, content=pb.ProgramContent(tags=["spring"]))
    assert tagged.state == SCHEDULED
    edit = desk.do("UpdateProgram", ANNA, made.program_id, content=pb.ProgramContent(audience="All"))
    assert (await refused(edit)).reason == "PROGRAM_STATE"


async def test_a_service_that_was_down_at_the_time_releases_when_it_is_back(serve: Serve) -> None:
    async with serve(None) as desk:
        made = await desk.approved()
        time = shortly(1.5)
        await desk.do("ReleaseProgram", PIA, made.program_id, release_time=time)
    await passed(desk, time)
    async with serve(None) as desk:
        await desk.becomes(made.program_id, lambda program: program.state == RELEASED)
        assert len(await desk.history(made.program_id)) == 5


async def test_a_release_that_fails_the_gate_at_its_time_goes_back_and_says_why(serve: Serve, tmp_path: Path) -> None:
    async with serve(None) as desk:
        made = await desk.approved()
        time = shortly(1.5)
        await desk.do("ReleaseProgram", PIA, made.program_id, release_time=time)
    stricter = tmp_path / "rules.toml"
    stricter.write_text("[gate]\nminimum_modules = 3\n")
    await passed(desk, time)
    async with serve(stricter) as desk:
        back = await desk.becomes(made.program_id, lambda program: program.state == APPROVED)
        assert [each.rule for each in back.working.release_failure.violations] == ["agenda.modules"]
        assert back.working.release_failure.fail_time.ToDatetime() >= time.ToDatetime()
        assert not back.working.HasField("release_time")
        again = await refused(desk.do("ReleaseProgram", PIA, made.program_id))
        assert (again.reason, again.rules) == ("RELEASE_GATE", ["agenda.modules"])
        waiver = pb.Waiver(rules=["agenda.modules"], reason="It is short.")
        live = await desk.do("ReleaseProgram", PIA, made.program_id, waiver=waiver)
        assert (live.state, live.live.HasField("release_failure")) == (RELEASED, False)


async def test_of_a_release_that_fires_and_its_cancelling_exactly_one_happens(desk: Desk) -> None:
    made = [await desk.approved() for _ in range(12)]
    time = shortly(1.5)
    for each in made:
        await desk.do("ReleaseProgram", PIA, each.program_id, release_time=time)

    async def cancel(program_id: str) -> str:
        try:
            await desk.do("CancelScheduledRelease", PIA, program_id)
        except grpc.aio.AioRpcError as error:
            return reason_of(error)
        return ""

    await passed(desk, time)
    told = await asyncio.gather(*(cancel(each.program_id) for each in made))
    assert set(told) <= {"", "PROGRAM_STATE"}
    for each, refusal in zip(made, told, strict=True):
        state = (await desk.get(each.program_id)).state
        commands = [entry.command for entry in await desk.history(each.program_id)]
        assert state == (RELEASED if refusal else APPROVED)
        assert commands[4:] == ["FireRelease" if refusal else "CancelScheduledRelease"]


async def test_a_retirement_takes_effect_at_its_time(desk: Desk) -> None:
    made = await desk.released()
    time = shortly(1.5)
    pending = await desk.do("RetireProgram", PIA, made.program_id, reason="It is old.", effective_time=shortly(3600))
    assert (pending.state, pending.public_revision) == (RELEASED, made.public_revision)
    pending = await desk.do(
        "RetireProgram", PIA, made.program_id, reason="It is very old.", effective_time=time, cancel_offers=True
    )
    assert pending.pending_retirement.retire_time == time
    retired = await desk.becomes(made.program_id, lambda program: program.state == RETIRED)
    assert (retired.retirement.reason, retired.retirement.cancel_offers) == ("It is very old.", True)
    assert not retired.HasField("pending_retirement")
    assert retired.public_revision == retired.revision
    assert [each.command for each in await desk.history(made.program_id)][-1] == "FireRetirement"


async def test_a_retired_programs_release_does_not_fire(desk: Desk) -> None:
    made = await desk.released()
    await desk.do("ReviseProgram", ANNA, made.program_id)
    await desk.do("SubmitProgram", ANNA, made.program_id)
    await desk.do("ApproveProgram", RAJ, made.program_id)
    await desk.do("ReleaseProgram", PIA, made.program_id, release_time=shortly(3600))
    retired = await desk.do("RetireProgram", PIA, made.program_id, reason="Nobody came.")
    assert (retired.state, retired.HasField("working")) == (RETIRED, False)
    [row] = await desk.rows("SELECT due_at FROM program WHERE program_id = $1", made.program_id)
    assert row["due_at"] is None


async def test_two_programs_that_name_each_other_as_successor_are_not_both_retired(desk: Desk) -> None:
    for _ in range(4):
        one, other = (await desk.released()).program_id, (await desk.released()).program_id
        pairs = ((one, other), (other, one))
        calls = [
            desk.do("RetireProgram", PIA, retired, reason="It is replaced.", successor_program_id=successor)
            for retired, successor in pairs
        ]
        results = await asyncio.gather(*calls, return_exceptions=True)
        [refusal] = [each for each in results if isinstance(each, grpc.aio.AioRpcError)]
        assert reason_of(refusal) == "SUCCESSOR_NOT_RELEASED"
        states = [(await desk.get(each)).state for each in (one, other)]
        assert sorted(states) == [RELEASED, RETIRED]


async def test_programs_that_name_each_other_as_successor_do_not_end_in_a_circle_however_they_retire(
    desk: Desk,
) -> None:
    one, other, third, fourth = [(await desk.released()).program_id for _ in range(4)]
    time = shortly(1.5)
    for retired, successor in ((one, other), (third, fourth), (fourth, third)):
        fields = {"reason": "It is replaced.", "successor_program_id": successor, "effective_time": time}
        await desk.do("RetireProgram", PIA, retired, **fields)
    await desk.do("RetireProgram", PIA, other, reason="It is replaced.", successor_program_id=one)
    first, second, last = [
        await desk.becomes(each, lambda program: program.state == RETIRED) for each in (one, third, fourth)
    ]
    assert first.retirement.successor_program_id == ""
    assert (await desk.get(other)).retirement.successor_program_id == one
    [named] = [each for each in (second, last) if each.retirement.successor_program_id]
    assert named.retirement.successor_program_id in {third, fourth}
    dropped = [(await desk.history(each))[-1].changes[0].retired.successor_dropped for each in (one, third, fourth)]
    assert sorted(dropped) == [False, True, True]
