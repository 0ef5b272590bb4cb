import asyncio
import signal

from training.ops.v1 import operations_service_pb2 as pb

from tests.unit.trainingctl import status_samples
from tests.unit.trainingctl.prepared import platform
from tests.unit.trainingctl.terminal import on_a_terminal


async def test_a_bar_shows_how_a_building_gets_on() -> None:
    seen = asyncio.Event()
    building = pb.RebuildProgress(generation=4, phase=pb.REBUILD_PHASE_IMPORTING, done=1500, total=4000, rate=250)
    building.time_left.FromSeconds(10)
    end = pb.RebuildProgress(generation=4, phase=pb.REBUILD_PHASE_COMPLETE)
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["RebuildCatalogue"] = [
            pb.RebuildCatalogueResponse(progress=building), seen.wait, pb.RebuildCatalogueResponse(progress=end),
        ]  # fmt: skip
        async with on_a_terminal(whole.variables, "rebuild", "--cause", "a trial") as terminal:
            await terminal.until("generation 4: importing")
            await terminal.until("1,500 of 4,000 · 250/s · 10.0 s left")
            seen.set()
            await terminal.until("catalogue generation 4 is complete and answers")
            assert await terminal.ended() == 0


async def test_ctrl_c_ends_the_command_and_says_that_the_building_goes_on() -> None:
    forever = asyncio.Event()
    building = pb.RebuildProgress(generation=4, phase=pb.REBUILD_PHASE_CATCHING_UP)
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["RebuildCatalogue"] = [pb.RebuildCatalogueResponse(progress=building), forever.wait]
        async with on_a_terminal(whole.variables, "rebuild", "--cause", "a trial") as terminal:
            await terminal.until("generation 4: catching up")
            terminal.process.send_signal(signal.SIGINT)
            await terminal.until("the building goes on without this command")
            assert await terminal.ended() == 130
        forever.set()


async def test_a_bar_shows_how_an_audit_gets_on_with_differences_above_it() -> None:
    seen = asyncio.Event()
    found = pb.AuditDifference(kind=pb.AuditDifference.KIND_MISSING, source="program", aggregate_id="one")
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["AuditCatalogue"] = [
            pb.AuditCatalogueResponse(source="program", checked=1000, total=2000, differences=[found]),
            seen.wait,
            pb.AuditCatalogueResponse(source="program", checked=2000, total=2000, complete=True),
        ]
        async with on_a_terminal(whole.variables, "audit") as terminal:
            await terminal.until("missing: program one")
            await terminal.until("1,000 of 2,000")
            seen.set()
            await terminal.until("1 difference, 0 repaired, 1 remaining")
            assert await terminal.ended() == 1


async def test_a_watch_shows_the_newest_status_in_place() -> None:
    seen, forever = asyncio.Event(), asyncio.Event()
    later = status_samples.catalogue()
    later.subscriptions[0].trouble = "the broker is away"
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["WatchStatus"] = [
            pb.WatchStatusResponse(status=status_samples.catalogue()),
            seen.wait,
            pb.WatchStatusResponse(status=later),
            forever.wait,
        ]
        async with on_a_terminal(whole.variables, "status", "--watch") as terminal:
            await terminal.until("read_model_2 generation 3")
            await terminal.until("program at 127.0.0.1:1 does not answer")
            seen.set()
            await terminal.until("the broker is away")
            terminal.process.send_signal(signal.SIGINT)
            assert await terminal.ended() == 0
        forever.set()
