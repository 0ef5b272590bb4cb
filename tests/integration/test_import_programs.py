"""`trainingctl import programs` against the real program service."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import grpc.aio
import pytest
from training.program.v1.program_service_pb2 import ListProgramsRequest
from training.program.v1.program_service_pb2_grpc import ProgramServiceStub

from chassis.embedded import EmbeddedNats, EmbeddedPostgres
from tests.integration.import_line import ImportLine, running
from tests.unit.trainingctl.rows import lines, program


@pytest.fixture(scope="module")
async def line(postgres: EmbeddedPostgres, nats: EmbeddedNats, servers_folder: Path) -> AsyncIterator[ImportLine]:
    async with running(("program",), postgres, nats, servers_folder) as line:
        yield line


def names(count: int) -> list[str]:
    """Return names that no other test uses."""
    return [f"{uuid4().hex[:8]} {number}" for number in range(count)]


async def known(line: ImportLine) -> set[str]:
    """Return the titles of all programs that the service has."""
    found: set[str] = set()
    async with grpc.aio.insecure_channel(line.address("program")) as channel:
        stub, token = ProgramServiceStub(channel), ""
        while True:
            page = await stub.ListPrograms(ListProgramsRequest(page_size=500, page_token=token))
            found.update(each.live.content.title for each in page.programs)
            token = page.next_page_token
            if not token:
                return found


async def test_an_import_makes_released_programs_and_repeating_it_changes_nothing(
    line: ImportLine, tmp_path: Path
) -> None:
    rows = names(150)
    file, token = tmp_path / "rows.jsonl", tmp_path / "token"
    file.write_text(lines(*map(program, rows)))
    first = await line.run("import", "programs", str(file), "--json", "--token-file", str(token))
    again = await line.run("import", "programs", str(file), "--json")
    assert (first.code, again.code) == (0, 0), first.errors
    assert (first.summary["imported"], first.summary["unchanged"]) == (150, 0)
    assert (again.summary["imported"], again.summary["unchanged"]) == (0, 150)
    assert {f"Course {row}" for row in rows} <= await known(line)
    assert token.read_text().strip() == first.summary["consistency_token"]


async def test_every_refused_row_is_reported_with_all_that_is_wrong_with_it(line: ImportLine, tmp_path: Path) -> None:
    sound, taken, gate, shape, unknown, domain = names(6)
    other = program(taken, title="Another title") | {"row_id": "taken again"}
    rows = [
        lines(program(sound), program(taken)),
        lines(program(gate, plan="too short", agenda=[], learning_outcomes=["Know everything"])),
        lines(program(shape, categories=[""]) | {"program_id": "no uuid"}),
        lines(program(unknown, colour="red")),
        "{\n",
        lines(program(domain, language_code="not a language")),
        lines(program("") | {"row_id": ""}),
    ]
    file, report = tmp_path / "rows.jsonl", tmp_path / "report.jsonl"
    file.write_text("".join(rows))
    done = await line.run("import", "programs", str(file), "--report", str(report), "--json")
    file.write_text(lines(other))
    more = tmp_path / "more.jsonl"
    conflict = await line.run("import", "programs", str(file), "--report", str(more))
    assert (done.code, conflict.code) == (1, 1)
    assert (done.summary["imported"], done.summary["refused"]) == (2, 6)
    told = {row["line"]: row for row in map(json.loads, report.read_text().splitlines())}
    assert {number: (row["code"], row["reason"]) for number, row in told.items()} == {
        3: ("FAILED_PRECONDITION", "RELEASE_GATE"),
        4: ("INVALID_ARGUMENT", "INVALID_FIELD"),
        5: ("INVALID_ARGUMENT", "UNREADABLE"),
        6: ("INVALID_ARGUMENT", "UNREADABLE"),
        7: ("INVALID_ARGUMENT", "INVALID_FIELD"),
        8: ("INVALID_ARGUMENT", "INVALID_FIELD"),
    }
    assert {each["field"] for each in told[3]["violations"]} == {
        "agenda",
        "plan",
        "learning_outcomes[0]",
        "total_duration",
    }
    assert {each["field"] for each in told[4]["violations"]} == {"program_id", "content.categories[0]"}
    assert told[3]["row_id"] == gate
    assert told[3]["file"] == str(tmp_path / "rows.jsonl")
    (refused,) = map(json.loads, more.read_text().splitlines())
    assert (refused["code"], refused["reason"]) == ("ALREADY_EXISTS", "RESOURCE_EXISTS")


async def test_rows_come_from_pipes_and_archives_too(line: ImportLine, tmp_path: Path) -> None:
    piped, packed = names(2)
    archive = tmp_path / "rows.jsonl.gz"
    archive.write_bytes(gzip.compress(lines(program(packed)).encode()))
    rows = lines(program(piped)).encode()
    done = await line.run("import", "programs", "-", str(archive), "--json", given=rows)
    zipped = await line.run("import", "programs", "-", "--json", given=gzip.compress(rows))
    assert (done.code, done.summary["imported"]) == (0, 2)
    assert (zipped.code, zipped.summary["unchanged"]) == (0, 1)


async def test_validate_only_checks_every_row_and_imports_none(line: ImportLine, tmp_path: Path) -> None:
    sound, short = names(2)
    file = tmp_path / "rows.jsonl"
    file.write_text(lines(program(sound), program(short, plan="short")))
    done = await line.run("import", "programs", str(file), "--validate-only", "--json")
    assert (done.code, done.summary["imported"], done.summary["refused"]) == (1, 1, 1)
    assert not {f"Course {sound}", f"Course {short}"} & await known(line)


async def test_an_import_that_was_killed_goes_on_where_it_was(line: ImportLine, tmp_path: Path) -> None:
    rows, state = names(1_500), tmp_path / "state"
    file = tmp_path / "rows.jsonl"
    file.write_text(lines(*map(program, rows)))
    command = ("import", "programs", str(file), "--state", str(state), "--json")
    process = await line.start(*command)
    while not state.exists() or state.read_text().count('"done"') < 100:
        assert process.returncode is None, "it was faster than the kill"
        await asyncio.sleep(0.01)
    process.kill()
    await process.communicate()
    done = await line.run(*command)
    assert done.code == 0, done.errors
    summary = done.summary
    assert summary["done_before"] >= 100
    assert summary["unchanged"] < 1_000
    assert summary["imported"] + summary["unchanged"] + summary["done_before"] == len(rows)
    assert {f"Course {row}" for row in rows} <= await known(line)
    once_more = await line.run(*command)
    assert (once_more.summary["done_before"], once_more.summary["rows_per_second"]) == (len(rows), 0)


async def test_an_import_outlives_a_service_that_is_killed(line: ImportLine, tmp_path: Path) -> None:
    rows, state = names(1_000), tmp_path / "state"
    file = tmp_path / "rows.jsonl"
    file.write_text(lines(*map(program, rows)))
    process = await line.start("import", "programs", str(file), "--state", str(state), "--json")
    while not state.exists() or state.read_text().count('"done"') < 100:
        assert process.returncode is None, "it was faster than the kill"
        await asyncio.sleep(0.01)
    await line.services["program"].kill()
    await line.services["program"].start()
    output, errors = await process.communicate()
    assert process.returncode == 0, errors
    summary = json.loads(output)
    assert summary["imported"] + summary["unchanged"] == len(rows)
    assert summary["refused"] == 0
    assert summary["reconnections"] >= 1
    assert {f"Course {row}" for row in rows} <= await known(line)


async def test_exit_codes_tell_wrong_use_from_absent_services(line: ImportLine, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(lines(program(*names(1))))
    gone = ("--program-address", "127.0.0.1:1", "--retry-for", "0.2")
    assert (await line.run("import", "programs", str(file), *gone)).code == 3
    assert (await line.run("import", "programs", str(tmp_path / "none.jsonl"))).code == 2
    assert (await line.run("import", "programs", str(file), "--resume", "--validate-only")).code == 2
    denied = await line.run("import", "programs", str(file), "--principal", "alice;roles=reader")
    assert denied.code == 2
    assert "publisher" in denied.errors
