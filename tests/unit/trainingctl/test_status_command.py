import json

from training.ops.v1.operations_service_pb2 import RebuildPhase, RebuildProgress

from tests.unit.trainingctl import status_samples
from tests.unit.trainingctl.prepared import Platform, platform


def prepare(whole: Platform) -> None:
    whole.program.answers["GetStatus"] = status_samples.program()
    whole.offer.answers["GetStatus"] = status_samples.offer()
    whole.catalogue.answers["GetStatus"] = status_samples.catalogue()


async def test_all_services_are_asked_in_the_operators_name_and_shown_in_one_table() -> None:
    async with platform() as whole:
        prepare(whole)
        done = await whole.run("status")
        assert done.exit_code == 0
        rows = [line.split() for line in done.stdout.splitlines()]
        assert rows[1][:6] == ["program", "program", "journal", "all", "1,234", "1,234"]
        assert ["catalogue", "program", "copy", "all", "1,234", "1,234", "1,234", "0", "0", "0.5", "s", "ago"] in [
            row[:12] for row in rows
        ]
        assert rows[-1] == ["everything", "is", "fresh"]
        assert whole.catalogue.principals == {"operator;roles=operator"}


async def test_epochs_and_generations_are_told_below_the_table() -> None:
    async with platform() as whole:
        prepare(whole)
        told = (await whole.run("status")).stdout
    assert f"program: epoch {status_samples.PROGRAM_EPOCH} since 1970-01-11 10:00:00.000 UTC: first" in told
    assert f"catalogue: follows program in epoch {status_samples.PROGRAM_EPOCH}" in told
    assert "catalogue: read_model_2 generation 3 since 1970-01-11 23:53:20.000 UTC: asked for by ops" in told


async def test_lanes_parked_events_and_a_building_are_shown() -> None:
    async with platform() as whole:
        prepare(whole)
        status = status_samples.catalogue()
        status.subscriptions[0].parked_aggregates = 1
        status.subscriptions[0].lanes[0].parked_events = 2
        status.subscriptions[0].lanes[0].epoch = "019a0000-0000-7000-8000-0000000000e2"
        building = status.read_model.building
        building.MergeFrom(
            RebuildProgress(
                generation=4,
                phase=RebuildPhase.REBUILD_PHASE_IMPORTING,
                cause="a trial",
                done=500,
                total=2000,
                rate=250,
            )
        )
        building.time_left.FromSeconds(6)
        whole.catalogue.answers["GetStatus"] = status
        told = (await whole.run("status", "--lanes")).stdout
    rows = [line.split() for line in told.splitlines()]
    assert ["catalogue", "0", "1,234", "1,234", "1,234", "0", "2"] in rows
    assert "lanes 0 of program are in epoch 019a0000-0000-7000-8000-0000000000e2" in told
    assert "read_model_2 generation 4 is being built: importing, 500 of 2,000, 250/s, 6.0 s left; why: a trial" in told


async def test_what_a_source_announces_is_shown_as_unknown_until_it_was_heard_of() -> None:
    async with platform() as whole:
        prepare(whole)
        status = status_samples.catalogue()
        [copy] = status.subscriptions
        copy.ClearField("lag")
        copy.lanes[0].committed = copy.lanes[0].published = 0
        whole.catalogue.answers["GetStatus"] = status
        rows = [line.split() for line in (await whole.run("status", "--lanes")).stdout.splitlines()]
    assert ["catalogue", "program", "copy", "all", "unknown", "unknown", "1,234", "unknown", "0"] in [
        row[:9] for row in rows
    ]
    assert ["catalogue", "0", "unknown", "unknown", "1,234", "unknown", "0"] in [row[:7] for row in rows]


async def test_a_copy_without_a_generation_says_so() -> None:
    async with platform() as whole:
        prepare(whole)
        status = status_samples.catalogue()
        status.read_model.generation = 0
        whole.catalogue.answers["GetStatus"] = status
        assert "read_model_2 has no generation that answers yet" in (await whole.run("status")).stdout


async def test_the_exit_code_tells_what_is_not_fresh_from_who_does_not_answer() -> None:
    async with platform("catalogue") as whole:
        prepare(whole)
        missing = await whole.run("status", "--timeout", "2")
        assert missing.exit_code == 3
        assert "catalogue at 127.0.0.1:1 does not answer: UNAVAILABLE: " in missing.stdout
        assert "not everything is fresh" in missing.stdout
    async with platform() as whole:
        prepare(whole)
        stale = status_samples.program()
        stale.journal.relay_leader = ""
        whole.program.answers["GetStatus"] = stale
        assert (await whole.run("status")).exit_code == 1


async def test_json_has_every_field_and_the_problem_of_who_does_not_answer() -> None:
    async with platform("offer") as whole:
        prepare(whole)
        told = json.loads((await whole.run("status", "--json")).stdout)
    assert told["fresh"] is False
    by_name = {each["service"]: each for each in told["services"]}
    assert by_name["catalogue"]["fresh"] is True
    assert by_name["catalogue"]["status"]["subscriptions"][0]["parked_aggregates"] == 0
    assert by_name["offer"]["status"] is None
    assert "does not answer" in by_name["offer"]["problem"]
