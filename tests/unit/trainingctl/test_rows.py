import gzip
import io
import json
import sys
from pathlib import Path

import pytest
from training.offer.v1.offer_service_pb2 import ImportOffersRequest

from tests.unit.trainingctl.rows import lines, program
from trainingctl import rows as rows_module
from trainingctl.kinds import OFFERS, PROGRAMS, ImportRequest
from trainingctl.refused import TOO_LARGE, UNREADABLE, RefusedRow
from trainingctl.rows import Reading, Row


def nothing(message: ImportRequest) -> None:
    del message


def read(*files: Path | str) -> list[Row | RefusedRow]:
    return list(Reading(PROGRAMS, [str(file) for file in files], nothing).rows())


def accepted(found: list[Row | RefusedRow]) -> list[Row]:
    return [each for each in found if isinstance(each, Row)]


def refused(found: list[Row | RefusedRow]) -> list[RefusedRow]:
    return [each for each in found if isinstance(each, RefusedRow)]


def test_every_line_of_every_file_is_a_row_with_its_origin(tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_text(lines(program("a"), program("b")) + "\n")
    second.write_text("\n" + lines(program("c")).strip())
    found = accepted(read(first, second))
    assert [row.message.row_id for row in found] == ["a", "b", "c"]
    assert [str(row.origin) for row in found] == [f"{first}:1", f"{first}:2", f"{second}:2"]


def test_gzip_is_read_whatever_the_name(tmp_path: Path) -> None:
    file = tmp_path / "rows"
    file.write_bytes(gzip.compress(lines(program("a"), program("b")).encode()))
    assert [row.message.row_id for row in accepted(read(file))] == ["a", "b"]


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines(program("a")).encode())))
    (row,) = accepted(read("-"))
    assert str(row.origin) == "-:1"


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(lines(program("a")), "utf-8-sig")
    assert len(accepted(read(file))) == 1


@pytest.mark.parametrize(
    "bad",
    [
        b"not json",
        b'{"row_id": "a"',
        b"null",
        b"[1]",
        b"[" * 100_000,
        b'{"row_id": "a", "row_id": "b"}',
        b'{"row_id": "a", "colour": "red"}',
        b'{"row_id": 5}',
        b'{"row_id": "\\ud800"}',
        b'{"row_id": "\xff"}',
        b'{"content": {"level": "LEVEL_DIVINE"}}',
        b'{"content": {"total_duration": "for ever"}}',
    ],
)
def test_a_line_that_is_no_row_costs_only_itself(tmp_path: Path, bad: bytes) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(lines(program("a")).encode() + bad + b"\n" + lines(program("b")).encode())
    found = read(file)
    assert [row.message.row_id for row in accepted(found)] == ["a", "b"]
    (wrong,) = refused(found)
    assert (str(wrong.origin), wrong.code, wrong.reason) == (f"{file}:2", "INVALID_ARGUMENT", UNREADABLE)
    assert wrong.message


def test_an_unknown_field_is_named(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(program("a", colour="red")))
    (wrong,) = refused(read(file))
    assert '"colour"' in wrong.message
    assert wrong.row_id == "a"
    assert "Available" not in wrong.message


def test_a_damaged_archive_costs_its_own_rest_only(tmp_path: Path) -> None:
    damaged, sound = tmp_path / "a.gz", tmp_path / "b.jsonl"
    packed = gzip.compress("".join(lines(program(f"r{n}")) for n in range(500)).encode())
    damaged.write_bytes(packed[: len(packed) // 2])
    sound.write_text(lines(program("z")))
    found = read(damaged, sound)
    assert accepted(found)[-1].message.row_id == "z"
    (wrong,) = refused(found)
    assert "can't be read any further" in wrong.message


def test_a_row_larger_than_a_service_takes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "LARGEST_ROW", 2_000)
    file = tmp_path / "rows.jsonl"
    file.write_text(lines(program("a"), program("b", audience="x" * 2_000), program("c")))
    found = read(file)
    assert [row.message.row_id for row in accepted(found)] == ["a", "c"]
    assert [(row.row_id, row.reason) for row in refused(found)] == [("b", TOO_LARGE)]


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "_LONGEST_LINE", 5_000)
    file = tmp_path / "rows.jsonl"
    file.write_text("x" * 17_000 + "\n" + lines(program("a")))
    found = read(file)
    assert [row.reason for row in refused(found)] == [TOO_LARGE]
    assert [row.origin.line for row in accepted(found)] == [2]


def test_the_key_stands_for_the_content_and_not_for_what_is_added(tmp_path: Path) -> None:
    file, again = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    file.write_text('{"row_id": "a", "offer_id": "x"}\n{"row_id": "b", "offer_id": "x"}\n')
    again.write_text('\n{ "offerId": "x",   "rowId": "a"}\n')

    def prepare(message: ImportRequest) -> None:
        assert isinstance(message, ImportOffersRequest)
        message.min_tokens.append("token")

    first, second = Reading(OFFERS, [str(file)], prepare).rows()
    (same,) = Reading(OFFERS, [str(again)], nothing).rows()
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert isinstance(same, Row)
    assert first.key == same.key
    assert first.key != second.key


def test_reading_tells_how_far_it_is(tmp_path: Path) -> None:
    file, packed = tmp_path / "a.jsonl", tmp_path / "b.gz"
    file.write_text(lines(program("a"), program("b")))
    packed.write_bytes(gzip.compress(lines(program("c")).encode()))
    reading = Reading(PROGRAMS, [str(file), str(packed)], nothing)
    assert reading.bytes_read == 0
    assert len(list(reading.rows())) == 3
    assert reading.bytes_read == reading.total_bytes == file.stat().st_size + packed.stat().st_size
    assert Reading(PROGRAMS, [str(file), "-"], nothing).total_bytes is None
