import json

from training.ops.v1.operations_service_pb2 import ExplainResponse, RecordedEvent

from chassis.refusal import ResourceNotFound
from tests.unit.trainingctl.prepared import Platform, platform

EPOCH = "019a0000-0000-7000-8000-0000000000e1"
LATER = "019a0000-0000-7000-8000-0000000000e2"
PROGRAM = "019a0000-0000-7000-8000-000000000001"
REQUEST = "019a0000-0000-7000-8000-0000000000aa"
EVENTS = {revision: f"019a0000-0000-7000-8000-0000000000{revision:02d}" for revision in range(100)}


def event(revision: int, *, published: bool = True, seq: int | None = None) -> RecordedEvent:
    recorded = RecordedEvent(
        aggregate_id=PROGRAM,
        revision=revision,
        type="training.program.v1.ProgramReleased",
        request_id=REQUEST,
        epoch=EPOCH,
        lane=5,
        seq=revision if seq is None else seq,
        event_id=EVENTS[revision],
        published=published,
    )
    recorded.time.FromSeconds(1_000_000 + revision)
    return recorded


def applied(service: str, upto: int, revision: int | None = None, *, epoch: str = EPOCH) -> ExplainResponse:
    response = ExplainResponse(service=service)
    state = response.applied.add(source="program", aggregate_id=PROGRAM, lane=5, applied=upto, epoch=epoch)
    if revision is not None:
        state.revision = revision
        state.as_of.FromSeconds(1_000_100)
    return response


def nothing(service: str) -> ExplainResponse:
    return ExplainResponse(service=service)


def prepare(whole: Platform, *recorded: RecordedEvent) -> None:
    whole.program.answers["Explain"] = [ExplainResponse(service="program", recorded=recorded), nothing("program")]
    whole.offer.answers["Explain"] = applied("offer", 4, 4)
    whole.catalogue.answers["Explain"] = applied("catalogue", 4, 4)


async def test_the_way_of_an_aggregate_is_told_from_command_to_copies() -> None:
    async with platform() as whole:
        prepare(whole, event(3), event(4))
        done = await whole.run("explain", PROGRAM)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == f"program {PROGRAM}, lane 5"
    assert (
        lines[1] == "  offer shows revision 4, seq 4 of the lane applied, everything before 1970-01-12 13:48:20.000 UTC"
    )
    at = lines.index("  revision 4 training.program.v1.ProgramReleased")
    assert lines[at + 1 : at + 6] == [
        f"    command    {REQUEST}",
        f"    journal    1970-01-12 13:46:44.000 UTC, seq 4, event {EVENTS[4]}, epoch {EPOCH}",
        "    stream     published",
        "    offer      applied",
        "    catalogue  applied",
    ]
    assert lines.index("  revision 3 training.program.v1.ProgramReleased") > at


async def test_everybody_is_asked_about_the_id_as_both_kinds() -> None:
    async with platform() as whole:
        prepare(whole)
        await whole.run("explain", PROGRAM, "--limit", "7")
        for service in (whole.program, whole.offer, whole.catalogue):
            asked = {(each.WhichOneof("subject"), each.limit) for each in service.asked("Explain")}  # type: ignore[attr-defined]
            assert asked == {("aggregate_id", 7), ("request_id", 7)}


async def test_what_waits_and_what_is_parked_is_told_and_is_not_fine() -> None:
    async with platform() as whole:
        prepare(whole, event(4), event(6, published=False, seq=9))
        parked = applied("catalogue", 5, 3)
        state = parked.applied[0]
        state.parked.add(event_id=EVENTS[4], error="no such level", revision=4).park_time.FromSeconds(1_000_005)
        state.stopped_reason = "too many parked"
        whole.catalogue.answers["Explain"] = parked
        done = await whole.run("explain", PROGRAM)
    assert done.exit_code == 1
    assert "    stream     waiting to be published" in done.stdout
    assert "    offer      waiting, 5 events of the lane to go\n" in done.stdout
    assert "    catalogue  waiting, 4 events of the lane to go; the lane has stopped: too many parked" in done.stdout
    assert "    catalogue  parked at 1970-01-12 13:46:45.000 UTC: no such level" in done.stdout


