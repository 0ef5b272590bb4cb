import json
from typing import ClassVar

from training.ops.v1 import operations_service_pb2 as pb

from chassis.refusal import Refusal
from tests.unit.trainingctl.prepared import platform


class RebuildRunning(Refusal):
    """One is being built."""

    reason: ClassVar[str] = "REBUILD_RUNNING"


def progress(phase: pb.RebuildPhase.ValueType, **fields: object) -> pb.RebuildCatalogueResponse:
    building = pb.RebuildProgress(generation=4, phase=phase)
    for name, value in fields.items():
        setattr(building, name, value)
    return pb.RebuildCatalogueResponse(progress=building)


WHOLE = [
    progress(pb.REBUILD_PHASE_PREPARING),
    progress(pb.REBUILD_PHASE_IMPORTING, done=0, total=4000),
    progress(pb.REBUILD_PHASE_IMPORTING, done=1500, total=4000, rate=1500.0),
    progress(pb.REBUILD_PHASE_CATCHING_UP, done=10, total=10),
    progress(pb.REBUILD_PHASE_VERIFYING, total=4000),
    progress(pb.REBUILD_PHASE_COMPLETE, done=4000, total=4000),
]


async def test_each_phase_is_a_line_and_the_end_tells_the_generation() -> None:
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["RebuildCatalogue"] = WHOLE
        done = await whole.run("rebuild", "--cause", "a trial")
        (request,) = whole.catalogue.asked("RebuildCatalogue")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "generation 4: preparing",
        "generation 4: importing, 0 of 4,000",
        "generation 4: catching up, 10 of 10",
        "generation 4: verifying, 0 of 4,000",
        "catalogue generation 4 is complete and answers",
    ]
    assert request == pb.RebuildCatalogueRequest(method=pb.REBUILD_METHOD_SNAPSHOT, cause="a trial")


async def test_the_offer_services_copy_can_be_replayed() -> None:
    async with platform("program", "catalogue") as whole:
        whole.offer.answers["RebuildCatalogue"] = WHOLE
        done = await whole.run("rebuild", "--offer", "--method", "replay", "--cause", "a trial")
        (request,) = whole.offer.asked("RebuildCatalogue")
    assert done.stdout.splitlines()[-1] == "offer generation 4 is complete and answers"
    assert request == pb.RebuildCatalogueRequest(method=pb.REBUILD_METHOD_REPLAY, cause="a trial")


async def test_json_is_a_line_for_every_message() -> None:
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["RebuildCatalogue"] = WHOLE
        done = await whole.run("rebuild", "--cause", "a trial", "--json")
    told = [json.loads(line)["progress"] for line in done.stdout.splitlines()]
    assert [each["phase"] for each in told][-1] == "REBUILD_PHASE_COMPLETE"
    assert told[2]["done"] == "1500"


async def test_a_building_that_was_given_up_is_not_fine() -> None:
    async with platform("program", "offer") as whole:
        gone = progress(pb.REBUILD_PHASE_ABANDONED, trouble="a journal has been trimmed")
        whole.catalogue.answers["RebuildCatalogue"] = [WHOLE[0], gone]
        done = await whole.run("rebuild", "--cause", "a trial")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1] == "catalogue generation 4 was given up: a journal has been trimmed"


async def test_a_refusal_is_one_line_with_its_reason_and_what_belongs_to_it() -> None:
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["RebuildCatalogue"] = [RebuildRunning("One is being built.", {"generation": "4"})]
        done = await whole.run("rebuild", "--cause", "a trial")
        told = json.loads((await whole.run("rebuild", "--cause", "a trial", "--json")).stdout)
    assert done.exit_code == 4
    address = whole.catalogue.address
    assert done.stderr == f"catalogue at {address} refused: REBUILD_RUNNING: One is being built. (generation=4)\n"
    assert told["problem"]["metadata"] == {"generation": "4"}
    assert told["problem"]["reason"] == "REBUILD_RUNNING"


async def test_a_lost_connection_does_not_mean_a_lost_building() -> None:
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["RebuildCatalogue"] = WHOLE[:2]
        done = await whole.run("rebuild", "--cause", "a trial")
    assert done.exit_code == 3
    assert "the building goes on without this command; `trainingctl status` tells how" in done.stderr


async def test_a_cause_is_asked_for() -> None:
    async with platform("program", "offer", "catalogue") as whole:
        assert (await whole.run("rebuild")).exit_code == 2
