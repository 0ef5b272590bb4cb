"""The import's own promises, against a service that misbehaves in every way that a stream can."""

import asyncio
from pathlib import Path

import grpc
import pytest
from google.rpc.status_pb2 import Status
from training.program.v1.program_service_pb2 import ImportProgramsRequest, ImportProgramsResponse

from chassis.embedded.ports import free_port
from tests.integration.import_service import Importer, ImportService, StreamEnded, imported, serving
from tests.unit.trainingctl.rows import lines, program
from trainingctl.failures import ImportAborted
from trainingctl.feed import READ_AHEAD
from trainingctl.flight import IN_FLIGHT

NAMES = [f"row {number}" for number in range(500)]


def refusing(row: ImportProgramsRequest, code: grpc.StatusCode) -> ImportProgramsResponse:
    return ImportProgramsResponse(
        row_id=row.row_id,
        outcome=ImportProgramsResponse.OUTCOME_REFUSED,
        error=Status(code=code.value[0], message="not now"),
    )


async def test_no_service_ever_sees_more_unanswered_rows_than_allowed(tmp_path: Path) -> None:
    enough = asyncio.Event()

    async def hold(row: ImportProgramsRequest) -> ImportProgramsResponse:
        if service.unanswered == IN_FLIGHT:
            enough.set()
        await enough.wait()
        await asyncio.sleep(0)
        return await imported(row)

    service, importer = ImportService(hold), Importer(tmp_path, *NAMES)
    async with serving(service) as address:
        await importer.run(address)
    assert service.most_unanswered == IN_FLIGHT
    assert importer.tally.imported == len(NAMES)
    assert set(service.seen.values()) == {1}


async def test_a_smaller_bound_is_kept_too(tmp_path: Path) -> None:
    service, importer = ImportService(), Importer(tmp_path, *NAMES[:50], in_flight=3)
    async with serving(service) as address:
        await importer.run(address)
    assert service.most_unanswered <= 3
    assert importer.tally.imported == 50


async def test_a_file_is_never_read_far_ahead_of_its_answers(tmp_path: Path) -> None:
    release, names = asyncio.Event(), [f"row {number}" for number in range(1_000)]

    async def hold(row: ImportProgramsRequest) -> ImportProgramsResponse:
        await release.wait()
        return await imported(row)

    service, importer = ImportService(hold), Importer(tmp_path, *names)
    # A line that can't be read is reported when it is read: everything before it has been read then.
    bound = IN_FLIGHT + READ_AHEAD + 2
    rows = importer.file.read_text().splitlines(keepends=True)
    rows[bound] = "no row\n"
    importer.file.write_text("".join(rows))
    async with serving(service) as address:
        running = asyncio.create_task(importer.run(address))
        while service.unanswered < IN_FLIGHT:
            await service.arrived.wait()
            service.arrived.clear()
        assert importer.tally.refused == 0
        release.set()
        await running
    assert (importer.tally.imported, importer.tally.refused) == (len(names) - 1, 1)


async def test_rows_without_an_answer_are_sent_again_after_a_lost_connection(tmp_path: Path) -> None:
    async def lose(row: ImportProgramsRequest) -> ImportProgramsResponse | None:
        if service.streams < 3 and row.row_id == f"row {100 * service.streams}":
            raise StreamEnded(grpc.StatusCode.UNAVAILABLE, "cut off")
        if service.streams == 1 and row.row_id.endswith("7"):
            return None
        return await imported(row)

    service, importer = ImportService(lose), Importer(tmp_path, *NAMES)
    async with serving(service) as address:
        await importer.run(address)
    assert service.streams >= 3
    assert importer.tally.imported == len(NAMES)
    assert set(service.seen) == set(NAMES)
    assert sum(service.seen.values()) <= len(NAMES) + (service.streams - 1) * IN_FLIGHT


