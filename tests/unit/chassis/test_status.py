import importlib
import pkgutil
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from typing import TypeVar
from urllib.parse import quote

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, ResourceInfo, RetryInfo
from google.rpc.status_pb2 import Status
from training.errors.v1 import errors_pb2

from chassis.errors import Draining, InternalError, TooManyCalls
from chassis.refusal import InvalidField, Refusal, ResourceNotFound, Violation
from chassis.status import BUDGET, CODE_OF_REASON, to_status

ROOTS = ("bus", "catalogue_svc", "chassis", "offer_svc", "program_svc", "trainingctl")


Detail = TypeVar("Detail", bound=Message)


class Unready(Refusal):
    """A refusal with violations and a precondition's code."""

    reason = "RELEASE_GATE"


def detail(status: Status, kind: type[Detail]) -> Detail:
    for packed in status.details:
        found = kind()
        if packed.Unpack(found):
            return found
    raise AssertionError(f"no {kind.__name__}")


def every_refusal(base: type[Refusal]) -> Iterator[type[Refusal]]:
    for subclass in base.__subclasses__():
        yield subclass
        yield from every_refusal(subclass)


def test_every_reason_has_a_code() -> None:
    names = {name.removeprefix("ERROR_REASON_") for name in errors_pb2.ErrorReason.DESCRIPTOR.values_by_name} - {
        "UNSPECIFIED"
    }
    assert names == CODE_OF_REASON.keys()
    assert grpc.StatusCode.OK not in CODE_OF_REASON.values()


def test_every_refusal_of_the_code_base_names_a_reason_that_exists() -> None:
    for root in ROOTS:
        package = importlib.import_module(root)
        for module in pkgutil.walk_packages(package.__path__, f"{root}."):
            if not module.name.endswith("__main__") and ".migrations" not in module.name:
                importlib.import_module(module.name)
    for refusal in every_refusal(Refusal):
        reason = getattr(refusal, "reason", None)
        assert reason in CODE_OF_REASON if reason else refusal.__subclasses__(), f"{refusal} has the reason {reason}"


def test_a_refusal_tells_reason_domain_and_metadata() -> None:
    status = to_status(InternalError.under("abc"))
    info = detail(status, ErrorInfo)
    assert status.code == grpc.StatusCode.INTERNAL.value[0]
    assert (info.reason, info.domain, dict(info.metadata)) == ("INTERNAL", "training", {"correlation_id": "abc"})


def test_broken_fields_are_listed_with_their_paths() -> None:
    status = to_status(InvalidField("no", violations=(Violation("content.title", "string.max_len", "", "be short"),)))
    (violation,) = detail(status, BadRequest).field_violations
    assert (violation.field, violation.description, violation.reason) == (
        "content.title",
        "be short",
        "STRING_MAX_LEN",
    )


def test_broken_preconditions_say_what_was_found_and_what_is_needed() -> None:
    status = to_status(Unready("no", violations=(Violation("summary", "length", "3 words", "20 words"),)))
    (violation,) = detail(status, PreconditionFailure).violations
    assert (violation.type, violation.subject) == ("length", "summary")
    assert violation.description == "found 3 words, needed 20 words"


def test_a_missing_resource_is_named() -> None:
    status = to_status(ResourceNotFound("no", {"resource_type": "program", "resource_name": "p1"}))
    info = detail(status, ResourceInfo)
    assert (info.resource_type, info.resource_name) == ("program", "p1")


def test_a_passing_trouble_says_when_to_come_back() -> None:
    for refusal in (Draining(), TooManyCalls.of("calls", 3)):
        assert detail(to_status(refusal), RetryInfo).retry_delay.ToTimedelta() == timedelta(seconds=1)


@pytest.mark.parametrize("kind", [InvalidField, Unready])
@pytest.mark.parametrize("letter", ["a", "ü", "\ud800"])
def test_a_status_never_outgrows_the_trailers(kind: type[Refusal], letter: str) -> None:
    long = Violation(letter * 300, letter * 300, letter * 300, letter * 300)
    metadata = {f"{number}": letter * 2000 for number in range(30)}
    for count in (1, 3, 500):
        status = to_status(kind(letter * 5000, metadata, (long,) * count))
        encoded = len(b64encode(status.SerializeToString()))
        assert encoded + len(quote(status.message, safe=" ")) <= BUDGET


def test_a_list_that_is_cut_says_how_much_is_missing() -> None:
    violations = tuple(Violation(f"field{number}", "rule", "", "be right" * 8) for number in range(500))
    listed = detail(to_status(InvalidField("no", violations=violations)), BadRequest).field_violations
    assert listed[-1].description == f"and {500 - (len(listed) - 1)} more"
    assert [each.field for each in listed[:-1]] == [f"field{number}" for number in range(len(listed) - 1)]
