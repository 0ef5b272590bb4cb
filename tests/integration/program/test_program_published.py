"""What the program service tells of what it has published."""

from training.ops.v1 import journal_service_pb2 as journal
from training.program.v1 import events_pb2
from training.program.v1 import program_pb2 as pb

from program_svc.adapters.published import PublishedPrograms
from tests.integration.program.desk import ANNA, PIA, Desk
from tests.integration.remembered import judge_published


async def test_a_snapshot_and_the_digests_tell_of_every_program_what_its_last_event_told(own_desk: Desk) -> None:
    desk = own_desk
    revised, retired, draft = await desk.released(), await desk.released(), await desk.draft()
    await desk.do("ReviseProgram", ANNA, revised.program_id)
    later = await desk.do("SubmitProgram", ANNA, revised.program_id)
    assert later.public_revision == revised.revision < later.revision
    await desk.do("RetireProgram", PIA, retired.program_id, reason="nobody came")
    await desk.register("raj")
    published = await judge_published(desk.dsn, "program", "program_id", PublishedPrograms())
    told = {
        entry.aggregate_id: entry
        async for chunk in desk.journal.ExportSnapshot(journal.ExportSnapshotRequest())
        for entry in chunk.entries
    }
    assert list(told.values()) == [published[each] for each in sorted(published)]
    (digest,) = [each async for each in desk.journal.GetDigests(journal.GetDigestsRequest(with_entries=True))]
    assert [(each.aggregate_id, each.revision, each.event_id) for each in digest.entries] == [
        (each.aggregate_id, each.revision, each.event_id) for each in told.values()
    ]
    states = {
        state.program_id: state
        for state in (events_pb2.ProgramEvent.FromString(entry.body).program for entry in told.values())
    }
    assert set(states) == {revised.program_id, retired.program_id}
    assert states[revised.program_id].revision == revised.revision
    assert states[retired.program_id].state == pb.Program.STATE_RETIRED
    assert draft.program_id not in states