async def test_an_event_of_an_epoch_that_a_copy_left_without_it_was_not_applied() -> None:
    async with platform() as whole:
        prepare(whole, event(4))
        whole.catalogue.answers["Explain"] = applied("catalogue", 2, 2, epoch=LATER)
        done = await whole.run("explain", PROGRAM)
    assert done.exit_code == 1
    assert "    catalogue  not applied: the copy is in a later epoch, which does not have the event" in done.stdout


async def test_of_an_earlier_epoch_what_is_shown_tells_and_numbers_do_not() -> None:
    lost, kept = event(5), event(4)
    async with platform() as whole:
        prepare(whole, lost, kept)
        whole.catalogue.answers["Explain"] = applied("catalogue", 9, 4, epoch=LATER)
        told = json.loads((await whole.run("explain", PROGRAM, "--json")).stdout)
    arrivals = {each["revision"]: each["copies"]["catalogue"] for each in told["aggregates"][0]["events"]}
    assert arrivals == {"5": "in another epoch", "4": "applied"}


async def test_of_an_earlier_epochs_event_that_shows_nothing_the_number_has_to_do() -> None:
    silent = event(5)
    silent.type = "training.program.v1.Advanced"
    async with platform() as whole:
        for applied_seq, arrival in ((9, "applied"), (3, "in another epoch")):
            prepare(whole, silent)
            whole.catalogue.answers["Explain"] = applied("catalogue", applied_seq, 4, epoch=LATER)
            told = json.loads((await whole.run("explain", PROGRAM, "--json")).stdout)
            assert told["aggregates"][0]["events"][0]["copies"]["catalogue"] == arrival


async def test_a_request_leads_to_the_aggregates_that_it_changed() -> None:
    async with platform() as whole:
        prepare(whole)
        whole.program.answers["Explain"] = ExplainResponse(service="program", recorded=[event(4)])
        whole.offer.answers["Explain"] = [nothing("offer"), nothing("offer"), applied("offer", 4, 4)]
        whole.catalogue.answers["Explain"] = [nothing("catalogue"), nothing("catalogue"), applied("catalogue", 4, 4)]
        done = await whole.run("explain", REQUEST, "--json")
        told = json.loads(done.stdout)
    assert done.exit_code == 0
    (found,) = told["aggregates"]
    assert (found["source"], found["aggregate_id"], found["everywhere"]) == ("program", PROGRAM, True)
    assert [each["copies"] for each in found["events"]] == [{"offer": "applied", "catalogue": "applied"}]


async def test_an_unknown_id_is_told_as_such() -> None:
    unknown = ResourceNotFound("There is no such thing.")
    async with platform() as whole:
        for service in (whole.program, whole.offer, whole.catalogue):
            service.answers["Explain"] = unknown
        done = await whole.run("explain", PROGRAM)
    assert done.exit_code == 1
    assert done.stdout == f"no service knows an aggregate or a request {PROGRAM}\n"


async def test_what_only_a_copy_knows_is_told_with_what_that_may_mean() -> None:
    async with platform() as whole:
        prepare(whole)
        whole.program.answers["Explain"] = nothing("program")
        told = (await whole.run("explain", PROGRAM)).stdout
    assert "  catalogue shows revision 4, seq 4 of the lane applied" in told
    assert "  program's journal has nothing of it: it was trimmed, or a restore has forgotten it" in told


async def test_who_does_not_answer_is_named_beside_what_the_others_tell() -> None:
    async with platform("catalogue") as whole:
        prepare(whole, event(4))
        done = await whole.run("explain", PROGRAM, "--timeout", "2")
    assert done.exit_code == 3
    assert "    offer      applied" in done.stdout
    assert done.stdout.count("catalogue at 127.0.0.1:1 does not answer: UNAVAILABLE") == 1


async def test_an_id_that_is_none_is_wrong_usage() -> None:
    async with platform("program", "offer", "catalogue") as whole:
        assert (await whole.run("explain", "sourdough")).exit_code == 2