async def test_a_service_that_starts_late_or_again_is_waited_for(tmp_path: Path) -> None:
    port, half = free_port(), asyncio.Event()

    async def until_half(row: ImportProgramsRequest) -> ImportProgramsResponse | None:
        if importer.tally.imported >= len(NAMES) // 2:
            half.set()
            return None
        return await imported(row)

    importer = Importer(tmp_path, *NAMES)
    running = asyncio.create_task(importer.run(f"127.0.0.1:{port}"))
    async with serving(ImportService(until_half), port):
        await half.wait()
    async with serving(ImportService(), port):
        await running
    assert importer.tally.imported == len(NAMES)
    assert importer.tally.reconnections > 0


async def test_a_row_that_breaks_the_stream_is_found_and_costs_only_itself(tmp_path: Path) -> None:
    async def break_at_two(row: ImportProgramsRequest) -> ImportProgramsResponse:
        if row.row_id in {"row 13", "row 40"}:
            raise StreamEnded(grpc.StatusCode.INTERNAL, "a fault")
        return await imported(row)

    importer = Importer(tmp_path, *NAMES[:60], in_flight=20)
    async with serving(ImportService(break_at_two)) as address:
        await importer.run(address)
    assert sorted(row.row_id for row in importer.refused) == ["row 13", "row 40"]
    assert {(row.code, row.message) for row in importer.refused} == {("INTERNAL", "a fault")}
    assert importer.tally.imported == 58


async def test_a_row_refused_for_a_passing_reason_is_tried_again(tmp_path: Path) -> None:
    async def refuse_once(row: ImportProgramsRequest) -> ImportProgramsResponse:
        if service.seen[row.row_id] == 1 and row.row_id.endswith("5"):
            return refusing(row, grpc.StatusCode.UNAVAILABLE)
        return await imported(row)

    service, importer = ImportService(refuse_once), Importer(tmp_path, *NAMES[:50])
    async with serving(service) as address:
        await importer.run(address)
    assert (importer.tally.imported, importer.tally.refused, service.streams) == (50, 0, 1)


async def test_a_reason_that_does_not_pass_is_reported_in_the_end(tmp_path: Path) -> None:
    async def refuse(row: ImportProgramsRequest) -> ImportProgramsResponse:
        return refusing(row, grpc.StatusCode.UNAVAILABLE)

    importer = Importer(tmp_path, "a", retry_for=0.2)
    async with serving(ImportService(refuse)) as address:
        await importer.run(address)
    assert [(row.row_id, row.code) for row in importer.refused] == [("a", "UNAVAILABLE")]


async def test_two_rows_of_one_id_are_never_under_way_together(tmp_path: Path) -> None:
    under_way: list[str] = []

    async def alone(row: ImportProgramsRequest) -> ImportProgramsResponse:
        assert row.row_id not in under_way
        under_way.append(row.row_id)
        await asyncio.sleep(0)
        under_way.remove(row.row_id)
        return await imported(row)

    importer = Importer(tmp_path)
    importer.file.write_text(lines(*[program(name) for name in ["a", "a", "b", "a", "a"]]))
    async with serving(ImportService(alone)) as address:
        await importer.run(address)
    assert importer.tally.imported == 5


async def test_a_caller_without_the_role_is_told_at_once(tmp_path: Path) -> None:
    async def deny(row: ImportProgramsRequest) -> None:
        raise StreamEnded(grpc.StatusCode.PERMISSION_DENIED, "publishers only")

    async with serving(ImportService(deny)) as address:
        with pytest.raises(ImportAborted, match="publishers only") as aborted:
            await Importer(tmp_path, "a").run(address)
    assert aborted.value.reachable


async def test_an_import_gives_up_when_nothing_gets_on(tmp_path: Path) -> None:
    with pytest.raises(ImportAborted, match=r"nothing got on for 0\.3 s") as aborted:
        await Importer(tmp_path, "a", retry_for=0.3).run(f"127.0.0.1:{free_port()}")
    assert not aborted.value.reachable


async def test_a_service_that_falls_silent_is_asked_again(tmp_path: Path) -> None:
    async def silent_once(row: ImportProgramsRequest) -> ImportProgramsResponse | None:
        return None if service.streams == 1 and row.row_id.endswith("3") else await imported(row)

    service, importer = ImportService(silent_once), Importer(tmp_path, *NAMES[:40])
    async with serving(service) as address:
        await importer.run(address, longest_silence=0.2)
    assert (service.streams, importer.tally.imported) == (2, 40)
