import grpc
from google.rpc.status_pb2 import Status

from chassis.errors import RoleMissing, to_status
from chassis.refusal import InvalidField, Violation
from program_svc.domain.errors import ReleaseGateClosed
from trainingctl.refused import Origin, refused

ORIGIN = Origin("rows.jsonl", 7)


def test_the_record_of_a_field_that_breaks_its_rule_names_it() -> None:
    violation = Violation("content.title", "string.max_len", "", "at most 1000 characters")
    record = refused(ORIGIN, "a", to_status(InvalidField("wrong", violations=(violation,)))).record()
    assert record == {
        "file": "rows.jsonl",
        "line": 7,
        "row_id": "a",
        "code": "INVALID_ARGUMENT",
        "reason": "INVALID_FIELD",
        "message": "wrong",
        "metadata": {},
        "violations": [
            {"field": "content.title", "description": "at most 1000 characters", "reason": "STRING_MAX_LEN"}
        ],
    }


def test_the_record_of_a_broken_precondition_lists_all_of_them() -> None:
    broken = tuple(Violation(f"field{n}", "plan.length", "3", "300") for n in range(3))
    record = refused(ORIGIN, "a", to_status(ReleaseGateClosed(broken))).record()
    assert (record["code"], record["reason"]) == ("FAILED_PRECONDITION", "RELEASE_GATE")
    assert record["violations"] == [
        {"field": f"field{n}", "rule": "plan.length", "description": "found 3, needed 300"} for n in range(3)
    ]


def test_the_metadata_of_a_reason_are_kept() -> None:
    row = refused(ORIGIN, "a", to_status(RoleMissing.calling("Import", ["publisher"])))
    assert row.metadata == {"method": "Import", "roles": "publisher"}


def test_a_status_without_details_is_told_by_its_code() -> None:
    row = refused(ORIGIN, "a", Status(code=grpc.StatusCode.INTERNAL.value[0], message="broken"))
    assert (row.code, row.reason, row.message, row.violations) == ("INTERNAL", "", "broken", ())
